//! Finds out what a file is, by what it begins with. Its name decides only where the beginning leaves it open.

use std::io::{BufRead, Read as _};

use synix_plugin::Error;
use synix_reading::archive::{Bytes, Entry};
use synix_reading::text::Utf8;

use crate::config::{Config, Format};
use crate::dialect::{self, Dialect};

/// What is looked at.
const HEAD_BYTES: u64 = 64 * 1024;

/// How the rows of a file are to be read.
#[derive(Debug)]
pub(crate) enum Kind {
    /// One JSON value on each line.
    Lines,
    /// The elements of a JSON array, or JSON values in a row.
    Json,
    Csv(Dialect),
    /// Nothing but white space.
    Empty,
}

/// Endings of the names of tables, before `.gz` and `.zst`.
const TABLES: [&str; 6] = ["csv", "tsv", "tab", "jsonl", "ndjson", "json"];

/// Returns whether an entry of an archive is a table by its name; an archive has other files as well.
pub(crate) fn is_table(name: &str) -> bool {
    TABLES.contains(&extension(name).as_str())
}

/// Returns the name without the endings that say how it is packed.
pub(crate) fn unpacked_name(name: &str) -> &str {
    let packed = [".gz", ".zst", ".GZ", ".ZST"];
    packed
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

fn extension(name: &str) -> String {
    let name = unpacked_name(name);
    name.rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default()
}

/// Opens an entry as text in UTF-8.
pub(crate) fn open<'a>(entry: &Entry<'a>) -> Result<Utf8<Bytes<'a>>, Error> {
    Utf8::new(entry.open()?)
        .map_err(|error| Error::InvalidInput(format!("{} cannot be read: {error}", entry.path())))
}

/// Finds out what an entry is.
pub(crate) fn find(entry: &Entry<'_>, config: &Config) -> Result<Kind, Error> {
    let mut head = Vec::new();
    // A fault of the packing is reported by whoever reads the rows.
    let _ = open(entry)?.take(HEAD_BYTES).read_to_end(&mut head);
    let is_whole = (head.len() as u64) < HEAD_BYTES;
    let Some(first) = head.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return Ok(if is_whole {
            Kind::Empty
        } else {
            Kind::Csv(dialect::of(&head))
        });
    };
    let csv = |delimiter: Option<u8>| {
        let mut dialect = dialect::of(&head);
        dialect.delimiter = delimiter.unwrap_or(dialect.delimiter);
        Kind::Csv(dialect)
    };
    let delimiter = delimiter(config)?;
    Ok(match config.format {
        Format::Jsonl => Kind::Lines,
        Format::Json => Kind::Json,
        Format::Csv => csv(delimiter),
        Format::Tsv => csv(Some(delimiter.unwrap_or(b'\t'))),
        Format::Auto if config.pointer.is_some() => Kind::Json,
        Format::Auto => match first {
            b'[' | 0x1e => Kind::Json,
            b'{' if has_value_on_first_line(&head, is_whole) => Kind::Lines,
            b'{' if matches!(extension(entry.name()).as_str(), "jsonl" | "ndjson") => Kind::Lines,
            b'{' => Kind::Json,
            _ if matches!(extension(entry.name()).as_str(), "jsonl" | "ndjson") => Kind::Lines,
            _ if extension(entry.name()) == "json" => Kind::Json,
            _ if matches!(extension(entry.name()).as_str(), "tsv" | "tab") => {
                csv(Some(delimiter.unwrap_or(b'\t')))
            }
            _ => csv(delimiter),
        },
    })
}

fn delimiter(config: &Config) -> Result<Option<u8>, Error> {
    match config.delimiter.as_deref().map(str::as_bytes) {
        None => Ok(None),
        Some([byte]) if *byte != b'"' && *byte != b'\n' && *byte != b'\r' => Ok(Some(*byte)),
        Some(_) => Err(Error::InvalidConfig(
            "`delimiter` is not one character that can divide fields: write one such as `,`, `;` or \"\\t\"".to_owned(),
        )),
    }
}

/// Returns whether the first line that is not empty is a whole JSON value.
fn has_value_on_first_line(head: &[u8], is_whole: bool) -> bool {
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let is_line = line.ends_with(b"\n") || is_whole;
        return is_line && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    }
    false
}

/// Says what a file begins with, for an error.
pub(crate) fn beginning(reader: &mut impl BufRead) -> String {
    let mut head = Vec::new();
    let _ = reader.take(40).read_to_end(&mut head);
    String::from_utf8_lossy(&head).escape_debug().to_string()
}
