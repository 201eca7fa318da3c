//! One unit run again and again: repeated, twice in one instance, cut off at each question.

use super::Case;
use super::bench::{Bench, Broken, End, Trial, config_of, config_otherwise, headers};
use super::report::{Notes, Point};
use super::script::Script;
use synix_core::json;

/// Fresh runs of each unit that are compared.
const REPEATS: usize = 2;
/// Units that are cut off at their questions.
const CUT_UNITS: usize = 3;
/// Questions at which one unit is cut off.
const CUTS: usize = 48;

/// Tries everything that one unit can show.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    notes.pass(Point::Outputs, "every output keeps the rules");
    deterministic(bench, case, notes);
    stateless(bench, case, notes);
    replay(bench, case, notes);
}

/// Says what differs between two runs that should be the same.
fn difference(one: &Trial, other: &Trial) -> Option<String> {
    let rounds = one.rounds.iter().zip(&other.rounds);
    for (round, (mine, theirs)) in rounds.enumerate() {
        if mine != theirs {
            return Some(format!("question {} is another one", round + 1));
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
        (End::Done(_), End::Done(_)) => "its outputs differ".to_owned(),
        (End::Broken(broken), _) | (_, End::Broken(broken)) => broken.words.clone(),
        (End::Suspended, _) | (_, End::Suspended) => "it ends elsewhere".to_owned(),
    })
}

fn deterministic(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::Deterministic;
    for (job, first) in &case.jobs {
        let unit = job.unit.key.as_str();
        for _ in 0..REPEATS {
            let again = bench.run(job, &case.config, Script::all(case.style));
            if let Some(what) = difference(first, &again) {
                return notes.fail(point, format!("unit {unit:?} run again: {what}"));
            }
            if again.log != first.log || again.fuel != first.fuel {
                let what = format!("its log or its fuel ({} and {})", first.fuel, again.fuel);
                return notes.fail(point, format!("unit {unit:?} run again: {what} differs"));
            }
        }
        let otherwise = config_otherwise(&config_of(&job.unit, &case.config));
        let moved = bench.run_with(job, &otherwise, Script::all(case.style));
        if let Some(what) = difference(first, &moved) {
            let detail = format!(
                "unit {unit:?} with the same config in other bytes: {what}; it depends on random numbers, on addresses, on the order of a hash map or on how its config is written"
            );
            return notes.fail(point, detail);
        }
    }
    notes.pass(
        point,
        format!(
            "{} fresh runs of each unit are alike, fuel included",
            REPEATS + 1
        ),
    );
}

/// Calls everything twice in one instance and compares with fresh ones.
fn stateless(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::Stateless;
    if notes.has_failed(Point::Deterministic) {
        return notes.skip(point, "not tried: fresh runs differ already");
    }
    let layer = json::object(case.config.clone());
    for (job, fresh) in case.jobs.iter().take(CUT_UNITS) {
        let unit = job.unit.key.as_str();
        let config = json::object(config_of(&job.unit, &case.config));
        let mut model = Script::all(case.style);
        model.replies = std::sync::Arc::clone(&bench.replies);
        let call = bench.call(job, &config);
        let listed = headers(&case.inputs);
        let (repeated, model) = match bench.plugin.call_repeatedly(&call, &listed, &layer, model) {
            Ok(repeated) => repeated,
            Err(error) => {
                let words = Broken::from(error).words;
                return notes.fail(
                    point,
                    format!("unit {unit:?}: called twice in one instance, its second call differs: {words}"),
                );
            }
        };
        if repeated
            .descriptors
            .iter()
            .any(|one| one != bench.plugin.descriptor())
        {
            return notes.fail(
                Point::Descriptor,
                "it describes itself differently when it is asked again in one instance",
            );
        }
        let words = |divided: &Result<_, _>| format!("{divided:?}");
        if let [first, second] = repeated.divisions.as_slice()
            && words(first) != words(second)
        {
            return notes.fail(point, "`split` gives other units on its second call");
        }
        let twice: Vec<_> = fresh.rounds.iter().chain(&fresh.rounds).cloned().collect();
        if model.rounds != twice {
            let detail = format!(
                "unit {unit:?} asks something else on its second call in one instance: it keeps a static, draws random numbers, or uses the order of a hash map"
            );
            return notes.fail(point, detail);
        }
        let same = |made: &Result<Vec<_>, _>| match (&fresh.end, made) {
            (End::Done(outputs), Ok(made)) => outputs == made,
            (End::Done(_) | End::Suspended | End::Broken(_), _) => false,
        };
        if !repeated.outputs.iter().all(same) {
            let detail = format!(
                "unit {unit:?} makes something else on its second call in one instance: it keeps a static, or draws random numbers"
            );
            return notes.fail(point, detail);
        }
    }
    notes.pass(Point::Descriptor, "the same on every call");
    notes.pass(point, "called twice in one instance, it does the same");
}

fn replay(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::Replay;
    let mut cuts = 0_usize;
    for (job, full) in case.jobs.iter().take(CUT_UNITS) {
        let unit = job.unit.key.as_str();
        let step = full.rounds.len().div_ceil(CUTS).max(1);
        for known in (0..full.rounds.len()).step_by(step) {
            let cut = bench.run(job, &case.config, Script::first(case.style, known));
            let asked_so_far = full.rounds.get(..=known).unwrap_or_default();
            if cut.end != End::Suspended || cut.rounds != asked_so_far {
                let detail = format!(
                    "unit {unit:?} with {known} answers known does not ask what it asks with all of them"
                );
                return notes.fail(point, detail);
            }
            cuts += 1;
        }
    }
    if cuts == 0 {
        notes.skip(point, "it asks nothing here");
    } else {
        notes.pass(point, format!("cut off at {cuts} questions"));
    }
}
