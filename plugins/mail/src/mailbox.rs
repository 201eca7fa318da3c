//! The two passes over a mailbox: where its messages are, and what the messages of each thread say.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use synix_plugin::reading::{self, File, Reason};
use synix_plugin::{Error, Output};
use synix_reading::archive::Entry;

use crate::letter::Letter;
use crate::lines::Line;
use crate::load::{Sieve, load};
use crate::mbox::{Event, Found, messages};
use crate::pile::{Counts, excluded, lost, parse, with_text};
use crate::threads::{Name, Threads, anonymous, gmail, id};
use crate::write::{self, Message};
use crate::{Config, Unit};

/// The most bytes of a message's headers that are read in the first pass.
const HEADER_BYTES: usize = 256 * 1024;
/// The most bytes of messages that wait for the rest of their thread, where a mailbox cannot be read from any place.
const WAITING_BYTES: usize = 64 << 20;

/// Where a mailbox is, and its first byte.
pub(crate) enum Source<'a> {
    /// A file, which can be read from any place.
    Whole(&'a File<'a>, u64),
    /// Packed: it is read from its start, twice.
    Entry(&'a Entry<'a>, u64),
}

impl<'a> Source<'a> {
    fn open(&self) -> Result<Box<dyn BufRead + 'a>, Error> {
        match self {
            Self::Whole(file, begin) => {
                let mut reader = file.reader();
                reader
                    .seek(SeekFrom::Start(*begin))
                    .map_err(|error| lost(&error))?;
                Ok(Box::new(reader))
            }
            Self::Entry(entry, begin) => {
                let mut reader = entry.open()?;
                io::copy(&mut (&mut reader).take(*begin), &mut io::sink())
                    .map_err(|error| lost(&error))?;
                Ok(reader)
            }
        }
    }

    const fn begin(&self) -> u64 {
        match self {
            Self::Whole(_, begin) | Self::Entry(_, begin) => *begin,
        }
    }

    fn place(&self, number: usize) -> String {
        let inner = format!("message {number}");
        match self {
            Self::Whole(..) => inner,
            Self::Entry(entry, _) => entry.place(&inner),
        }
    }
}

/// A message after the first pass.
struct Header {
    number: usize,
    range: Range<u64>,
    /// Seconds since 1970, by the message or who delivered it.
    date: Option<i64>,
    delivered: Option<i64>,
    node: u32,
    /// In place of the name of a message that has none.
    anonymous: Option<Name>,
}

/// Reads a mailbox.
pub(crate) fn read(name: &str, source: &Source<'_>, config: &Config) -> Result<Counts, Error> {
    let mut scan = Scan::new(source, config);
    let scanned = messages(source.open()?, source.begin(), |event| scan.add(event));
    // Of a file that is cut off, what was whole is kept; without a message there is nothing to keep.
    if let Err(error) = scanned {
        if scan.headers.is_empty() {
            return Err(lost(&error));
        }
        reading::skip(
            &format!("what follows message {}", scan.counts.found),
            Reason::Unreadable,
        );
    }
    let threads = by_thread(scan.headers, &mut scan.threads, config.unit);
    let mut writer = Writer {
        name,
        source,
        config,
        counts: scan.counts,
    };
    match source {
        Source::Whole(file, _) => writer.from_any_place(file, &threads)?,
        Source::Entry(..) => writer.from_the_start(threads)?,
    }
    Ok(writer.counts)
}

/// Returns the threads by their first message, each in the order in which it was written.
fn by_thread(headers: Vec<Header>, threads: &mut Threads, unit: Unit) -> Vec<Vec<Header>> {
    let mut order: Vec<Vec<Header>> = Vec::new();
    let mut places: HashMap<u32, usize> = HashMap::new();
    for header in headers {
        let root = match unit {
            Unit::Thread => threads.root(header.node),
            Unit::Message => header.node,
        };
        let place = *places.entry(root).or_insert_with(|| {
            order.push(Vec::new());
            order.len() - 1
        });
        if let Some(thread) = order.get_mut(place) {
            thread.push(header);
        }
    }
    for thread in &mut order {
        // Stable: messages without a date, or of one second, stay in the order of the file.
        thread.sort_by_key(|header| header.date.unwrap_or(i64::MAX));
    }
    order
}

/// The second pass.
struct Writer<'a> {
    name: &'a str,
    source: &'a Source<'a>,
    config: &'a Config,
    counts: Counts,
}

