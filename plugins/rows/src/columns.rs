//! The columns of CSV: their names, and the values that a record has for them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::{Config, Encoding};
use crate::csv::Fields;

/// The characters of windows-1252 for the bytes 0x80 to 0x9f; the others are those of Unicode.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Returns a value for each name, or why the record has not one for each.
pub(crate) fn values(
    config: &Config,
    fields: &Fields,
    names: &[String],
) -> Result<Vec<Value>, String> {
    let (found, expected) = (fields.len(), names.len());
    // Spreadsheets end lines with empty fields where a longer line is in the table.
    let has_more = fields.iter().skip(expected).any(|field| !field.is_empty());
    if found < expected || has_more {
        let which = if config.columns.is_some() {
            "`columns` has"
        } else {
            "the header has"
        };
        return Err(format!(
            "it has {found} {}, and {which} {expected}",
            if found == 1 { "field" } else { "fields" }
        ));
    }
    let values = fields.iter().take(expected);
    values
        .map(|field| text(config, field).map(Value::from))
        .collect()
}

fn text(config: &Config, field: &[u8]) -> Result<String, String> {
    match (std::str::from_utf8(field), config.encoding) {
        (Ok(text), Encoding::Utf8) => Ok(text.to_owned()),
        (Err(_), Encoding::Utf8) => Err(
            "it is not UTF-8; if the file is older or from a spreadsheet, set `encoding = \"windows-1252\"`"
                .to_owned(),
        ),
        (_, Encoding::Windows1252) => Ok(field.iter().map(|&byte| from_1252(byte)).collect()),
    }
}

/// Returns the names in a header, made different from each other.
pub(crate) fn names(config: &Config, fields: &Fields) -> Result<Vec<String>, String> {
    let names: Result<Vec<String>, String> =
        fields.iter().map(|field| text(config, field)).collect();
    Ok(distinct(&names?))
}

/// Gives each column a name of its own.
fn distinct(names: &[String]) -> Vec<String> {
    // A hostile header may have one name a million times.
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    let names = names.iter().zip(1_u64..).map(|(name, number)| {
        let name = match name.trim() {
            "" => format!("column_{number}"),
            name => name.to_owned(),
        };
        let mut own = name.clone();
        let count = counts.entry(name.clone()).or_insert(1);
        while !taken.insert(own.clone()) {
            *count += 1;
            own = format!("{name}_{count}");
        }
        own
    });
    names.collect()
}

fn from_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
