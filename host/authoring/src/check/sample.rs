//! Values that fit a JSON Schema, small and dull, and values that nearly do not.

use std::cell::Cell;

use serde_json::{Map, Number, Value, json};

use synix_schema::Schema;

/// Subschemas looked into below one another, so that a schema which refers to itself ends.
const DEPTH: usize = 12;
/// The most configs tried.
const CANDIDATES: usize = 24;
/// Parts of schemas that are copied for one answer.
const WORK: usize = 200_000;
/// The most properties of one object that are told apart.
const PROPERTIES: usize = 256;
/// Texts tried where a schema has a pattern or a format.
const TEXTS: [&str; 12] = [
    "sample",
    "a",
    "A",
    "1",
    "1.0.0",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "a-b",
    "a_b",
    "a/b",
    "http://127.0.0.1/",
    "a@example.org",
];

/// Tells whether `value` fits `schema`; nothing fits a schema that is none.
pub(super) fn fits(schema: &Value, value: &Value) -> bool {
    Fitting::new(schema).is_some_and(|fitting| fitting.holds(value))
}

/// A schema against which several values are checked.
pub(super) struct Fitting<'a>(Schema<'a>);

impl<'a> Fitting<'a> {
    /// Makes a schema ready; `None` where it is none.
    pub(super) fn new(schema: &'a Value) -> Option<Self> {
        Schema::new(schema).ok().map(Self)
    }

    /// Tells whether a value fits; one that costs too much to check does not.
    pub(super) fn holds(&self, value: &Value) -> bool {
        self.0.is_valid(value).unwrap_or(false)
    }
}

/// Returns a value that fits, as far as one was found.
pub(super) fn value(schema: &Value) -> Value {
    let Some(fitting) = Fitting::new(schema) else {
        return Value::Null;
    };
    let found = Sampler::new(schema).values(schema, DEPTH).into_iter();
    let mut found = found.filter(|value| fitting.holds(value));
    found.next().unwrap_or(Value::Null)
}

/// Returns configs that fit: the schema's examples, then the least each of its forms asks for, then all it knows.
pub(super) fn configs(schema: &Value) -> Vec<Map<String, Value>> {
    let sampler = Sampler::new(schema);
    let Some(fitting) = Fitting::new(schema) else {
        return Vec::new();
    };
    let mut found: Vec<Map<String, Value>> = Vec::new();
    let mut all: Vec<Value> = listed(schema, "examples").to_vec();
    all.extend(sampler.values(schema, DEPTH));
    all.push(Value::Object(sampler.members(schema, DEPTH, true)));
    for value in all {
        if fitting.holds(&value)
            && let Value::Object(members) = value
            && !found.contains(&members)
            && found.len() < CANDIDATES
        {
            found.push(members);
        }
    }
    found
}

/// Returns a value with the least that a part of `root` asks for.
pub(super) fn least(root: &Value, schema: &Value) -> Value {
    Sampler::new(root).fitting(schema, DEPTH)
}

/// Returns the properties of the object that a part of `root` describes, with their schemas.
pub(super) fn properties(root: &Value, schema: &Value) -> Map<String, Value> {
    let sampler = Sampler::new(root);
    let mut properties = Map::new();
    for form in sampler.forms(schema, DEPTH) {
        for (name, property) in object(&form, "properties").into_iter().flatten() {
            if properties.len() >= PROPERTIES {
                return properties;
            }
            properties
                .entry(name.clone())
                .or_insert_with(|| sampler.resolve(property, DEPTH));
        }
    }
    properties
}

/// Values of every type, the common ones and those that programs stumble over.
pub(super) fn odd_values() -> Vec<Value> {
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

struct Sampler<'a> {
    root: &'a Value,
    /// What is left of the work for one answer, however the schema multiplies it.
    left: Cell<usize>,
}

impl<'a> Sampler<'a> {
    fn new(root: &'a Value) -> Self {
        Self {
            root,
            left: Cell::new(WORK),
        }
    }

    /// Takes what looking into a schema costs: it is copied. Tells whether there was enough left.
    fn take(&self, schema: &Value) -> bool {
        let left = spent(schema, self.left.get());
        self.left.set(left);
        left > 0
    }

    /// Returns values that may fit, the likeliest first.
    fn values(&self, schema: &Value, depth: usize) -> Vec<Value> {
        if depth == 0 || !self.take(schema) {
            return vec![Value::Null];
        }
        let mut found = Vec::new();
        for form in self.forms(schema, depth) {
            for key in ["const", "default"] {
                found.extend(form.get(key).cloned());
            }
            for key in ["examples", "enum"] {
                found.extend(listed(&form, key).iter().cloned());
            }
            for json_type in types(&form) {
                self.add_of_type(&form, json_type, depth, &mut found);
            }
        }
        found.truncate(CANDIDATES);
        found
    }

