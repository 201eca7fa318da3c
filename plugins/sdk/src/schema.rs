//! JSON Schemas from types.

use schemars::{JsonSchema, SchemaGenerator};

/// Returns the JSON Schema of a config's type, for [`Transform::config_schema`](crate::Transform::config_schema).
pub fn schema_of<Config: JsonSchema>() -> String {
    let schema = SchemaGenerator::default().into_root_schema_for::<Config>();
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
    fn a_schema_has_the_limits_of_its_type() {
        let config: Config = serde_json::from_str(r#"{"limit": 3}"#).unwrap();
        assert_eq!(config.limit, 3);
        let schema: serde_json::Value = serde_json::from_str(&schema_of::<Config>()).unwrap();
        let limit = &schema["properties"]["limit"];
        assert_eq!(
            (
                &limit["type"],
                &limit["minimum"],
                &limit["maximum"],
                &schema["additionalProperties"]
            ),
            (&"integer".into(), &1.into(), &20.into(), &false.into())
        );
    }
}
