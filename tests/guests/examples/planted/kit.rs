//! What the planted guests are made of.

use serde_json::Value;
use synix_plugin::{Error, Header, Input, MetadataEntry, Output, Request, Unit};

/// Ends the call as a bug would.
pub(crate) fn trap() -> ! {
    std::process::abort()
}

pub(crate) fn ask(text: impl Into<String>) -> Result<String, Error> {
    Ok(synix_plugin::complete(&Request::user(text))?.text)
}

pub(crate) fn out(label: impl Into<String>, text: impl Into<String>) -> Output {
    Output::text(label.into(), "text", text.into())
}

pub(crate) fn with_metadata(mut output: Output, key: &str, value: impl Into<String>) -> Output {
    output.metadata.push(MetadataEntry {
        key: key.to_owned(),
        value: value.into(),
    });
    output
}

pub(crate) fn label(input: &Input) -> &str {
    &input.header.label
}

pub(crate) fn config(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

pub(crate) fn metadata(header: &Header, key: &str) -> Option<Value> {
    let entry = header.metadata.iter().find(|entry| entry.key == key)?;
    serde_json::from_str(&entry.value).ok()
}

/// Positions in the order of their labels.
pub(crate) fn sorted(inputs: &[Header]) -> Vec<(&str, u32)> {
    let labels = inputs.iter().map(|input| input.label.as_str());
    let mut sorted: Vec<(&str, u32)> = labels.zip(0..).collect();
    sorted.sort_unstable();
    sorted
}

pub(crate) fn unit(key: impl Into<String>, inputs: Vec<u32>) -> Unit {
    Unit {
        key: key.into(),
        inputs,
        config: None,
    }
}

/// Goes as deep as the brackets in a text.
pub(crate) fn depth(text: &[u8]) -> usize {
    match text.split_first() {
        Some((b'[', rest)) => {
            let here = std::hint::black_box([rest.len(); 16]);
            depth(rest) + here[0].min(1)
        }
        _ => 0,
    }
}
