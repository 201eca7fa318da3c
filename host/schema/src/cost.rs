//! Counts the steps that checking a value takes, without taking them.
//!
//! A validator that meets one schema on two ways checks it twice. Here each pair
//! of schema and value is counted once and then looked up, so the count is quick
//! where the check would not be.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::TooCostly;
use super::outline::Outline;

/// Steps at one place of a value.
const STEPS_AT_ONE_PLACE: u64 = 10_000;
/// Steps for one whole value.
const STEPS: u64 = 2_000_000;
/// Pairs of schema and value that are looked at to find out.
const PAIRS: usize = 300_000;
/// What a schema of a standard takes at one place, such as that of JSON Schema itself.
const EXTERNAL_STEPS: u64 = 500;
/// How often parts are checked where what they left over counts.
const FOR_LEFTOVERS: u64 = 3;

const ALTERNATIVES: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const CONDITIONS: [&str; 4] = ["not", "if", "then", "else"];
const LEFTOVERS: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];
/// Schemas of what is within a value, by themselves or in a list or by name.
const BELOW: [&str; 11] = [
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

/// Counts for one schema.
pub(super) struct Costs<'o, 'a> {
    outline: &'o Outline<'a>,
    /// Steps at one place; `None` while they are counted.
    in_place: HashMap<Id, Option<u64>>,
    pairs: HashMap<(Id, Id), u64>,
}

impl<'o, 'a> Costs<'o, 'a> {
    pub(super) fn new(outline: &'o Outline<'a>) -> Self {
        Self {
            outline,
            in_place: HashMap::new(),
            pairs: HashMap::new(),
        }
    }

    /// Refuses a schema that takes too many steps at one place, whatever stands there.
    pub(super) fn check(&mut self) -> Result<(), TooCostly> {
        let mut seen: HashSet<Id> = HashSet::new();
        let mut next = vec![self.outline.root];
        while let Some(schema) = next.pop() {
            if !seen.insert(schema) {
                continue;
            }
            self.at_one_place(schema)?;
            if let Value::Object(members) = schema {
                next.extend(self.beside(members));
                for key in BELOW {
                    next.extend(members.get(key).into_iter().flat_map(parts));
                }
            }
        }
        Ok(())
    }

    /// Returns the steps that a value takes.
    pub(super) fn of(&mut self, value: &Value) -> Result<u64, TooCostly> {
        self.pair(self.outline.root, value)
    }

    fn at_one_place(&mut self, schema: &'a Value) -> Result<u64, TooCostly> {
        match self.in_place.get(&std::ptr::from_ref(schema)) {
            Some(Some(steps)) => return Ok(*steps),
            Some(None) => return Err(TooCostly::Endless),
            None => {}
        }
        let Value::Object(members) = schema else {
            return Ok(1);
        };
        self.in_place.insert(schema, None);
        let mut steps: u64 = 0;
        for part in self.beside(members) {
            steps = steps.saturating_add(self.at_one_place(part)?);
        }
        let steps = within(
            own(members).saturating_add(steps * leftovers(members)),
            STEPS_AT_ONE_PLACE,
        )?;
        self.in_place.insert(schema, Some(steps));
        Ok(steps)
    }

    /// Returns the schemas that are asked about the same value.
    fn beside(&self, members: &'a Map<String, Value>) -> Vec<&'a Value> {
        let mut beside = Vec::new();
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(reference) = members.get(key).and_then(Value::as_str) {
                beside.extend(self.outline.resolve(reference));
            }
        }
        for key in ALTERNATIVES {
            beside.extend(
                members
                    .get(key)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        beside.extend(CONDITIONS.iter().filter_map(|key| members.get(*key)));
        for key in ["dependentSchemas", "dependencies"] {
            let by_name = members.get(key).and_then(Value::as_object);
            beside.extend(by_name.into_iter().flat_map(Map::values));
        }
        beside
    }

    fn pair(&mut self, schema: &'a Value, value: &Value) -> Result<u64, TooCostly> {
        let key = (std::ptr::from_ref(schema), std::ptr::from_ref(value));
        if let Some(steps) = self.pairs.get(&key) {
            return Ok(*steps);
        }
        let Value::Object(members) = schema else {
            return Ok(1);
        };
        if self.pairs.len() >= PAIRS {
            return Err(TooCostly::Steps { limit: STEPS });
        }
        let mut steps: u64 = 0;
        for part in self.beside(members) {
            steps = steps.saturating_add(self.pair(part, value)?);
        }
        steps = own(members).saturating_add(steps.saturating_mul(leftovers(members)));
        match value {
            Value::Object(entries) => {
                for (name, entry) in entries {
                    let within = self.of_member(members, name, entry)?;
                    steps = steps.saturating_add(within);
                }
            }
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    let within = self.of_item(members, position, item)?;
                    steps = steps.saturating_add(within);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        let steps = within(steps, STEPS)?;
        self.pairs.insert(key, steps);
        Ok(steps)
    }

    fn of_member(
        &mut self,
        schema: &'a Map<String, Value>,
        name: &str,
        entry: &Value,
    ) -> Result<u64, TooCostly> {
        let mut steps = 1;
        let named = schema.get("properties").and_then(|known| known.get(name));
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
        let by_pattern = by_pattern.into_iter().flat_map(Map::values);
        let others = ["additionalProperties", "unevaluatedProperties"];
        let others = others.iter().filter_map(|key| schema.get(*key));
        for part in named.into_iter().chain(by_pattern).chain(others) {
            steps += self.pair(part, entry)?;
        }
        if let Some(names) = schema.get("propertyNames") {
            steps += self.at_one_place(names)?;
        }
        Ok(steps)
    }

    fn of_item(
        &mut self,
        schema: &'a Map<String, Value>,
        position: usize,
        item: &Value,
    ) -> Result<u64, TooCostly> {
        let mut steps = 1;
        let listed = ["prefixItems", "items"];
        let listed = listed
            .iter()
            .filter_map(|key| schema.get(*key)?.get(position));
        let each = ["items", "additionalItems", "contains", "unevaluatedItems"];
        let each = each.iter().filter_map(|key| schema.get(*key));
        for part in listed.chain(each.filter(|part| part.is_object())) {
            steps += self.pair(part, item)?;
        }
        Ok(steps)
    }
}

/// Returns the schemas that a keyword holds.
fn parts(held: &Value) -> Vec<&Value> {
    match held {
        Value::Array(listed) => listed.iter().collect(),
        // A single schema, or schemas by name; either way each member may be one.
        Value::Object(members) => std::iter::once(held).chain(members.values()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Returns the steps of a schema alone: a choice of many values takes many.
fn own(members: &Map<String, Value>) -> u64 {
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

fn leftovers(members: &Map<String, Value>) -> u64 {
    if LEFTOVERS.iter().any(|key| members.contains_key(*key)) {
        FOR_LEFTOVERS
    } else {
        1
    }
}

fn within(steps: u64, limit: u64) -> Result<u64, TooCostly> {
    if steps <= limit {
        Ok(steps)
    } else {
        Err(TooCostly::Steps { limit })
    }
}