    fn add_of_type(&self, form: &Value, json_type: &str, depth: usize, found: &mut Vec<Value>) {
        match json_type {
            "object" => found.push(Value::Object(self.members(form, depth, false))),
            "array" => {
                let least = number(form, "minItems").unwrap_or(0.0);
                let item = form.get("items").map(|items| self.values(items, depth - 1));
                let item = item.and_then(|values| values.into_iter().next());
                let mut items = Vec::new();
                while (items.len() as f64) < least.min(16.0) {
                    items.push(item.clone().unwrap_or(Value::Null));
                }
                found.push(Value::Array(items));
            }
            "string" => {
                // Only what is about texts: a form alone may refer to what it does not hold.
                let about = [
                    "pattern",
                    "format",
                    "minLength",
                    "maxLength",
                    "enum",
                    "const",
                    "not",
                ];
                let rules = about
                    .iter()
                    .filter_map(|key| Some(((*key).to_owned(), form.get(*key)?.clone())));
                let rules = Value::Object(rules.collect());
                let ready = Fitting::new(&rules);
                let fitting = TEXTS.iter().map(|text| json!(text));
                let mut fitting =
                    fitting.filter(|text| ready.as_ref().is_some_and(|ready| ready.holds(text)));
                let least = number(form, "minLength").unwrap_or(0.0);
                let long = "x".repeat(TEXTS.len().max(to_count(least)));
                found.push(fitting.next().unwrap_or_else(|| json!(long)));
            }
            "integer" | "number" => found.extend(in_range(form, json_type == "integer")),
            "boolean" => found.extend([json!(false), json!(true)]),
            _ => found.push(Value::Null),
        }
    }

