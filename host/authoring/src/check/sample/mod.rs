//! Sample values of a JSON Schema: small valid ones, and unusual ones.

mod resolve;
mod sampler;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use sampler::{Sampler, list, object};
use synix_schema::Schema;

/// The deepest level of nested schemas, because a schema may refer to itself.
const MAX_DEPTH: usize = 12;
/// The most configs, and the most forms of one schema.
const MAX_FORMS: usize = 24;
/// The most properties of one object.
const MAX_PROPERTIES: usize = 256;
/// Returns whether `value` is valid in `schema`. No value is valid in an invalid schema.
pub(super) fn is_valid(schema: &Value, value: &Value) -> bool {
    Validator::new(schema).is_some_and(|validator| validator.accepts(value))
}

/// A compiled schema, to check several values.
pub(super) struct Validator<'a>(Schema<'a>);

impl<'a> Validator<'a> {
    /// Compiles a schema; `None` if it is invalid.
    pub(super) fn new(schema: &'a Value) -> Option<Self> {
        Schema::compile(schema).ok().map(Self)
    }

    /// Returns whether a value is valid. A value that is too expensive to check is not.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        self.0.is_valid(value).unwrap_or(false)
    }
}

/// Returns a valid value, or null if none was found.
pub(super) fn value(schema: &Value) -> Value {
    let Some(validator) = Validator::new(schema) else {
        return Value::Null;
    };
    let found = Sampler::new(schema).values(schema, MAX_DEPTH).into_iter();
    let mut found = found.filter(|value| validator.accepts(value));
    found.next().unwrap_or(Value::Null)
}

/// Returns valid configs: the examples of the schema, the smallest one of each form, then one with all settings.
pub(super) fn configs(schema: &Value) -> Vec<Map<String, Value>> {
    let sampler = Sampler::new(schema);
    let Some(validator) = Validator::new(schema) else {
        return Vec::new();
    };
    let mut found: Vec<Map<String, Value>> = Vec::new();
    let mut all: Vec<Value> = list(schema, "examples").to_vec();
    all.extend(sampler.values(schema, MAX_DEPTH));
    all.push(Value::Object(sampler.members(schema, MAX_DEPTH, true)));
    for value in all {
        if validator.accepts(&value)
            && let Value::Object(members) = value
            && !found.contains(&members)
            && found.len() < MAX_FORMS
        {
            found.push(members);
        }
    }
    found
}

/// Returns the smallest value of a part of `root`.
pub(super) fn smallest(root: &Value, schema: &Value) -> Value {
    Sampler::new(root).valid_value(schema, MAX_DEPTH)
}

/// Returns the properties of an object that a part of `root` describes, with their schemas.
pub(super) fn properties(root: &Value, schema: &Value) -> Map<String, Value> {
    let sampler = Sampler::new(root);
    let mut properties = Map::new();
    for form in sampler.forms(schema, MAX_DEPTH) {
        for (name, property) in object(&form, "properties").into_iter().flatten() {
            if properties.len() >= MAX_PROPERTIES {
                return properties;
            }
            properties
                .entry(name.clone())
                .or_insert_with(|| sampler.resolve(property, MAX_DEPTH));
        }
    }
    properties
}

/// Values of every type: common ones and those that often cause bugs.
pub(super) fn unusual_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(false),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(1.5),
        json!(4_294_967_296_u64),
        json!(9_007_199_254_740_991_u64),
        json!(""),
        json!(" "),
        json!("sample"),
        json!("{{ x"),
        json!("ü \u{1f600} \u{0} \r\n"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([null, {}]),
        json!([""]),
        json!(["x", "x"]),
        json!([0]),
        json!([-1, 1e300]),
        json!({}),
        json!({"x": [1, "y", null]}),
    ]
}
