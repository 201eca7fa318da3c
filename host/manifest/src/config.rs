//! Validates the config of a layer when the schema of its plugin is known.
//!
//! The schema comes from a guest, so it is untrusted.

use serde_json::Value;

use super::error::{Finding, PipelineError, PipelineErrors};
use super::error_kind::PipelineErrorKind;
use super::pipeline::layer_pointer;
use super::position::child;
use super::validate::Validator;
use super::{Layer, Pipeline};

/// Validates the config of a layer against the JSON Schema of its transform or reader.
pub fn check_config(pipeline: &Pipeline, layer: &Layer, schema: &Value) -> Vec<PipelineError> {
    let Some(config) = layer.config() else {
        return Vec::new();
    };
    let table = layer_pointer(&layer.name);
    let findings = match Validator::new(schema) {
        Ok(validator) => {
            validator.validate(&Value::Object(config.clone()), &child(&table, "config"))
        }
        Err(problem) => {
            vec![Finding::at_value(
                child(&table, layer.plugin_key()),
                PipelineErrorKind::ConfigSchema(problem),
            )]
        }
    };
    let errors = findings
        .into_iter()
        .map(|found| found.locate(&pipeline.positions))
        .collect();
    PipelineErrors::new(errors).map_or_else(Vec::new, |errors| errors.as_slice().to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::parse;

    const HEAD: &str = "[pipeline]\nname = \"p\"\n[layers.a]\nsource = \"a/*\"\n[layers.b]\ntransform = \"map\"\ninputs = [\"a\"]\n";

    /// Returns the errors in a config that starts on line 8.
    fn errors(config: &str, schema: &Value) -> String {
        let pipeline = parse(&format!("{HEAD}{config}")).unwrap();
        let errors: Vec<String> = check_config(&pipeline, &pipeline.layers[1], schema)
            .iter()
            .map(ToString::to_string)
            .collect();
        errors.join("\n")
    }

    fn prompts() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "prompt": { "type": "string" },
                "prompt_file": { "type": "string", "format": "file" },
                "stop": { "type": "array", "items": { "type": "string" } },
                "style": { "type": "object", "additionalProperties": false, "properties": { "tone": { "enum": ["dry", "warm"] } } },
            },
            "oneOf": [{ "required": ["prompt"] }, { "required": ["prompt_file"] }],
        })
    }

    #[test]
    fn the_error_for_an_unknown_key_suggests_the_nearest_one() {
        assert_eq!(
            errors(
                "[layers.b.config]\nprompt = \"x\"\npromt_file = \"y\"\nstyle = { toen = \"dry\" }\n",
                &prompts()
            ),
            "10:1: unknown key `promt_file` in [layers.b.config] (did you mean `prompt_file`?)\n\
             11:11: unknown key `toen` in [layers.b.config.style] (did you mean `tone`?)"
        );
    }

    #[test]
    fn an_invalid_value_is_an_error_at_its_location() {
        assert_eq!(
            errors(
                "config = { prompt = 1, stop = [\"a\", 2], style.tone = \"wet\" }\n",
                &prompts()
            ),
            "8:21: `layers.b.config.prompt` must be a text, not a whole number\n\
             8:37: `layers.b.config.stop.1` must be a text, not a whole number\n\
             8:54: `layers.b.config.style.tone` must be \"dry\" or \"warm\""
        );
    }

    #[test]
    fn exactly_one_of_two_keys_is_required() {
        assert_eq!(
            errors("", &prompts()),
            "5:1: missing key: `prompt` or `prompt_file` in [layers.b.config]"
        );
        assert_eq!(
            errors(
                "[layers.b.config]\nprompt = \"x\"\nprompt_file = \"y\"\n",
                &prompts()
            ),
            "8:1: `prompt` and `prompt_file` are mutually exclusive in [layers.b.config]"
        );
    }

    #[test]
    fn the_error_for_a_missing_key_names_the_key_that_requires_it() {
        let schema = json!({
            "properties": { "fields": true, "prompt": { "type": "string", "pattern": "\\S" } },
            "dependentRequired": { "fields": ["response_format"] },
        });
        assert_eq!(
            errors(
                "[layers.b.config]\nfields = true\nprompt = \" \"\n",
                &schema
            ),
            "8:1: missing key `response_format` in [layers.b.config] (`fields` requires it)\n\
             10:10: `layers.b.config.prompt` must not be empty"
        );
    }

    #[test]
    fn an_invalid_schema_is_an_error_at_the_plugin() {
        for schema in [
            json!({ "type": 7 }),
            json!({ "$ref": "http://127.0.0.1:1/x" }),
            json!({ "$ref": "#/nowhere" }),
            json!({ "properties": { "a": { "pattern": "(" } } }),
        ] {
            let errors = errors("", &schema);
            assert!(
                errors.starts_with("6:13: the plugin's config schema cannot be used: "),
                "{errors}"
            );
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_does_not_recurse_forever() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }] }),
            json!({ "properties": { "a": { "$ref": "#" } } }),
        ] {
            errors("config.a.a.a = \"x\"\n", &schema);
            crate::file_values(&schema, &Map::from_iter([("a".to_owned(), json!("x"))]));
        }
    }
}
