//! Where a build stands, in words and as an exit code.

use synix_core::request::FailureKind;
use synix_core::exit_code::ExitCode;
use synix_engine::view::{BatchView, FailureGroup, FailureView, LayerView, Status, TokensView};
use synix_prices::Amount;
use synix_project::Report;

use crate::lines::Lines;
use crate::table::Column;

/// Lines about failed units.
const MOST_LINES: usize = 100;
/// Lines of one message, and characters of one line.
const MESSAGE_LINES: usize = 6;
const MOST_CHARACTERS: usize = 1000;

/// Returns the exit code of a command that drove a build.
pub(super) fn exit(report: &Report) -> ExitCode {
    match report.status.status {
        "failed" => ExitCode::Failure,
        _ if !report.status.failures.is_empty() => ExitCode::PartialSuccess,
        _ => ExitCode::Success,
    }
}

pub(super) fn text(status: &Status) -> Lines {
    let mut lines = Lines::default();
    lines.push(format!(
        "{} {}",
        status.build,
        status.status.replace('_', " ")
    ));
    if let Some(error) = &status.error {
        lines.push(format!("stopped: {}", error.message));
        lines.extend(
            error
                .causes
                .iter()
                .map(|cause| format!("  because: {cause}")),
        );
        lines.extend(error.hint.iter().map(|hint| format!("  help: {hint}")));
    }
    layers(status, &mut lines);
    lines.extend(spent(status));
    failures(&status.failures, &mut lines);
    if !status.batches.is_empty() {
        lines.heading("batches:");
        batches(&status.batches, &mut lines);
    }
    let next = next(status);
    if !next.is_empty() {
        lines.push("");
        lines.extend(next);
    }
    lines
}

/// Says which command goes on from here, and in which case another one does.
fn next(status: &Status) -> Vec<String> {
    if matches!(status.status, "completed" | "cancelled") {
        return Vec::new();
    }
    let is_build = status.kind == "build";
    let again = if is_build {
        "synix build".to_owned()
    } else {
        format!("synix batch-build resume {}", status.build)
    };
    let failed = |test: fn(&str) -> bool| status.failures.iter().any(|one| test(&one.kind));
    let paid = failed(|kind| FailureKind::paid_from_name(kind).is_some());
    // A build goes on with the pipeline it was opened with; whoever changes that needs another.
    let mended = failed(|kind| matches!(kind, "guest" | "invalid"));
    let mut lines = Vec::new();
    if !(paid || mended) || failed(is_free) || status.status != "completed_with_errors" {
        lines.push(format!("continue with `{again}`"));
    }
    if paid {
        lines.push(format!(
            "`{again} --retry-failed` asks again what was paid for without a usable answer, and pays again"
        ));
    }
    if (paid || mended) && !is_build {
        lines.push("after a change of the pipeline: `synix batch-build run`".to_owned());
    } else if paid || mended {
        lines.push("after a change of the pipeline: `synix build`".to_owned());
    }
    lines
}

/// Shows failed units by their cause: how many, three of them, and what to do.
pub(super) fn failures(failures: &[FailureView], lines: &mut Lines) {
    if failures.is_empty() {
        return;
    }
    lines.heading("failed units:");
    let mut shown = Lines::default();
    for group in FailureGroup::all(failures) {
        let FailureGroup {
            kind,
            message,
            count,
            examples,
            hint,
        } = group;
        let more = count - examples.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        shown.push(format!("  {kind}: {}{more}", examples.join(", ")));
        for line in first_lines(&message) {
            shown.push(format!("    {line}"));
        }
        shown.push(format!("    help: {hint}"));
    }
    let count = shown.cut(MOST_LINES);
    lines.append(shown);
    if count > MOST_LINES {
        lines.push("  there are more causes; --json has every failed unit");
    }
}

/// The beginning of a message, which may be a whole page of somebody else's.
fn first_lines(message: &str) -> Vec<String> {
    let mut lines: Vec<String> = message
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.chars().take(MOST_CHARACTERS).collect())
        .collect();
    if lines.len() > MESSAGE_LINES {
        lines.truncate(MESSAGE_LINES);
        lines.push("…".to_owned());
    }
    lines
}

