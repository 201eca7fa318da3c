//! The status of a build, derived from its rows and those of its submissions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::cost::{BuildBills, tokens_and_cost};
use super::error::ErrorView;
use super::failures::FailureGroup;
use super::forecast::{ForecastTally, ForecastView};
use super::rates::CallRates;
use super::trial_outputs::trial_name;
use synix_core::clock::Timestamp;
use synix_core::exit_code::ExitCode;
use synix_core::skipped::SkippedCount;
use synix_prices::{Amount, Prices};
use synix_store::{BuildId, BuildKind, BuildRow, Reader, StoreError};

/// The status of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// `collecting`, `submitted`, `interrupted`, `completed`, `completed_with_errors`, `failed` or `cancelled`.
    pub status: Cow<'static, str>,
    /// The name of the trial that it is; absent if it builds the whole pipeline as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<String>,
    /// The last job of a service that opened or resumed it; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Why it ended early, if it did.
    pub error: Option<ErrorView>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was completed.
    pub closed: Option<Timestamp>,
    /// Its layers in the pipeline's order.
    pub layers: Vec<LayerView>,
    /// Its batches, the oldest first.
    pub batches: Vec<BatchView>,
    /// Its failed units.
    pub failures: Vec<FailureView>,
    /// Its failed units by cause, the largest group first.
    pub failure_groups: Vec<FailureGroup>,
    /// The process that drives it now, as that process describes itself; `None` if there is none.
    pub driver: Option<String>,
    /// When its sync calls were sent and settled; `None` if no time is recorded.
    pub calls: Option<CallRates>,
    /// The numbers of requests that it sent.
    pub requests: RequestCounts,
    /// The tokens that providers counted.
    pub tokens: TokensView,
    /// Its cost in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
    /// How far the expected cost was off, once the build is complete; `None` if nothing was expected.
    pub forecast: Option<ForecastView>,
    /// Why the cost is unknown, one line per cause.
    pub unpriced: Vec<String>,
}

/// A layer of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerView {
    /// Its name.
    pub name: String,
    /// `sync` or `batch`; `None` without requests.
    pub mode: Option<Cow<'static, str>>,
    /// The units that are known so far.
    pub units: u64,
    /// Units with their outputs, fresh ones included.
    pub done: u64,
    /// Units that failed or were held back.
    pub failed: u64,
    /// Units that wait for answers.
    pub waiting: u64,
    /// What the reader of a source left out.
    pub skipped: Vec<SkippedCount>,
    /// The tokens that providers counted.
    pub tokens: TokensView,
    /// Their cost in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
}

/// A batch of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    /// Its id at the provider; `None` until there is one.
    pub id: Option<String>,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The layers whose requests it carries.
    pub layer: String,
    /// The provider's status, or that of the submission before there is one.
    pub status: String,
    /// The number of its requests.
    pub requests: u64,
    /// Rows with an answer.
    pub succeeded: u64,
    /// Rows without an answer.
    pub failed: u64,
    /// The highest attempt number of its requests, from 1.
    pub attempt: u32,
    /// The tokens that the provider counted.
    pub tokens: TokensView,
    /// Their cost in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
    /// A note for the user.
    pub note: Option<String>,
    /// The states that it entered, the oldest first.
    pub steps: Vec<StepView>,
}

/// A state that a batch entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// The state of the submission.
    pub state: Cow<'static, str>,
    /// When it was entered.
    pub at: Timestamp,
}

/// A failed unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The numbers of requests that a build sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounts {
    /// In sync calls.
    pub sync: u64,
    /// In batches.
    pub batch: u64,
    /// Without a reply: perhaps billed.
    pub unclear: u64,
    /// Not sent, because shared answers had the answer; absent if there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shared: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Tokens as the providers counted them; each is `None` if one of them did not report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensView {
    /// All input tokens, cached ones included.
    pub input: Option<u64>,
    /// All output tokens.
    pub output: Option<u64>,
    /// Input tokens read from a provider's cache.
    pub cached: Option<u64>,
}

impl Status {
    /// Returns the status of `build`, with its cost at `prices`.
    pub fn of(reader: &Reader, build: BuildId, prices: &Prices) -> Result<Self, StoreError> {
        let row = reader.build(build)?.ok_or_else(|| StoreError::Unusable {
            what: "build",
            detail: format!("there is no {build}"),
        })?;
        let bills = BuildBills::of(reader, build, prices)?;
        let layers = layers(reader, build, &bills)?;
        let failures: Vec<FailureView> = reader
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
            status: build_status(reader, &row)?.into(),
            trial: trial_name(&row),
            job: row.job.clone(),
            kind: row.kind.name().to_owned(),
            pipeline: row.pipeline,
            error: row.error.as_deref().map(ErrorView::from_stored),
            opened: row.opened,
            closed: row.closed,
            layers: layers.into_iter().map(|(_, layer)| layer).collect(),
            batches: batches(reader, build, &bills)?,
            failure_groups: FailureGroup::group(&failures),
            failures,
            driver: reader.is_driven(build).then(|| reader.build_holder(build)),
            calls: bills.calls.rates(),
            requests: RequestCounts {
                sync: spent.sync,
                batch: spent.batch,
                unclear: spent.unclear,
                shared: reader.shared_answers_of(build)?,
            },
            tokens: TokensView::of(&bills.total),
            cost_usd: bills.total.cost(),
            forecast: bills.forecast.as_ref().and_then(ForecastTally::view),
            unpriced: bills
                .total
                .unpriced()
                .iter()
                .map(ToString::to_string)
                .collect(),
        })
    }

    /// Returns the exit code of a command that ran the build.
    pub fn exit_code(&self) -> ExitCode {
        match &*self.status {
            "failed" | "cancelled" => ExitCode::Failure,
            _ if !self.failures.is_empty() => ExitCode::PartialSuccess,
            _ => ExitCode::Success,
        }
    }

    /// Returns whether the build has not ended.
    pub fn is_open(&self) -> bool {
        is_open(&self.status)
    }
}

/// Returns whether a build with this status has not ended.
pub(super) fn is_open(status: &str) -> bool {
    matches!(status, "collecting" | "submitted")
}

pub(super) fn build_status(reader: &Reader, build: &BuildRow) -> Result<&'static str, StoreError> {
    if build.cancelled {
        return Ok("cancelled");
    }
    if build.error.is_some() {
        return Ok("failed");
    }
    if build.closed.is_some() {
        return Ok(if reader.has_failed_units(build.id)? {
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
    // A batch build waits between two commands; a build with sync calls ends with its process.
    let left = build.kind == BuildKind::Build && !reader.is_driven(build.id);
    Ok(if left { "interrupted" } else { "collecting" })
}

/// Returns the layers of a build with their positions in the pipeline.
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
            // A layer without work has no mode.
            let has_work = bill.is_some() || tally.waiting + tally.done + tally.failed > 0;
            let view = LayerView {
                name: layer.name,
                mode: layer
                    .mode
                    .filter(|_| has_work)
                    .map(|mode| mode.name().into()),
                units: layer.fresh + tally.waiting + tally.done + tally.failed,
                done: layer.fresh + tally.done,
                failed: tally.failed,
                waiting: tally.waiting,
                skipped: layer.skipped,
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
    let mut steps = reader.submission_steps(build)?;
    reader
        .submissions_of(build)?
        .into_iter()
        .map(|submission| {
            let steps = steps.remove(&submission.id).unwrap_or_default();
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
                steps: steps
                    .into_iter()
                    .map(|step| StepView {
                        state: step.state.name().into(),
                        at: step.at,
                    })
                    .collect(),
            })
        })
        .collect()
}
