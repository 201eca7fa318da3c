//! What of an artifact is searched: its label, its title, its text and its metadata.

use std::str::FromStr;

use serde_json::Value;
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::digest::Encoder;

use crate::tokenizer::Texts;

/// The metadata that are the title of an artifact.
const TITLES: [&str; 3] = ["title", "subject", "name"];

/// The maximum size of a text that is indexed, in bytes. The rest of a larger text is not searched.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// The maximum number of characters of a value that `--where` can find by its index.
const MAX_FACET_CHARS: usize = 256;

impl Texts {
    /// Returns the texts of an artifact in which words are searched.
    pub(crate) fn of(artifact: &Artifact) -> Self {
        let content = match &artifact.content {
            Content::Text(text) => text[..text.floor_char_boundary(MAX_TEXT_BYTES)].to_owned(),
            Content::Bytes { .. } => String::new(),
        };
        let (title, metadata) = metadata_texts(&artifact.metadata);
        Self {
            parts: [artifact.label.to_string(), title, content, metadata],
        }
    }
}

/// Returns the title in metadata, and the texts and numbers of the others.
pub(crate) fn metadata_texts(metadata: &Metadata) -> (String, String) {
    let (mut title, mut others) = (String::new(), String::new());
    for (name, value) in metadata {
        let is_title = TITLES.contains(&name.as_str());
        add_values(value, if is_title { &mut title } else { &mut others });
    }
    (title, others)
}

/// Adds the texts and numbers in a value, a line for each.
pub(crate) fn add_values(value: &Value, text: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => add_line(&value.to_string(), text),
        Value::String(line) => add_line(line, text),
        Value::Array(values) => values.iter().for_each(|value| add_values(value, text)),
        Value::Object(members) => members.values().for_each(|value| add_values(value, text)),
    }
}

fn add_line(line: &str, text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// A condition on metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The name of the value.
    pub key: String,
    /// The text of the value, or of one of its elements if it is a list.
    pub value: String,
}

/// A condition has no `=`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not of the form KEY=VALUE")]
pub struct InvalidCondition(String);

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            Some(_) | None => Err(InvalidCondition(text.to_owned())),
        }
    }
}

impl Condition {
    /// Returns whether metadata meet the condition.
    pub(crate) fn is_met(&self, metadata: &Metadata) -> bool {
        let value = metadata.get(&self.key);
        value.is_some_and(|value| scalars(value).any(|text| text == self.value))
    }

    /// Returns the word that stands for the condition in an index, if values of that length are indexed.
    pub(crate) fn facet(&self) -> Option<String> {
        facet(&self.key, &self.value)
    }
}

/// Returns the words that stand for metadata in an index. What they find is compared with the metadata themselves.
pub(crate) fn facets(metadata: &Metadata) -> String {
    let mut all = String::new();
    for (key, value) in metadata {
        for text in scalars(value) {
            if let Some(facet) = facet(key, &text) {
                all.push_str(&facet);
                all.push(' ');
            }
        }
    }
    all
}

fn facet(key: &str, value: &str) -> Option<String> {
    if value.chars().nth(MAX_FACET_CHARS).is_some() {
        return None;
    }
    let digest = Encoder::new("synix.search-facet.v1").text(key).text(value);
    let digits = digest.finish().to_string();
    Some(format!("m{}", &digits[..10]))
}

/// Returns a value as a text, or those of a list.
fn scalars(value: &Value) -> impl Iterator<Item = String> + '_ {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    };
    values.iter().filter_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_is_met_by_a_text_a_number_or_an_element() {
        let metadata: Metadata = serde_json::from_value(
            json!({"month": "2024-01", "n": 7, "tags": ["a", "b"], "x": {"y": 1}}),
        )
        .unwrap();
        let is_met = |key: &str, value: &str| {
            let condition = Condition {
                key: key.to_owned(),
                value: value.to_owned(),
            };
            let met = condition.is_met(&metadata);
            let facet = condition.facet().unwrap();
            assert_eq!(facets(&metadata).contains(&facet), met, "{key}={value}");
            met
        };
        for (key, value) in [("month", "2024-01"), ("n", "7"), ("tags", "b")] {
            assert!(is_met(key, value), "{key}={value}");
        }
        for (key, value) in [
            ("month", "2024"),
            ("tags", "[\"a\",\"b\"]"),
            ("x", "1"),
            ("z", ""),
        ] {
            assert!(!is_met(key, value), "{key}={value}");
        }
    }
}