/// Says whether another attempt at a request costs no more than the first would have.
fn is_free(kind: &str) -> bool {
    matches!(kind, "auth" | "quota" | "missing" | "expired" | "provider")
}

fn layers(status: &Status, lines: &mut Lines) {
    if status.layers.is_empty() {
        return;
    }
    let work = |layer: &LayerView| {
        [
            layer.name.clone(),
            layer.mode.unwrap_or("-").to_owned(),
            layer.units.to_string(),
            layer.done.to_string(),
            layer.failed.to_string(),
            layer.waiting.to_string(),
        ]
    };
    let columns = [
        Column::Left("layer"),
        Column::Left("mode"),
        Column::Right("units"),
        Column::Right("done"),
        Column::Right("failed"),
        Column::Right("waiting"),
    ];
    if !has_sent(status) {
        lines.table(columns, status.layers.iter().map(work).collect());
        return;
    }
    let rows: Vec<[String; 9]> = status
        .layers
        .iter()
        .map(|layer| joined(work(layer), money(layer.tokens, layer.cost_usd)))
        .collect();
    lines.table(joined(columns, MONEY), rows);
}

const MONEY: [Column; 3] = [
    Column::Right("tokens in"),
    Column::Right("out"),
    Column::Right("cost"),
];

/// Returns what [`MONEY`] heads.
fn money(tokens: TokensView, amount: Option<Amount>) -> [String; 3] {
    [count(tokens.input), count(tokens.output), cost(amount)]
}

fn joined<T, const N: usize, const M: usize, const SUM: usize>(
    left: [T; N],
    right: [T; M],
) -> [T; SUM] {
    const { assert!(N + M == SUM, "the cells of both") };
    let mut cells = left.into_iter().chain(right);
    std::array::from_fn(|_| cells.next().expect("as many cells as both have"))
}

const fn has_sent(status: &Status) -> bool {
    status.requests.sync + status.requests.batch + status.requests.unclear > 0
}

/// Returns a cost in words.
pub(super) fn cost(cost: Option<Amount>) -> String {
    cost.map_or_else(|| "unknown".to_owned(), |cost| cost.to_string())
}

/// Returns a count of tokens in words.
pub(super) fn count(tokens: Option<u64>) -> String {
    tokens.map_or_else(|| "unknown".to_owned(), |tokens| tokens.to_string())
}

fn spent(status: &Status) -> Vec<String> {
    let (requests, tokens) = (status.requests, status.tokens);
    if !has_sent(status) {
        return Vec::new();
    }
    let unclear = match requests.unclear {
        0 => String::new(),
        count => format!(", {count} perhaps billed without an answer"),
    };
    let mut lines = vec![format!(
        "requests: {} sync, {} batch{unclear}; tokens: {} in, {} out; cost: {}",
        requests.sync,
        requests.batch,
        count(tokens.input),
        count(tokens.output),
        cost(status.cost_usd)
    )];
    lines.extend(status.unpriced.iter().cloned());
    lines
}

fn batches(batches: &[BatchView], lines: &mut Lines) {
    let rows: Vec<[String; 11]> = batches
        .iter()
        .map(|batch| {
            let work = [
                batch.id.clone().unwrap_or_else(|| "-".to_owned()),
                batch.provider.clone(),
                batch.layer.clone(),
                batch.status.clone(),
                batch.requests.to_string(),
                batch.succeeded.to_string(),
                batch.failed.to_string(),
                batch.attempt.to_string(),
            ];
            joined(work, money(batch.tokens, batch.cost_usd))
        })
        .collect();
    let columns = [
        Column::Left("batch"),
        Column::Left("provider"),
        Column::Left("layer"),
        Column::Left("status"),
        Column::Right("requests"),
        Column::Right("succeeded"),
        Column::Right("failed"),
        Column::Right("attempt"),
    ];
    lines.table(joined(columns, MONEY), rows);
    lines.extend(batches.iter().filter_map(|batch| {
        let note = batch.note.as_ref()?;
        Some(format!(
            "{}: {note}",
            batch.id.as_deref().unwrap_or("a batch without an id")
        ))
    }));
}
