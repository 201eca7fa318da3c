//! The config: what becomes of defaults left out, and of configs that nobody should write.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::bench::{Bench, Broken, Cause, End, Job};
use super::report::{Notes, Point};
use super::script::Script;
use super::settings::{self, Setting};
use super::{Case, sample};

/// A setting that no plugin knows.
const UNKNOWN: &str = "no_such_setting";
/// Values that the schema forbids and that make a plugin reach a limit; more of them only take time.
const SLOW: usize = 2;

type Config = Map<String, Value>;

/// Tries everything about configs.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let settings = settings::of(&bench.plugin.descriptor().config_schema);
    defaults(bench, case, &settings, notes);
    unknown(bench, case, &settings, notes);
    let tried = made_up(bench, case, notes) + odd(bench, case, &settings, notes);
    missing(bench, case, notes);
    notes.pass(
        Point::ConfigRefusals,
        format!("{tried} odd configs and no crash"),
    );
}

/// Compares each default left out with the same one written out.
fn defaults(bench: &Bench<'_>, case: &Case, settings: &[Setting], notes: &mut Notes) {
    let point = Point::ConfigDefaults;
    if notes.has_failed(Point::Deterministic) {
        return notes.skip(
            point,
            "not tried: the bytes of the config change what it does",
        );
    }
    let schema = &bench.plugin.descriptor().config_schema;
    let mut compared = 0_usize;
    for setting in settings {
        let Some(default) = setting.schema.get("default") else {
            continue;
        };
        let without = setting.put(&case.config, None);
        let with = setting.put(&case.config, Some(default.clone()));
        let usable = |config: &Config| sample::fits(schema, &json!(config));
        if !usable(&without) || !usable(&with) {
            continue;
        }
        compared += 1;
        if seen(bench, case, &without) != seen(bench, case, &with) {
            let detail = format!(
                "leaving `{}` out is not the same as writing its default {default}",
                setting.name()
            );
            return notes.fail(point, detail);
        }
    }
    if compared == 0 {
        notes.skip(point, "no setting has a default");
    } else {
        let detail = format!("{compared} defaults, left out and written out");
        notes.pass(point, detail);
    }
}

/// What can be seen of all units under a config.
fn seen(bench: &Bench<'_>, case: &Case, config: &Config) -> Result<Vec<String>, Broken> {
    let jobs = bench.jobs(&case.inputs, config)?;
    let run = |job: Job| {
        let trial = bench.run(&job, config, Script::all(case.style));
        format!("{:?}", (job.unit, trial.rounds, trial.end))
    };
    Ok(jobs.into_iter().map(run).collect())
}

/// A setting that nobody knows must be refused, by the schema or by the plugin.
fn unknown(bench: &Bench<'_>, case: &Case, settings: &[Setting], notes: &mut Notes) {
    let point = Point::ConfigRefusals;
    let schema = &bench.plugin.descriptor().config_schema;
    let mut top = case.config.clone();
    top.insert(UNKNOWN.to_owned(), json!(1));
    let within = settings.iter().filter(|setting| setting.is_unguarded());
    let within = within.map(|setting| {
        let unknown = setting.within(UNKNOWN);
        (
            unknown.name(),
            true,
            unknown.put(&case.config, Some(json!(1))),
        )
    });
    let outermost = (UNKNOWN.to_owned(), settings::is_unguarded(schema), top);
    for (name, unguarded, config) in std::iter::once(outermost).chain(within) {
        let allowed = sample::fits(schema, &json!(config));
        let detail = match first_end(bench, case, &config) {
            Ok(()) if allowed && unguarded => format!(
                "an unknown setting such as `{name}` is taken in silence: write `\"additionalProperties\": false` into the schema"
            ),
            Err(broken) if broken.is_crash() => {
                format!("with the unknown setting `{name}`: {}", broken.words)
            }
            Err(broken)
                if allowed
                    && unguarded
                    && broken.is_said()
                    && !broken.message.contains(UNKNOWN) =>
            {
                format!(
                    "the refusal of the unknown setting `{name}` does not name it: {:?}",
                    broken.message
                )
            }
            Ok(()) | Err(_) => continue,
        };
        return notes.fail(point, detail);
    }
}

