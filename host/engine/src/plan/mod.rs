//! The plan of a build, as it is reported.

mod basis;
mod requests;

use std::collections::BTreeMap;

use serde::Serialize;

use synix_core::fingerprint::StaleReason;
use synix_core::skipped::SkippedCount;
use synix_manifest::BatchChoice;
use synix_prices::Amount;
use synix_store::LayerMode;

pub use basis::{BasisOrigin, FoundBasis};
pub use requests::PlannedRequests;

pub(crate) use basis::Bases;

/// Decides how a layer's requests are answered in a batch build.
///
/// `recorded` is the number of recorded requests of the layer that wait for an
/// answer. Possible later requests do not count (C3).
pub fn decide_mode(
    choice: BatchChoice,
    has_batch_api: bool,
    recorded: u64,
    min_batch: u64,
) -> LayerMode {
    match choice {
        BatchChoice::Always => LayerMode::Batch,
        BatchChoice::Never => LayerMode::Sync,
        BatchChoice::Auto if has_batch_api && recorded >= min_batch => LayerMode::Batch,
        BatchChoice::Auto => LayerMode::Sync,
    }
}

/// The plan of a build.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The layers in the pipeline's order.
    pub layers: Vec<PlanLayer>,
    /// All of them together.
    pub total: PlanTotal,
    /// Why a cost is unknown, one line per cause.
    pub unpriced: Vec<String>,
}

/// The plan of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanLayer {
    /// Its name.
    pub name: String,
    /// Whether it may read hidden files.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_hidden: bool,
    /// `source`, `sync`, `batch`, `auto` if that is undecided, or `none` if there are no requests.
    pub mode: &'static str,
    /// The units that are known.
    pub units: u64,
    /// Whether the number is exact.
    pub units_exact: bool,
    /// The predicted number of units; `None` if `units` is exact, or if it is unknown.
    pub units_guess: Option<u64>,
    /// The known stale units.
    pub stale: u64,
    /// The predicted number of stale units; `None` as above.
    pub stale_guess: Option<u64>,
    /// Its requests and their cost.
    #[serde(flatten)]
    pub planned: PlannedRequests,
    /// What would follow if no answer to the known requests matched its `response_format`.
    pub repairs: PlanRepairs,
    /// What `--retry-failed` would also send.
    pub retry_failed: PlanRetry,
    /// The stale units and why.
    pub stale_units: Vec<PlanUnit>,
    /// Units that would fail, and why.
    pub failures: Vec<PlanFailure>,
    /// What the reader of a source leaves out.
    pub skipped: Vec<SkippedCount>,
}

/// All layers of a plan together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanTotal {
    /// The units that are known.
    pub units: u64,
    /// Whether the number is exact.
    pub units_exact: bool,
    /// The predicted number; `None` if `units` is exact, or if it is unknown.
    pub units_guess: Option<u64>,
    /// The known stale units.
    pub stale: u64,
    /// The predicted number; `None` as above.
    pub stale_guess: Option<u64>,
    /// Their requests and their cost.
    #[serde(flatten)]
    pub planned: PlannedRequests,
}

impl PlanTotal {
    /// Adds up layers.
    pub fn of(layers: &[PlanLayer]) -> Self {
        let sum = |of: fn(&PlanLayer) -> u64| layers.iter().map(of).sum();
        // If the number of one layer is unknown, the sum is unknown.
        let is_known = |layer: &PlanLayer| layer.units_exact || layer.units_guess.is_some();
        let guess = |known: fn(&PlanLayer) -> u64, guess: fn(&PlanLayer) -> Option<u64>| {
            let guesses = layers.iter().any(|layer| guess(layer).is_some());
            (guesses && layers.iter().all(is_known)).then(|| {
                let counts = layers
                    .iter()
                    .map(|layer| guess(layer).unwrap_or(known(layer)));
                counts.fold(0, u64::saturating_add)
            })
        };
        Self {
            units: sum(|layer| layer.units),
            units_exact: layers.iter().all(|layer| layer.units_exact),
            units_guess: guess(|layer| layer.units, |layer| layer.units_guess),
            stale: sum(|layer| layer.stale),
            stale_guess: guess(|layer| layer.stale, |layer| layer.stale_guess),
            planned: PlannedRequests::sum(
                &layers
                    .iter()
                    .map(|layer| &layer.planned)
                    .collect::<Vec<_>>(),
            ),
        }
    }
}

/// Requests that ask again after an answer that does not match its `response_format`. They are not among the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanRepairs {
    /// The maximum number.
    pub requests: u64,
    /// Their maximum cost in US dollars; `None` if it is unknown.
    pub cost_usd: Option<Amount>,
}

impl Default for PlanRepairs {
    fn default() -> Self {
        Self {
            requests: 0,
            cost_usd: Some(Amount::ZERO),
        }
    }
}

/// Requests that were billed without a usable answer. A build sends them only with `--retry-failed`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanRetry {
    /// How many.
    pub requests: u64,
    /// How many of each kind of failure.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Their maximum cost in US dollars; `None` if it is unknown.
    pub cost_usd: Option<Amount>,
}

impl Default for PlanRetry {
    fn default() -> Self {
        Self {
            requests: 0,
            kinds: BTreeMap::new(),
            cost_usd: Some(Amount::ZERO),
        }
    }
}

/// A stale unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanUnit {
    /// Its name in the layer.
    pub unit: String,
    /// Why it is stale.
    pub reasons: Vec<StaleReason>,
    /// Whether this is only likely, because its inputs are not known yet.
    pub guess: bool,
}

/// A unit that fails before it makes a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanFailure {
    /// Its name in the layer.
    pub unit: String,
    /// The error.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C3: only recorded requests count.
    #[test]
    fn auto_batches_when_enough_requests_are_on_record() {
        assert_eq!(decide_mode(BatchChoice::Auto, true, 2, 2), LayerMode::Batch);
        assert_eq!(decide_mode(BatchChoice::Auto, true, 1, 2), LayerMode::Sync);
    }

    /// C4: a server without a batch API never gets a batch by default.
    #[test]
    fn auto_never_batches_without_a_batch_api() {
        assert_eq!(
            decide_mode(BatchChoice::Auto, false, 1000, 2),
            LayerMode::Sync
        );
    }

    #[test]
    fn the_configured_mode_is_used() {
        assert_eq!(
            decide_mode(BatchChoice::Always, true, 1, 2),
            LayerMode::Batch
        );
        assert_eq!(
            decide_mode(BatchChoice::Never, true, 1000, 2),
            LayerMode::Sync
        );
    }
}
