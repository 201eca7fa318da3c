//! The status of a build as text and as an exit code.

use synix_core::printable;
use synix_core::request::FailureKind;
use synix_engine::view::{
    BatchView, FailureGroup, FailureView, ForecastView, LayerView, Status, TokensView,
};
use synix_prices::Amount;

use super::skipped;
use crate::lines::Lines;
use crate::table::Column;

/// The maximum number of lines about failed units.
const MAX_FAILURE_LINES: usize = 100;
/// The maximum number of lines of one message, and of characters of one line.
const MAX_MESSAGE_LINES: usize = 6;
const MAX_LINE_CHARACTERS: usize = 1000;

pub(super) fn status_lines(status: &Status) -> Lines {
    let mut lines = Lines::default();
    lines.push(format!(
        "{} {}",
        status.build,
        status.status.replace('_', " ")
    ));
    if let Some(trial) = &status.trial {
        lines.push(format!(
            "trial {trial}; the newest snapshot stays as it is, and --snapshot {trial} reads this one"
        ));
    }
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
    add_layers(status, &mut lines);
    lines.extend(spending_lines(status));
    let layers = status.layers.iter();
    skipped::add(
        layers.map(|layer| (layer.name.as_str(), layer.skipped.as_slice())),
        &mut lines,
    );
    add_failures(&status.failures, &mut lines);
    if !status.batches.is_empty() {
        lines.heading("batches:");
        add_batches(&status.batches, &mut lines);
    }
    let next = next_steps(status);
    if !next.is_empty() {
        lines.push("");
        lines.extend(next);
    }
    lines
}

/// Returns the commands with which the user can continue.
fn next_steps(status: &Status) -> Vec<String> {
    if matches!(&*status.status, "completed" | "cancelled") {
        return Vec::new();
    }
    let is_build = status.kind == "build";
    let command = if is_build && status.trial.is_none() {
        "synix build".to_owned()
    } else {
        format!("synix batch-build resume {}", status.build)
    };
    let failed = |test: fn(&str) -> bool| status.failures.iter().any(|one| test(&one.kind));
    let paid = failed(|kind| FailureKind::paid_from_name(kind).is_some());
    // A build continues with its own pipeline, so a changed pipeline needs another build.
    let needs_change = failed(|kind| matches!(kind, "guest" | "invalid"));
    let mut lines = Vec::new();
    if !(paid || needs_change) || failed(is_free) || status.status != "completed_with_errors" {
        lines.push(format!("continue with `{command}`"));
    }
    if paid {
        lines.push(format!(
            "`{command} --retry-failed` sends requests again that were paid for without a usable answer, and pays again"
        ));
    }
    if (paid || needs_change) && !is_build {
        lines.push("after a change of the pipeline: `synix batch-build run`".to_owned());
    } else if paid || needs_change {
        lines.push("after a change of the pipeline: `synix build`".to_owned());
    }
    lines
}

/// Shows failed units by cause: their number, three examples, and what to do.
pub(super) fn add_failures(failures: &[FailureView], lines: &mut Lines) {
    if failures.is_empty() {
        return;
    }
    lines.heading("failed units:");
    let mut shown = Lines::default();
    for group in FailureGroup::group(failures) {
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
    let count = shown.truncate(MAX_FAILURE_LINES);
    lines.append(shown);
    if count > MAX_FAILURE_LINES {
        lines.push("  there are more causes; pass --json to see every failed unit");
    }
}

/// Returns the beginning of a message, which may be a whole page from a server.
fn first_lines(message: &str) -> Vec<String> {
    let mut lines: Vec<String> = message
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.chars().take(MAX_LINE_CHARACTERS).collect())
        .collect();
    if lines.len() > MAX_MESSAGE_LINES {
        lines.truncate(MAX_MESSAGE_LINES);
        lines.push("…".to_owned());
    }
    lines
}

