//! Checks on the ordinary units: that they succeed, use only declared capabilities, and do not fill the log.

use super::failure::FailureCause;
use super::point::Point;
use super::report::ReportBuilder;
use super::runner::{CheckRunner, TrialEnd};
use super::{Baseline, point_of, sample, scripted_model};
use synix_sandbox::Refusal;

/// The maximum log of a run, less the maximum of one line.
const LOG_BYTES: usize = (1 << 20) - (16 << 10);

/// Checks the ordinary units. Returns whether the other checks can run.
pub(super) fn check(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    bytes: &[u8],
    report: &mut ReportBuilder,
) -> bool {
    check_capabilities(runner, baseline, bytes, report);
    for (job, trial) in &baseline.jobs {
        let TrialEnd::Failed(failure) = &trial.end else {
            continue;
        };
        let unit = job.unit.key.as_str();
        let is_reported_already = report.has_failed(Point::Capabilities) && trial.refusal.is_some();
        let detail = match &failure.cause {
            FailureCause::Reported(_) => match (failure.message_problem(0), &trial.refusal) {
                (Some(problem), _) => format!("unit {unit:?}: {problem}: {}", failure.message),
                (None, Some(_)) => format!("unit {unit:?}: {}", failure.message),
                (None, None)
                    if failure.cause == FailureCause::Reported("invalid-answer".to_owned()) =>
                {
                    format!(
                        "unit {unit:?}: {}; pass a valid answer with --reply or --replies, or set `response_format` in the request: the model of this check follows a JSON Schema",
                        failure.message
                    )
                }
                (None, None) => format!(
                    "unit {unit:?}: {}; if this is intended, pass a --config and an --input that it accepts",
                    failure.message
                ),
            },
            FailureCause::NotGranted
            | FailureCause::Crash
            | FailureCause::Limit
            | FailureCause::Output
            | FailureCause::InvisibleName
            | FailureCause::Label
            | FailureCause::Split
            | FailureCause::NothingRead => {
                format!("unit {unit:?}: {}", failure.message)
            }
        };
        let point = match &trial.refusal {
            Some(Refusal::OverLimit(_)) => Point::Limits,
            _ => point_of(failure, Point::OrdinaryUnits),
        };
        if !is_reported_already {
            report.fail(point, detail);
        }
        return false;
    }
    if let Some(detail) = find_full_log(baseline) {
        report.fail(Point::Limits, detail);
        return false;
    }
    if let Some(detail) = find_invalid_format(baseline) {
        report.fail(Point::OrdinaryUnits, detail);
        return false;
    }
    let units = baseline.jobs.len();
    if baseline.is_successful() {
        report.pass(
            Point::OrdinaryUnits,
            format!(
                "{units} of {units} units from {} inputs",
                baseline.inputs.len()
            ),
        );
    } else {
        report.fail(Point::Split, "`split` made no unit from ordinary inputs");
    }
    baseline.is_successful()
}

/// Finds a unit that fills its log. Further runs of such a unit would only take time.
fn find_full_log(baseline: &Baseline) -> Option<String> {
    let logged = baseline.jobs.iter().map(|(job, trial)| {
        let bytes: usize = trial.log.iter().map(|line| line.message.len() + 64).sum();
        (job.unit.key.as_str(), bytes)
    });
    let (unit, bytes) = logged.into_iter().find(|(_, bytes)| *bytes >= LOG_BYTES)?;
    Some(format!(
        "unit {unit:?} logs more than the maximum of a run: at least {bytes} bytes"
    ))
}

/// Finds a request with an invalid response format, which every provider would refuse.
fn find_invalid_format(baseline: &Baseline) -> Option<String> {
    let formats = baseline.jobs.iter().flat_map(|(job, trial)| {
        let asked = trial.rounds.iter().flatten();
        asked.filter_map(move |ask| Some((job, ask.response_format.as_ref()?)))
    });
    let mut formats = formats.map(|(job, format)| (job, scripted_model::schema_of(format)));
    let (job, schema) = formats.find(|(_, schema)| sample::Validator::new(schema).is_none())?;
    let shown: String = schema.to_string().chars().take(120).collect();
    Some(format!(
        "unit {:?}: the response format of its request is not a valid JSON Schema: {shown}",
        job.unit.key.as_str()
    ))
}

/// Compares the declared capabilities with those that are used.
fn check_capabilities(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    bytes: &[u8],
    report: &mut ReportBuilder,
) {
    let descriptor = runner.plugin.descriptor();
    // A plugin that only embeds is checked for that, and any other one for requests to models.
    let only_embeds = descriptor.declares_embed() && !descriptor.declares_llm();
    let (name, import) = if only_embeds {
        ("embed", "synix:plugin/embedding@")
    } else {
        ("llm", "synix:plugin/llm@")
    };
    let declares = descriptor.capabilities.contains(name);
    let asked = baseline
        .jobs
        .iter()
        .any(|(_, trial)| !trial.rounds.is_empty());
    let refused = baseline
        .jobs
        .iter()
        .any(|(_, trial)| trial.refusal.is_some());
    let imports = crate::inspect::imports(bytes);
    let imports_it = imports.is_ok_and(|names| names.iter().any(|name| name.starts_with(import)));
    let point = Point::Capabilities;
    match (declares, asked) {
        (false, _) if refused => {
            report.fail(
                point,
                format!("it calls a model but does not declare `{name}`"),
            );
        }
        // A unit that failed early may ask otherwise.
        (true, false) if !baseline.is_successful() => {
            report.skip(
                point,
                format!("it declares `{name}` but asked nothing before it failed"),
            );
        }
        (true, false) if !imports_it => {
            report.fail(point, format!("it declares `{name}` but never calls it"));
        }
        (true, false) => report.skip(
            point,
            format!("it declares `{name}` but asked nothing in this check"),
        ),
        (true, true) => report.pass(point, format!("declares and uses `{name}`")),
        (false, _) if imports_it => {
            report.pass(
                point,
                "declares nothing and asks nothing, although it imports `llm`",
            );
        }
        (false, _) => report.pass(point, "declares nothing and asks nothing"),
    }
}
