//! Reads files of cards: records with a blank line between them, of which each may begin with a title and a date.
//!
//! ```text
//! title: The roof
//! date: 2026-03-02
//! Call Ann about the roof.
//! ```

use std::io::{BufRead as _, Read as _};

use schemars::JsonSchema;
use serde::Deserialize;
use synix_plugin::reading::{self, File, Reason};
use synix_plugin::{Error, Output, Reader, schema_of};

/// A damaged file may have no line break at all, and a whole line of it may not fit in memory.
const MAX_RECORD_BYTES: usize = 1 << 20;
const FIELDS: [&str; 2] = ["title", "date"];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Leave out cards with fewer characters
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1000))]
    min_chars: usize,
}

fn one() -> usize {
    1
}

struct Cards;

impl Reader for Cards {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Reads the cards of a file";
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
        let name = file.name();
        let mut lines = file.reader();
        let (mut record, mut size, mut part) = (Vec::new(), 0, Vec::new());
        let (mut number, mut line, mut start) = (0, 1, 1);
        loop {
            part.clear();
            let count = lines
                .by_ref()
                .take(MAX_RECORD_BYTES as u64)
                .read_until(b'\n', &mut part)
                .map_err(|error| Error::InvalidInput(error.to_string()))?;
            if !part.trim_ascii().is_empty() {
                size += count;
                record.extend_from_slice(&part);
                // Nothing of a card that is skipped needs to be kept.
                if size > MAX_RECORD_BYTES {
                    record.clear();
                }
            } else {
                // A blank line, or the end of the file.
                if size > 0 {
                    number += 1;
                    reading::at(&format!("line {start}"));
                    card(&name, number, &record, size, config);
                }
                record.clear();
                (size, start) = (0, line + 1);
            }
            if count == 0 {
                break;
            }
            line += usize::from(part.ends_with(b"\n"));
        }
        if number == 0 {
            reading::skip("the file, which has no cards", Reason::Empty);
        }
        Ok(())
    }
}

synix_plugin::export_reader!(Cards);

fn card(file: &str, number: usize, record: &[u8], size: usize, config: &Config) {
    if size > MAX_RECORD_BYTES {
        let what = format!("card {number}, which is longer than 1 MiB");
        return reading::skip(&what, Reason::Unreadable);
    }
    let Ok(text) = std::str::from_utf8(record) else {
        return reading::skip(
            &format!("card {number}, which is not UTF-8"),
            Reason::Unreadable,
        );
    };
    let mut fields = Vec::new();
    let mut lines: Vec<&str> = text.lines().collect();
    while let Some((key, value)) = lines.first().and_then(|line| line.split_once(':')) {
        if !FIELDS.contains(&key.trim()) {
            break;
        }
        fields.push((key.trim(), value.trim()));
        lines.remove(0);
    }
    let title = fields.iter().rev().find(|(key, _)| *key == "title");
    let what = title.map_or(format!("card {number}"), |(_, title)| (*title).to_owned());
    let content = lines.join("\n").trim().to_owned();
    if content.is_empty() {
        return reading::skip(&what, Reason::Empty);
    }
    if content.chars().count() < config.min_chars {
        return reading::skip(&what, Reason::Filtered);
    }
    let mut output = Output::text(format!("{}-{number}", stem(file)), "card", content)
        .with_metadata("file", &file.into());
    for key in FIELDS {
        if let Some((_, value)) = fields.iter().rev().find(|(known, _)| *known == key) {
            output = output.with_metadata(key, &(*value).into());
        }
    }
    reading::emit(output);
}

/// Returns a path without its extension. A label must be unique in the layer, so the name of the file is not enough.
fn stem(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, end)) if !end.contains('/') && !stem.is_empty() && !stem.ends_with('/') => stem,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use synix_plugin::testing::{Skipped, read};

    use super::*;

    const EXAMPLE: &[u8] = include_bytes!("../example.cards");

    fn card_of(label: &str, content: &str, fields: &[(&str, &str)]) -> Output {
        fields.iter().fold(
            Output::text(label, "card", content),
            |output, (key, value)| output.with_metadata(*key, &(*value).into()),
        )
    }

    #[test]
    fn each_card_becomes_an_artifact() {
        let file = "notes/example.cards";
        let run = read::<Cards>(file, EXAMPLE, "{}");
        run.result.unwrap();
        assert_eq!(
            run.outputs,
            [
                card_of(
                    "notes/example-1",
                    "Call Ann about the roof.\nIt leaks.",
                    &[
                        ("file", file),
                        ("title", "The roof"),
                        ("date", "2026-03-02")
                    ]
                ),
                card_of(
                    "notes/example-3",
                    "Pay the rent by Friday.",
                    &[("file", file), ("title", "The rent")]
                ),
            ]
        );
        let empty = Skipped {
            place: "line 6".to_owned(),
            what: "Nothing".to_owned(),
            reason: Reason::Empty,
        };
        assert_eq!(run.skipped, [empty]);
    }

    #[test]
    fn a_damaged_card_does_not_lose_the_file() {
        let mut bytes = vec![b'x'; MAX_RECORD_BYTES + 1];
        bytes.extend(b"\n\n\xff\n\nGood.\n");
        let run = read::<Cards>("a.cards", bytes, "{}");
        let labels: Vec<_> = run.outputs.iter().map(|output| &output.label).collect();
        assert_eq!(labels, ["a-3"]);
        assert!(
            run.skipped
                .iter()
                .all(|one| one.reason == Reason::Unreadable)
        );
        assert_eq!(run.skipped.len(), 2);
    }

    #[test]
    fn short_cards_are_left_out() {
        let run = read::<Cards>(
            "a.cards",
            b"Short.\n\nLong enough.\n",
            r#"{"min_chars": 10}"#,
        );
        assert_eq!(run.outputs.len(), 1);
        assert_eq!(run.skipped[0].reason, Reason::Filtered);
    }
}
