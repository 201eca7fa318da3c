//! Checks that omitting a default is the same as writing it.

use serde_json::{Map, Value, json};

use super::config::ConfigSubject;
use super::point::Point;
use super::report::ReportBuilder;
use super::sample;
use super::settings::Setting;

type Config = Map<String, Value>;

/// Compares each omitted default with the same default in the config.
pub(super) fn check(subject: &dyn ConfigSubject, settings: &[Setting], report: &mut ReportBuilder) {
    let point = Point::ConfigDefaults;
    if report.has_failed(Point::Deterministic) {
        return report.skip(
            point,
            "not checked: its results depend on the formatting of the config",
        );
    }
    let schema = subject.schema();
    let mut compared = 0_usize;
    for setting in settings {
        let Some(default) = setting.schema.get("default") else {
            continue;
        };
        let without = setting.set(subject.config(), None);
        let with = setting.set(subject.config(), Some(default.clone()));
        let is_valid = |config: &Config| sample::is_valid(schema, &json!(config));
        if !is_valid(&without) || !is_valid(&with) {
            continue;
        }
        compared += 1;
        if subject.observe(&without) != subject.observe(&with) {
            let detail = format!(
                "omitting `{}` is not the same as writing its default {default}",
                setting.name()
            );
            return report.fail(point, detail);
        }
    }
    if compared == 0 {
        report.skip(point, "no setting has a default");
    } else {
        let detail = format!("{compared} defaults, omitted and written");
        report.pass(point, detail);
    }
}
