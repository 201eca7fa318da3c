//! Where a build stands, derived from its rows and those of its submissions.

use serde::Serialize;

use super::cost::{BuildBills, tokens_and_cost};
use super::error::ErrorView;
use synix_core::clock::Timestamp;
use synix_prices::{Amount, Prices};
use synix_store::{BuildId, BuildKind, BuildRow, LayerMode, Reader, StoreError};

/// Where a build stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// `collecting`, `submitted`, `interrupted`, `completed`, `completed_with_errors`, `failed` or `cancelled`.
    pub status: &'static str,
    /// Why it stopped before its end, if it did.
    pub error: Option<ErrorView>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When nothing was left to do.
    pub closed: Option<Timestamp>,
    /// Its layers in the pipeline's order.
    pub layers: Vec<LayerView>,
    /// The batches it made, the oldest first.
    pub batches: Vec<BatchView>,
    /// Its failed units.
    pub failures: Vec<FailureView>,
    /// What it sent.
    pub requests: RequestCounts,
    /// What providers counted for it.
    pub tokens: TokensView,
    /// What it cost in US dollars; `None` where a price is not known.
    pub cost_usd: Option<Amount>,
    /// Why the cost is not known, a line for each cause.
    pub unpriced: Vec<String>,
}

/// A layer of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerView {
    /// Its name.
    pub name: String,
    /// `sync`, `batch`, or `None` where nothing was asked.
    pub mode: Option<&'static str>,
    /// All units known so far.
    pub units: u64,
    /// Units with their outputs, fresh ones included.
    pub done: u64,
    /// Units that failed or were held back.
    pub failed: u64,
    /// Units that wait for answers.
    pub waiting: u64,
    /// What providers counted for what the build sent for it.
    pub tokens: TokensView,
    /// What that cost in US dollars; `None` where a price is not known.
    pub cost_usd: Option<Amount>,
}

/// A batch of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchView {
    /// Its id at the provider; `None` until there is one.
    pub id: Option<String>,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The layers whose requests it carries.
    pub layer: String,
    /// The provider's word for where it stands, or ours before it has one.
    pub status: String,
    /// How many requests it carries.
    pub requests: u64,
    /// Rows with an answer.
    pub succeeded: u64,
    /// Rows without.
    pub failed: u64,
    /// The highest attempt number of its requests, from 1.
    pub attempt: u32,
    /// What the provider counted for its rows.
    pub tokens: TokensView,
    /// What they cost in US dollars; `None` where a price is not known.
    pub cost_usd: Option<Amount>,
    /// What a person should know of it.
    pub note: Option<String>,
}

/// A failed unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureView {
    /// Its layer.
    pub layer: String,
    /// Its name.
    pub unit: String,
    /// The kind of failure.
    pub kind: String,
    /// What went wrong.
    pub message: String,
}

/// How many requests a build sent, and in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RequestCounts {
    /// By themselves.
    pub sync: u64,
    /// In batches.
    pub batch: u64,
    /// Sent without a reply: perhaps billed.
    pub unclear: u64,
}

/// Tokens as the providers counted them; each is `None` where one of them did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TokensView {
    /// All input tokens, cached ones included.
    pub input: Option<u64>,
    /// All output tokens.
    pub output: Option<u64>,
    /// Input tokens read from a provider's cache.
    pub cached: Option<u64>,
}

/// A build in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildView {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// Its status, in the words of [`Status::status`].
    pub status: &'static str,
    /// Why it stopped before its end, if it did.
    pub error: Option<ErrorView>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When nothing was left to do.
    pub closed: Option<Timestamp>,
}

