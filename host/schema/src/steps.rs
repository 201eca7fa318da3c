//! Counts the steps of a validation in advance.
//!
//! A validator that reaches a schema in two ways validates it twice. This module counts each pair of schema and value
//! only once, so counting is fast even if validating is not.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::LimitExceeded;
use super::structure::Structure;

/// The maximum number of steps at one location of a value.
const MAX_STEPS_PER_LOCATION: u64 = 10_000;
/// The maximum number of steps for a complete value.
const MAX_STEPS: u64 = 2_000_000;
/// The maximum number of pairs of schema and value that are counted.
const MAX_PAIRS: usize = 300_000;
/// The assumed number of steps of a standard schema, such as that of JSON Schema itself.
const EXTERNAL_STEPS: u64 = 500;
/// How often a validator visits subschemas next to an `unevaluated…` keyword.
const UNEVALUATED_FACTOR: u64 = 3;

const ALTERNATIVES: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const CONDITIONS: [&str; 4] = ["not", "if", "then", "else"];
const UNEVALUATED: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];
/// Keywords with schemas for the children of a value: a schema, a list of schemas, or schemas by name.
const CHILD_KEYWORDS: [&str; 11] = [
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "prefixItems",
    "additionalItems",
    "contains",
    "unevaluatedItems",
    "contentSchema",
];

type Id = *const Value;

pub(super) struct StepCounter<'s, 'a> {
    structure: &'s Structure<'a>,
    /// The steps of a schema at one location; `None` while they are being counted.
    per_location: HashMap<Id, Option<u64>>,
    pairs: HashMap<(Id, Id), u64>,
}

impl<'s, 'a> StepCounter<'s, 'a> {
    pub(super) fn new(structure: &'s Structure<'a>) -> Self {
        Self {
            structure,
            per_location: HashMap::new(),
            pairs: HashMap::new(),
        }
    }

    /// Rejects a schema that takes too many steps at one location for some value.
    pub(super) fn check_schema(&mut self) -> Result<(), LimitExceeded> {
        let mut seen: HashSet<Id> = HashSet::new();
        let mut next = vec![self.structure.root];
        while let Some(schema) = next.pop() {
            if !seen.insert(schema) {
                continue;
            }
            self.steps_at_location(schema)?;
            if let Value::Object(members) = schema {
                next.extend(self.same_value_schemas(members));
                for key in CHILD_KEYWORDS {
                    next.extend(members.get(key).into_iter().flat_map(subschemas));
                }
            }
        }
        Ok(())
    }

    /// Returns the number of steps for a value.
    pub(super) fn count(&mut self, value: &Value) -> Result<u64, LimitExceeded> {
        self.steps_of_pair(self.structure.root, value)
    }

    fn steps_at_location(&mut self, schema: &'a Value) -> Result<u64, LimitExceeded> {
        match self.per_location.get(&std::ptr::from_ref(schema)) {
            Some(Some(steps)) => return Ok(*steps),
            Some(None) => return Err(LimitExceeded::EndlessRecursion),
            None => {}
        }
        let Value::Object(members) = schema else {
            return Ok(1);
        };
        self.per_location.insert(schema, None);
        let mut steps: u64 = 0;
        for part in self.same_value_schemas(members) {
            steps = steps.saturating_add(self.steps_at_location(part)?);
        }
        let steps = check_limit(
            own_steps(members).saturating_add(steps * unevaluated_factor(members)),
            MAX_STEPS_PER_LOCATION,
        )?;
        self.per_location.insert(schema, Some(steps));
        Ok(steps)
    }

