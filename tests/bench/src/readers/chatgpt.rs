//! Writes exports of ChatGPT: one zip with `conversations.json`, as large as the export of a person who writes a lot.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::DeflateEncoder;
use flate2::{Compression, CrcWriter};
use serde_json::{Value, json};

use crate::Outcome;
use crate::words::Words;

/// The number of messages of a conversation.
pub(crate) const MESSAGES: usize = 24;

/// So many bytes has the text of an answer; a question has a tenth.
const ANSWER_BYTES: usize = 2_700;

/// The name of the file in the archive.
const ENTRY: &[u8] = b"conversations.json";

/// Writes an export with the conversations of these numbers, each with its number of messages, and returns the size of
/// the JSON.
pub(crate) fn write(
    path: &Path,
    conversations: impl IntoIterator<Item = (u64, usize)>,
) -> Outcome<u64> {
    zip(path, |to| {
        let mut before = "[";
        for (number, messages) in conversations {
            to.write_all(before.as_bytes())?;
            serde_json::to_writer(&mut *to, &conversation(number, messages))?;
            before = ",";
        }
        to.write_all(b"]")
    })
}

/// A longer conversation begins like a shorter one of the same number.
fn conversation(number: u64, messages: usize) -> Value {
    let id = format!("{number:08x}-0000-4000-8000-000000000000");
    let mut nodes = serde_json::Map::new();
    nodes.insert(
        "root".to_owned(),
        json!({"id": "root", "message": null, "parent": null, "children": [format!("{id}-0")]}),
    );
    let mut words = Words::new(number);
    let begun = 1_700_000_000.0 + f64::from(u32::try_from(number).unwrap_or_default()) * 600.0;
    let mut time = begun;
    for at in 0..messages {
        let (role, bytes) = if at % 2 == 0 {
            ("user", ANSWER_BYTES / 10)
        } else {
            ("assistant", ANSWER_BYTES)
        };
        time += 7.5;
        let node = format!("{id}-{at}");
        let parent = at
            .checked_sub(1)
            .map_or_else(|| "root".to_owned(), |before| format!("{id}-{before}"));
        let children = (at + 1 < messages).then(|| format!("{id}-{}", at + 1));
        nodes.insert(
            node.clone(),
            json!({
                "id": node,
                "message": {
                    "id": node,
                    "author": {"role": role, "name": null, "metadata": {}},
                    "create_time": time,
                    "update_time": null,
                    "content": {"content_type": "text", "parts": [words.text(bytes)]},
                    "status": "finished_successfully",
                    "end_turn": true,
                    "weight": 1.0,
                    "metadata": {
                        "request_id": node,
                        "message_source": null,
                        "timestamp_": "absolute",
                        "model_slug": "gpt-5",
                        "default_model_slug": "gpt-5",
                    },
                    "recipient": "all",
                    "channel": null,
                },
                "parent": parent,
                "children": Vec::from_iter(children),
            }),
        );
    }
    json!({
        "title": format!("Conversation {number}"),
        "create_time": begun,
        "update_time": time,
        "mapping": nodes,
        "current_node": format!("{id}-{}", messages - 1),
        "conversation_id": id,
        "id": id,
        "default_model_slug": "gpt-5",
    })
}

/// Writes a zip with one entry that `fill` writes, and returns the entry's size. The sizes follow the bytes, as in the
/// archive of a server that does not keep it in memory.
fn zip(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome<u64> {
    let name_length = u16::try_from(ENTRY.len())?;
    let mut file = BufWriter::new(File::create(path)?);
    let head = |sizes: [u32; 3]| {
        // Version 2.0, sizes behind the bytes, deflated, no time.
        let mut head = [20_u16, 8, 8, 0, 0].map(u16::to_le_bytes).concat();
        head.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        head.extend([name_length, 0].map(u16::to_le_bytes).concat());
        head
    };
    file.write_all(&[b"PK\x03\x04", head([0; 3]).as_slice(), ENTRY].concat())?;
    let mut entry = BufWriter::with_capacity(
        1 << 20,
        CrcWriter::new(CountingEncoder {
            encoder: DeflateEncoder::new(file, Compression::fast()),
            bytes: 0,
        }),
    );
    fill(&mut entry)?;
    let entry = entry.into_inner().map_err(io::IntoInnerError::into_error)?;
    let sum = entry.crc().sum();
    let CountingEncoder { mut encoder, bytes } = entry.into_inner();
    encoder.try_finish()?;
    let packed = encoder.total_out();
    let mut file = encoder.finish()?;
    let sizes = [sum, u32::try_from(packed)?, u32::try_from(bytes)?];
    let descriptor = sizes.map(u32::to_le_bytes).concat();
    file.write_all(&[b"PK\x07\x08", descriptor.as_slice()].concat())?;
    let directory = [
        b"PK\x01\x02\x14\x03",
        head(sizes).as_slice(),
        &[0; 14],
        ENTRY,
    ]
    .concat();
    file.write_all(&directory)?;
    let start = 30 + u64::from(name_length) + packed + 16;
    let numbers = [u32::try_from(directory.len())?, u32::try_from(start)?];
    let end = numbers.map(u32::to_le_bytes).concat();
    file.write_all(&[b"PK\x05\x06\0\0\0\0\x01\0\x01\0", end.as_slice(), &[0; 2]].concat())?;
    file.flush()?;
    Ok(bytes)
}

struct CountingEncoder {
    encoder: DeflateEncoder<BufWriter<File>>,
    bytes: u64,
}

impl Write for CountingEncoder {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.encoder.write(buffer)?;
        self.bytes += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}
