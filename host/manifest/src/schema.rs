//! The JSON Schema of `synix.toml`, for editors and for [`super::parse`].
//!
//! `docs/synix.schema.json` is the committed copy.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::manifest::Manifest;

/// The schema that a file is checked against.
pub(super) static STRUCTURE: LazyLock<Value> =
    LazyLock::new(|| schemars::schema_for!(Manifest).to_value());

/// Returns the JSON Schema of the pipeline file.
pub fn json_schema() -> Value {
    let mut schema = STRUCTURE.clone();
    // Only for editors: `parse` says this in better words.
    if let Some(layer) = schema
        .pointer_mut("/$defs/LayerEntry")
        .and_then(Value::as_object_mut)
    {
        let transform_only = [
            "inputs",
            "model",
            "batch",
            "min_batch",
            "revision",
            "accept",
            "max_units",
            "max_requests",
            "config",
            "limits",
            "grants",
            "options_allowed",
        ];
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
                { "required": ["source"], "not": without(&transform_only) },
                { "required": ["transform", "inputs"], "not": without(&["kind"]) },
            ]),
        );
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_the_one_of_the_types() {
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
