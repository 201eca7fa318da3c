//! One unit run again and again: repeated, cut off, with other answers and other inputs.

use super::bench::{
    Bench, Broken, Cause, End, Job, Script, Style, Trial, config_otherwise, config_text, headers,
};
use super::report::{Notes, Point};
use super::{Case, inputs, point_of};
use crate::artifact::Content;
use crate::json;
use crate::plugin::Refusal;

/// Fresh runs of each unit that are compared.
const REPEATS: usize = 2;
/// Units that are cut off at their questions.
const CUT_UNITS: usize = 3;
/// Questions at which one unit is cut off.
const CUTS: usize = 48;
/// The log that is kept of a run, less what one line may be.
const LOG_BYTES: usize = (1 << 20) - (16 << 10);

const ANSWERS: [(&str, Style); 12] = [
    ("a single space", Style::Fixed(" ")),
    ("a line break", Style::Fixed("\n")),
    ("a full stop", Style::Fixed(".")),
    ("\"none\"", Style::Fixed("none")),
    ("a number", Style::Fixed("-7")),
    ("a JSON object", Style::Json),
    ("a JSON list", Style::Fixed("[1, {\"a\": null}]")),
    ("broken JSON", Style::Fixed("{\"a\": [1, 2")),
    (
        "a fenced block",
        Style::Fixed("Sure!\n```json\n{\"a\": 1}\n```\n"),
    ),
    (
        "quotes and backslashes",
        Style::Fixed("He said \"\\no\"\tand 'left' \u{0}{{ x }} {% y %}\r\n"),
    ),
    (
        "characters of every sort",
        Style::Fixed("\u{1f469}\u{200d}\u{1f466} \u{202e}שלום 漢字 é\u{301}\u{feff}\n\u{1f600}"),
    ),
    ("a very long text", Style::Long(256 << 10)),
];

