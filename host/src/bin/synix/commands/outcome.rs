//! Where a build stands, in words and as an exit code.

use synix::price::Amount;
use synix::project::Report;
use synix::request::FailureKind;
use synix::view::{BatchView, FailureView, LayerView, Status, TokensView};

use crate::failure::Exit;
use crate::render::{Column, table};

/// Failed units shown in words; one cause often fails thousands.
const MOST_FAILURES: usize = 20;

/// Returns the exit code of a command that drove a build.
pub(super) fn exit(report: &Report) -> Exit {
    match report.status.status {
        "failed" => Exit::FAILED,
        _ if !report.status.failures.is_empty() => Exit::WithErrors,
        _ => Exit::Done,
    }
}

pub(super) fn text(status: &Status) -> String {
    let mut lines = vec![format!(
        "{} {}",
        status.build,
        status.status.replace('_', " ")
    )];
    lines.extend(status.error.iter().map(|error| format!("stopped: {error}")));
    lines.extend(layers(status));
    lines.extend(spent(status));
    if !status.failures.is_empty() {
        lines.push("\nfailed units:".to_owned());
        lines.extend(status.failures.iter().take(MOST_FAILURES).flat_map(failure));
        if status.failures.len() > MOST_FAILURES {
            lines.push(format!(
                "  and {} more; --json has them all",
                status.failures.len() - MOST_FAILURES
            ));
        }
    }
    if !status.batches.is_empty() {
        lines.push("\nbatches:".to_owned());
        lines.extend(batches(&status.batches));
    }
    lines.extend(next(status));
    lines.join("\n")
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
    let paid = failed(|kind| FailureKind::paid_named(kind).is_some());
    // A build goes on with the pipeline it was opened with; whoever changes that needs another.
    let mended = failed(|kind| matches!(kind, "guest" | "invalid"));
    let mut lines = Vec::new();
    if !(paid || mended) || failed(is_free) || status.status != "completed_with_errors" {
        lines.push(format!("go on with `{again}`"));
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
    if let Some(first) = lines.first_mut() {
        first.insert(0, '\n');
    }
    lines
}

/// Says whether another attempt at a request costs no more than the first would have.
fn is_free(kind: &str) -> bool {
    matches!(kind, "auth" | "quota" | "missing" | "expired" | "provider")
}

fn layers(status: &Status) -> Vec<String> {
    if status.layers.is_empty() {
        return Vec::new();
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
        let rows: Vec<_> = status.layers.iter().map(work).collect();
        return table(columns, &rows);
    }
    let rows: Vec<[String; 9]> = status
        .layers
        .iter()
        .map(|layer| joined(work(layer), money(layer.tokens, layer.cost_usd)))
        .collect();
    table(joined(columns, MONEY), &rows)
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

fn failure(failure: &FailureView) -> [String; 2] {
    [
        format!(
            "  {}/{}: {}: {}",
            failure.layer, failure.unit, failure.kind, failure.message
        ),
        format!("    {}", advice(&failure.kind)),
    ]
}

/// Says what to do about a kind of failure.
fn advice(kind: &str) -> &'static str {
    match kind {
        "truncated" => {
            "raise max_tokens of its model role, or accept = [\"truncated\"] in the layer"
        }
        "refused" => "change the prompt or the model, or ask again with --retry-failed",
        "filtered" => "change the prompt or the input that the provider's filter holds back",
        "empty" => "ask again with --retry-failed, or change the prompt",
        "unreadable" => {
            "see what the provider or a proxy before it sent; --retry-failed asks again"
        }
        "invalid" => "correct what the provider names: model, options or prompt",
        "auth" => "set the provider's key, then run the command again",
        "quota" => "raise the account's quota or credit, then run the command again",
        "missing" => {
            "run the command again to ask once more; in a replay, record the cassette anew"
        }
        "expired" | "provider" => "run the command again to ask once more",
        "guest" => "correct the layer's config or its plugin",
        "held_back" => "mend what it needs, or build from what there is with --allow-partial",
        _ => "run the command again",
    }
}

fn batches(batches: &[BatchView]) -> Vec<String> {
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
    let mut lines = table(joined(columns, MONEY), &rows);
    lines.extend(batches.iter().filter_map(|batch| {
        let note = batch.note.as_ref()?;
        Some(format!(
            "{}: {note}",
            batch.id.as_deref().unwrap_or("a batch without an id")
        ))
    }));
    lines
}
