//! Finds the values of a config that name files, and replaces them by the content of the files.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::position::child;

/// The maximum number of subschemas per value, so that a schema that refers to itself does not recurse forever.
const MAX_SUBSCHEMAS: usize = 256;

/// A value in a config that names a file of the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileValue {
    /// The JSON pointer to the value in the config.
    pub pointer: String,
    /// The path as written, relative to the pipeline file.
    pub path: String,
}

/// Returns the texts in `config` whose schema has `"format": "file"`, sorted by pointer.
pub fn file_values(schema: &Value, config: &Map<String, Value>) -> Vec<FileValue> {
    let mut search = Search {
        root: schema,
        found: BTreeSet::new(),
    };
    search.members(&[schema], config, "");
    search.found.into_iter().collect()
}

/// Replaces the values at the given JSON pointers by texts. Pointers without a value are ignored.
pub fn replace_values(config: &mut Map<String, Value>, texts: &[(String, String)]) {
    let mut root = Value::Object(std::mem::take(config));
    for (pointer, text) in texts {
        if let Some(value) = root.pointer_mut(pointer).filter(|_| !pointer.is_empty()) {
            *value = Value::String(text.clone());
        }
    }
    if let Value::Object(members) = root {
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
                let subschemas = self.subschemas(schemas);
                for (number, item) in items.iter().enumerate() {
                    let item_schemas: Vec<&Value> = subschemas
                        .iter()
                        .filter_map(|subschema| {
                            let listed = subschema
                                .get("prefixItems")
                                .and_then(|items| items.get(number));
                            listed.or_else(|| subschema.get("items"))
                        })
                        .collect();
                    self.value(&item_schemas, item, &child(pointer, &number.to_string()));
                }
            }
            Value::String(path) => {
                let is_file = |subschema: &&Value| {
                    subschema.get("format").and_then(Value::as_str) == Some("file")
                };
                if self.subschemas(schemas).iter().any(is_file) {
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
        let subschemas = self.subschemas(schemas);
        for (name, member) in members {
            let member_schemas: Vec<&Value> = subschemas
                .iter()
                .filter_map(|subschema| {
                    let named = subschema
                        .get("properties")
                        .and_then(|properties| properties.get(name));
                    named.or_else(|| subschema.get("additionalProperties"))
                })
                .collect();
            self.value(&member_schemas, member, &child(pointer, name));
        }
    }

    /// Returns the schemas and all schemas that they refer to or combine.
    fn subschemas(&self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut subschemas: Vec<&'a Value> = Vec::new();
        let mut next: Vec<&'a Value> = schemas.to_vec();
        while let Some(schema) = next.pop() {
            if subschemas.len() == MAX_SUBSCHEMAS {
                break;
            }
            if subschemas
                .iter()
                .any(|subschema| std::ptr::eq(*subschema, schema))
            {
                continue;
            }
            subschemas.push(schema);
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
        subschemas
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
