//! Checks on `split`: how inputs become units, whatever their number and order.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::UnitFailure;
use super::point::Point;
use super::report::ReportBuilder;
use super::runner::{CheckRunner, Job, headers, reformat_config};
use super::scripted_model::ScriptedModel;
use super::{Baseline, edge_case_fault, input_variants};
use synix_core::artifact::Artifact;
use synix_core::json;
use synix_core::request::GuestRequest;

/// The most labels in a message.
const MAX_SHOWN: usize = 5;

/// Checks the points about units.
pub(super) fn check(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    if runner.is_per_input() {
        let reason = "does not apply: each input is a separate unit";
        report.pass(Point::Split, "each input is a unit; `split` is not called");
        report.skip(Point::UnitKeys, reason);
        report.skip(Point::InputOrder, reason);
        return;
    }
    if !check_coverage(runner, baseline, report) {
        let reason = "not checked: `split` fails with other inputs";
        report.skip(Point::UnitKeys, reason);
        report.skip(Point::InputOrder, reason);
        return;
    }
    if report.has_failed(Point::Stateless) || report.has_failed(Point::Deterministic) {
        let reason = "not checked: the results differ between equal calls";
        report.skip(Point::UnitKeys, reason);
        report.skip(Point::InputOrder, reason);
        return;
    }
    check_keys(runner, baseline, report);
    check_order(runner, baseline, report);
}

/// Divides all inputs, none, each one alone, all but one, and many. Returns whether the other checks can run.
fn check_coverage(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    report: &mut ReportBuilder,
) -> bool {
    let inputs = baseline.inputs.as_slice();
    // If calls differ, another point reports it.
    let is_constant = !report.has_failed(Point::Stateless);
    let units = match count_units(runner, baseline, inputs, is_constant) {
        Ok(units) => units,
        Err((point, problem)) => {
            report.fail(point, problem);
            return false;
        }
    };
    let single = inputs.iter().map(std::slice::from_ref).map(<[_]>::to_vec);
    let fewer = (0..inputs.len()).map(|position| without(inputs, position));
    let subsets = std::iter::once(Vec::new()).chain(single).chain(fewer);
    for subset in subsets.chain([input_variants::many(inputs).inputs]) {
        if let Err((point, problem)) = count_units(runner, baseline, &subset, is_constant) {
            let shown = match subset.len() {
                1 => "one input".to_owned(),
                count => format!("{count} inputs"),
            };
            report.fail(point, format!("with {shown}: {problem}"));
            return false;
        }
    }
    let detail = format!(
        "{units} units have all {} inputs, also with fewer and more inputs",
        inputs.len()
    );
    report.pass(Point::Split, detail);
    true
}

/// Divides inputs. Returns the number of units, or what is wrong with them.
fn count_units(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    inputs: &[Artifact],
    is_constant: bool,
) -> Result<usize, (Point, String)> {
    let listed = headers(inputs);
    let divide = |config: &str| {
        runner
            .plugin
            .split_with_log(&listed, config, &runner.limits)
    };
    let config = json::canonical_object(baseline.config.clone());
    let division = match divide(&config).map_err(UnitFailure::from) {
        Ok(division) => division,
        // A proper error is no fault.
        Err(failure) => {
            return match edge_case_fault(&failure, Point::Split, 0) {
                Some((at, problem)) => Err((at, format!("`split`: {problem}"))),
                None => Ok(0),
            };
        }
    };
    if divide(&config).ok().as_ref() != Some(&division) {
        let problem = "`split` returns other units when it is called again";
        return Err((Point::Split, problem.to_owned()));
    }
    let otherwise = divide(&reformat_config(&baseline.config));
    if is_constant && otherwise.ok().as_ref() != Some(&division) {
        let problem = "`split` returns other units for the same config in other bytes; it depends on random numbers, addresses, the order of a hash map, or the formatting of its config";
        return Err((Point::Deterministic, problem.to_owned()));
    }
    let taken: BTreeSet<u32> = division
        .units
        .iter()
        .flat_map(|unit| unit.inputs.iter().copied())
        .collect();
    let left: Vec<&str> = listed
        .iter()
        .zip(0_u32..)
        .filter(|(_, position)| !taken.contains(position))
        .map(|(header, _)| header.label.as_str())
        .take(MAX_SHOWN)
        .collect();
    if !left.is_empty() && division.log.is_empty() {
        let problem = format!(
            "the input {} is in no unit and the log does not say why",
            left.join(", ")
        );
        return Err((Point::Split, problem));
    }
    Ok(division.units.len())
}

