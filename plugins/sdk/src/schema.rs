//! JSON Schemas from types.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};

/// Returns the JSON Schema of a config's type, for [`Transform::config_schema`](crate::Transform::config_schema).
///
/// The schema describes what a layer can set. It leaves out details of Rust, such as the name of the type and the width
/// of numbers.
pub fn schema_of<Config: JsonSchema>() -> String {
    let plain_numbers = RecursiveTransform(|schema: &mut Schema| {
        let of_type = schema.get("type").and_then(|of_type| of_type.as_str());
        if matches!(of_type, Some("integer" | "number")) {
            schema.remove("format");
        }
    });
    let settings = SchemaSettings::default()
        .with(|settings| settings.meta_schema = None)
        .with_transform(plain_numbers);
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.remove("title");
    schema.as_value().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[serde(default)]
        #[schemars(range(min = 1, max = 20))]
        limit: u32,
    }

    #[test]
    fn a_schema_has_the_limits_of_its_type_and_no_details_of_rust() {
        let config: Config = serde_json::from_str(r#"{"limit": 3}"#).unwrap();
        assert_eq!(config.limit, 3);
        let schema: serde_json::Value = serde_json::from_str(&schema_of::<Config>()).unwrap();
        let expected = serde_json::json!({
            "type": "object",
            "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 20, "default": 0}},
            "additionalProperties": false
        });
        assert_eq!(schema, expected);
    }
}
