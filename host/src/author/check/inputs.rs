//! The inputs that a plugin is tried with.

use serde_json::{Map, Value, json};

use crate::artifact::{Artifact, Content, Metadata};
use crate::ids::{Kind, Label};

/// Bytes of the long text.
const LONG_BYTES: usize = 256 << 10;

const NOTES: [(&str, &str); 4] = [
    (
        "alpha",
        "Call the printer by Friday.\nAsk Bela for the figures of May.",
    ),
    ("beta", "The meeting was short. Chitra writes the summary."),
    ("delta", "Nothing to do today."),
    ("gamma/one", "Order paper; then tell everyone."),
];

/// Texts of the ordinary inputs, tried in turn until one suits the plugin.
const FORMS: [Option<&str>; 4] = [
    None,
    Some("3"),
    Some("{\"name\": \"sample\", \"items\": [1, 2]}"),
    Some("name,count\nsample,2\n"),
];

/// Returns sets of ordinary inputs in label order, the likeliest first.
///
/// Each text in the config may name a metadata key, so each is one.
pub(super) fn ordinary(config: &Map<String, Value>) -> Vec<Vec<Artifact>> {
    let keys: Vec<&str> = config.values().filter_map(Value::as_str).collect();
    let form = |form: &Option<&str>| {
        NOTES
            .iter()
            .enumerate()
            .filter_map(|(position, (label, note))| {
                let mut made = artifact(label, &text(form.unwrap_or(note)))?;
                made.metadata = metadata(position, &keys);
                Some(made)
            })
            .collect()
    };
    FORMS.iter().map(form).collect()
}

fn metadata(position: usize, keys: &[&str]) -> Metadata {
    let group = if position.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    };
    let mut metadata = Metadata::from([
        ("topic".to_owned(), json!(group)),
        (
            "date".to_owned(),
            json!(format!("2024-01-0{}", position + 1)),
        ),
    ]);
    for key in keys {
        let named = !key.is_empty() && key.chars().count() <= 128;
        if named && !key.chars().any(char::is_control) {
            metadata.insert((*key).to_owned(), json!(group));
        }
    }
    metadata
}

/// Returns an input with another content under its label.
pub(super) fn with_content(input: &Artifact, content: Content) -> Artifact {
    Artifact {
        content,
        ..input.clone()
    }
}

/// Returns texts with characters that programs stumble over, each with a name.
pub(super) fn odd_texts() -> Vec<(&'static str, Content)> {
    vec![
        (
            "emoji and joined characters",
            text("\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f466} na\u{308}ive \u{1f600}\u{1f600}"),
        ),
        ("one character of four bytes", text("\u{1f600}")),
        (
            "words of two and three bytes",
            text(&"Grüße 漢字 русский ".repeat(40)),
        ),
        ("right to left", text("\u{202e}שלום\u{202c} مرحبا")),
        ("a zero byte", text("a\u{0}b")),
        (
            "a byte order mark and line ends of Windows",
            text("\u{feff}one\r\ntwo\r\n"),
        ),
        ("white space alone", text(" \n\t\u{a0}\u{2028} ")),
        (
            "quotes, braces and backslashes",
            text("\"{{ a }}\" {% b %} '\\\" \\u00 <c> %s ${d}"),
        ),
        ("one long word", text(&"ß".repeat(5000))),
    ]
}

/// Returns long texts, each with a name.
pub(super) fn long_texts() -> Vec<(&'static str, Content)> {
    let lines = "A line of a long text with some words.\n";
    vec![
        (
            "a long text of many lines",
            text(&lines.repeat(LONG_BYTES / lines.len())),
        ),
        (
            "a long text of one line",
            text(&"word ".repeat(LONG_BYTES / 5)),
        ),
    ]
}

/// Returns contents that are not text, each with a name.
pub(super) fn bytes() -> Vec<(&'static str, Content)> {
    let bytes = |media_type: &str, data: &[u8]| Content::Bytes {
        media_type: media_type.to_owned(),
        data: data.to_vec(),
    };
    vec![
        (
            "bytes",
            bytes("application/octet-stream", &[0, 159, 146, 150, 255]),
        ),
        ("no bytes", bytes("image/png", &[])),
        ("text as bytes", bytes("text/plain", b"text")),
    ]
}

/// Wraps a text.
pub(super) fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn artifact(label: &str, content: &Content) -> Option<Artifact> {
    Some(Artifact {
        label: Label::parse(label).ok()?,
        kind: Kind::parse("text").ok()?,
        content: content.clone(),
        metadata: Metadata::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_inputs_stand_in_label_order_and_have_the_keys_of_the_config() {
        let config = json!({"by": "team", "depth": 2});
        for set in ordinary(config.as_object().unwrap()) {
            assert_eq!(set.len(), NOTES.len());
            assert!(set.is_sorted_by_key(|input| input.label.as_str().to_owned()));
            assert!(set.iter().all(|input| input.metadata.contains_key("team")));
        }
    }
}