impl Status {
    /// Returns where `build` stands, with what it cost at `prices`.
    pub fn of(reader: &Reader, build: BuildId, prices: &Prices) -> Result<Self, StoreError> {
        let row = reader.build(build)?.ok_or_else(|| StoreError::Unusable {
            what: "build",
            detail: format!("there is no {build}"),
        })?;
        let bills = BuildBills::of(reader, build, prices)?;
        let layers = layers(reader, build, &bills)?;
        let failures = reader
            .failed_units(build)?
            .into_iter()
            .map(|unit| FailureView {
                layer: layers
                    .iter()
                    .find(|(at, _)| *at == unit.layer)
                    .map_or_else(String::new, |(_, layer)| layer.name.clone()),
                unit: unit.key,
                kind: unit.kind,
                message: unit.message,
            })
            .collect();
        let spent = reader.send_totals(build)?;
        Ok(Self {
            build: build.to_string(),
            status: build_status(reader, &row)?,
            kind: row.kind.name().to_owned(),
            pipeline: row.pipeline,
            error: row.error.as_deref().map(ErrorView::from_stored),
            opened: row.opened,
            closed: row.closed,
            layers: layers.into_iter().map(|(_, layer)| layer).collect(),
            batches: batches(reader, build, &bills)?,
            failures,
            requests: RequestCounts {
                sync: spent.sync,
                batch: spent.batch,
                unclear: spent.unclear,
            },
            tokens: TokensView::of(&bills.total),
            cost_usd: bills.total.cost(),
            unpriced: bills
                .total
                .unpriced()
                .iter()
                .map(ToString::to_string)
                .collect(),
        })
    }

    /// Says whether the build has not come to an end.
    pub fn is_open(&self) -> bool {
        is_open(self.status)
    }
}

/// Says whether a build of this status has not come to an end.
pub(super) fn is_open(status: &str) -> bool {
    matches!(status, "collecting" | "submitted")
}

/// Returns all builds, the newest first; with a kind only those.
pub fn builds(reader: &Reader, kind: Option<BuildKind>) -> Result<Vec<BuildView>, StoreError> {
    reader
        .builds(kind)?
        .into_iter()
        .map(|row| {
            Ok(BuildView {
                build: row.id.to_string(),
                status: build_status(reader, &row)?,
                error: row.error.as_deref().map(ErrorView::from_stored),
                kind: row.kind.name().to_owned(),
                pipeline: row.pipeline,
                opened: row.opened,
                closed: row.closed,
            })
        })
        .collect()
}

pub(super) fn build_status(reader: &Reader, build: &BuildRow) -> Result<&'static str, StoreError> {
    if build.cancelled {
        return Ok("cancelled");
    }
    if build.error.is_some() {
        return Ok("failed");
    }
    if build.closed.is_some() {
        let failed = !reader.failed_units(build.id)?.is_empty();
        return Ok(if failed {
            "completed_with_errors"
        } else {
            "completed"
        });
    }
    let submitted = reader
        .submissions_of(build.id)?
        .iter()
        .any(|submission| submission.state.is_unsettled());
    if submitted {
        return Ok("submitted");
    }
    // A batch build waits between two commands; a build by single calls ends with its process.
    let left = build.kind == BuildKind::Build && !reader.is_driven(build.id);
    Ok(if left { "interrupted" } else { "collecting" })
}

/// Returns the layers of a build with their places in the pipeline's order.
fn layers(
    reader: &Reader,
    build: BuildId,
    bills: &BuildBills,
) -> Result<Vec<(usize, LayerView)>, StoreError> {
    reader
        .build_layers(build)?
        .into_iter()
        .map(|layer| {
            let tally = reader.layer_tally(build, layer.position)?;
            let bill = bills.layers.get(&layer.name);
            let (tokens, cost_usd) = tokens_and_cost(bill);
            // Where nothing was to be made, there is no way in which it was asked.
            let has_work = bill.is_some() || tally.waiting + tally.done + tally.failed > 0;
            let view = LayerView {
                name: layer.name,
                mode: layer.mode.filter(|_| has_work).map(LayerMode::name),
                units: layer.fresh + tally.waiting + tally.done + tally.failed,
                done: layer.fresh + tally.done,
                failed: tally.failed,
                waiting: tally.waiting,
                tokens,
                cost_usd,
            };
            Ok((layer.position, view))
        })
        .collect()
}

fn batches(
    reader: &Reader,
    build: BuildId,
    bills: &BuildBills,
) -> Result<Vec<BatchView>, StoreError> {
    reader
        .submissions_of(build)?
        .into_iter()
        .map(|submission| {
            let (succeeded, failed) = reader.submission_tally(submission.id)?;
            let (tokens, cost_usd) = tokens_and_cost(bills.batches.get(&submission.id));
            let status = if submission.status.is_empty() {
                submission.state.name().to_owned()
            } else {
                submission.status
            };
            Ok(BatchView {
                id: submission.batch,
                provider: submission.provider,
                layer: submission.layers,
                status,
                requests: submission.requests,
                succeeded,
                failed,
                attempt: submission.attempt,
                tokens,
                cost_usd,
                note: submission.note,
            })
        })
        .collect()
}
