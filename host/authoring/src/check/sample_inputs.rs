//! The ordinary inputs of a check.

use serde_json::{Map, Value, json};

use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::ids::{Kind, Label};

const NOTES: [(&str, &str); 4] = [
    (
        "alpha",
        "Call the printer by Friday.\nAsk Bela for the figures of May.",
    ),
    ("beta", "The meeting was short. Chitra writes the summary."),
    ("delta", "Nothing to do today."),
    ("gamma/one", "Order paper; then tell everyone."),
];

/// The texts of the inputs, tried in turn until the plugin accepts one; `None` for the notes.
const TEXTS: [Option<&str>; 4] = [
    None,
    Some("3"),
    Some("{\"name\": \"sample\", \"items\": [1, 2]}"),
    Some("name,count\nsample,2\n"),
];

/// Returns sets of ordinary inputs in label order, the most likely to be accepted first.
///
/// A string in the config may be the name of a metadata key, so the inputs have each of them as a key.
pub(super) fn ordinary(config: &Map<String, Value>) -> Vec<Vec<Artifact>> {
    let keys: Vec<&str> = config.values().filter_map(Value::as_str).collect();
    let with_text = |replacement: &Option<&str>| {
        NOTES
            .iter()
            .enumerate()
            .filter_map(|(position, (label, note))| {
                let mut input = artifact(label, &text(replacement.unwrap_or(note)))?;
                input.metadata = ordinary_metadata(position, &keys);
                Some(input)
            })
            .collect()
    };
    TEXTS.iter().map(with_text).collect()
}

fn ordinary_metadata(position: usize, keys: &[&str]) -> Metadata {
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
        let is_valid = !key.is_empty() && key.chars().count() <= 128;
        if is_valid && !key.chars().any(char::is_control) {
            metadata.insert((*key).to_owned(), json!(group));
        }
    }
    metadata
}

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
    fn ordinary_inputs_are_in_label_order_and_have_the_keys_of_the_config() {
        let config = json!({"by": "team", "depth": 2});
        for set in ordinary(config.as_object().unwrap()) {
            assert_eq!(set.len(), NOTES.len());
            assert!(set.is_sorted_by_key(|input| input.label.as_str().to_owned()));
            assert!(set.iter().all(|input| input.metadata.contains_key("team")));
        }
    }
}
