//! Checks on the config: unknown and missing settings, and unusual values.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::failure::{FailureCause, UnitFailure};
use super::point::Point;
use super::report::ReportBuilder;
use super::settings::{self, Setting};
use super::{config_defaults, sample};

/// A setting that no plugin has.
const UNKNOWN: &str = "no_such_setting";
/// The most invalid values that make a plugin reach a limit. Further ones only take time.
const MAX_SLOW_VALUES: usize = 2;

type Config = Map<String, Value>;

/// What the checks on configs need of a plugin, whatever its kind.
pub(super) trait ConfigSubject {
    /// Returns the schema of the config.
    fn schema(&self) -> &Value;

    /// Returns a config with which ordinary work succeeds.
    fn config(&self) -> &Config;

    /// Does a part of the ordinary work with a config.
    fn try_config(&self, config: &Config) -> Result<(), UnitFailure>;

    /// Does all of the ordinary work with a config, and returns what each part of it did.
    fn observe(&self, config: &Config) -> Result<Vec<String>, UnitFailure>;
}

/// Checks the points about configs.
pub(super) fn check(subject: &dyn ConfigSubject, report: &mut ReportBuilder) {
    let settings = settings::list(subject.schema());
    config_defaults::check(subject, &settings, report);
    check_unknown_settings(subject, &settings, report);
    let tried =
        check_valid_configs(subject, report) + check_unusual_values(subject, &settings, report);
    check_missing_settings(subject, report);
    report.pass(
        Point::ConfigRefusals,
        format!("{tried} unusual configs without a crash"),
    );
}

/// Checks that the schema or the plugin refuses an unknown setting.
fn check_unknown_settings(
    subject: &dyn ConfigSubject,
    settings: &[Setting],
    report: &mut ReportBuilder,
) {
    let point = Point::ConfigRefusals;
    let schema = subject.schema();
    let mut top = subject.config().clone();
    top.insert(UNKNOWN.to_owned(), json!(1));
    let within = settings.iter().filter(|setting| setting.allows_unknown());
    let within = within.map(|setting| {
        let unknown = setting.within(UNKNOWN);
        (
            unknown.name(),
            true,
            unknown.set(subject.config(), Some(json!(1))),
        )
    });
    let outermost = (UNKNOWN.to_owned(), settings::allows_unknown(schema), top);
    for (name, is_open, config) in std::iter::once(outermost).chain(within) {
        let allowed = sample::is_valid(schema, &json!(config));
        let detail = match subject.try_config(&config) {
            Ok(()) if allowed && is_open => format!(
                "an unknown setting such as `{name}` is ignored; add `\"additionalProperties\": false` to the schema"
            ),
            Err(failure) if failure.is_crash() => {
                format!("with the unknown setting `{name}`: {}", failure.message)
            }
            Err(failure)
                if allowed
                    && is_open
                    && failure.is_reported()
                    && !failure.plugin_message.contains(UNKNOWN) =>
            {
                format!(
                    "the refusal of the unknown setting `{name}` does not name it: {:?}",
                    failure.plugin_message
                )
            }
            Ok(()) | Err(_) => continue,
        };
        return report.fail(point, detail);
    }
}

/// Tries each config that was generated from the schema; one of them has every setting.
fn check_valid_configs(subject: &dyn ConfigSubject, report: &mut ReportBuilder) -> usize {
    let configs = sample::configs(subject.schema());
    for config in &configs {
        if let Err(failure) = subject.try_config(config)
            && let Some(problem) = refusal_problem(&failure, true, 0)
        {
            let shown = excerpt(&json!(config));
            let detail = format!(
                "with the valid config {shown}: {problem}{}",
                failure.message
            );
            report.fail(Point::ConfigRefusals, detail);
            break;
        }
    }
    configs.len()
}

/// Sets each setting to unusual values. Values that the schema forbids must not cause a crash, either.
fn check_unusual_values(
    subject: &dyn ConfigSubject,
    settings: &[Setting],
    report: &mut ReportBuilder,
) -> usize {
    let point = Point::ConfigRefusals;
    let Some(validator) = sample::Validator::new(subject.schema()) else {
        return 0;
    };
    let (mut tried, mut slow) = (0, 0);
    for setting in settings {
        let mut types = BTreeSet::new();
        for value in values_to_try(setting) {
            let config = setting.set(subject.config(), Some(value.clone()));
            let allowed = validator.accepts(&json!(config));
            if !allowed && slow >= MAX_SLOW_VALUES {
                continue;
            }
            tried += 1;
            let failure = match subject.try_config(&config) {
                Ok(()) => {
                    types.extend(allowed.then_some(type_of(&value)));
                    continue;
                }
                Err(failure) => failure,
            };
            slow += usize::from(failure.cause == FailureCause::Limit);
            if let Some(problem) = refusal_problem(&failure, allowed, value.to_string().len()) {
                let rule = if allowed { "allows" } else { "forbids" };
                let detail = format!(
                    "with `{}` = {}, which the schema {rule}: {problem}{}",
                    setting.name(),
                    excerpt(&value),
                    failure.message
                );
                report.fail(point, detail);
                return tried;
            }
        }
        if types.len() == 6 {
            let detail = format!(
                "`{}` accepts values of every type; set its `type` in the schema",
                setting.name()
            );
            report.fail(point, detail);
            return tried;
        }
    }
    tried
}

/// Removes one setting of the config at a time.
fn check_missing_settings(subject: &dyn ConfigSubject, report: &mut ReportBuilder) {
    for key in subject.config().keys() {
        let mut without = subject.config().clone();
        without.remove(key);
        if let Err(failure) = subject.try_config(&without)
            && failure.is_crash()
        {
            let detail = format!("without `{key}`: {}", failure.message);
            return report.fail(Point::ConfigRefusals, detail);
        }
    }
}

/// Returns what is wrong with the refusal of a config, which may quote a value of `value_bytes`.
fn refusal_problem(failure: &UnitFailure, allowed: bool, value_bytes: usize) -> Option<String> {
    match &failure.cause {
        FailureCause::Crash => Some(String::new()),
        FailureCause::Limit if allowed => Some("limit it in the schema; ".to_owned()),
        FailureCause::Reported(_) => failure
            .message_problem(value_bytes)
            .map(|problem| format!("{problem}; ")),
        // The host refuses outputs and units that break a rule, with a message.
        FailureCause::NotGranted
        | FailureCause::Limit
        | FailureCause::Output
        | FailureCause::InvisibleName
        | FailureCause::Label
        | FailureCause::Split
        | FailureCause::NothingRead => None,
    }
}

/// Returns the values to try for a setting: those of its schema, its bounds, and unusual ones of each type.
fn values_to_try(setting: &Setting) -> Vec<Value> {
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
    values.extend(sample::unusual_values());
    values
}

fn excerpt(value: &Value) -> String {
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
