//! The JSON Schema of `synix.toml`, for [`super::parse`] and for editors.
//!
//! `docs/synix.schema.json` is the committed copy.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::layers::TRANSFORM_KEYS;
use super::manifest::Manifest;
use super::source_layers::SOURCE_KEYS;

/// The schema that validates the structure of a file.
pub(super) static STRUCTURE: LazyLock<Value> =
    LazyLock::new(|| schemars::schema_for!(Manifest).to_value());

/// Returns the JSON Schema of the pipeline file.
pub fn json_schema() -> Value {
    let mut schema = STRUCTURE.clone();
    // Only for editors, because the messages of `parse` are better.
    if let Some(layer) = schema
        .pointer_mut("/$defs/LayerEntry")
        .and_then(Value::as_object_mut)
    {
        let without = |keys: &[&str]| {
            let each: Vec<Value> = keys
                .iter()
                .map(|key| json!({ "required": [key] }))
                .collect();
            json!({ "anyOf": each })
        };
        layer.insert(
            "oneOf".to_owned(),
            json!([
                { "required": ["source"], "not": without(&TRANSFORM_KEYS) },
                { "required": ["transform", "inputs"], "not": without(&SOURCE_KEYS) },
            ]),
        );
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_matches_the_types() {
        let committed: Value =
            serde_json::from_str(include_str!("../../../docs/synix.schema.json"))
                .unwrap_or_default();
        let current = serde_json::to_string_pretty(&json_schema()).unwrap();
        assert_eq!(
            committed,
            json_schema(),
            "docs/synix.schema.json should be:\n{current}"
        );
    }
}
