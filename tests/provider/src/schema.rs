//! Values that fit simple JSON Schemas.
//!
//! Covers what structured output allows: objects, arrays, scalars, `enum`,
//! `const`, `anyOf`, and references into the schema itself.

use serde_json::{Map, Value, json};

/// How deep a value may nest; a schema may refer to itself.
const DEPTH: usize = 12;

/// Makes a value that fits `schema`; texts in it say `text`.
pub(crate) fn value_for(schema: &Value, text: &str) -> Value {
    value_within(schema, schema, text, DEPTH)
}

fn value_within(root: &Value, schema: &Value, text: &str, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| {
            value_within(root, target, text, depth)
        });
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(value) = schema.get("enum").and_then(|values| values.get(0)) {
        return value.clone();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(choice).and_then(|schemas| schemas.get(0)) {
            return value_within(root, first, text, depth);
        }
    }
    match kind(schema) {
        "object" => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let members = properties.into_iter().flatten();
            let members = members
                .map(|(name, schema)| (name.clone(), value_within(root, schema, text, depth)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        "array" => {
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1);
            let most = schema
                .get("maxItems")
                .and_then(Value::as_u64)
                .unwrap_or(u64::MAX);
            let item = schema.get("items").map_or(Value::Null, |schema| {
                value_within(root, schema, text, depth)
            });
            (0..least.clamp(0, 64).min(most))
                .map(|_| item.clone())
                .collect()
        }
        "integer" => json!(schema.get("minimum").and_then(Value::as_i64).unwrap_or(1)),
        "number" => json!(schema.get("minimum").and_then(Value::as_f64).unwrap_or(0.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => {
            let most = schema
                .get("maxLength")
                .and_then(Value::as_u64)
                .and_then(|most| usize::try_from(most).ok());
            json!(
                text.chars()
                    .take(most.unwrap_or(usize::MAX))
                    .collect::<String>()
            )
        }
    }
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        Some(kind) => kind.as_str().unwrap_or("string"),
        None if schema.get("properties").is_some() => "object",
        None => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_schema_gets_all_its_members() {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": ["null", "string"]},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2},
            "age": {"type": "integer", "minimum": 18},
            "home": {"$ref": "#/$defs/place"},
        }, "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 2}}}}});
        let fitting =
            json!({"name": "text", "tags": ["a", "a"], "age": 18, "home": {"city": "te"}});
        assert_eq!(value_for(&schema, "text"), fitting);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(value_for(&schema, "text").pointer("/next/next").is_some());
    }
}
