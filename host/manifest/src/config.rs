//! The config of a layer, once the transform's schema is known.
//!
//! The schema comes from a guest: it may be anything. Reading the files that
//! a config names is for `synix-sources`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::conform::Checker;
use super::error::{Finding, PipelineError, PipelineErrorKind, PipelineErrors};
use super::position::below;
use super::{Layer, Pipeline, pointer};

/// The most subschemas looked at for one value, so that a schema which refers to itself ends.
const MAX_FORMS: usize = 256;

/// A config value that names a file of the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileValue {
    /// Where it stands in the config, as a JSON pointer.
    pub pointer: String,
    /// The path as written, relative to the pipeline file.
    pub path: String,
}

/// Checks a layer's config against the JSON Schema of its transform; a source has none.
pub fn check_config(pipeline: &Pipeline, layer: &Layer, schema: &Value) -> Vec<PipelineError> {
    let Some(transform) = layer.transform() else {
        return Vec::new();
    };
    let table = pointer(&layer.name);
    let findings = match Checker::new(schema) {
        Ok(checker) => checker.check(
            &Value::Object(transform.config.clone()),
            &below(&table, "config"),
        ),
        Err(problem) => {
            vec![Finding::at_value(
                below(&table, "transform"),
                PipelineErrorKind::ConfigSchema(problem),
            )]
        }
    };
    let errors = findings
        .into_iter()
        .map(|found| found.place(&pipeline.positions))
        .collect();
    PipelineErrors::new(errors).map_or_else(Vec::new, |errors| errors.as_slice().to_vec())
}

/// Returns the texts in `config` that their schema marks `"format": "file"`, sorted by pointer.
pub fn file_values(schema: &Value, config: &Map<String, Value>) -> Vec<FileValue> {
    let mut search = Search {
        root: schema,
        found: BTreeSet::new(),
    };
    search.members(&[schema], config, "");
    search.found.into_iter().collect()
}

/// Puts a text in the place of each value that a pointer names; a pointer that names none is passed over.
pub fn replace_values(config: &mut Map<String, Value>, texts: &[(String, String)]) {
    let mut whole = Value::Object(std::mem::take(config));
    for (pointer, text) in texts {
        if let Some(value) = whole.pointer_mut(pointer).filter(|_| !pointer.is_empty()) {
            *value = Value::String(text.clone());
        }
    }
    if let Value::Object(members) = whole {
        *config = members;
    }
}

struct Search<'a> {
    root: &'a Value,
    found: BTreeSet<FileValue>,
}