    /// Returns the subschemas that apply to the same value.
    fn same_value_schemas(&self, members: &'a Map<String, Value>) -> Vec<&'a Value> {
        let mut schemas = Vec::new();
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(reference) = members.get(key).and_then(Value::as_str) {
                schemas.extend(self.structure.resolve(reference));
            }
        }
        for key in ALTERNATIVES {
            schemas.extend(
                members
                    .get(key)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        schemas.extend(CONDITIONS.iter().filter_map(|key| members.get(*key)));
        for key in ["dependentSchemas", "dependencies"] {
            let by_name = members.get(key).and_then(Value::as_object);
            schemas.extend(by_name.into_iter().flat_map(Map::values));
        }
        schemas
    }

    fn steps_of_pair(&mut self, schema: &'a Value, value: &Value) -> Result<u64, LimitExceeded> {
        let key = (std::ptr::from_ref(schema), std::ptr::from_ref(value));
        if let Some(steps) = self.pairs.get(&key) {
            return Ok(*steps);
        }
        let Value::Object(members) = schema else {
            return Ok(1);
        };
        if self.pairs.len() >= MAX_PAIRS {
            return Err(LimitExceeded::Steps { limit: MAX_STEPS });
        }
        let mut steps: u64 = 0;
        for part in self.same_value_schemas(members) {
            steps = steps.saturating_add(self.steps_of_pair(part, value)?);
        }
        steps =
            own_steps(members).saturating_add(steps.saturating_mul(unevaluated_factor(members)));
        match value {
            Value::Object(entries) => {
                for (name, entry) in entries {
                    let child_steps = self.steps_of_member(members, name, entry)?;
                    steps = steps.saturating_add(child_steps);
                }
            }
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    let child_steps = self.steps_of_item(members, position, item)?;
                    steps = steps.saturating_add(child_steps);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        let steps = check_limit(steps, MAX_STEPS)?;
        self.pairs.insert(key, steps);
        Ok(steps)
    }

    fn steps_of_member(
        &mut self,
        schema: &'a Map<String, Value>,
        name: &str,
        entry: &Value,
    ) -> Result<u64, LimitExceeded> {
        let mut steps = 1;
        let named = schema.get("properties").and_then(|known| known.get(name));
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
        let by_pattern = by_pattern.into_iter().flat_map(Map::values);
        let others = ["additionalProperties", "unevaluatedProperties"];
        let others = others.iter().filter_map(|key| schema.get(*key));
        for part in named.into_iter().chain(by_pattern).chain(others) {
            steps += self.steps_of_pair(part, entry)?;
        }
        if let Some(names) = schema.get("propertyNames") {
            steps += self.steps_at_location(names)?;
        }
        Ok(steps)
    }

    fn steps_of_item(
        &mut self,
        schema: &'a Map<String, Value>,
        position: usize,
        item: &Value,
    ) -> Result<u64, LimitExceeded> {
        let mut steps = 1;
        let listed = ["prefixItems", "items"];
        let listed = listed
            .iter()
            .filter_map(|key| schema.get(*key)?.get(position));
        let each = ["items", "additionalItems", "contains", "unevaluatedItems"];
        let each = each.iter().filter_map(|key| schema.get(*key));
        for part in listed.chain(each.filter(|part| part.is_object())) {
            steps += self.steps_of_pair(part, item)?;
        }
        Ok(steps)
    }
}

/// Returns the schemas in the value of a keyword.
fn subschemas(keyword_value: &Value) -> Vec<&Value> {
    match keyword_value {
        Value::Array(listed) => listed.iter().collect(),
        // The object is a single schema or contains schemas by name, so the object and its members may be schemas.
        Value::Object(members) => std::iter::once(keyword_value)
            .chain(members.values())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Returns the steps of a schema without its subschemas. A long `enum` takes many steps.
fn own_steps(members: &Map<String, Value>) -> u64 {
    let choices = members
        .get("enum")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let external = members
        .get("$ref")
        .and_then(Value::as_str)
        .is_some_and(|reference| !reference.starts_with('#'));
    1 + members.len() as u64 + choices as u64 / 100 + if external { EXTERNAL_STEPS } else { 0 }
}

fn unevaluated_factor(members: &Map<String, Value>) -> u64 {
    if UNEVALUATED.iter().any(|key| members.contains_key(*key)) {
        UNEVALUATED_FACTOR
    } else {
        1
    }
}

fn check_limit(steps: u64, limit: u64) -> Result<u64, LimitExceeded> {
    if steps <= limit {
        Ok(steps)
    } else {
        Err(LimitExceeded::Steps { limit })
    }
}
