//! How inputs become units, and what may not depend on their order.

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use super::bench::{Bench, Broken, End, Job, Script, headers};
use super::report::{Notes, Point};
use crate::artifact::Artifact;
use crate::json;
use crate::request::Ask;

/// Tries everything about units.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    labels(case, notes);
    if !raw_split(bench, case, notes) {
        return;
    }
    if bench.is_per_input() {
        let reason = "does not apply: each input is a unit of its own";
        notes.skip(Point::UnitKeys, reason);
        notes.skip(Point::InputOrder, reason);
        return;
    }
    coverage(bench, case, notes);
    keys(bench, case, notes);
    order(bench, case, notes);
}

/// Finds labels that several units gave.
fn labels(case: &Case, notes: &mut Notes) {
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for (job, trial) in &case.jobs {
        let End::Done(outputs) = &trial.end else {
            continue;
        };
        for output in outputs {
            let (label, key) = (output.label.as_str(), job.unit.key.as_str());
            let Some(other) = given.insert(label, key) else {
                continue;
            };
            let from_config = case
                .config
                .values()
                .any(|value| value.as_str() == Some(label));
            if case.made_up && from_config {
                let reason = format!(
                    "all units give the label {label:?} of a made-up config: give --config"
                );
                return notes.skip(Point::Labels, reason);
            }
            let detail = format!("units {other:?} and {key:?} both give the label {label:?}");
            return notes.fail(Point::Labels, detail);
        }
    }
    notes.pass(Point::Labels, format!("{} labels, each once", given.len()));
}

/// Calls `split` with all inputs and with none, whatever the shape.
fn raw_split(bench: &Bench<'_>, case: &Case, notes: &mut Notes) -> bool {
    let config = json::object(case.config.clone());
    for inputs in [case.inputs.as_slice(), &[]] {
        let divided = bench
            .plugin
            .divide(&headers(inputs), &config, &bench.limits);
        let broken = divided.err().map(Broken::from);
        if let Some(broken) = broken.filter(|broken| !broken.is_said()) {
            let detail = format!("`split` of {} inputs: {}", inputs.len(), broken.words);
            notes.fail(Point::Split, detail);
            return false;
        }
    }
    if bench.is_per_input() {
        notes.pass(Point::Split, "each input is a unit; `split` does not crash");
    }
    true
}

fn coverage(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let config = json::object(case.config.clone());
    let listed = headers(&case.inputs);
    let divide = || bench.plugin.divide(&listed, &config, &bench.limits);
    let (Ok(division), Ok(again)) = (divide(), divide()) else {
        return notes.fail(Point::Split, "`split` fails on what it has divided before");
    };
    if division != again {
        return notes.fail(
            Point::Split,
            "`split` gives other units when it is called again",
        );
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
        .collect();
    let units = division.units.len();
    if left.is_empty() {
        notes.pass(
            Point::Split,
            format!("{units} units take {} inputs", listed.len()),
        );
    } else if division.log.is_empty() {
        let detail = format!(
            "the input {} gets into no unit and the log does not say why",
            left.join(", ")
        );
        notes.fail(Point::Split, detail);
    } else {
        notes.pass(
            Point::Split,
            format!(
                "{units} units; the log tells of {} inputs left out",
                left.len()
            ),
        );
    }
}

type Inputs = BTreeSet<String>;

fn labels_of(job: &Job) -> Inputs {
    let label = |(artifact, _): &(Artifact, _)| artifact.label.as_str().to_owned();
    job.inputs.iter().map(label).collect()
}

/// Takes one input away at a time: units that still have theirs must have their keys.
fn keys(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::UnitKeys;
    let whole: BTreeMap<Inputs, &str> = case
        .jobs
        .iter()
        .map(|(job, _)| (labels_of(job), job.unit.key.as_str()))
        .collect();
    let mut compared = 0_usize;
    for left_out in 0..case.inputs.len() {
        let mut fewer = case.inputs.clone();
        let gone = fewer.remove(left_out);
        if fewer.is_empty() {
            continue;
        }
        // What cannot be divided without this input is not about keys.
        let Ok(jobs) = bench.jobs(&fewer, &case.config) else {
            continue;
        };
        for job in &jobs {
            let Some(key) = whole.get(&labels_of(job)) else {
                continue;
            };
            compared += 1;
            if *key != job.unit.key.as_str() {
                let detail = format!(
                    "without the input {:?} the unit {key:?} has the key {:?}: make keys from labels or metadata, not from positions",
                    gone.label.as_str(),
                    job.unit.key.as_str()
                );
                return notes.fail(point, detail);
            }
        }
    }
    if compared == 0 {
        notes.skip(point, "no unit has the same inputs where there are fewer");
    } else {
        notes.pass(
            point,
            format!("{compared} units compared where inputs are gone"),
        );
    }
}

/// Gives the inputs in other orders; units, questions and outputs must stay.
fn order(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::InputOrder;
    if notes.has_failed(Point::UnitKeys) {
        return notes.skip(point, "not tried: units cannot be told apart by their keys");
    }
    type Made = BTreeMap<String, (Inputs, Vec<Vec<Ask>>, Option<Vec<Artifact>>)>;
    let outputs = |end: &End| match end {
        End::Done(outputs) => Some(outputs.clone()),
        End::Suspended | End::Broken(_) => None,
    };
    let straight: Made = case
        .jobs
        .iter()
        .map(|(job, trial)| {
            let seen = (labels_of(job), trial.rounds.clone(), outputs(&trial.end));
            (job.unit.key.as_str().to_owned(), seen)
        })
        .collect();
    let mut reversed = case.inputs.clone();
    reversed.reverse();
    let mut turned = case.inputs.clone();
    turned.rotate_left(1);
    if reversed.len() < 2 {
        return notes.skip(point, "there is one input: give more with --input");
    }
    for inputs in [reversed, turned] {
        let jobs = match bench.jobs(&inputs, &case.config) {
            Ok(jobs) => jobs,
            Err(broken) => {
                let detail = format!("with the inputs in another order: {}", broken.words);
                return notes.fail(point, detail);
            }
        };
        let keys: BTreeSet<&str> = jobs.iter().map(|job| job.unit.key.as_str()).collect();
        if keys != straight.keys().map(String::as_str).collect() {
            let detail = "with the inputs in another order the units have other keys";
            return notes.fail(point, detail);
        }
        for job in jobs {
            let key = job.unit.key.as_str();
            let trial = bench.run(&job, &case.config, Script::all(case.style));
            let Some((inputs, rounds, made)) = straight.get(key) else {
                continue;
            };
            let what = if *inputs != labels_of(&job) {
                "has other inputs"
            } else if *rounds != trial.rounds {
                "asks something else"
            } else if *made != outputs(&trial.end) {
                "makes something else"
            } else {
                continue;
            };
            let detail = format!(
                "with the inputs in another order the unit {key:?} {what}: sort them in `split`, for example by label"
            );
            return notes.fail(point, detail);
        }
    }
    notes.pass(
        point,
        "backwards and turned round, the inputs give the same",
    );
}
