//! Unusual answers to each question, and requests that the host refuses.

use super::point::Point;
use super::report::ReportBuilder;
use super::runner::{CheckRunner, Job, Trial, TrialEnd};
use super::scripted_model::{AnswerPosition, AnswerStyle, ScriptedModel};
use super::{Baseline, edge_case_fault};
use synix_sandbox::Refusal;

/// The most rounds of a unit that get unusual answers or refusals, one at a time.
const MAX_ROUNDS: usize = 4;

const ANSWERS: [(&str, AnswerStyle); 18] = [
    ("a single space", AnswerStyle::Fixed(" ")),
    ("a line break", AnswerStyle::Fixed("\n")),
    ("a full stop", AnswerStyle::Fixed(".")),
    ("\"none\"", AnswerStyle::Fixed("none")),
    ("a number", AnswerStyle::Fixed("-7")),
    ("a JSON object", AnswerStyle::Json),
    ("an empty JSON object", AnswerStyle::Fixed("{}")),
    ("a JSON list", AnswerStyle::Fixed("[1, {\"a\": null}]")),
    ("broken JSON", AnswerStyle::Fixed("{\"a\": [1, 2")),
    (
        "a fenced block",
        AnswerStyle::Fixed("Sure!\n```json\n{\"a\": 1}\n```\n"),
    ),
    (
        "quotes and backslashes",
        AnswerStyle::Fixed("He said \"\\no\"\tand 'left' \u{0}{{ x }} {% y %}\r\n"),
    ),
    (
        "characters of every sort",
        AnswerStyle::Fixed(
            "\u{1f469}\u{200d}\u{1f466} \u{202e}שלום 漢字 é\u{301}\u{feff}\n\u{1f600}",
        ),
    ),
    ("lists that are nested 4000 deep", AnswerStyle::Nested(4000)),
    ("200 lines in equal pairs", AnswerStyle::Lines(200)),
    ("a very long text", AnswerStyle::Long(256 << 10)),
    ("cut off at the token limit", AnswerStyle::Truncated),
    (
        "of a provider that counts no tokens",
        AnswerStyle::Uncounted,
    ),
    ("one with additional details", AnswerStyle::Detailed),
];

/// Checks the points about answers and refusals.
pub(super) fn check(runner: &CheckRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let Some((job, trial)) = first_that_asks(baseline) else {
        let reason = "no unit asks a question";
        report.skip(Point::Answers, reason);
        report.skip(Point::RefusedRequests, reason);
        return;
    };
    check_unusual_answers(runner, baseline, (job, trial), report);
    check_refusals(runner, baseline, (job, trial), report);
}

/// Returns the first unit that asks something.
fn first_that_asks(baseline: &Baseline) -> Option<&(Job, Trial)> {
    baseline
        .jobs
        .iter()
        .find(|(_, trial)| !trial.rounds.is_empty())
}

/// Lists where to give an unusual answer: everywhere, then in each round alone, then to the last question of each.
fn positions(trial: &Trial) -> Vec<AnswerPosition> {
    let mut positions = vec![AnswerPosition::Everywhere];
    let rounds = || trial.rounds.iter().take(MAX_ROUNDS).enumerate();
    if trial.rounds.len() > 1 {
        positions.extend(rounds().map(|(round, _)| AnswerPosition::Round(round)));
    }
    let with_several = rounds().filter(|(_, asked)| asked.len() > 1);
    positions.extend(with_several.map(|(round, _)| AnswerPosition::LastOf(round)));
    positions
}

fn check_unusual_answers(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    (job, trial): (&Job, &Trial),
    report: &mut ReportBuilder,
) {
    let point = Point::Answers;
    for position in positions(trial) {
        for (name, style) in ANSWERS {
            let script = ScriptedModel::with_unusual_answer(baseline.style, style, position);
            let tried = runner.run(job, &baseline.config, script);
            let input_bytes = if style.is_long() { usize::MAX } else { 0 };
            let found = match (&tried.refusal, &tried.end) {
                (Some(refusal @ Refusal::OverLimit(_)), _) => {
                    Some((Point::Limits, refusal.to_string()))
                }
                (_, TrialEnd::Failed(failure)) => edge_case_fault(failure, point, input_bytes),
                (_, TrialEnd::Done(_) | TrialEnd::Suspended) => None,
            };
            if let Some((at, problem)) = found {
                let detail = format!("if {} is {name}: {problem}", describe(position));
                report.fail(at, detail);
                if at != point {
                    // After an endless loop, do not try further answers.
                    report.skip(
                        point,
                        format!("`{}` failed with an answer that is {name}", at.name()),
                    );
                }
                return;
            }
        }
    }
    let (kinds, rounds) = (ANSWERS.len(), trial.rounds.len());
    report.pass(
        point,
        format!("{kinds} kinds of answers to {rounds} questions"),
    );
}

fn describe(position: AnswerPosition) -> String {
    match position {
        AnswerPosition::Everywhere => "the answer".to_owned(),
        AnswerPosition::Round(round) => format!("only the answer to question {}", round + 1),
        AnswerPosition::LastOf(round) => format!("only the last answer of round {}", round + 1),
    }
}

fn check_refusals(
    runner: &CheckRunner<'_>,
    baseline: &Baseline,
    (job, trial): (&Job, &Trial),
    report: &mut ReportBuilder,
) {
    let point = Point::RefusedRequests;
    let ignored = baseline
        .jobs
        .iter()
        .find_map(|(_, trial)| trial.refusal.as_ref());
    if let Some(refusal) = ignored {
        let detail = format!("it ignores a refusal ({refusal})");
        return report.fail(point, detail);
    }
    for round in 0..trial.rounds.len().min(MAX_ROUNDS) {
        for refusal in [
            Refusal::OverLimit("a limit of this check".to_owned()),
            Refusal::UnknownRole("a role of this check".to_owned()),
            Refusal::InvalidRequest("a rule of this check".to_owned()),
        ] {
            let event = format!("question {} is refused ({refusal})", round + 1);
            let script = ScriptedModel::refusing(baseline.style, refusal, round);
            match runner.run(job, &baseline.config, script).end {
                TrialEnd::Done(_) => {
                    let detail = format!(
                        "it makes outputs although {event}; return the error of `llm` from the unit"
                    );
                    return report.fail(point, detail);
                }
                TrialEnd::Failed(failure) => {
                    if let Some(problem) = failure.message_problem(0) {
                        return report.fail(point, format!("if {event}: {problem}"));
                    } else if !failure.is_reported() {
                        return report.fail(point, format!("if {event}: {}", failure.message));
                    }
                }
                TrialEnd::Suspended => {}
            }
        }
    }
    report.pass(point, "each kind of refusal fails the unit with a message");
}
