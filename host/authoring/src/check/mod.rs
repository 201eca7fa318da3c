//! The conformance check: whether a component keeps the promises of a plugin.
//!
//! The check runs the plugin with a scripted model. So it can suspend each run
//! at any question, repeat it, and compare the results. It generates configs
//! from the plugin's own schema, and inputs, unless the caller gives them.
//!
//! ```text
//! point · report · junit        what is checked, and the results
//! runner · failure              one run, and why it failed
//! scripted_model                the model of every run
//! baseline                      a config, inputs and answers with which units succeed
//! baseline_checks · repeatability · split · config · config_defaults · edge_answers · edge_inputs
//!                               the checks, in groups
//! sample · sample_inputs · input_variants · settings · schema
//!                               what the checks use as configs, inputs and values
//! ```

mod baseline;
mod baseline_checks;
mod config;
mod config_defaults;
mod edge_answers;
mod edge_inputs;
mod failure;
mod input_variants;
mod junit;
mod point;
mod repeatability;
mod report;
mod runner;
mod sample;
mod sample_inputs;
mod schema;
mod scripted_model;
mod settings;
mod split;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use synix_core::artifact::Artifact;
use synix_sandbox::{Fault, InvalidDescriptor, Limits, Plugin, PluginError, Sandbox};

pub use junit::{TestCase, TestOutcome, junit_document, junit_report};
pub use point::Point;
pub use report::{CheckProgress, CheckReport, PointOutcome, PointResult};

use baseline::Baseline;
use failure::{FailureCause, UnitFailure};
use report::{Deadline, ReportBuilder};
use runner::CheckRunner;

/// What a check uses instead of what it would generate.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// The layer's config, with the texts of the files that it names.
    pub config: Option<Map<String, Value>>,
    /// The inputs, in label order. If empty, the check generates them.
    pub inputs: Vec<Artifact>,
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
    let mut report = ReportBuilder::with_deadline(deadline);
    on_progress(CheckProgress {
        stage: "load the component",
        runs: 0,
    });
    let plugin = match sandbox.load(name, bytes) {
        Ok(plugin) => plugin,
        Err(error) => {
            add_load_error(&error, &mut report);
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
    check_descriptor(&plugin, &mut report);
    schema::check(&plugin.descriptor().config_schema, &mut report);
    let runner = CheckRunner {
        plugin: &plugin,
        limits: options.limits.clone(),
        replies: Arc::from(options.replies.as_slice()),
        deadline,
        on_progress,
        runs: Cell::new(0),
        stage: Cell::new("load the component"),
    };
    runner.start_stage("run ordinary units");
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
                runner.start_stage("repeat and suspend runs");
                repeatability::check(&runner, &baseline, &mut report);
                runner.start_stage("try unusual answers");
                edge_answers::check(&runner, &baseline, &mut report);
                runner.start_stage("divide inputs into units");
                split::check(&runner, &baseline, &mut report);
                runner.start_stage("try unusual inputs");
                edge_inputs::check(&runner, &baseline, &mut report);
                runner.start_stage("try unusual configs");
                config::check(&runner, &baseline, &mut report);
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
        FailureCause::Reported(_) | FailureCause::Crash => crash,
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
        // A proper error; or a name that the host refuses with its own message.
        (FailureCause::Reported(_), None) | (FailureCause::InvisibleName, _) => None,
        (FailureCause::Reported(_), Some(what)) => Some((crash, what.to_owned())),
        (_, _) => Some((point_of(failure, crash), failure.message.clone())),
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "every other load error is a fault of the component"
)]
/// Adds the error of a component that cannot be loaded, at the point that it belongs to.
fn add_load_error(error: &PluginError, report: &mut ReportBuilder) {
    let mut message = UnitFailure::of(&error.fault).message;
    let point = match error.fault.as_ref() {
        Fault::InvalidDescriptor(invalid) => match invalid {
            InvalidDescriptor::SchemaJson(_) | InvalidDescriptor::Schema(_) => Point::ConfigSchema,
            InvalidDescriptor::UnknownCapability(_) => Point::Capabilities,
            _ => Point::Descriptor,
        },
        Fault::NotGranted => Point::Capabilities,
        Fault::OutOfFuel { .. }
        | Fault::OutOfTime { .. }
        | Fault::OutOfMemory { .. }
        | Fault::HostcallTooLarge { .. } => Point::Limits,
        Fault::Trapped { .. } | Fault::StackOverflow | Fault::Interface { .. } => Point::Descriptor,
        _ => Point::Component,
    };
    if point != Point::Component {
        report.pass(Point::Component, format!("matches {}", Sandbox::contract()));
        if !matches!(error.fault.as_ref(), Fault::InvalidDescriptor(_)) {
            message = format!("`describe`: {message}");
        }
    }
    report.fail(point, message);
}

fn check_descriptor(plugin: &Plugin, report: &mut ReportBuilder) {
    let descriptor = plugin.descriptor();
    if descriptor.summary.trim().is_empty() {
        report.fail(
            Point::Descriptor,
            "its summary is empty; describe in one line what it does",
        );
    } else if !is_version(&descriptor.version) {
        report.fail(
            Point::Descriptor,
            format!(
                "its version {:?} does not have the form 1.2.3",
                descriptor.version
            ),
        );
    }
}

/// Returns whether a version is three numbers, with an optional pre-release and build.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = text.strip_prefix(core).unwrap_or_default();
    let has_no_empty_part = rest
        .split(['-', '+', '.'])
        .skip(1)
        .all(|part| !part.is_empty());
    numbers.len() == 3 && numbers.iter().all(digits) && has_no_empty_part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_with_optional_suffixes() {
        for good in ["1.2.3", "0.1.0-rc.1", "1.0.0+7", "1.0.0-a+b.c"] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "",
            "1.0",
            "1.0.0.0",
            "latest",
            "1.0.0-",
            "1.0.0-a..b",
            "v1.0.0",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
