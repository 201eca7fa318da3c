//! Inputs that nobody thinks of: what they hold, what they are called, what is known of them.

use super::bench::{Bench, Broken, Cause, End, Job, Trial};
use super::report::{Notes, Point};
use super::script::Style;
use super::variants::{self, Variant};
use super::{Case, case, fault_of};

/// Units that are run with each sort of inputs.
const UNITS: usize = 16;

/// Tries everything about odd inputs.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let outputs: Vec<_> = case
        .jobs
        .iter()
        .filter_map(|(_, trial)| trial.outputs())
        .collect();
    let outputs: Vec<_> = outputs.into_iter().flatten().cloned().collect();
    let many = variants::many(&case.inputs);
    let takes_many = bench.is_per_input()
        || (!notes.has_failed(Point::Split)
            && fault(bench, case, Point::LongInput, &many).is_none());
    let mut long = variants::long(&case.inputs);
    if !bench.is_per_input() && !notes.has_failed(Point::Split) {
        long.push(many);
    }
    let mut unicode = variants::unicode(&case.inputs);
    // What fails because there are many inputs is not told twice.
    if takes_many {
        unicode.push(variants::named(&case.inputs, variants::ODD_LABELS));
    }
    for (point, variants) in [
        (Point::EmptyInput, variants::empty(&case.inputs)),
        (Point::UnicodeInput, unicode),
        (Point::LongInput, long),
        (Point::BytesInput, variants::bytes(&case.inputs)),
        (
            Point::MetadataInput,
            variants::metadata(&case.inputs, &outputs),
        ),
    ] {
        let failed = variants.iter().find_map(|variant| {
            let found = fault(bench, case, point, variant)?;
            Some((variant, found))
        });
        let names: Vec<&str> = variants.iter().map(|one| one.name.as_str()).collect();
        match failed {
            None => notes.pass(point, names.join("; ")),
            Some((variant, (at, words))) => {
                let name = &variant.name;
                notes.fail(at, format!("with {name}: {words}"));
                notes.skip(point, format!("with {name}, `{}` failed", at.name()));
            }
        }
    }
    labels(bench, case, notes);
}

/// Runs the units of odd inputs until one shows a fault.
fn fault(
    bench: &Bench<'_>,
    case: &Case,
    point: Point,
    variant: &Variant,
) -> Option<(Point, String)> {
    let given = variant
        .inputs
        .iter()
        .map(|one| one.content.as_bytes().len());
    let given = given.max().unwrap_or(0);
    let is_spoilt = |broken: &Broken| {
        let named = matches!(broken.cause, Cause::Split | Cause::Output | Cause::Label);
        variant.spoils_names && named
    };
    match trials(bench, case, variant, case.style) {
        Err(broken) if is_spoilt(&broken) => None,
        Err(broken) => {
            let (at, words) = fault_of(&broken, point, given)?;
            Some((at, format!("`split`: {words}")))
        }
        Ok(trials) => trials.iter().find_map(|(job, trial)| {
            let End::Broken(broken) = &trial.end else {
                return None;
            };
            if is_spoilt(broken) {
                return None;
            }
            let (at, words) = fault_of(broken, point, given)?;
            Some((at, format!("unit {:?}: {words}", job.unit.key.as_str())))
        }),
    }
}

fn trials(
    bench: &Bench<'_>,
    case: &Case,
    variant: &Variant,
    style: Style,
) -> Result<Vec<(Job, Trial)>, Broken> {
    let mut jobs = bench.jobs(&variant.inputs, &case.config)?;
    jobs.truncate(UNITS);
    Ok(case::trials(bench, &jobs, &case.config, style))
}

/// Finds labels that two units gave: ordinary ones, or ones whose texts, labels or answers are hard to tell apart.
fn labels(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::Labels;
    if let Some((label, one, other)) = clash(&case.jobs) {
        let from_config = case
            .config
            .values()
            .any(|value| value.as_str() == Some(label));
        if case.made_up && from_config {
            let reason =
                format!("all units give the label {label:?} of a made-up config: give --config");
            return notes.skip(point, reason);
        }
        let detail = format!("units {one:?} and {other:?} both give the label {label:?}");
        return notes.fail(point, detail);
    }
    let ordinary = variants::variant("the same answer to every question", case.inputs.clone());
    for (variant, style) in [
        (variants::alike(&case.inputs), case.style),
        (
            variants::named(&case.inputs, variants::ODD_LABELS),
            case.style,
        ),
        (
            variants::named(&case.inputs, variants::LONG_LABELS),
            case.style,
        ),
        (ordinary, Style::Fixed("none")),
    ] {
        // What else is wrong with these is told at other points.
        let Ok(trials) = trials(bench, case, &variant, style) else {
            continue;
        };
        if let Some((label, one, other)) = clash(&trials) {
            let detail = format!(
                "with {}, units {one:?} and {other:?} both give the label {label:?}: make labels from the whole labels of the inputs",
                variant.name
            );
            return notes.fail(point, detail);
        }
    }
    let made = case.jobs.iter().filter_map(|(_, trial)| trial.outputs());
    let made: usize = made.map(<[_]>::len).sum();
    notes.pass(
        point,
        format!("{made} labels, each once, whatever the inputs"),
    );
}

/// Returns a label that two units gave, with the keys of both.
fn clash(trials: &[(Job, Trial)]) -> Option<(&str, &str, &str)> {
    let mut given = std::collections::BTreeMap::new();
    for (job, trial) in trials {
        let key = job.unit.key.as_str();
        for output in trial.outputs().unwrap_or_default() {
            let label = output.label.as_str();
            if let Some(other) = given.insert(label, key) {
                return Some((label, other, key));
            }
        }
    }
    None
}
