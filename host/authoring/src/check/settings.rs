//! The settings of a config schema, including nested ones.

use serde_json::{Map, Value};

use super::sample;

/// The most settings that a check tries.
const MAX_SETTINGS: usize = 32;
/// The deepest level of nested objects that a check tries.
const MAX_DEPTH: usize = 3;

/// A setting, with its path and its schema.
pub(super) struct Setting {
    /// The names of the objects that contain it and its own, each with a value to insert if it is missing.
    path: Vec<(String, Value)>,
    /// Its schema, with references resolved.
    pub(super) schema: Value,
}

impl Setting {
    /// Returns its path, joined with dots.
    pub(super) fn name(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        names.join(".")
    }

    /// Returns `config` with this setting set to `value`, or without it.
    pub(super) fn set(
        &self,
        config: &Map<String, Value>,
        value: Option<Value>,
    ) -> Map<String, Value> {
        let mut changed = config.clone();
        set_at(&mut changed, &self.path, value);
        changed
    }

    /// Returns the setting `name` within this one.
    pub(super) fn within(&self, name: &str) -> Self {
        let mut path = self.path.clone();
        path.push((name.to_owned(), Value::Null));
        Self {
            path,
            schema: Value::Bool(true),
        }
    }

    /// Returns whether this is an object that allows unknown members.
    pub(super) fn allows_unknown(&self) -> bool {
        self.schema.get("properties").is_some() && allows_unknown(&self.schema)
    }
}

fn set_at(members: &mut Map<String, Value>, path: &[(String, Value)], value: Option<Value>) {
    match (path, value) {
        ([(name, _)], Some(value)) => drop(members.insert(name.clone(), value)),
        ([(name, _)], None) => drop(members.remove(name)),
        ([(outer, default), rest @ ..], value) => {
            let inner = members
                .entry(outer.clone())
                .or_insert_with(|| default.clone());
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                set_at(inner, rest, value);
            }
        }
        ([], _) => {}
    }
}

/// Returns whether a schema neither forbids nor describes members that it does not name.
pub(super) fn allows_unknown(schema: &Value) -> bool {
    match schema.get("additionalProperties") {
        Some(Value::Bool(open)) => !open,
        Some(_) => false,
        None => schema.get("patternProperties").is_none(),
    }
}

/// Returns the settings of a config schema, outer ones first.
pub(super) fn list(root: &Value) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    add(root, root, &[], &mut settings);
    let mut next = 0;
    while next < settings.len() && settings.len() < MAX_SETTINGS {
        let (path, schema) = (settings[next].path.clone(), settings[next].schema.clone());
        if path.len() < MAX_DEPTH && schema.get("properties").is_some() {
            add(root, &schema, &path, &mut settings);
        }
        next += 1;
    }
    settings.truncate(MAX_SETTINGS);
    settings
}

fn add(root: &Value, schema: &Value, around: &[(String, Value)], settings: &mut Vec<Setting>) {
    for (name, property) in sample::properties(root, schema) {
        let mut path = around.to_vec();
        path.push((name, sample::smallest(root, &property)));
        settings.push(Setting {
            path,
            schema: property,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nested_setting_is_set_in_a_valid_object() {
        let schema = json!({
            "type": "object",
            "properties": {
                "page": {"$ref": "#/$defs/page"},
                "limit": {"type": "integer"}
            },
            "$defs": {"page": {
                "type": "object",
                "required": ["by"],
                "properties": {"by": {"const": "day"}, "size": {"type": "integer"}}
            }}
        });
        let settings = list(&schema);
        let names: Vec<String> = settings.iter().map(Setting::name).collect();
        assert_eq!(names, ["limit", "page", "page.by", "page.size"]);
        let config = settings[3].set(&Map::new(), Some(json!(7)));
        assert_eq!(json!(config), json!({"page": {"by": "day", "size": 7}}));
        assert_eq!(
            json!(settings[3].set(&config, None)),
            json!({"page": {"by": "day"}})
        );
        assert!(settings[1].allows_unknown() && !settings[0].allows_unknown());
    }

    #[test]
    fn a_recursive_setting_is_listed_to_the_maximum_depth() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert_eq!(list(&schema).len(), MAX_DEPTH);
    }
}
