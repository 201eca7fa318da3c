//! Checks that omitting a default is the same as writing it.

use serde_json::{Map, Value, json};

use super::failure::UnitFailure;
use super::point::Point;
use super::report::ReportBuilder;
use super::runner::{CheckRunner, Job};
use super::scripted_model::ScriptedModel;
use super::settings::Setting;
use super::{Baseline, sample};

type Config = Map<String, Value>;

/// Compares each omitted default with the same default in the config.
pub(super) fn check(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    settings: &[Setting],
    report: &mut ReportBuilder,
) {
    let point = Point::ConfigDefaults;
    if report.has_failed(Point::Deterministic) {
        return report.skip(
            point,
            "not checked: its results depend on the formatting of the config",
        );
    }
    let schema = &runner.plugin.descriptor().config_schema;
    let mut compared = 0_usize;
    for setting in settings {
        let Some(default) = setting.schema.get("default") else {
            continue;
        };
        let without = setting.set(&baseline.config, None);
        let with = setting.set(&baseline.config, Some(default.clone()));
        let is_valid = |config: &Config| sample::is_valid(schema, &json!(config));
        if !is_valid(&without) || !is_valid(&with) {
            continue;
        }
        compared += 1;
        if observe_all(runner, baseline, &without) != observe_all(runner, baseline, &with) {
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

/// Runs all units with a config and returns what each did.
fn observe_all(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    config: &Config,
) -> Result<Vec<String>, UnitFailure> {
    let jobs = runner.split(&baseline.inputs, config)?;
    let run = |job: Job| {
        let trial = runner.run(&job, config, ScriptedModel::answering_all(baseline.style));
        format!("{:?}", (job.unit, trial.rounds, trial.end))
    };
    Ok(jobs.into_iter().map(run).collect())
}