/// Returns whether another attempt at a request costs no more than the first.
fn is_free(kind: &str) -> bool {
    matches!(kind, "auth" | "quota" | "missing" | "expired" | "provider")
}

fn add_layers(status: &Status, lines: &mut Lines) {
    if status.layers.is_empty() {
        return;
    }
    let work = |layer: &LayerView| {
        [
            layer.name.clone(),
            layer.mode.as_deref().unwrap_or("-").to_owned(),
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
        .map(|layer| joined(work(layer), cost_cells(layer.tokens, layer.cost_usd)))
        .collect();
    lines.table(joined(columns, COST_COLUMNS), rows);
}

const COST_COLUMNS: [Column; 3] = [
    Column::Right("tokens in"),
    Column::Right("out"),
    Column::Right("cost"),
];

/// Returns the cells below [`COST_COLUMNS`].
fn cost_cells(tokens: TokensView, amount: Option<Amount>) -> [String; 3] {
    [
        format_tokens(tokens.input),
        format_tokens(tokens.output),
        format_cost(amount),
    ]
}

pub(super) fn joined<T, const N: usize, const M: usize, const SUM: usize>(
    left: [T; N],
    right: [T; M],
) -> [T; SUM] {
    const { assert!(N + M == SUM, "the result holds the cells of both") };
    let mut cells = left.into_iter().chain(right);
    std::array::from_fn(|_| cells.next().expect("both have this many cells"))
}

const fn has_sent(status: &Status) -> bool {
    status.requests.sync + status.requests.batch + status.requests.unclear > 0
}

/// Formats a cost that may be unknown.
pub(super) fn format_cost(cost: Option<Amount>) -> String {
    cost.map_or_else(|| "unknown".to_owned(), |cost| cost.to_string())
}

/// Formats a number of tokens that may be unknown.
pub(super) fn format_tokens(tokens: Option<u64>) -> String {
    tokens.map_or_else(|| "unknown".to_owned(), |tokens| tokens.to_string())
}

fn spending_lines(status: &Status) -> Vec<String> {
    let (requests, tokens) = (status.requests, status.tokens);
    let shared = (requests.shared > 0).then(|| {
        let count = printable::pluralize(requests.shared, "answer");
        format!("{count} from shared answers, at no cost")
    });
    if !has_sent(status) {
        return shared.into_iter().collect();
    }
    let unclear = match requests.unclear {
        0 => String::new(),
        count => format!(", {count} perhaps billed without an answer"),
    };
    let mut lines = vec![format!(
        "requests: {} sync, {} batch{unclear}; tokens: {} in, {} out; cost: {}",
        requests.sync,
        requests.batch,
        format_tokens(tokens.input),
        format_tokens(tokens.output),
        format_cost(status.cost_usd)
    )];
    lines.extend(shared);
    lines.extend(status.forecast.as_ref().and_then(forecast_line));
    lines.extend(status.unpriced.iter().cloned());
    lines
}

/// Says how far the expected cost was off.
fn forecast_line(forecast: &ForecastView) -> Option<String> {
    let (expected, spent) = forecast.cost_usd_expected.zip(forecast.cost_usd_spent)?;
    let error = forecast
        .error
        .map_or_else(String::new, |error| format!(" ({:+.0} %)", error * 100.0));
    let part = if forecast.requests < forecast.requests_billed {
        let (part, all) = (forecast.requests, forecast.requests_billed);
        format!(", for {part} of {all} requests")
    } else {
        String::new()
    };
    Some(format!("expected {expected}, spent {spent}{error}{part}"))
}

fn add_batches(batches: &[BatchView], lines: &mut Lines) {
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
            joined(work, cost_cells(batch.tokens, batch.cost_usd))
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
    lines.table(joined(columns, COST_COLUMNS), rows);
    lines.extend(batches.iter().filter_map(|batch| {
        let note = batch.note.as_ref()?;
        Some(format!(
            "{}: {note}",
            batch.id.as_deref().unwrap_or("a batch without an id")
        ))
    }));
}
