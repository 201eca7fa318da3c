//! The events of a running build.

use std::time::Duration;

use serde::Serialize;

use crate::batch::BatchEvent;
use crate::view::BuildCost;
use synix_core::request::FailureKind;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A build was opened or resumed.
    Build {
        /// Its id.
        build: String,
    },
    /// The counts of a layer changed since the last report.
    Layer {
        /// Its name.
        layer: String,
        /// Its counts.
        counts: LayerCounts,
    },
    /// Every unit of a layer is settled.
    Units {
        /// Their layer.
        layer: String,
        /// How many are fresh.
        fresh: u64,
        /// How many are stale.
        stale: u64,
    },
    /// A unit has its outputs.
    Done {
        /// Its layer.
        layer: String,
        /// Its name.
        unit: String,
    },
    /// A unit failed or was held back.
    Failed {
        /// Its layer.
        layer: String,
        /// Its name.
        unit: String,
        /// The kind of failure.
        kind: FailureKind,
        /// What went wrong.
        message: String,
    },
    /// A plugin wrote a line to its log.
    Log {
        /// The unit's layer.
        layer: String,
        /// The unit.
        unit: String,
        /// How much it matters.
        level: String,
        /// The line.
        message: String,
    },
    /// The build waits for requests that other processes have in flight.
    WaitingForOthers {
        /// How many another process asks by calls of its own.
        calls: usize,
        /// How many are in batches, which go on at their providers whoever runs.
        rows: usize,
    },
    /// A call to a provider waits before it is made, or made again. If many wait at once, one is reported.
    Retrying {
        /// The provider.
        provider: String,
        /// What happened to the last try, or why the provider wants no call for now.
        reason: String,
        /// How long the call waits.
        wait: Duration,
        /// The number of the try that follows, from 2; `None` where the call was not made yet.
        attempt: Option<u32>,
    },
    /// The build ends as soon as its calls in flight have their answers.
    Ending {
        /// How many.
        calls: usize,
    },
    /// Sends of an earlier process may have been billed without an answer.
    Unclear {
        /// How many.
        requests: usize,
    },
    /// A new state replaced a damaged one.
    StateReset {
        /// What the old one held, as far as it could be read.
        lost: String,
    },
    /// What the pipeline file says about the end of a build went wrong.
    OnDone {
        /// What went wrong.
        message: String,
    },
    /// The lock file was brought up to date.
    Lock {
        /// What changed in it.
        message: String,
    },
    /// A setting of the project has no effect.
    Warning {
        /// What, and what to do about it.
        message: String,
    },
    /// What the build has sent and spent so far.
    #[serde(rename = "spent")]
    Cost(BuildCost),
    /// Something about a batch.
    Batch(BatchEvent),
}

/// How far a layer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LayerCounts {
    /// Units that needed nothing.
    pub fresh: u64,
    /// Units that are to be made, or were.
    pub stale: u64,
    /// Of these, units with their outputs.
    pub done: u64,
    /// Of these, units that failed or were held back.
    pub failed: u64,
    /// Requests that they wait or waited for.
    #[serde(rename = "asked")]
    pub requested: u64,
    /// Of these, requests that were settled.
    pub answered: u64,
    /// Whether all its units are known.
    pub known: bool,
}

/// Receives every event.
pub type Observer<'a> = &'a dyn Fn(&Event);