/// Tries each config that could be made up from the schema, one with every setting among them.
fn made_up(bench: &Bench<'_>, case: &Case, notes: &mut Notes) -> usize {
    let configs = sample::configs(&bench.plugin.descriptor().config_schema);
    for config in &configs {
        if let Err(broken) = first_end(bench, case, config)
            && let Some(what) = fault(&broken, true, 0)
        {
            let shown = short(&json!(config));
            let detail = format!(
                "with the config {shown}, which fits: {what}{}",
                broken.words
            );
            notes.fail(Point::ConfigRefusals, detail);
            break;
        }
    }
    configs.len()
}

/// Gives each setting odd values; those that the schema forbids, too, may not end in a crash.
fn odd(bench: &Bench<'_>, case: &Case, settings: &[Setting], notes: &mut Notes) -> usize {
    let point = Point::ConfigRefusals;
    let Some(fitting) = sample::Fitting::new(&bench.plugin.descriptor().config_schema) else {
        return 0;
    };
    let (mut tried, mut slow) = (0, 0);
    for setting in settings {
        let mut types = BTreeSet::new();
        for value in values(setting) {
            let config = setting.put(&case.config, Some(value.clone()));
            let allowed = fitting.holds(&json!(config));
            if !allowed && slow >= SLOW {
                continue;
            }
            tried += 1;
            let broken = match first_end(bench, case, &config) {
                Ok(()) => {
                    types.extend(allowed.then_some(type_of(&value)));
                    continue;
                }
                Err(broken) => broken,
            };
            slow += usize::from(broken.cause == Cause::Limit);
            if let Some(what) = fault(&broken, allowed, value.to_string().len()) {
                let rule = if allowed { "allows" } else { "forbids" };
                let detail = format!(
                    "with `{}` = {}, which the schema {rule}: {what}{}",
                    setting.name(),
                    short(&value),
                    broken.words
                );
                notes.fail(point, detail);
                return tried;
            }
        }
        if types.len() == 6 {
            let detail = format!(
                "values of every type are taken for `{}` in silence: give it a type in the schema",
                setting.name()
            );
            notes.fail(point, detail);
            return tried;
        }
    }
    tried
}

/// Takes away one setting of the config at a time.
fn missing(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    for key in case.config.keys() {
        let mut without = case.config.clone();
        without.remove(key);
        if let Err(broken) = first_end(bench, case, &without)
            && broken.is_crash()
        {
            let detail = format!("without `{key}`: {}", broken.words);
            return notes.fail(Point::ConfigRefusals, detail);
        }
    }
}

/// Says what is wrong with how a config was refused; `given` are the bytes of the odd value.
fn fault(broken: &Broken, allowed: bool, given: usize) -> Option<String> {
    match &broken.cause {
        Cause::Crash => Some(String::new()),
        Cause::Limit if allowed => Some("it should be bounded there; ".to_owned()),
        Cause::Said(_) => broken.misspoken(given).map(|what| format!("{what}; ")),
        // A rule that an output or a unit breaks is told by the host, in words.
        Cause::Grant
        | Cause::Limit
        | Cause::Output
        | Cause::Unseen
        | Cause::Label
        | Cause::Split => None,
    }
}

/// Runs the first unit under a config.
fn first_end(bench: &Bench<'_>, case: &Case, config: &Config) -> Result<(), Broken> {
    let jobs = bench.jobs(&case.inputs, config)?;
    let Some(job) = jobs.first() else {
        return Ok(());
    };
    match bench.run(job, config, Script::all(case.style)).end {
        End::Broken(broken) => Err(broken),
        End::Done(_) | End::Suspended => Ok(()),
    }
}

/// Returns the values that a setting is tried with: what its schema names, its bounds, then odd ones of each type.
fn values(setting: &Setting) -> Vec<Value> {
    let schema = &setting.schema;
    let one = |key: &str| schema.get(key).cloned();
    let several = |key: &str| {
        let listed = schema.get(key).and_then(Value::as_array).cloned();
        listed.unwrap_or_default()
    };
    let mut values: Vec<Value> = one("default").into_iter().chain(one("const")).collect();
    values.extend(several("enum"));
    values.extend(several("examples"));
    for key in ["minimum", "maximum"] {
        if let Some(edge) = schema.get(key).and_then(Value::as_i64) {
            values.extend([edge.saturating_sub(1), edge, edge.saturating_add(1)].map(Value::from));
        }
    }
    values.extend(sample::odd_values());
    values
}

fn short(value: &Value) -> String {
    let mut shown: String = value.to_string().chars().take(100).collect();
    if shown.len() < value.to_string().len() {
        shown.push('…');
    }
    shown
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
