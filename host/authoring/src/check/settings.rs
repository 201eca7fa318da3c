//! The settings that a config schema knows, those within others included.

use serde_json::{Map, Value};

use super::sample;

/// Settings that are tried.
const MOST: usize = 32;
/// Objects within objects that are looked into.
const DEPTH: usize = 3;

/// One setting: where it stands and what it may be.
pub(super) struct Setting {
    /// Its name after those of the objects that it stands in, each with a value to put there.
    path: Vec<(String, Value)>,
    /// Its schema, what it refers to put in.
    pub(super) schema: Value,
}

impl Setting {
    /// Returns its name as people write it.
    pub(super) fn name(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        names.join(".")
    }

    /// Returns `config` with `value` for this setting, or without it.
    pub(super) fn put(
        &self,
        config: &Map<String, Value>,
        value: Option<Value>,
    ) -> Map<String, Value> {
        let mut changed = config.clone();
        put_at(&mut changed, &self.path, value);
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

    /// Tells whether this is an object that neither forbids nor describes members beyond those it names.
    pub(super) fn is_unguarded(&self) -> bool {
        self.schema.get("properties").is_some() && is_unguarded(&self.schema)
    }
}

fn put_at(members: &mut Map<String, Value>, path: &[(String, Value)], value: Option<Value>) {
    match (path, value) {
        ([(name, _)], Some(value)) => drop(members.insert(name.clone(), value)),
        ([(name, _)], None) => drop(members.remove(name)),
        ([(outer, ordinary), rest @ ..], value) => {
            let inner = members
                .entry(outer.clone())
                .or_insert_with(|| ordinary.clone());
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put_at(inner, rest, value);
            }
        }
        ([], _) => {}
    }
}

/// Tells whether a schema neither forbids nor describes members beyond those it names.
pub(super) fn is_unguarded(schema: &Value) -> bool {
    match schema.get("additionalProperties") {
        Some(Value::Bool(open)) => !open,
        Some(_) => false,
        None => schema.get("patternProperties").is_none(),
    }
}

/// Returns the settings of a config schema, outer ones first.
pub(super) fn of(root: &Value) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    add(root, root, &[], &mut settings);
    let mut next = 0;
    while next < settings.len() && settings.len() < MOST {
        let (path, schema) = (settings[next].path.clone(), settings[next].schema.clone());
        if path.len() < DEPTH && schema.get("properties").is_some() {
            add(root, &schema, &path, &mut settings);
        }
        next += 1;
    }
    settings.truncate(MOST);
    settings
}

fn add(root: &Value, schema: &Value, around: &[(String, Value)], settings: &mut Vec<Setting>) {
    for (name, property) in sample::properties(root, schema) {
        let mut path = around.to_vec();
        path.push((name, sample::least(root, &property)));
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
    fn a_setting_within_another_is_put_into_an_ordinary_one() {
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
        let settings = of(&schema);
        let names: Vec<String> = settings.iter().map(Setting::name).collect();
        assert_eq!(names, ["limit", "page", "page.by", "page.size"]);
        let put = settings[3].put(&Map::new(), Some(json!(7)));
        assert_eq!(json!(put), json!({"page": {"by": "day", "size": 7}}));
        assert_eq!(
            json!(settings[3].put(&put, None)),
            json!({"page": {"by": "day"}})
        );
        assert!(settings[1].is_unguarded() && !settings[0].is_unguarded());
    }

    #[test]
    fn a_setting_that_holds_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert_eq!(of(&schema).len(), DEPTH);
    }
}