    /// Returns the members that an object must have, or all that its schema knows.
    fn members(&self, form: &Value, depth: usize, all: bool) -> Map<String, Value> {
        let mut members = Map::new();
        let empty = Map::new();
        let known = object(form, "properties").unwrap_or(&empty);
        let required: Vec<&str> = listed(form, "required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let optional = known.keys().map(String::as_str).filter(|_| all);
        for name in required.iter().copied().chain(optional) {
            let values = known
                .get(name)
                .map(|property| self.fitting(property, depth - 1));
            let value = values.unwrap_or_else(|| json!("sample"));
            members.entry(name.to_owned()).or_insert(value);
        }
        members
    }

    fn fitting(&self, property: &Value, depth: usize) -> Value {
        let resolved = self.resolve(property, depth);
        let values = self.values(property, depth);
        let first = values.first().cloned();
        let ready = Fitting::new(&resolved);
        let holds = |value: &Value| ready.as_ref().is_some_and(|ready| ready.holds(value));
        let mut fitting = values.into_iter().filter(holds);
        fitting.next().or(first).unwrap_or(Value::Null)
    }

    /// Returns the schema with each of its alternatives and what it refers to put in.
    fn forms(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let base = self.resolve(schema, depth);
        let mut forms = vec![base.clone()];
        if depth == 0 || !self.take(schema) {
            return forms;
        }
        for key in ["oneOf", "anyOf"] {
            let alternatives = listed(&base, key);
            if alternatives.is_empty() {
                continue;
            }
            let alternatives: Vec<Value> = alternatives
                .iter()
                .map(|one| self.resolve(one, depth - 1))
                .collect();
            forms = forms
                .iter()
                .flat_map(|form| alternatives.iter().map(move |one| (form, one)))
                .take(CANDIDATES)
                .filter(|(form, one)| self.take(form) && self.take(one))
                .map(|(form, one)| joined(form, one))
                .collect();
        }
        forms
    }

    /// Follows references and joins `allOf`.
    fn resolve(&self, schema: &Value, depth: usize) -> Value {
        if !self.take(schema) {
            return Value::Bool(true);
        }
        let mut resolved = schema.clone();
        if depth == 0 {
            return resolved;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str)
            && let Some(found) = target
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
        {
            let found = self.resolve(found, depth - 1);
            if let Value::Object(members) = &mut resolved {
                members.remove("$ref");
            }
            resolved = joined(&found, &resolved);
        }
        for part in listed(schema, "allOf") {
            resolved = joined(&resolved, &self.resolve(part, depth - 1));
        }
        resolved
    }
}

/// Returns what is left of `budget` after a schema's parts are counted; 0 where it does not suffice.
fn spent(schema: &Value, budget: usize) -> usize {
    let mut left = budget;
    let mut next = vec![schema];
    while let Some(part) = next.pop() {
        left = left.saturating_sub(1);
        if left == 0 {
            return 0;
        }
        match part {
            Value::Object(members) => next.extend(members.values()),
            Value::Array(items) => next.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    left
}

/// Joins two schemas that both hold.
fn joined(left: &Value, right: &Value) -> Value {
    let (Value::Object(left), Value::Object(right)) = (left, right) else {
        return left.clone();
    };
    let mut both = left.clone();
    for (key, value) in right {
        match (both.get_mut(key), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) if key == "properties" => {
                mine.extend(theirs.clone());
            }
            (Some(Value::Array(mine)), Value::Array(theirs)) if key == "required" => {
                mine.extend(theirs.clone());
            }
            _ => {
                both.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(both)
}

fn types(form: &Value) -> Vec<&str> {
    match form.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ if form.get("properties").is_some() || form.get("required").is_some() => vec!["object"],
        _ if form.get("items").is_some() => vec!["array"],
        _ if ["const", "enum", "default", "examples"]
            .iter()
            .any(|key| form.get(key).is_some()) =>
        {
            Vec::new()
        }
        _ => vec!["string", "object", "integer"],
    }
}

/// Returns numbers within the bounds.
fn in_range(form: &Value, whole: bool) -> Vec<Value> {
    let least = number(form, "minimum").or(number(form, "exclusiveMinimum").map(|edge| edge + 1.0));
    let most = number(form, "maximum").or(number(form, "exclusiveMaximum").map(|edge| edge - 1.0));
    let step = number(form, "multipleOf").filter(|step| *step > 0.0);
    let start = match (least, most) {
        (Some(least), _) => least.max(1.0).min(most.unwrap_or(f64::MAX)),
        (None, Some(most)) => most.min(1.0),
        (None, None) => 1.0,
    };
    let start = step.map_or(start, |step| (start / step).ceil() * step);
    let shaped = |number: f64| {
        if whole && number.abs() < 9e15 {
            // A whole number within 2^53 prints without a fraction.
            serde_json::from_str(&format!("{:.0}", number.ceil())).ok()
        } else {
            Number::from_f64(number).map(Value::Number)
        }
    };
    let edges = [Some(start), least, most].into_iter().flatten();
    edges.filter_map(shaped).collect()
}

fn number(form: &Value, key: &str) -> Option<f64> {
    form.get(key).and_then(Value::as_f64)
}

fn to_count(number: f64) -> usize {
    let mut count = 0_usize;
    while (count as f64) < number.min(10_000.0) {
        count += 1;
    }
    count
}

fn listed<'a>(form: &'a Value, key: &str) -> &'a [Value] {
    form.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn object<'a>(form: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    form.get(key).and_then(Value::as_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_schema_asks_for_is_there_and_fits() {
        let schema = json!({
            "type": "object",
            "properties": {
                "limit": {"type": "integer", "minimum": 3, "maximum": 9},
                "mode": {"$ref": "#/$defs/mode"},
                "day": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
                "nested": {"type": "object", "required": ["x"], "properties": {"x": {"type": "boolean"}}},
                "maybe": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 20}]},
                "extra": {"type": "string"}
            },
            "required": ["limit", "mode", "day", "nested", "maybe"],
            "additionalProperties": false,
            "$defs": {"mode": {"enum": ["fast", "slow"]}}
        });
        let config = configs(&schema).remove(0);
        assert_eq!(config["limit"], json!(3));
        assert_eq!(config["mode"], json!("fast"));
        assert_eq!(config["day"], json!("2024-01-01"));
        assert!(!config.contains_key("extra"));
    }

    #[test]
    fn each_alternative_is_a_config() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}]
        });
        let configs = configs(&schema);
        assert!(configs.iter().any(|config| config.contains_key("a")));
        assert!(configs.iter().any(|config| config.contains_key("b")));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({
            "type": "object",
            "properties": {"next": {"$ref": "#"}},
            "required": ["next"]
        });
        assert!(configs(&schema).is_empty());
    }

    /// W7: each level that a sample looks into multiplies what the next one costs.
    #[test]
    fn work_on_a_schema_that_multiplies_is_bounded() {
        let itself = json!({
            "type": "object",
            "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}},
            "required": ["a", "b", "c"]
        });
        assert!(configs(&itself).is_empty());
        let sampler = Sampler::new(&itself);
        sampler.values(&itself, DEPTH);
        assert_eq!(sampler.left.get(), 0);
    }
}
