//! How inputs become units, and what may not depend on their order.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::{Bench, Broken, Job, config_otherwise, headers};
use super::report::{Notes, Point};
use super::script::Script;
use super::{Case, fault_of, variants};
use synix_core::artifact::Artifact;
use synix_core::json;
use synix_core::request::Ask;

/// Labels shown of those left out.
const SHOWN: usize = 5;

/// Tries everything about units.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    if bench.is_per_input() {
        let reason = "does not apply: each input is a unit of its own";
        notes.pass(Point::Split, "each input is a unit; `split` is not called");
        notes.skip(Point::UnitKeys, reason);
        notes.skip(Point::InputOrder, reason);
        return;
    }
    if !splits(bench, case, notes) {
        let reason = "not tried: `split` fails on other inputs";
        notes.skip(Point::UnitKeys, reason);
        notes.skip(Point::InputOrder, reason);
        return;
    }
    if notes.has_failed(Point::Stateless) || notes.has_failed(Point::Deterministic) {
        let reason = "not tried: what differs from call to call is not the inputs' doing";
        notes.skip(Point::UnitKeys, reason);
        notes.skip(Point::InputOrder, reason);
        return;
    }
    keys(bench, case, notes);
    order(bench, case, notes);
}

/// Divides all inputs, none, each alone, each left out, and many; tells whether the rest can be tried.
fn splits(bench: &Bench<'_>, case: &Case, notes: &mut Notes) -> bool {
    let inputs = case.inputs.as_slice();
    // What differs from call to call is told there.
    let is_constant = !notes.has_failed(Point::Stateless);
    let units = match coverage(bench, case, inputs, is_constant) {
        Ok(units) => units,
        Err((point, wrong)) => {
            notes.fail(point, wrong);
            return false;
        }
    };
    let alone = inputs.iter().map(std::slice::from_ref).map(<[_]>::to_vec);
    let fewer = (0..inputs.len()).map(|gone| without(inputs, gone));
    let others = std::iter::once(Vec::new()).chain(alone).chain(fewer);
    for some in others.chain([variants::many(inputs).inputs]) {
        if let Err((point, wrong)) = coverage(bench, case, &some, is_constant) {
            let words = match some.len() {
                1 => "one input".to_owned(),
                count => format!("{count} inputs"),
            };
            notes.fail(point, format!("with {words}: {wrong}"));
            return false;
        }
    }
    let detail = format!(
        "{units} units take {} inputs; fewer and more as well",
        inputs.len()
    );
    notes.pass(Point::Split, detail);
    true
}

/// Divides inputs; returns how many units there are, or what is wrong with them.
fn coverage(
    bench: &Bench<'_>,
    case: &Case,
    inputs: &[Artifact],
    is_constant: bool,
) -> Result<usize, (Point, String)> {
    let listed = headers(inputs);
    let divide = |config: &str| bench.plugin.divide(&listed, config, &bench.limits);
    let config = json::object(case.config.clone());
    let division = match divide(&config).map_err(Broken::from) {
        Ok(division) => division,
        // What is turned down in words is no fault of `split`.
        Err(broken) => {
            return match fault_of(&broken, Point::Split, 0) {
                Some((at, words)) => Err((at, format!("`split`: {words}"))),
                None => Ok(0),
            };
        }
    };
    if divide(&config).ok().as_ref() != Some(&division) {
        let wrong = "`split` gives other units when it is called again";
        return Err((Point::Split, wrong.to_owned()));
    }
    let otherwise = divide(&config_otherwise(&case.config));
    if is_constant && otherwise.ok().as_ref() != Some(&division) {
        let wrong = "`split` gives other units when the same config comes in other bytes: it depends on random numbers, on addresses, on the order of a hash map or on how its config is written";
        return Err((Point::Deterministic, wrong.to_owned()));
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
        .take(SHOWN)
        .collect();
    if !left.is_empty() && division.log.is_empty() {
        let wrong = format!(
            "the input {} gets into no unit and the log does not say why",
            left.join(", ")
        );
        return Err((Point::Split, wrong));
    }
    Ok(division.units.len())
}

fn without(inputs: &[Artifact], gone: usize) -> Vec<Artifact> {
    let mut fewer = inputs.to_vec();
    fewer.remove(gone);
    fewer
}

type Inputs = BTreeSet<String>;

fn labels_of(job: &Job) -> Inputs {
    let label = |(artifact, _): &(Artifact, _)| artifact.label.as_str().to_owned();
    job.inputs.iter().map(label).collect()
}

/// Takes one input away at a time, and changes one: units that still have theirs must have their keys.
fn keys(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::UnitKeys;
    let whole: BTreeMap<Inputs, &str> = case
        .jobs
        .iter()
        .map(|(job, _)| (labels_of(job), job.unit.key.as_str()))
        .collect();
    let inputs = case.inputs.as_slice();
    let fewer = inputs.iter().enumerate().map(|(at, gone)| {
        let what = format!("without the input {:?}", gone.label.as_str());
        (what, without(inputs, at))
    });
    let changed = variants::with_text(inputs, "Something else stands here now.");
    let changed = std::iter::once(("with other texts in its inputs".to_owned(), changed));
    let mut compared = 0_usize;
    for (what, some) in fewer.chain(changed) {
        // What cannot be divided in words is not about keys.
        let Ok(jobs) = bench.jobs(&some, &case.config) else {
            continue;
        };
        for job in &jobs {
            let Some(key) = whole.get(&labels_of(job)) else {
                continue;
            };
            compared += 1;
            if *key != job.unit.key.as_str() {
                let detail = format!(
                    "{what} the unit {key:?} has the key {:?}: make keys from labels or metadata, not from positions, counts or digests",
                    job.unit.key.as_str()
                );
                return notes.fail(point, detail);
            }
        }
    }
    if compared == 0 {
        notes.skip(point, "no unit has the same inputs where there are fewer");
    } else {
        let detail = format!("{compared} units compared where inputs are gone or changed");
        notes.pass(point, detail);
    }
}

/// Gives the inputs in other orders; units, questions and outputs must stay.
fn order(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::InputOrder;
    if notes.has_failed(Point::UnitKeys) {
        return notes.skip(point, "not tried: units cannot be told apart by their keys");
    }
    type Made = BTreeMap<String, (Inputs, Vec<Vec<Ask>>, Option<Vec<Artifact>>)>;
    let straight: Made = case
        .jobs
        .iter()
        .map(|(job, trial)| {
            let made = trial.outputs().map(<[_]>::to_vec);
            let seen = (labels_of(job), trial.rounds.clone(), made);
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
            } else if made.as_deref() != trial.outputs() {
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
