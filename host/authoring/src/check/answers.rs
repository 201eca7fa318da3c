//! What the model says: odd answers at each question, and requests that the host refuses.

use super::bench::{Bench, End, Job, Trial};
use super::report::{Notes, Point};
use super::script::{Place, Script, Style};
use super::{Case, fault_of};
use synix_sandbox::Refusal;

/// Rounds of a unit that are answered oddly or refused, one at a time.
const ROUNDS: usize = 4;

const ANSWERS: [(&str, Style); 18] = [
    ("a single space", Style::Fixed(" ")),
    ("a line break", Style::Fixed("\n")),
    ("a full stop", Style::Fixed(".")),
    ("\"none\"", Style::Fixed("none")),
    ("a number", Style::Fixed("-7")),
    ("a JSON object", Style::Json),
    ("an empty JSON object", Style::Fixed("{}")),
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
    ("lists in lists, 4000 deep", Style::Nested(4000)),
    ("200 lines, two and two alike", Style::Lines(200)),
    ("a very long text", Style::Long(256 << 10)),
    ("cut off at the limit of tokens", Style::Truncated),
    ("of a provider that counts no tokens", Style::Uncounted),
    ("one with further details", Style::Detailed),
];

/// Tries everything about answers and refusals.
pub(super) fn all(bench: &Bench<'_>, case: &Case, notes: &mut Notes) {
    let Some((job, trial)) = asking(case) else {
        let reason = "it asks nothing here";
        notes.skip(Point::Answers, reason);
        notes.skip(Point::RefusedRequests, reason);
        return;
    };
    odd(bench, case, (job, trial), notes);
    refused(bench, case, (job, trial), notes);
}

/// Returns the first unit that asks something.
fn asking(case: &Case) -> Option<&(Job, Trial)> {
    case.jobs.iter().find(|(_, trial)| !trial.rounds.is_empty())
}

/// Lists what is answered oddly: everything, then each round alone, then the last question of each.
fn places(trial: &Trial) -> Vec<Place> {
    let mut places = vec![Place::Everywhere];
    let rounds = || trial.rounds.iter().take(ROUNDS).enumerate();
    if trial.rounds.len() > 1 {
        places.extend(rounds().map(|(round, _)| Place::Round(round)));
    }
    let several = rounds().filter(|(_, asked)| asked.len() > 1);
    places.extend(several.map(|(round, _)| Place::LastOf(round)));
    places
}

fn odd(bench: &Bench<'_>, case: &Case, (job, trial): (&Job, &Trial), notes: &mut Notes) {
    let point = Point::Answers;
    for place in places(trial) {
        for (name, style) in ANSWERS {
            let script = Script::with_odd(case.style, style, place);
            let tried = bench.run(job, &case.config, script);
            let given = if style.is_long() { usize::MAX } else { 0 };
            let found = match (&tried.refusal, &tried.end) {
                (Some(refusal @ Refusal::OverLimit(_)), _) => {
                    Some((Point::Limits, refusal.to_string()))
                }
                (_, End::Broken(broken)) => fault_of(broken, point, given),
                (_, End::Done(_) | End::Suspended) => None,
            };
            if let Some((at, words)) = found {
                let detail = format!("where {} is {name}: {words}", described(place));
                notes.fail(at, detail);
                if at != point {
                    // What comes after a loop is one more.
                    notes.skip(
                        point,
                        format!("`{}` failed where an answer is {name}", at.name()),
                    );
                }
                return;
            }
        }
    }
    let (sorts, rounds) = (ANSWERS.len(), trial.rounds.len());
    notes.pass(
        point,
        format!("{sorts} sorts of answers to {rounds} questions"),
    );
}

fn described(place: Place) -> String {
    match place {
        Place::Everywhere => "the answer".to_owned(),
        Place::Round(round) => format!("the answer to question {} alone", round + 1),
        Place::LastOf(round) => format!("the last answer of round {} alone", round + 1),
    }
}

fn refused(bench: &Bench<'_>, case: &Case, (job, trial): (&Job, &Trial), notes: &mut Notes) {
    let point = Point::RefusedRequests;
    let ignored = case
        .jobs
        .iter()
        .find_map(|(_, trial)| trial.refusal.as_ref());
    if let Some(refusal) = ignored {
        let detail = format!("it takes no notice of a refusal ({refusal})");
        return notes.fail(point, detail);
    }
    for round in 0..trial.rounds.len().min(ROUNDS) {
        for refusal in [
            Refusal::OverLimit("a limit of this check".to_owned()),
            Refusal::UnknownRole("a role of this check".to_owned()),
            Refusal::InvalidRequest("a rule of this check".to_owned()),
        ] {
            let words = format!("question {} is refused ({refusal})", round + 1);
            let script = Script::refusing(case.style, refusal, round);
            match bench.run(job, &case.config, script).end {
                End::Done(_) => {
                    let detail = format!(
                        "it makes outputs although {words}: return the error of `llm` as the unit's"
                    );
                    return notes.fail(point, detail);
                }
                End::Broken(broken) => {
                    if let Some(what) = broken.misspoken(0) {
                        return notes.fail(point, format!("where {words}: {what}"));
                    } else if !broken.is_said() {
                        return notes.fail(point, format!("where {words}: {}", broken.words));
                    }
                }
                End::Suspended => {}
            }
        }
    }
    notes.pass(point, "each kind of refusal fails the unit in words");
}
