//! Makes values that are probably valid in a schema.

use std::cell::Cell;

use serde_json::{Map, Number, Value, json};

use super::resolve::spend;
use super::{MAX_FORMS, Validator};

/// The budget for one sample, in parts of schemas that are copied.
const BUDGET: usize = 200_000;
/// The texts to try for a pattern or a format.
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

pub(super) struct Sampler<'a> {
    pub(super) root: &'a Value,
    /// The remaining budget. It limits the work even if each level of the schema multiplies it.
    pub(super) remaining: Cell<usize>,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self {
            root,
            remaining: Cell::new(BUDGET),
        }
    }

    /// Subtracts the cost of copying a schema. Returns whether the budget was enough.
    pub(super) fn spend(&self, schema: &Value) -> bool {
        let remaining = spend(schema, self.remaining.get());
        self.remaining.set(remaining);
        remaining > 0
    }

    /// Returns values that may be valid, the most likely first.
    pub(super) fn values(&self, schema: &Value, depth: usize) -> Vec<Value> {
        if depth == 0 || !self.spend(schema) {
            return vec![Value::Null];
        }
        let mut found = Vec::new();
        for form in self.forms(schema, depth) {
            for key in ["const", "default"] {
                found.extend(form.get(key).cloned());
            }
            for key in ["examples", "enum"] {
                found.extend(list(&form, key).iter().cloned());
            }
            for json_type in types(&form) {
                self.add_of_type(&form, json_type, depth, &mut found);
            }
        }
        found.truncate(MAX_FORMS);
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
                // Only keywords about strings: a form may have references that cannot be resolved in it.
                let keywords = [
                    "pattern",
                    "format",
                    "minLength",
                    "maxLength",
                    "enum",
                    "const",
                    "not",
                ];
                let rules = keywords
                    .iter()
                    .filter_map(|key| Some(((*key).to_owned(), form.get(*key)?.clone())));
                let rules = Value::Object(rules.collect());
                let validator = Validator::new(&rules);
                let texts = TEXTS.iter().map(|text| json!(text));
                let mut valid = texts.filter(|text| {
                    validator
                        .as_ref()
                        .is_some_and(|validator| validator.accepts(text))
                });
                let least = number(form, "minLength").unwrap_or(0.0);
                let long = "x".repeat(TEXTS.len().max(to_count(least)));
                found.push(valid.next().unwrap_or_else(|| json!(long)));
            }
            "integer" | "number" => found.extend(in_range(form, json_type == "integer")),
            "boolean" => found.extend([json!(false), json!(true)]),
            _ => found.push(Value::Null),
        }
    }

    /// Returns the required members of an object, or all that its schema names.
    pub(super) fn members(&self, form: &Value, depth: usize, all: bool) -> Map<String, Value> {
        let mut members = Map::new();
        let empty = Map::new();
        let known = object(form, "properties").unwrap_or(&empty);
        let required: Vec<&str> = list(form, "required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let optional = known.keys().map(String::as_str).filter(|_| all);
        for name in required.iter().copied().chain(optional) {
            let values = known
                .get(name)
                .map(|property| self.valid_value(property, depth - 1));
            let value = values.unwrap_or_else(|| json!("sample"));
            members.entry(name.to_owned()).or_insert(value);
        }
        members
    }

    pub(super) fn valid_value(&self, property: &Value, depth: usize) -> Value {
        let resolved = self.resolve(property, depth);
        let values = self.values(property, depth);
        let first = values.first().cloned();
        let validator = Validator::new(&resolved);
        let is_valid = |value: &Value| {
            validator
                .as_ref()
                .is_some_and(|validator| validator.accepts(value))
        };
        let mut valid = values.into_iter().filter(is_valid);
        valid.next().or(first).unwrap_or(Value::Null)
    }
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

/// Returns numbers within the range of a schema.
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

pub(super) fn list<'a>(form: &'a Value, key: &str) -> &'a [Value] {
    form.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn object<'a>(form: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    form.get(key).and_then(Value::as_object)
}