fn without(inputs: &[Artifact], position: usize) -> Vec<Artifact> {
    let mut fewer = inputs.to_vec();
    fewer.remove(position);
    fewer
}

type Inputs = BTreeSet<String>;

fn labels_of(job: &Job) -> Inputs {
    let label = |(artifact, _): &(Artifact, _)| artifact.label.as_str().to_owned();
    job.inputs.iter().map(label).collect()
}

/// Removes one input at a time, and changes the texts: units with the same inputs must keep their keys.
fn check_keys(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::UnitKeys;
    let whole: BTreeMap<Inputs, &str> = baseline
        .jobs
        .iter()
        .map(|(job, _)| (labels_of(job), job.unit.key.as_str()))
        .collect();
    let inputs = baseline.inputs.as_slice();
    let fewer = inputs.iter().enumerate().map(|(position, removed)| {
        let change = format!("without the input {:?}", removed.label.as_str());
        (change, without(inputs, position))
    });
    let changed = input_variants::with_text(inputs, "Another text.");
    let changed = std::iter::once(("with other texts in its inputs".to_owned(), changed));
    let mut compared = 0_usize;
    for (change, subset) in fewer.chain(changed) {
        // An error of `split` is not about keys.
        let Ok(jobs) = runner.split(&subset, &baseline.config) else {
            continue;
        };
        for job in &jobs {
            let Some(key) = whole.get(&labels_of(job)) else {
                continue;
            };
            compared += 1;
            if *key != job.unit.key.as_str() {
                let detail = format!(
                    "{change} the unit {key:?} has the key {:?}; derive keys from labels or metadata, not from positions, counts or digests",
                    job.unit.key.as_str()
                );
                return report.fail(point, detail);
            }
        }
    }
    if compared == 0 {
        report.skip(point, "no unit has the same inputs if one is removed");
    } else {
        let detail = format!("{compared} units compared after inputs were removed or changed");
        report.pass(point, detail);
    }
}

/// Reorders the inputs: units, questions and outputs must stay the same.
fn check_order(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::InputOrder;
    if report.has_failed(Point::UnitKeys) {
        return report.skip(point, "not checked: keys do not identify units");
    }
    type UnitResults = BTreeMap<String, (Inputs, Vec<Vec<GuestRequest>>, Option<Vec<Artifact>>)>;
    let in_order: UnitResults = baseline
        .jobs
        .iter()
        .map(|(job, trial)| {
            let outputs = trial.outputs().map(<[_]>::to_vec);
            let result = (labels_of(job), trial.rounds.clone(), outputs);
            (job.unit.key.as_str().to_owned(), result)
        })
        .collect();
    let mut reversed = baseline.inputs.clone();
    reversed.reverse();
    let mut rotated = baseline.inputs.clone();
    rotated.rotate_left(1);
    if reversed.len() < 2 {
        return report.skip(point, "there is only one input; pass more with --input");
    }
    for inputs in [reversed, rotated] {
        let jobs = match runner.split(&inputs, &baseline.config) {
            Ok(jobs) => jobs,
            Err(failure) => {
                let detail = format!("with the inputs in another order: {}", failure.message);
                return report.fail(point, detail);
            }
        };
        let keys: BTreeSet<&str> = jobs.iter().map(|job| job.unit.key.as_str()).collect();
        if keys != in_order.keys().map(String::as_str).collect() {
            let detail = "with the inputs in another order, the units have other keys";
            return report.fail(point, detail);
        }
        for job in jobs {
            let key = job.unit.key.as_str();
            let trial = runner.run(
                &job,
                &baseline.config,
                ScriptedModel::answering_all(baseline.style),
            );
            let Some((inputs, rounds, outputs)) = in_order.get(key) else {
                continue;
            };
            let what = if *inputs != labels_of(&job) {
                "has other inputs"
            } else if *rounds != trial.rounds {
                "asks other questions"
            } else if outputs.as_deref() != trial.outputs() {
                "makes other outputs"
            } else {
                continue;
            };
            let detail = format!(
                "with the inputs in another order, the unit {key:?} {what}; sort the inputs in `split`, for example by label"
            );
            return report.fail(point, detail);
        }
    }
    report.pass(point, "reversed and rotated inputs have the same results");
}