impl Writer<'_> {
    /// Reads one thread after the other.
    fn from_any_place(&mut self, file: &File<'_>, threads: &[Vec<Header>]) -> Result<(), Error> {
        for thread in threads {
            let mut letters = Vec::with_capacity(thread.len());
            for header in thread {
                let raw = load(file, header.range.clone(), true).map_err(|error| lost(&error))?;
                letters.extend(self.message(header, &raw));
            }
            self.write(thread, &letters);
        }
        Ok(())
    }

    /// Reads one message after the other, and keeps those whose thread is not whole.
    fn from_the_start(&mut self, threads: Vec<Vec<Header>>) -> Result<(), Error> {
        /// The messages of a thread by their places in it, and how many are to come.
        struct Waiting {
            thread: Vec<Header>,
            letters: Vec<Option<Message>>,
            left: usize,
        }
        let mut places = HashMap::new();
        let mut waiting: Vec<Waiting> = Vec::with_capacity(threads.len());
        for (index, thread) in threads.into_iter().enumerate() {
            for (place, header) in thread.iter().enumerate() {
                places.insert(header.range.start, (index, place));
            }
            waiting.push(Waiting {
                letters: thread.iter().map(|_| None).collect(),
                left: thread.len(),
                thread,
            });
        }
        let mut sieve = Sieve::default();
        let mut bytes = 0;
        let scanned = messages(
            self.source.open()?,
            self.source.begin(),
            |event| match event {
                Event::Line(line) => sieve.add(line, true),
                Event::End(found) => {
                    let raw = std::mem::take(&mut sieve).raw;
                    let place = places.get(&found.range.start).copied();
                    let Some((place, open)) =
                        place.and_then(|(index, place)| Some((place, waiting.get_mut(index)?)))
                    else {
                        return;
                    };
                    let letter = open
                        .thread
                        .get(place)
                        .and_then(|header| self.message(header, &raw));
                    bytes += letter.as_ref().map_or(0, |letter| letter.letter.text.len());
                    if let Some(slot) = open.letters.get_mut(place) {
                        *slot = letter;
                    }
                    open.left -= 1;
                    if open.left == 0 || bytes > WAITING_BYTES {
                        let letters: Vec<Message> = std::mem::take(&mut open.letters)
                            .into_iter()
                            .flatten()
                            .collect();
                        bytes -= letters
                            .iter()
                            .map(|letter| letter.letter.text.len())
                            .sum::<usize>()
                            .min(bytes);
                        if open.left == 0 {
                            self.write(&open.thread, &letters);
                        }
                    }
                }
            },
        );
        // The first pass has reported where a damaged file ends.
        drop(scanned);
        let incomplete = waiting.iter().any(|open| open.left > 0);
        if incomplete {
            return Err(Error::InvalidInput(format!(
                "the threads of this packed mailbox take more than {} MiB of memory: unpack it, and name the unpacked file \
                 as the source",
                WAITING_BYTES >> 20
            )));
        }
        Ok(())
    }

    fn message(&mut self, header: &Header, raw: &crate::load::Raw) -> Option<Message> {
        let place = self.source.place(header.number);
        reading::at(&place);
        let anonymous = header.anonymous.unwrap_or_default();
        let Some(message) = parse(raw, header.delivered, &anonymous, &place, self.config) else {
            self.counts.unreadable += 1;
            reading::skip(&place, Reason::Unreadable);
            return None;
        };
        let message = with_text(message);
        self.counts.empty += usize::from(message.is_none());
        message
    }

    fn write(&mut self, thread: &[Header], letters: &[Message]) {
        let (Some(header), Some(first)) = (thread.first(), letters.first()) else {
            return;
        };
        reading::at(&self.source.place(header.number));
        self.counts.written += letters.len();
        let output: Output = match self.config.unit {
            Unit::Thread => write::thread(self.name, first, letters),
            Unit::Message => write::message(self.name, first, self.config),
        };
        reading::emit(output);
    }
}

/// The first pass.
struct Scan<'a> {
    source: &'a Source<'a>,
    config: &'a Config,
    /// The lines of the headers that are open, or nothing in a body.
    open: Option<Vec<u8>>,
    letter: Option<Letter>,
    /// Of a message without a name.
    digest: Option<Sha256>,
    /// The names of the messages so far.
    known: HashSet<Name>,
    threads: Threads,
    headers: Vec<Header>,
    counts: Counts,
}

impl<'a> Scan<'a> {
    fn new(source: &'a Source<'a>, config: &'a Config) -> Self {
        Self {
            source,
            config,
            open: Some(Vec::new()),
            letter: None,
            digest: None,
            known: HashSet::new(),
            threads: Threads::default(),
            headers: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Line(line) => self.line(line),
            Event::End(found) => {
                self.headers_end();
                self.message(found);
                self.open = Some(Vec::new());
                self.digest = None;
            }
        }
    }

    fn line(&mut self, line: Line<'_>) {
        match &mut self.open {
            None => {
                if let Some(digest) = &mut self.digest {
                    digest.update(line.text());
                }
            }
            Some(_) if line.begins && line.text().is_empty() => self.headers_end(),
            Some(open) if open.len() < HEADER_BYTES => {
                open.extend_from_slice(line.text());
                open.push(b'\n');
            }
            Some(_) => {}
        }
    }

    fn headers_end(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.push(b'\n');
        self.letter = Letter::from_headers(&open);
        if let Some(letter) = self.letter.as_ref().filter(|letter| letter.id.is_none()) {
            let mut digest = Sha256::new();
            for text in [&letter.from, &letter.to, &letter.subject] {
                digest.update(text.as_deref().unwrap_or_default());
                digest.update([0]);
            }
            digest.update(letter.date.unwrap_or_default().to_be_bytes());
            self.digest = Some(digest);
        }
    }

    fn message(&mut self, found: Found) {
        self.counts.found += 1;
        let number = self.counts.found;
        reading::at(&self.source.place(number));
        let Some(letter) = self.letter.take() else {
            self.counts.unreadable += 1;
            reading::skip(&format!("message {number}"), Reason::Unreadable);
            return;
        };
        let what = letter
            .subject
            .as_deref()
            .or(letter.id.as_deref())
            .unwrap_or("a message");
        if excluded(&letter, self.config) {
            reading::skip(what, Reason::Filtered);
            return;
        }
        let anonymous = self.digest.take().map(anonymous);
        let own = match &letter.id {
            Some(name) => id(name),
            None => anonymous.unwrap_or_default(),
        };
        if !self.known.insert(own) {
            reading::skip(what, Reason::Duplicate);
            return;
        }
        let named: Vec<Name> = match &letter.gmail_thread {
            Some(thread) => vec![gmail(thread)],
            None => letter.answers.iter().map(|name| id(name)).collect(),
        };
        let node = self.threads.join(own, &named);
        self.headers.push(Header {
            number,
            range: found.range,
            date: letter.date.or(found.delivered),
            delivered: found.delivered,
            node,
            anonymous,
        });
    }
}
