//! Repeated runs of a unit: in fresh instances, twice in one instance, and suspended at each question.

use super::Baseline;
use super::failure::UnitFailure;
use super::point::Point;
use super::report::ReportBuilder;
use super::runner::{CheckRunner, Trial, TrialEnd, config_of, headers, reformat_config};
use super::scripted_model::ScriptedModel;
use synix_core::json;

/// The number of fresh runs to compare with the first one.
const REPEATS: usize = 2;
/// The most units that are suspended or called twice.
const MAX_UNITS: usize = 3;
/// The most questions at which one unit is suspended.
const MAX_SUSPENSIONS: usize = 48;

/// Checks the points about repeated runs.
pub(super) fn check(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    report.pass(Point::Outputs, "every output follows the rules");
    check_deterministic(runner, baseline, report);
    check_stateless(runner, baseline, report);
    check_replay(runner, baseline, report);
}

/// Returns what differs between two runs that must be equal.
fn difference(one: &Trial, other: &Trial) -> Option<String> {
    let rounds = one.rounds.iter().zip(&other.rounds);
    for (round, (mine, theirs)) in rounds.enumerate() {
        if mine != theirs {
            return Some(format!("question {} is different", round + 1));
        }
    }
    if one.rounds.len() != other.rounds.len() {
        return Some(format!(
            "it asks {} times and then {} times",
            one.rounds.len(),
            other.rounds.len()
        ));
    }
    (one.end != other.end).then(|| match (&one.end, &other.end) {
        (TrialEnd::Done(_), TrialEnd::Done(_)) => "its outputs differ".to_owned(),
        (TrialEnd::Failed(failure), _) | (_, TrialEnd::Failed(failure)) => failure.message.clone(),
        (TrialEnd::Suspended, _) | (_, TrialEnd::Suspended) => {
            "it ends in another state".to_owned()
        }
    })
}

fn check_deterministic(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::Deterministic;
    for (job, first) in &baseline.jobs {
        let unit = job.unit.key.as_str();
        for _ in 0..REPEATS {
            let repeated = runner.run(
                job,
                &baseline.config,
                ScriptedModel::answering_all(baseline.style),
            );
            if let Some(what) = difference(first, &repeated) {
                return report.fail(point, format!("unit {unit:?}, run again: {what}"));
            }
            if repeated.log != first.log || repeated.fuel != first.fuel {
                let what = format!("its log or its fuel ({} and {})", first.fuel, repeated.fuel);
                return report.fail(point, format!("unit {unit:?}, run again: {what} differs"));
            }
        }
        let otherwise = reformat_config(&config_of(&job.unit, &baseline.config));
        let moved = runner.run_with(
            job,
            &otherwise,
            ScriptedModel::answering_all(baseline.style),
        );
        if let Some(what) = difference(first, &moved) {
            let detail = format!(
                "unit {unit:?} with the same config in other bytes: {what}; it depends on random numbers, addresses, the order of a hash map, or the formatting of its config"
            );
            return report.fail(point, detail);
        }
    }
    report.pass(
        point,
        format!(
            "{} fresh runs of each unit are equal, with their fuel",
            REPEATS + 1
        ),
    );
}

/// Calls each function twice in one instance, and compares the results with those of fresh instances.
fn check_stateless(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::Stateless;
    if report.has_failed(Point::Deterministic) {
        return report.skip(point, "not checked: fresh runs already differ");
    }
    let layer = json::canonical_object(baseline.config.clone());
    for (job, fresh) in baseline.jobs.iter().take(MAX_UNITS) {
        let unit = job.unit.key.as_str();
        let config = json::canonical_object(config_of(&job.unit, &baseline.config));
        let mut model = ScriptedModel::answering_all(baseline.style);
        model.replies = std::sync::Arc::clone(&runner.replies);
        let call = runner.call(job, &config);
        let listed = headers(&baseline.inputs);
        let (repeated, model) = match runner.plugin.call_repeatedly(&call, &listed, &layer, model) {
            Ok(repeated) => repeated,
            Err(error) => {
                let message = UnitFailure::from(error).message;
                return report.fail(
                    point,
                    format!("unit {unit:?}: called twice in one instance, its second call differs: {message}"),
                );
            }
        };
        if repeated
            .descriptors
            .iter()
            .any(|one| one != runner.plugin.descriptor())
        {
            return report.fail(
                Point::Descriptor,
                "`describe` returns something else on its second call in one instance",
            );
        }
        let shown = |divided: &Result<_, _>| format!("{divided:?}");
        if let [first, second] = repeated.splits.as_slice()
            && shown(first) != shown(second)
        {
            return report.fail(point, "`split` returns other units on its second call");
        }
        let twice: Vec<_> = fresh.rounds.iter().chain(&fresh.rounds).cloned().collect();
        if model.rounds != twice {
            let detail = format!(
                "unit {unit:?} asks other questions on its second call in one instance; it keeps state in a static, uses random numbers, or depends on the order of a hash map"
            );
            return report.fail(point, detail);
        }
        let same = |result: &Result<Vec<_>, _>| match (&fresh.end, result) {
            (TrialEnd::Done(outputs), Ok(repeated)) => outputs == repeated,
            (TrialEnd::Done(_) | TrialEnd::Suspended | TrialEnd::Failed(_), _) => false,
        };
        if !repeated.outputs.iter().all(same) {
            let detail = format!(
                "unit {unit:?} makes other outputs on its second call in one instance; it keeps state in a static, or uses random numbers"
            );
            return report.fail(point, detail);
        }
    }
    report.pass(Point::Descriptor, "the same on every call");
    report.pass(point, "the second call in one instance has the same result");
}

fn check_replay(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::Replay;
    let mut suspensions = 0_usize;
    for (job, full) in baseline.jobs.iter().take(MAX_UNITS) {
        let unit = job.unit.key.as_str();
        let step = full.rounds.len().div_ceil(MAX_SUSPENSIONS).max(1);
        for known in (0..full.rounds.len()).step_by(step) {
            let suspended = runner.run(
                job,
                &baseline.config,
                ScriptedModel::answering_first(baseline.style, known),
            );
            let asked_so_far = full.rounds.get(..=known).unwrap_or_default();
            if suspended.end != TrialEnd::Suspended || suspended.rounds != asked_so_far {
                let detail = format!(
                    "unit {unit:?}, suspended after {known} answers, asks other questions than in a full run"
                );
                return report.fail(point, detail);
            }
            suspensions += 1;
        }
    }
    if suspensions == 0 {
        report.skip(point, "no unit asks a question");
    } else {
        report.pass(point, format!("suspended at {suspensions} questions"));
    }
}
