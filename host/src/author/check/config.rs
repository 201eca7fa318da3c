//! The config: what its schema promises, and what becomes of configs that nobody should write.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::bench::{Bench, Broken, Cause, End, Job, Script};
use super::report::{Notes, Point};
use super::{Case, sample};

/// Settings that are tried one by one.
const SETTINGS: usize = 24;
/// A setting that no plugin knows.
const UNKNOWN: &str = "no_such_setting";

/// Checks the schema itself.
pub(super) fn schema(schema: &Value, notes: &mut Notes) {
    let point = Point::ConfigSchema;
    match schema.get("type") {
        Some(Value::String(of)) if of == "object" => {}
        _ => {
            return notes.fail(
                point,
                r#"the config schema does not say `"type": "object"`"#,
            );
        }
    }
    let mut seen = 0_usize;
    for (name, property) in sample::properties(schema) {
        let examples = property.get("examples").and_then(Value::as_array);
        let named = property.get("default").map(|value| ("default", value));
        let listed = examples.into_iter().flatten();
        for (word, value) in named.into_iter().chain(listed.map(|one| ("example", one))) {
            seen += 1;
            // References of a property lead from the root.
            let mut within = schema.clone();
            if let Value::Object(members) = &mut within {
                for key in ["required", "oneOf", "anyOf", "allOf", "not"] {
                    members.remove(key);
                }
                members.insert("properties".to_owned(), json!({ name.clone(): property }));
            }
            let mut alone = Map::new();
            alone.insert(name.clone(), value.clone());
            if !sample::fits(&within, &Value::Object(alone)) {
                let detail = format!("the {word} {value} of `{name}` does not fit its own schema");
                return notes.fail(point, detail);
            }
        }
    }
    for example in schema
        .get("examples")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        seen += 1;
        if !sample::fits(schema, example) {
            return notes.fail(
                point,
                format!("the example {example} does not fit the schema"),
            );
        }
    }
    notes.pass(
        point,
        format!("an object; {seen} defaults and examples fit"),
    );
}

/// Tries everything about configs.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    defaults(bench, case, notes);
    unknown(bench, case, notes);
    odd(bench, case, notes);
}

/// Compares each default left out with the same one written out.
fn defaults(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::ConfigDefaults;
    let schema = &bench.plugin.descriptor().config_schema;
    let mut compared = 0_usize;
    for (name, property) in sample::properties(schema) {
        let Some(default) = property.get("default") else {
            continue;
        };
        let mut without = case.config.clone();
        without.remove(&name);
        let mut with = without.clone();
        with.insert(name.clone(), default.clone());
        let usable = |config: &Map<String, Value>| sample::fits(schema, &json!(config));
        if !usable(&without) || !usable(&with) {
            continue;
        }
        compared += 1;
        let (left_out, written) = (seen(bench, case, &without), seen(bench, case, &with));
        if left_out != written {
            let detail =
                format!("leaving `{name}` out is not the same as writing its default {default}");
            return notes.fail(point, detail);
        }
    }
    if compared == 0 {
        notes.skip(point, "no setting has a default");
    } else {
        notes.pass(
            point,
            format!("{compared} defaults, left out and written out"),
        );
    }
}

/// What can be seen of all units under a config.
fn seen(
    bench: &Bench<'_>,
    case: &Case,
    config: &Map<String, Value>,
) -> Result<Vec<String>, Broken> {
    let jobs = bench.jobs(&case.inputs, config)?;
    let run = |job: Job| {
        let trial = bench.run(&job, config, Script::all(case.style));
        format!("{:?}", (job.unit, trial.rounds, trial.end))
    };
    Ok(jobs.into_iter().map(run).collect())
}

