//! The kinds of JSON values, and which of them a schema asks for.

use serde_json::Value;

/// How many references to other parts of a schema are followed.
const MAX_REFERENCES: usize = 8;

/// The kinds of values that are looked for in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds {
    objects: bool,
    lists: bool,
    others: bool,
}

impl Kinds {
    const ALL: Self = Self {
        objects: true,
        lists: true,
        others: true,
    };
    const NONE: Self = Self {
        objects: false,
        lists: false,
        others: false,
    };

    /// Returns the kinds that a schema asks for at its top: those of its `type`, or all.
    pub(crate) fn of_schema(schema: &Value) -> Self {
        let mut part = schema;
        for _ in 0..MAX_REFERENCES {
            if let Some(kind) = part.get("type") {
                // A name, or a list of names.
                let several = kind.as_array().into_iter().flatten();
                let names = several.chain([kind]).filter_map(Value::as_str);
                return names.fold(Self::NONE, Self::with);
            }
            let target = part.get("$ref").and_then(Value::as_str);
            let target = target.and_then(|target| schema.pointer(target.strip_prefix('#')?));
            match target {
                Some(target) => part = target,
                None => break,
            }
        }
        Self::ALL
    }

    fn with(self, name: &str) -> Self {
        match name {
            "object" => Self {
                objects: true,
                ..self
            },
            "array" => Self {
                lists: true,
                ..self
            },
            _ => Self {
                others: true,
                ..self
            },
        }
    }

    /// Returns whether the value in a JSON text is of one of these kinds.
    pub(crate) fn include(self, json: &str) -> bool {
        match json.as_bytes().first() {
            Some(b'{') => self.objects,
            Some(b'[') => self.lists,
            _ => self.others,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_of_a_schema_says_what_is_looked_for() {
        for (schema, kinds) in [
            (json!({"type": "object"}), [true, false, false]),
            (json!({"type": ["array", "null"]}), [false, true, true]),
            (json!({"type": "string"}), [false, false, true]),
            (json!({}), [true, true, true]),
            (json!(true), [true, true, true]),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array"}}}),
                [false, true, false],
            ),
            (json!({"$ref": "#"}), [true, true, true]),
        ] {
            let found = Kinds::of_schema(&schema);
            let included = ["{}", "[]", "1"].map(|json| found.include(json));
            assert_eq!(included, kinds, "{schema}");
        }
    }
}
