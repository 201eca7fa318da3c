//! The conformance check: whether a component keeps the promises of a plugin.
//!
//! The check runs a transform with a scripted model. So it can suspend each run
//! at any question, repeat it, and compare the results. It runs a reader on files
//! in memory. It generates configs from the plugin's own schema, and inputs or
//! files, unless the caller gives them.
//!
//! ```text
//! point · report · junit        what is checked, and the results
//! runner · failure · progress   one run, why it failed, and how far the check is
//! scripted_model                the model of every run
//! description                   the checks on what a plugin says of itself
//! baseline                      a config, inputs and answers with which units succeed
//! baseline_checks · repeatability · split · config · config_defaults · edge_answers · edge_inputs
//!                               the checks, in groups
//! unit_configs                  the units of a transform, for the checks on configs
//! reader                        the checks of a reader
//! sample · sample_inputs · input_variants · settings · schema
//!                               what the checks use as configs, inputs and values
//! ```

mod baseline;
mod baseline_checks;
mod config;
mod config_defaults;
mod description;
mod edge_answers;
mod edge_inputs;
mod failure;
mod input_variants;
mod junit;
mod point;
mod progress;
mod reader;
mod repeatability;
mod report;
mod runner;
mod sample;
mod sample_inputs;
mod schema;
mod scripted_model;
mod settings;
mod split;
mod unit_configs;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::PluginKind;
use synix_core::artifact::Artifact;
use synix_sandbox::{Limits, Sandbox};

pub use junit::{TestCase, TestOutcome, junit_document, junit_report};
pub use point::Point;
pub use reader::SampleFile;
pub use report::{CheckProgress, CheckReport, PointOutcome, PointResult};

use baseline::Baseline;
use failure::{FailureCause, UnitFailure};
use progress::Progress;
use report::{Deadline, ReportBuilder};
use runner::CheckRunner;
use unit_configs::UnitConfigs;

/// What a check uses instead of what it would generate.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// The layer's config, with the texts of the files that it names.
    pub config: Option<Map<String, Value>>,
    /// The inputs of a transform, in label order. If empty, the check generates them.
    pub inputs: Vec<Artifact>,
    /// The files for a reader. If empty, the check generates them.
    pub files: Vec<SampleFile>,
    /// The limits of a unit.
    pub limits: Limits,
    /// The model's answers to ordinary questions, one for each question of a unit. The last one answers all later
    /// questions. If empty, the check generates them.
    pub replies: Vec<String>,
    /// The time limit of the check; `None` for no limit.
    pub timeout: Option<Duration>,
}

/// Checks the component in `bytes`. The report uses `name` if the component cannot be loaded.
///
/// The sandbox should have no cache, because `describe` of a cached component does not run again.
/// The check calls `on_progress` before each call of the plugin.
pub fn check(
    sandbox: &Sandbox,
    name: &str,
    bytes: &[u8],
    options: &CheckOptions,
    on_progress: &dyn Fn(CheckProgress),
) -> CheckReport {
    let deadline = options.timeout.map(Deadline::after).unwrap_or_default();
    if PluginKind::of_component(bytes) == PluginKind::Reader {
        return reader::check(sandbox, (name, bytes), options, deadline, on_progress);
    }
    let mut report = ReportBuilder::new(PluginKind::Transform, deadline);
    let progress = Progress::start(on_progress);
    let plugin = match sandbox.load(name, bytes) {
        Ok(plugin) => plugin,
        Err(error) => {
            description::add_load_error(&error, &mut report);
            let reason = "not checked: the component cannot be loaded";
            return report.finish(name.to_owned(), None, reason);
        }
    };
    let (name, version) = {
        let descriptor = plugin.descriptor();
        (descriptor.name.clone(), descriptor.version.clone())
    };
    report.pass(
        Point::Component,
        format!("matches {} and can be called", Sandbox::contract()),
    );
    description::check(plugin.descriptor(), &mut report);
    schema::check(&plugin.descriptor().config_schema, &mut report);
    let runner = CheckRunner {
        plugin: &plugin,
        limits: options.limits.clone(),
        replies: Arc::from(options.replies.as_slice()),
        deadline,
        progress,
    };
    runner.progress.start_stage("run ordinary units");
    let is_unusable = report.has_failed(Point::ConfigSchema)
        && options.config.is_none()
        && sample::configs(&plugin.descriptor().config_schema).is_empty();
    if is_unusable {
        let reason = "not checked: no valid config was found";
        return report.finish(name, Some(version), reason);
    }
    let reason = match baseline::find(&runner, options) {
        Ok(baseline) => {
            if baseline_checks::check(&runner, &baseline, bytes, &mut report) {
                runner.progress.start_stage("repeat and suspend runs");
                repeatability::check(&runner, &baseline, &mut report);
                runner.progress.start_stage("try unusual answers");
                edge_answers::check(&runner, &baseline, &mut report);
                runner.progress.start_stage("divide inputs into units");
                split::check(&runner, &baseline, &mut report);
                runner.progress.start_stage("try unusual inputs");
                edge_inputs::check(&runner, &baseline, &mut report);
                runner.progress.start_stage("try unusual configs");
                let configs = UnitConfigs {
                    runner: &runner,
                    baseline: &baseline,
                };
                config::check(&configs, &mut report);
                if !report.has_failed(Point::Limits) {
                    report.pass(Point::Limits, "no run reached a limit");
                }
            }
            "not checked: ordinary units do not succeed"
        }
        Err((point, detail)) => {
            report.fail(point, detail);
            "not checked: no config and inputs were found"
        }
    };
    report.finish(name, Some(version), reason)
}

/// Returns the point that a failure belongs to; `crash` is the one for crashes and errors.
const fn point_of(failure: &UnitFailure, crash: Point) -> Point {
    match failure.cause {
        FailureCause::NotGranted => Point::Capabilities,
        FailureCause::Limit => Point::Limits,
        FailureCause::Output | FailureCause::InvisibleName => Point::Outputs,
        FailureCause::Label => Point::Labels,
        FailureCause::Split => Point::Split,
        FailureCause::Reported(_) | FailureCause::Crash | FailureCause::NothingRead => crash,
    }
}

/// Returns the point and the problem of a failure in an edge case; none if the plugin returns a proper error.
///
/// The error may quote `input_bytes` of the input.
fn edge_case_fault(
    failure: &UnitFailure,
    crash: Point,
    input_bytes: usize,
) -> Option<(Point, String)> {
    match (&failure.cause, failure.message_problem(input_bytes)) {
        // A proper error; or what the host refuses with its own message.
        (FailureCause::Reported(_), None)
        | (FailureCause::InvisibleName | FailureCause::NothingRead, _) => None,
        (FailureCause::Reported(_), Some(what)) => Some((crash, what.to_owned())),
        (_, _) => Some((point_of(failure, crash), failure.message.clone())),
    }
}