/// A setting that nobody knows must be refused, by the schema or by the plugin.
fn unknown(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::ConfigRefusals;
    let schema = &bench.plugin.descriptor().config_schema;
    let is_open = match schema.get("additionalProperties") {
        Some(Value::Bool(open)) => *open,
        other => other.is_some() || schema.get("patternProperties").is_some(),
    };
    let mut config = case.config.clone();
    config.insert(UNKNOWN.to_owned(), json!(1));
    let allowed = sample::fits(schema, &json!(config));
    match (first_end(bench, case, &config), allowed) {
        (Ok(()), true) if !is_open => notes.fail(
            point,
            format!(
                "an unknown setting such as `{UNKNOWN}` is taken in silence: write `\"additionalProperties\": false` into the schema"
            ),
        ),
        (Err(broken), true) if broken.is_said() && !broken.message.contains(UNKNOWN) && !is_open => {
            notes.fail(
                point,
                format!(
                    "the refusal of an unknown setting does not name it: {:?}",
                    broken.message
                ),
            );
        }
        (Err(broken), _) if is_crash(&broken) => notes.fail(
            point,
            format!("with an unknown setting: {}", broken.words),
        ),
        _ => {}
    }
}

/// Gives each setting odd values; those that the schema forbids, too, may not end in a crash.
fn odd(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::ConfigRefusals;
    let schema = &bench.plugin.descriptor().config_schema;
    let Some(validator) = sample::validator(schema) else {
        return;
    };
    let mut tried = 0_usize;
    for (name, property) in sample::properties(schema).into_iter().take(SETTINGS) {
        let mut values = sample::odd_values();
        values.extend(edges(&property));
        let mut types = BTreeSet::new();
        for value in values {
            let mut config = case.config.clone();
            config.insert(name.clone(), value.clone());
            let allowed = validator.is_valid(&json!(config));
            tried += 1;
            match first_end(bench, case, &config) {
                Ok(()) if allowed => {
                    types.insert(type_of(&value));
                }
                Ok(()) => {}
                Err(broken) => {
                    if let Some(what) = fault(&broken, allowed) {
                        let shown: String = value.to_string().chars().take(60).collect();
                        let rule = if allowed { "allows" } else { "forbids" };
                        let detail = format!(
                            "with `{name}` = {shown}, which the schema {rule}: {what}{}",
                            broken.words
                        );
                        return notes.fail(point, detail);
                    }
                }
            }
        }
        if types.len() == 6 {
            let detail = format!(
                "values of every type are taken for `{name}` in silence: give it a type in the schema"
            );
            return notes.fail(point, detail);
        }
    }
    for key in case.config.keys() {
        let mut without = case.config.clone();
        without.remove(key);
        tried += 1;
        if let Err(broken) = first_end(bench, case, &without)
            && is_crash(&broken)
        {
            return notes.fail(point, format!("without `{key}`: {}", broken.words));
        }
    }
    notes.pass(point, format!("{tried} odd configs and no crash"));
}

/// Says what is wrong with how a config was refused.
fn fault(broken: &Broken, allowed: bool) -> Option<&'static str> {
    match &broken.cause {
        Cause::Crash => Some(""),
        Cause::Limit if allowed => Some("it should be bounded there; "),
        Cause::Said(code) if code == "invalid-config" && broken.message.trim().is_empty() => {
            Some("it is refused without a word; ")
        }
        // A rule that an output or a unit breaks is told by the host, in words.
        Cause::Grant
        | Cause::Said(_)
        | Cause::Limit
        | Cause::Output
        | Cause::Label
        | Cause::Split => None,
    }
}

const fn is_crash(broken: &Broken) -> bool {
    matches!(broken.cause, Cause::Crash)
}

/// Runs the first unit under a config.
fn first_end(bench: &Bench<'_>, case: &Case, config: &Map<String, Value>) -> Result<(), Broken> {
    let jobs = bench.jobs(&case.inputs, config)?;
    let Some(job) = jobs.first() else {
        return Ok(());
    };
    match bench.run(job, config, Script::all(case.style)).end {
        End::Broken(broken) => Err(broken),
        End::Done(_) | End::Suspended => Ok(()),
    }
}

/// Returns the numbers at and beyond the bounds of a setting.
fn edges(property: &Value) -> Vec<Value> {
    let mut edges = Vec::new();
    for key in ["minimum", "maximum"] {
        if let Some(edge) = property.get(key).and_then(Value::as_i64) {
            edges.extend([edge.saturating_sub(1), edge, edge.saturating_add(1)].map(Value::from));
        }
    }
    edges
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
