//! What a build would do: decisions and their report, without effects.

use serde::Serialize;

use crate::fingerprint::StaleReason;
use crate::pipeline::BatchChoice;
use crate::price::Amount;
use crate::store::LayerMode;

/// Decides how a layer's requests are answered in a batch build.
///
/// `recorded` is how many requests the layer has on record that wait for an
/// answer; nothing is guessed from what may follow (C3).
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

/// What a build would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The layers in the pipeline's order.
    pub layers: Vec<PlanLayer>,
    /// Why a cost is not known, a line for each cause.
    pub unpriced: Vec<String>,
}

/// What a build would do in one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanLayer {
    /// Its name.
    pub name: String,
    /// Whether it may read hidden files.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_hidden: bool,
    /// `source`, `sync`, `batch`, or `none` where nothing is asked.
    pub mode: &'static str,
    /// All units, as far as they are known.
    pub units: u64,
    /// Units to make.
    pub stale: u64,
    /// Requests to send, as far as they are known.
    pub requests: u64,
    /// Whether the numbers are exact, or units behind unknown answers may add to them.
    pub exact: bool,
    /// Input tokens of the requests; `None` where they cannot be counted.
    pub input_tokens: Option<u64>,
    /// Whether these are not all counted with the models' own tokenizers.
    pub input_tokens_estimated: bool,
    /// Output tokens of the requests at most; `None` where nothing limits them.
    pub output_tokens_max: Option<u64>,
    /// What the requests cost at most, in US dollars; `None` where that is not known.
    pub cost_usd: Option<Amount>,
    /// What they cost if every answer is empty; `None` where that is not known.
    pub cost_usd_min: Option<Amount>,
    /// The stale units and why.
    pub stale_units: Vec<PlanUnit>,
    /// Units that cannot be made, and why.
    pub failures: Vec<PlanFailure>,
}

/// A stale unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanUnit {
    /// Its name in the layer.
    pub unit: String,
    /// Why it is stale.
    pub reasons: Vec<StaleReason>,
}

/// A unit that fails before it asks anything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanFailure {
    /// Its name in the layer.
    pub unit: String,
    /// What is wrong.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C3: what counts is what was recorded.
    #[test]
    fn auto_batches_when_enough_requests_are_on_record() {
        assert_eq!(decide_mode(BatchChoice::Auto, true, 2, 2), LayerMode::Batch);
        assert_eq!(decide_mode(BatchChoice::Auto, true, 1, 2), LayerMode::Sync);
    }

    /// C4: a server without the Batch API is never sent a batch by itself.
    #[test]
    fn auto_never_batches_without_a_batch_api() {
        assert_eq!(
            decide_mode(BatchChoice::Auto, false, 1000, 2),
            LayerMode::Sync
        );
    }

    #[test]
    fn a_layer_that_says_so_is_obeyed() {
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
