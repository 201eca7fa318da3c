//! Resolves a schema: references, `allOf`, and its alternatives.

use serde_json::Value;

use super::MAX_FORMS;
use super::sampler::{Sampler, list};

impl Sampler<'_> {
    /// Returns the forms of a schema: one for each combination of its alternatives, with references resolved.
    pub(super) fn forms(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let base = self.resolve(schema, depth);
        let mut forms = vec![base.clone()];
        if depth == 0 || !self.spend(schema) {
            return forms;
        }
        for key in ["oneOf", "anyOf"] {
            let alternatives = list(&base, key);
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
                .take(MAX_FORMS)
                .filter(|(form, one)| self.spend(form) && self.spend(one))
                .map(|(form, one)| join(form, one))
                .collect();
        }
        forms
    }

    /// Follows references and joins `allOf`.
    pub(super) fn resolve(&self, schema: &Value, depth: usize) -> Value {
        if !self.spend(schema) {
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
            resolved = join(&found, &resolved);
        }
        for part in list(schema, "allOf") {
            resolved = join(&resolved, &self.resolve(part, depth - 1));
        }
        resolved
    }
}

/// Subtracts the number of a schema's parts from `budget`; returns 0 if it is not enough.
pub(super) fn spend(schema: &Value, budget: usize) -> usize {
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

/// Joins two schemas that both apply.
fn join(left: &Value, right: &Value) -> Value {
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
