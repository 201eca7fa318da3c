//! Bounds what a PDF may cost, before it is interpreted: nobody can stop the interpreter.
//!
//! Two things make a small file cost without end: streams that unpack to more than the memory, and forms that draw forms
//! that draw forms. What is hidden from both, by encryption for example, ends at the limits of the sandbox.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::ZlibDecoder;
use hayro_interpret::hayro_syntax::content::UntypedIter;
use hayro_interpret::hayro_syntax::object::dict::keys::RESOURCES;
use hayro_interpret::hayro_syntax::object::{Name, ObjectIdentifier, Stream};
use hayro_interpret::hayro_syntax::page::{Page, Resources};
use memchr::memmem::{Finder, find_iter, rfind};
use synix_plugin::Error;

/// The most that one stream may unpack to.
const STREAM_BYTES: usize = 64 << 20;
/// How often its own size a document may unpack to, beyond one stream of the largest size.
const UNPACKED_TIMES: u64 = 100;
/// Deflate packs no better than this, so a shorter stream cannot be too large.
const BEST_RATIO: usize = 1032;
/// How much before a stream is looked at for what it is.
const HEAD_BYTES: usize = 2048;
/// The most instructions of forms that a page may run.
const INSTRUCTIONS: u64 = 2_000_000;
/// Forms inside one another that the interpreter follows.
const DEPTH: usize = 50;

/// Refuses a document with a stream that unpacks to too much. Pictures are not unpacked.
pub(super) fn check_streams(file: &[u8]) -> Result<(), Error> {
    let limit = (file.len() as u64)
        .saturating_mul(UNPACKED_TIMES)
        .saturating_add(STREAM_BYTES as u64);
    let mut all = 0_u64;
    let ends = Finder::new(b"endstream");
    let mut end = 0;
    for at in find_iter(file, b"stream") {
        let (head, rest) = file.split_at(at);
        let rest = rest.get(b"stream".len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let Some(data) = rest.strip_prefix(b"\n").filter(|_| !head.ends_with(b"end")) else {
            continue;
        };
        // A zlib stream begins with a number that 31 divides, and its method is 8.
        let is_packed = matches!(data, [first, second, ..]
            if first & 15 == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31));
        let head = &head[head.len().saturating_sub(HEAD_BYTES)..];
        let head = rfind(head, b"obj").map_or(head, |at| &head[at..]);
        let filters = find_iter(head, b"/Fl").count();
        let is_picture = find_iter(head, b"/Image").next().is_some();
        if !is_packed || is_picture {
            continue;
        }
        // Streams without an end share the next one, so that none is looked for twice.
        if end <= at {
            end = ends
                .find(data)
                .map_or(file.len(), |found| file.len() - data.len() + found);
        }
        let packed = &data[..data.len() - (file.len() - end).min(data.len())];
        let unpacked = if filters > 1 {
            unpacked_size(ZlibDecoder::new(ZlibDecoder::new(packed)))
        } else if packed.len() >= STREAM_BYTES / BEST_RATIO {
            unpacked_size(ZlibDecoder::new(packed))
        } else {
            0
        };
        all = all.saturating_add(unpacked);
        if unpacked > STREAM_BYTES as u64 || all > limit {
            return Err(Error::InvalidInput(format!(
                "the PDF unpacks to more than {} MiB at byte {at}: it is damaged, or made to stop its readers",
                unpacked.min(limit) >> 20
            )));
        }
    }
    Ok(())
}

/// Returns how much comes out of a stream, or a little more than may.
fn unpacked_size(stream: impl Read) -> u64 {
    let mut limited = stream.take(STREAM_BYTES as u64 + 1);
    let mut buffer = [0; 16 * 1024];
    let mut size = 0;
    // What is damaged ends where the damage is, here as for the interpreter.
    while let Ok(count @ 1..) = limited.read(&mut buffer) {
        size += count as u64;
    }
    size
}

/// What a form runs by itself, and the forms that it draws.
#[derive(Default)]
struct Form {
    instructions: u64,
    draws: Vec<ObjectIdentifier>,
}

/// The forms of a document, each of which is read once.
#[derive(Default)]
pub(super) struct Forms {
    known: HashMap<ObjectIdentifier, Form>,
}

impl Forms {
    /// Refuses a page whose forms draw each other so often that the page would never end.
    pub(super) fn check(&mut self, number: usize, page: &Page<'_>) -> Result<(), Error> {
        if page.resources().x_objects.is_empty() {
            return Ok(());
        }
        let content = page.page_stream().unwrap_or_default();
        let drawn = self.learn(content, page.resources()).draws;
        let mut costs = HashMap::new();
        let mut all = 0_u64;
        for form in drawn {
            all = all.saturating_add(self.cost(form, DEPTH, &mut costs));
        }
        if all <= INSTRUCTIONS {
            return Ok(());
        }
        Err(Error::InvalidInput(format!(
            "page {number} draws its forms with more than {INSTRUCTIONS} instructions: it is damaged, or made to stop its \
             readers"
        )))
    }

    /// Reads what is in a content, and all forms that it reaches.
    fn learn(&mut self, content: &[u8], resources: &Resources<'_>) -> Form {
        let (own, mut open) = scan(content, resources);
        while let Some(stream) = open.pop() {
            let id = stream.obj_id();
            if self.known.contains_key(&id) {
                continue;
            }
            let form = match stream.decoded_data() {
                Ok(content) => {
                    let inner = stream.dict().get(RESOURCES).map(Resources::new);
                    let (form, drawn) = scan(&content, inner.as_ref().unwrap_or(resources));
                    open.extend(drawn);
                    form
                }
                Err(_) => Form::default(),
            };
            self.known.insert(id, form);
        }
        own
    }

    /// Returns how many instructions a form runs if `depth` more may be inside one another.
    fn cost(
        &self,
        form: ObjectIdentifier,
        depth: usize,
        costs: &mut HashMap<(ObjectIdentifier, usize), u64>,
    ) -> u64 {
        if depth == 0 {
            return 0;
        }
        if let Some(cost) = costs.get(&(form, depth)) {
            return *cost;
        }
        let Some(known) = self.known.get(&form) else {
            return 0;
        };
        let mut all = known.instructions;
        for inner in &known.draws {
            all = all.saturating_add(self.cost(*inner, depth - 1, costs));
            if all > INSTRUCTIONS {
                break;
            }
        }
        costs.insert((form, depth), all);
        all
    }
}

/// Counts the instructions of a content, and finds the forms that it draws. A picture is no form.
fn scan<'a>(content: &[u8], resources: &Resources<'a>) -> (Form, Vec<Stream<'a>>) {
    let mut form = Form::default();
    let mut streams = HashMap::new();
    let mut instructions = UntypedIter::new(content);
    while let Some(instruction) = instructions.next() {
        form.instructions += 1;
        if &**instruction.operator != b"Do" || form.draws.len() as u64 > INSTRUCTIONS {
            continue;
        }
        let Some(name) = instruction
            .operands()
            .last()
            .and_then(|last| last.clone().into_name())
        else {
            continue;
        };
        let Some(stream) = resources.get_x_object(&name) else {
            continue;
        };
        let subtype = stream.dict().get::<Name<'_>>(b"Subtype".as_slice());
        if subtype.is_some_and(|subtype| &*subtype == b"Form") {
            form.draws.push(stream.obj_id());
            streams.insert(stream.obj_id(), stream);
        }
    }
    (form, streams.into_values().collect())
}