/// Tries everything that one unit can show.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    notes.pass(Point::Outputs, "every output keeps the rules");
    deterministic(bench, case, notes);
    stateless(bench, case, notes);
    replay(bench, case, notes);
    answers(bench, case, notes);
    refused(bench, case, notes);
    for (point, contents) in [
        (Point::EmptyInput, vec![("an empty text", inputs::text(""))]),
        (Point::UnicodeInput, inputs::odd_texts()),
        (Point::LongInput, inputs::long_texts()),
        (Point::BytesInput, inputs::bytes()),
    ] {
        contents_of(bench, case, point, &contents, notes);
    }
    logs(case, notes);
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
        let otherwise = config_otherwise(&job.unit, &case.config);
        let moved = bench.run_with(job, &otherwise, Script::all(case.style));
        if let Some(what) = difference(first, &moved) {
            let detail = format!(
                "unit {unit:?} with the same config in other bytes: {what}; it depends on addresses, on the order of a hash map or on how its config is written"
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
    let layer = json::object(case.config.clone());
    for (job, fresh) in case.jobs.iter().take(CUT_UNITS) {
        let unit = job.unit.key.as_str();
        let config = config_text(&job.unit, &case.config);
        let mut model = Script::all(case.style);
        let call = bench.call(job, &config);
        let listed = headers(&case.inputs);
        let rehearsal = match bench.plugin.rehearse(&call, &listed, &layer, &mut model) {
            Ok(rehearsal) => rehearsal,
            Err(error) => {
                let words = Broken::from(error).words;
                return notes.fail(
                    point,
                    format!("unit {unit:?}: called twice in one instance, it {words}"),
                );
            }
        };
        if rehearsal
            .descriptors
            .iter()
            .any(|one| one != bench.plugin.descriptor())
        {
            return notes.fail(
                Point::Descriptor,
                "it describes itself differently on the second call in one instance",
            );
        }
        let words = |divided: &Result<_, _>| format!("{divided:?}");
        if let [first, second] = rehearsal.divisions.as_slice()
            && words(first) != words(second)
        {
            return notes.fail(point, "`split` gives other units on its second call");
        }
        let twice: Vec<_> = fresh.rounds.iter().chain(&fresh.rounds).cloned().collect();
        if model.rounds != twice {
            let detail = format!(
                "unit {unit:?} asks something else on its second call in one instance: it keeps a static, or uses the order of a hash map"
            );
            return notes.fail(point, detail);
        }
        let same = |made: &Result<Vec<_>, _>| match (&fresh.end, made) {
            (End::Done(outputs), Ok(made)) => outputs == made,
            (End::Done(_) | End::Suspended | End::Broken(_), _) => false,
        };
        if !rehearsal.outputs.iter().all(same) {
            let detail =
                format!("unit {unit:?} makes something else on its second call in one instance");
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

fn first(case: &Case) -> Option<&(Job, Trial)> {
    let asking = case.jobs.iter().find(|(_, trial)| !trial.rounds.is_empty());
    asking.or(case.jobs.first())
}

fn answers(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::Answers;
    let Some((job, trial)) = first(case).filter(|(_, trial)| !trial.rounds.is_empty()) else {
        return notes.skip(point, "it asks nothing here");
    };
    for (name, style) in ANSWERS {
        let tried = bench.run(job, &case.config, Script::all(style));
        if let Some(refusal @ Refusal::OverLimit(_)) = &tried.refusal {
            notes.fail(
                Point::Limits,
                format!("where the answer is {name}: {refusal}"),
            );
        }
        if let End::Broken(broken) = &tried.end
            && let Some(at) = fault_of(broken, point)
        {
            notes.fail(at, format!("where the answer is {name}: {}", broken.words));
        }
    }
    notes.pass(
        point,
        format!(
            "{} sorts of answers to {} questions",
            ANSWERS.len(),
            trial.rounds.len()
        ),
    );
}

/// Names the point that a failure under odd circumstances belongs to; the plugin's own refusal belongs to none.
fn fault_of(broken: &Broken, crash: Point) -> Option<Point> {
    match &broken.cause {
        Cause::Said(_) if broken.message.trim().is_empty() => Some(crash),
        Cause::Said(_) => None,
        Cause::Grant
        | Cause::Crash
        | Cause::Limit
        | Cause::Output
        | Cause::Label
        | Cause::Split => Some(point_of(broken, crash)),
    }
}

fn refused(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let point = Point::RefusedRequests;
    let Some((job, _)) = first(case).filter(|(_, trial)| !trial.rounds.is_empty()) else {
        return notes.skip(point, "it asks nothing here");
    };
    let refusals = [
        Refusal::OverLimit("a limit of this check".to_owned()),
        Refusal::UnknownRole("a role of this check".to_owned()),
        Refusal::InvalidRequest("a rule of this check".to_owned()),
    ];
    let ignored = case
        .jobs
        .iter()
        .find_map(|(_, trial)| trial.refusal.as_ref());
    if let Some(refusal) = ignored {
        return notes.fail(
            point,
            format!("it takes no notice of a refusal ({refusal})"),
        );
    }
    for refusal in refusals {
        let words = refusal.to_string();
        match bench.run(job, &case.config, Script::refusing(refusal)).end {
            End::Done(_) => {
                let detail = format!("it makes outputs although its request was refused ({words})");
                return notes.fail(point, detail);
            }
            End::Broken(broken) if !broken.is_said() => {
                let detail = format!("where its request is refused ({words}): {}", broken.words);
                return notes.fail(point, detail);
            }
            End::Broken(_) | End::Suspended => {}
        }
    }
    notes.pass(point, "each kind of refusal fails the unit in words");
}

/// Runs the first unit with other contents of its inputs.
fn contents_of(
    bench: &Bench<'_>,
    case: &Case,
    point: Point,
    contents: &[(&'static str, Content)],
    notes: &mut Notes,
) {
    for (name, content) in contents {
        let changed: Vec<_> = case
            .inputs
            .iter()
            .map(|input| inputs::with_content(input, content.clone()))
            .collect();
        let jobs = match bench.jobs(&changed, &case.config) {
            Ok(jobs) => jobs,
            Err(broken) => {
                if let Some(at) = fault_of(&broken, point) {
                    notes.fail(at, format!("with {name}: {}", broken.words));
                }
                continue;
            }
        };
        let Some(job) = jobs.first() else { continue };
        let end = bench.run(job, &case.config, Script::all(case.style)).end;
        if let End::Broken(broken) = &end
            && let Some(at) = fault_of(broken, point)
        {
            notes.fail(at, format!("with {name}: {}", broken.words));
            if at != point {
                return notes.skip(point, format!("with {name}, `{}` failed", at.name()));
            }
        }
    }
    let names: Vec<&str> = contents.iter().map(|(name, _)| *name).collect();
    notes.pass(point, names.join("; "));
}

fn logs(case: &Case, notes: &mut Notes) {
    for (job, trial) in &case.jobs {
        let bytes: usize = trial.log.iter().map(|line| line.message.len() + 64).sum();
        if bytes >= LOG_BYTES {
            let detail = format!(
                "unit {:?} logs more than is kept of a run: {bytes} bytes and more",
                job.unit.key.as_str()
            );
            return notes.fail(Point::Limits, detail);
        }
    }
}
