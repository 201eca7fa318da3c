//! The events of a running build.

use std::time::Duration;

use serde::Serialize;

use crate::batch::BatchEvent;
use crate::view::BuildCost;
use synix_core::request::FailureKind;

/// An event of a build.
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
        /// The log level.
        level: String,
        /// The line.
        message: String,
    },
    /// The build waits for requests that other processes have in flight.
    WaitingForOthers {
        /// The number of requests in sync calls of other processes.
        calls: usize,
        /// The number of requests in batches, which continue without a process.
        rows: usize,
    },
    /// The build waits for a request that another holder has claimed in the store of shared answers. Only the first is
    /// reported.
    WaitingForShared {
        /// The URL of the store.
        url: String,
        /// The holder of the claim.
        holder: String,
    },
    /// Units wait for an engine that cannot be reached, or that has no worker. The build asks it again until it answers.
    WaitingForEngine {
        /// The URL of the engine.
        url: String,
        /// Why the last call failed.
        reason: String,
    },
    /// A call to a provider waits before it is made, or made again. If many wait at once, one is reported.
    Retrying {
        /// The provider.
        provider: String,
        /// Why the last attempt failed, or why the provider accepts no call now.
        reason: String,
        /// How long the call waits.
        wait: Duration,
        /// The number of the next attempt, from 2; `None` if the call was not made yet.
        attempt: Option<u32>,
    },
    /// The build ends after its calls in flight.
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
        /// What is lost, as far as the old state could be read.
        lost: String,
    },
    /// A command or URL in `on_done` failed.
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
        /// The warning, with what to do about it.
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
    /// Fresh units.
    pub fresh: u64,
    /// Stale units, including those that have run.
    pub stale: u64,
    /// Of these, units with their outputs.
    pub done: u64,
    /// Of these, units that failed or were held back.
    pub failed: u64,
    /// Requests that they wait for or have waited for.
    #[serde(rename = "asked")]
    pub requested: u64,
    /// Of these, requests that were settled.
    pub answered: u64,
    /// Whether all its units are known.
    pub known: bool,
}

/// Receives every event.
pub type Observer<'a> = &'a dyn Fn(&Event);
