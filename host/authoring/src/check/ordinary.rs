//! What the ordinary units show: that they end well, use what is declared, and leave room in the log.

use super::bench::{Bench, Cause, End};
use super::report::{Notes, Point};
use super::{Case, point_of, sample, script};
use synix_sandbox::Refusal;

/// The log that is kept of a run, less what one line may be.
const LOG_BYTES: usize = (1 << 20) - (16 << 10);

/// Says of the ordinary units what there is to say; tells whether the rest can be tried.
pub(super) fn settle(bench: &Bench<'_>, case: &Case, bytes: &[u8], notes: &mut Notes) -> bool {
    capabilities(bench, case, bytes, notes);
    for (job, trial) in &case.jobs {
        let End::Broken(broken) = &trial.end else {
            continue;
        };
        let unit = job.unit.key.as_str();
        let undeclared = notes.has_failed(Point::Capabilities) && trial.refusal.is_some();
        let detail = match &broken.cause {
            Cause::Said(_) => match (broken.misspoken(0), &trial.refusal) {
                (Some(what), _) => format!("unit {unit:?}: {what}: {}", broken.words),
                (None, Some(_)) => format!("unit {unit:?}: {}", broken.words),
                (None, None) if broken.cause == Cause::Said("invalid-answer".to_owned()) => {
                    format!(
                        "unit {unit:?}: {}; give an answer that suits it with --reply or --replies, or let its question say in `response_format` what the answer must be: the model of this check keeps to a JSON Schema",
                        broken.words
                    )
                }
                (None, None) => format!(
                    "unit {unit:?}: {}; if the plugin is right, pass a --config and an --input that it accepts",
                    broken.words
                ),
            },
            Cause::Grant
            | Cause::Crash
            | Cause::Limit
            | Cause::Output
            | Cause::Unseen
            | Cause::Label
            | Cause::Split => {
                format!("unit {unit:?}: {}", broken.words)
            }
        };
        let point = match &trial.refusal {
            Some(Refusal::OverLimit(_)) => Point::Limits,
            _ => point_of(broken, Point::OrdinaryUnits),
        };
        if !undeclared {
            notes.fail(point, detail);
        }
        return false;
    }
    if let Some(detail) = flooded_log(case) {
        notes.fail(Point::Limits, detail);
        return false;
    }
    if let Some(detail) = unusable_format(case) {
        notes.fail(Point::OrdinaryUnits, detail);
        return false;
    }
    let units = case.jobs.len();
    if case.is_well() {
        notes.pass(
            Point::OrdinaryUnits,
            format!("{units} of {units} units of {} inputs", case.inputs.len()),
        );
    } else {
        notes.fail(Point::Split, "`split` made no unit of ordinary inputs");
    }
    case.is_well()
}

/// Finds a unit whose log was cut; each further run of it would take its time.
fn flooded_log(case: &Case) -> Option<String> {
    let logged = case.jobs.iter().map(|(job, trial)| {
        let bytes: usize = trial.log.iter().map(|line| line.message.len() + 64).sum();
        (job.unit.key.as_str(), bytes)
    });
    let (unit, bytes) = logged.into_iter().find(|(_, bytes)| *bytes >= LOG_BYTES)?;
    Some(format!(
        "unit {unit:?} logs more than is kept of a run: {bytes} bytes and more"
    ))
}

/// Finds a question whose answer should have a form that no provider takes.
fn unusable_format(case: &Case) -> Option<String> {
    let formats = case.jobs.iter().flat_map(|(job, trial)| {
        let asked = trial.rounds.iter().flatten();
        asked.filter_map(move |ask| Some((job, ask.response_format.as_ref()?)))
    });
    let mut formats = formats.map(|(job, format)| (job, script::schema_of(format)));
    let (job, schema) = formats.find(|(_, schema)| sample::Fitting::new(schema).is_none())?;
    let shown: String = schema.to_string().chars().take(120).collect();
    Some(format!(
        "unit {:?}: the response format of its question is no JSON Schema: {shown}",
        job.unit.key.as_str()
    ))
}

/// Compares what is declared with what is used.
fn capabilities(bench: &Bench<'_>, case: &Case, bytes: &[u8], notes: &mut Notes) {
    let declares = bench.plugin.descriptor().declares_llm();
    let asked = case.jobs.iter().any(|(_, trial)| !trial.rounds.is_empty());
    let refused = case.jobs.iter().any(|(_, trial)| trial.refusal.is_some());
    let imports = crate::inspect::imports(bytes);
    let imports_llm = imports.is_ok_and(|names| {
        names
            .iter()
            .any(|name| name.starts_with("synix:plugin/llm@"))
    });
    let point = Point::Capabilities;
    match (declares, asked) {
        (false, _) if refused => {
            notes.fail(point, "it asks a model and does not declare `llm`");
        }
        // A unit that ends badly may have been about to ask.
        (true, false) if !case.is_well() => {
            notes.skip(
                point,
                "it declares `llm` and asked nothing before it failed",
            );
        }
        (true, false) if !imports_llm => {
            notes.fail(point, "it declares `llm` and never calls it");
        }
        (true, false) => notes.skip(point, "it declares `llm` and asked nothing here"),
        (true, true) => notes.pass(point, "declares and uses `llm`"),
        (false, _) if imports_llm => {
            notes.pass(
                point,
                "declares nothing and asks nothing, though it imports `llm`",
            );
        }
        (false, _) => notes.pass(point, "declares nothing and asks nothing"),
    }
}
