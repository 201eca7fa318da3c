//! The file format: pretty JSON, sorted by key, which is easy to diff.
//!
//! ```text
//! {
//!   "schema": 1,
//!   "note": "…",
//!   "requests": {
//!     "<request key>": {
//!       "request": { … },
//!       "answer": { … }
//!     }
//!   }
//! }
//! ```
//!
//! A text of several lines, in a message or an answer, is stored as a list of
//! lines. Joined with newlines, they are the text byte for byte.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{CassetteError, Entry};
use synix_core::request::RequestKey;

const SCHEMA: u32 = 1;

const NOTE: &str = "Recorded answers of language models. synix replays them without a provider.";

/// The maximum size of a request or an answer. The parsed document may take 20 times as much memory.
const MAX_ENTRY_BYTES: usize = 32 << 20;

/// Entries whose request and answer are at most this long are parsed on all cores at once.
const MAX_PARALLEL_BYTES: usize = 128 << 10;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<Entry> {
    schema: u32,
    note: String,
    requests: BTreeMap<RequestKey, Entry>,
}

#[derive(Serialize)]
struct JsonEntry {
    request: Value,
    answer: Value,
}

/// An entry before it is parsed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry<'a> {
    #[serde(borrow)]
    request: &'a RawValue,
    #[serde(borrow)]
    answer: &'a RawValue,
}

pub(super) fn write(note: Option<&str>, entries: &BTreeMap<RequestKey, Entry>) -> String {
    let requests = entries.iter().map(|(key, entry)| {
        // Both are plain data with text keys, which always serialise.
        let mut request = serde_json::to_value(&entry.request).unwrap_or_default();
        let mut answer = serde_json::to_value(&entry.answer).unwrap_or_default();
        message_texts(&mut request).into_iter().for_each(split);
        answer.get_mut("text").into_iter().for_each(split);
        (*key, JsonEntry { request, answer })
    });
    let file = File {
        schema: SCHEMA,
        note: note.unwrap_or(NOTE).to_owned(),
        requests: requests.collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

pub(super) fn read(
    path: &Path,
    bytes: &[u8],
) -> Result<(String, BTreeMap<RequestKey, Entry>), CassetteError> {
    let file: File<RawEntry<'_>> =
        serde_json::from_slice(bytes).map_err(|error| parse_error(path, bytes, error))?;
    if file.schema != SCHEMA {
        return Err(other_schema(path, file.schema.into()));
    }
    // A build without calls would spend much of its time here. The others wait, to limit the memory.
    let (small, large): (Vec<_>, Vec<_>) = file
        .requests
        .into_iter()
        .partition(|(_, raw)| raw.length() <= MAX_PARALLEL_BYTES);
    let check = |(key, raw): (RequestKey, RawEntry<'_>)| (key, raw.check(path, key));
    let small: Vec<_> = small.into_par_iter().map(check).collect();
    let entries: BTreeMap<_, _> = small
        .into_iter()
        .chain(large.into_iter().map(check))
        .collect();
    // The error of the first entry is always the same one.
    let entries = entries
        .into_iter()
        .map(|(key, entry)| Ok((key, entry?)))
        .collect::<Result<_, CassetteError>>()?;
    Ok((file.note, entries))
}

impl RawEntry<'_> {
    fn length(&self) -> usize {
        self.request.get().len().max(self.answer.get().len())
    }

    /// Parses the entry under `key`, and checks that the key is that of its request.
    fn check(&self, path: &Path, key: RequestKey) -> Result<Entry, CassetteError> {
        if self.length() > MAX_ENTRY_BYTES {
            return Err(CassetteError::EntryTooLong {
                path: path.to_owned(),
                key,
                max_bytes: MAX_ENTRY_BYTES,
            });
        }
        let entry = self.parse().map_err(|source| CassetteError::Entry {
            path: path.to_owned(),
            key,
            source,
        })?;
        let found = entry.request.key()?;
        if found != key {
            return Err(CassetteError::Edited {
                path: path.to_owned(),
                key,
                found,
            });
        }
        Ok(entry)
    }

    fn parse(&self) -> Result<Entry, serde_json::Error> {
        let mut request: Value = serde_json::from_str(self.request.get())?;
        let mut answer: Value = serde_json::from_str(self.answer.get())?;
        message_texts(&mut request).into_iter().for_each(join);
        answer.get_mut("text").into_iter().for_each(join);
        Ok(Entry {
            request: serde_json::from_value(request)?,
            answer: serde_json::from_value(answer)?,
        })
    }
}

/// Makes the error of a file that cannot be parsed. If its schema is another one, that is the cause.
fn parse_error(path: &Path, bytes: &[u8], source: serde_json::Error) -> CassetteError {
    #[derive(Deserialize)]
    struct Head {
        schema: u64,
    }
    match serde_json::from_slice::<Head>(bytes) {
        Ok(head) if head.schema != u64::from(SCHEMA) => other_schema(path, head.schema),
        Ok(_) | Err(_) => CassetteError::Broken {
            path: path.to_owned(),
            line: source.line(),
            column: source.column(),
            source,
        },
    }
}

fn other_schema(path: &Path, found: u64) -> CassetteError {
    CassetteError::Schema {
        path: path.to_owned(),
        found,
        supported: SCHEMA,
    }
}

/// Returns the texts in the messages of a request, or the text of one for an embedding.
fn message_texts(request: &mut Value) -> Vec<&mut Value> {
    fn items<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
        let items = value.get_mut(name).and_then(Value::as_array_mut);
        items.into_iter().flatten()
    }
    if request.get("kind").is_some() {
        return request.get_mut("text").into_iter().collect();
    }
    items(request, "messages")
        .flat_map(|message| items(message, "parts"))
        .filter_map(|part| part.get_mut("text"))
        .collect()
}

fn split(text: &mut Value) {
    if let Some(whole) = text.as_str().filter(|whole| whole.contains('\n')) {
        *text = whole.split('\n').map(Value::from).collect();
    }
}

/// Joins a list of lines. The parser refuses a list with other elements.
fn join(text: &mut Value) {
    let lines = text.as_array().and_then(|lines| {
        let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
        lines.filter(|lines| !lines.is_empty())
    });
    if let Some(lines) = lines {
        *text = Value::String(lines.join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_unchanged_after_split_and_join(text in "[a\\n\\r\u{2028}é]*") {
            let mut value = Value::String(text.clone());
            split(&mut value);
            join(&mut value);
            prop_assert_eq!(value, Value::String(text));
        }
    }
}