impl<'a> Search<'a> {
    fn value(&mut self, schemas: &[&'a Value], value: &Value, pointer: &str) {
        match value {
            Value::Object(members) => self.members(schemas, members, pointer),
            Value::Array(items) => {
                let forms = self.forms(schemas);
                for (number, item) in items.iter().enumerate() {
                    let of_item: Vec<&Value> = forms
                        .iter()
                        .filter_map(|form| {
                            let listed =
                                form.get("prefixItems").and_then(|items| items.get(number));
                            listed.or_else(|| form.get("items"))
                        })
                        .collect();
                    self.value(&of_item, item, &below(pointer, &number.to_string()));
                }
            }
            Value::String(path) => {
                let is_file =
                    |form: &&Value| form.get("format").and_then(Value::as_str) == Some("file");
                if self.forms(schemas).iter().any(is_file) {
                    self.found.insert(FileValue {
                        pointer: pointer.to_owned(),
                        path: path.clone(),
                    });
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn members(&mut self, schemas: &[&'a Value], members: &Map<String, Value>, pointer: &str) {
        let forms = self.forms(schemas);
        for (name, member) in members {
            let of_member: Vec<&Value> = forms
                .iter()
                .filter_map(|form| {
                    let named = form
                        .get("properties")
                        .and_then(|properties| properties.get(name));
                    named.or_else(|| form.get("additionalProperties"))
                })
                .collect();
            self.value(&of_member, member, &below(pointer, name));
        }
    }

    /// Returns the schemas with all that they refer to or combine.
    fn forms(&self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut forms: Vec<&'a Value> = Vec::new();
        let mut next: Vec<&'a Value> = schemas.to_vec();
        while let Some(schema) = next.pop() {
            if forms.len() == MAX_FORMS {
                break;
            }
            if forms.iter().any(|form| std::ptr::eq(*form, schema)) {
                continue;
            }
            forms.push(schema);
            let reference = schema.get("$ref").and_then(Value::as_str);
            next.extend(
                reference
                    .and_then(|target| target.strip_prefix('#'))
                    .and_then(|target| self.root.pointer(target)),
            );
            for combined in ["anyOf", "oneOf", "allOf"] {
                next.extend(
                    schema
                        .get(combined)
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten(),
                );
            }
            next.extend(
                ["if", "then", "else"]
                    .iter()
                    .filter_map(|key| schema.get(key)),
            );
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::parse;

    const HEAD: &str = "[pipeline]\nname = \"p\"\n[layers.a]\nsource = \"a/*\"\n[layers.b]\ntransform = \"map\"\ninputs = [\"a\"]\n";

    /// Returns what is wrong with a config that starts on line 8.
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
    fn an_unknown_key_is_named_with_the_nearest_one() {
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
    fn a_value_that_does_not_fit_is_an_error_where_it_stands() {
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
    fn one_of_two_keys_must_be_there_and_not_both() {
        assert_eq!(
            errors("", &prompts()),
            "5:1: missing key: one of `prompt`, `prompt_file` in [layers.b.config]"
        );
        assert_eq!(
            errors(
                "[layers.b.config]\nprompt = \"x\"\nprompt_file = \"y\"\n",
                &prompts()
            ),
            "8:1: only one of `prompt`, `prompt_file` may stand in [layers.b.config]"
        );
    }

    #[test]
    fn a_key_that_another_needs_is_missing_with_the_reason() {
        let schema = json!({
            "properties": { "fields": true, "prompt": { "type": "string", "pattern": "\\S" } },
            "dependentRequired": { "fields": ["response_format"] },
        });
        assert_eq!(
            errors(
                "[layers.b.config]\nfields = true\nprompt = \" \"\n",
                &schema
            ),
            "8:1: missing key `response_format` in [layers.b.config] (`fields` needs it)\n\
             10:10: `layers.b.config.prompt` must not be empty"
        );
    }

    #[test]
    fn a_schema_that_is_none_is_an_error_at_the_transform() {
        for schema in [
            json!({ "type": 7 }),
            json!({ "$ref": "http://127.0.0.1:1/x" }),
            json!({ "$ref": "#/nowhere" }),
            json!({ "properties": { "a": { "pattern": "(" } } }),
        ] {
            let errors = errors("", &schema);
            assert!(
                errors.starts_with("6:13: the transform's config schema cannot be used: "),
                "{errors}"
            );
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }] }),
            json!({ "properties": { "a": { "$ref": "#" } } }),
        ] {
            errors("config.a.a.a = \"x\"\n", &schema);
            file_values(&schema, &Map::from_iter([("a".to_owned(), json!("x"))]));
        }
    }

    #[test]
    fn files_are_found_in_tables_lists_and_alternatives() {
        let file = json!({ "type": "string", "format": "file" });
        let schema = json!({
            "$defs": { "file": file },
            "properties": {
                "plain": { "type": "string" },
                "direct": file,
                "maybe": { "anyOf": [{ "$ref": "#/$defs/file" }, { "type": "null" }] },
                "list": { "items": { "properties": { "a/b": file } } },
            },
            "additionalProperties": file,
        });
        let config = json!({
            "plain": "p", "direct": "d.md", "maybe": "m.md", "list": [{ "a/b": "l.md", "c": "x" }, 1], "other": "o.md",
        });
        let Value::Object(mut config) = config else {
            return;
        };
        let found = file_values(&schema, &config);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|file| (file.pointer.as_str(), file.path.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("/direct", "d.md"),
                ("/list/0/a~1b", "l.md"),
                ("/maybe", "m.md"),
                ("/other", "o.md")
            ]
        );
        replace_values(
            &mut config,
            &[
                ("/list/0/a~1b".to_owned(), "text".to_owned()),
                ("/none".to_owned(), String::new()),
            ],
        );
        assert_eq!(config["list"], json!([{ "a/b": "text", "c": "x" }, 1]));
        assert!(!config.contains_key("none"));
    }
}
