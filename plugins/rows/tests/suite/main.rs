//! What the reader `rows` promises, file by file.

mod bounds;
mod csv;
mod json;
mod making;

use serde_json::{Map, Value};
use synix_plugin::testing::{ReaderRun, read};
use synix_plugin::{Content, Error, Output};
use synix_rows::Rows;

fn run(name: &str, file: impl AsRef<[u8]>, config: &Value) -> ReaderRun {
    read::<Rows>(name, file, &config.to_string())
}

fn content(output: &Output) -> &str {
    match &output.content {
        Content::Text(text) => text,
        Content::Bytes(_) => panic!("bytes"),
    }
}

/// Returns label and content of each artifact of a file that can be read.
fn made(ran: &ReaderRun) -> Vec<(&str, &str)> {
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    let outputs = ran.outputs.iter();
    outputs
        .map(|output| (output.label.as_str(), content(output)))
        .collect()
}

fn metadata(output: &Output) -> Value {
    let entries = output.metadata.iter();
    let members: Map<String, Value> = entries
        .map(|entry| {
            (
                entry.key.clone(),
                serde_json::from_str(&entry.value).unwrap_or_default(),
            )
        })
        .collect();
    Value::Object(members)
}

/// Returns what was left out as `PLACE: WHAT`.
fn skipped(ran: &ReaderRun) -> Vec<String> {
    let skipped = ran.skipped.iter();
    skipped
        .map(|skipped| {
            format!(
                "{:?} at {}: {}",
                skipped.reason, skipped.place, skipped.what
            )
        })
        .collect()
}

fn message(ran: &ReaderRun) -> &str {
    match &ran.result {
        Err(Error::InvalidInput(text) | Error::InvalidConfig(text)) => text,
        other => panic!("{other:?}"),
    }
}
