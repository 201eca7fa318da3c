//! Why a build ended early. A failed unit is not such an error: it is part of the result.

use std::io;

use super::limit_excess::LimitExcess;
use super::query::QueryError;
use super::remote::OutcomeError;
use crate::batch::BatchError;
use synix_core::error_kind::ErrorKind;
use synix_disk::DiskError;
use synix_prices::{Amount, PriceError};
use synix_providers::cassette::CassetteError;
use synix_sandbox::PluginError;
use synix_sources::{SourceError, SourceProblems};
use synix_store::{BuildId, StoreError};
use synix_units::EngineError;

/// Why a build ended early.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A single text has no vector.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A source could not be read.
    #[error("layer `{layer}`: cannot read its source")]
    Source {
        /// The layer.
        layer: String,
        /// The error.
        source: Box<SourceError>,
    },
    /// Files cannot be sources.
    #[error("{0}")]
    Sources(SourceProblems),
    /// A source has metadata that cannot be stored.
    #[error("layer `{layer}`, {path}: {detail}")]
    Metadata {
        /// The layer.
        layer: String,
        /// The file.
        path: String,
        /// The error.
        detail: String,
    },
    /// The artifacts of a reader could not be kept in a temporary file.
    #[error("layer `{layer}`, {path}: cannot write its artifacts to a temporary file")]
    Spool {
        /// The layer.
        layer: String,
        /// The file that was read.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The temporary file with the artifacts of readers could not be read.
    #[error("cannot read the temporary file with the artifacts of readers")]
    SpoolDamaged {
        /// The error of the operating system.
        source: io::Error,
    },
    /// A plugin could not be loaded.
    #[error("layer `{layer}`: cannot use its plugin")]
    Plugin {
        /// The layer.
        layer: String,
        /// The error.
        source: Box<PluginError>,
    },
    /// A batch could not be driven.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The cassette failed.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
    /// The file system reported an error.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no batch build.
    #[error("there is no batch build yet")]
    NoBuild,
    /// Another process drives the build.
    #[error("another process drives {build}{holder}")]
    Busy {
        /// The build.
        build: BuildId,
        /// The process and its start, with a leading space; empty if unknown.
        holder: String,
    },
    /// The build has ended; there is nothing to resume.
    #[error("{build} is {status}")]
    Ended {
        /// The build.
        build: BuildId,
        /// Its status.
        status: &'static str,
    },
    /// The pipeline has changed since the build was opened.
    #[error("the pipeline has changed since {build} was opened: {}", .changes.join("; "))]
    PipelineMismatch {
        /// The build.
        build: BuildId,
        /// What changed, old and new.
        changes: Vec<String>,
    },
    /// A live build was resumed from a cassette, or the reverse.
    #[error("{build} was opened {opened} and cannot continue {now}")]
    AnswerSourceMismatch {
        /// The build.
        build: BuildId,
        /// The answer source when it was opened.
        opened: &'static str,
        /// The answer source now.
        now: &'static str,
    },
    /// A provider needs a credential that is not there.
    #[error("provider `{provider}` has no key: {variable} is not set")]
    MissingKey {
        /// The provider.
        provider: String,
        /// The environment variable.
        variable: String,
    },
    /// The requests to be sent could exceed the budget.
    #[error(
        "the budget of {budget} could be exceeded: {spent} is spent, at most {reserved} is in flight, and the next requests cost at most {requested}"
    )]
    Budget {
        /// The budget.
        budget: Amount,
        /// The amount that was, or may have been, billed.
        spent: Amount,
        /// The maximum cost of the requests in flight.
        reserved: Amount,
        /// The maximum cost of the requests to be sent.
        requested: Amount,
    },
    /// There is a budget, but the maximum cost of a request is unknown.
    #[error("nothing can be sent within a budget")]
    Unpriced(#[from] PriceError),
    /// A layer would exceed its limit of units or requests.
    #[error(transparent)]
    LimitExceeded(#[from] LimitExcess),
    /// No unit of a layer matches a pattern.
    #[error("no unit matches {pattern:?}")]
    NothingSelected {
        /// The pattern.
        pattern: String,
        /// The layer and key that the user probably meant.
        nearest: Option<String>,
        /// The layer and key of another unit.
        example: Option<String>,
    },
    /// The build was interrupted and has waited for the calls in flight.
    #[error("interrupted")]
    Interrupted,
    /// The engine that runs units failed, and would fail again.
    #[error("units cannot run on other machines")]
    Engine(#[source] EngineError),
    /// The outcome of a chunk that ran on another machine cannot be used. Nothing of it is recorded.
    #[error("the engine at {engine} returned an outcome that cannot be used")]
    Outcome {
        /// The URL of the engine.
        engine: String,
        /// What is wrong with it.
        #[source]
        source: Box<OutcomeError>,
    },
    /// The component of a layer was not kept for other machines.
    #[error(
        "layer `{layer}`: its component was not kept for other machines; prepare the pipeline with `keep_components`"
    )]
    ComponentNotKept {
        /// The layer.
        layer: String,
    },
    /// A thread panicked.
    #[error("a worker thread ended unexpectedly; this is a bug in synix")]
    ThreadPanicked,
}

impl BuildError {
    pub(super) const fn spool_damaged(source: io::Error) -> Self {
        Self::SpoolDamaged { source }
    }

    /// Returns the stable name of the error's class; `docs/commands.md` lists them.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Query(error) => error.kind(),
            Self::Source { .. } | Self::Sources(_) | Self::Metadata { .. } => ErrorKind::SOURCE,
            Self::Plugin { .. } => ErrorKind::PLUGIN,
            Self::Batch(BatchError::Ambiguous { .. }) => ErrorKind::AMBIGUOUS_BATCH,
            Self::Batch(BatchError::Store(error)) => error.kind(),
            Self::Batch(BatchError::Disk(_) | BatchError::File { .. })
            | Self::Disk(_)
            | Self::Spool { .. }
            | Self::SpoolDamaged { .. } => ErrorKind::FILE,
            Self::Batch(_) => ErrorKind::BATCH,
            Self::Cassette(_) => ErrorKind::CASSETTE,
            Self::NoBuild => ErrorKind::UNKNOWN_BUILD,
            Self::Busy { .. } => ErrorKind::BUSY,
            Self::Ended { .. } => ErrorKind::ENDED,
            Self::PipelineMismatch { .. } => ErrorKind::PIPELINE_CHANGED,
            Self::AnswerSourceMismatch { .. } => ErrorKind::OTHER_ANSWERS,
            Self::MissingKey { .. } => ErrorKind::MISSING_KEY,
            Self::Budget { .. } => ErrorKind::BUDGET,
            Self::Unpriced(_) => ErrorKind::UNPRICED,
            Self::LimitExceeded(_) => ErrorKind::LAYER_LIMIT,
            Self::NothingSelected { .. } => ErrorKind::UNKNOWN_UNIT,
            Self::Interrupted => ErrorKind::INTERRUPTED,
            Self::Engine(_) | Self::Outcome { .. } => ErrorKind::ENGINE,
            Self::ComponentNotKept { .. } | Self::ThreadPanicked => ErrorKind::INTERNAL,
        }
    }

    /// Returns what to do next, unless the message already says it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) | Self::Batch(BatchError::Store(error)) => return error.hint(),
            Self::NoBuild => "`synix batch-build run` starts one".to_owned(),
            Self::Busy { .. } => "wait for that process, or stop it".to_owned(),
            Self::Ended { .. } => "start another build with `synix batch-build run`".to_owned(),
            Self::PipelineMismatch { .. } => {
                "start another build with `synix batch-build run`, or pass --allow-pipeline-mismatch to continue this one with the pipeline as it is now".to_owned()
            }
            Self::MissingKey { variable, .. } => format!(
                "set {variable} in the environment, or in a .env file beside the pipeline file"
            ),
            Self::Budget { .. } => {
                "what was sent is kept: raise budget_usd in the pipeline file or pass a higher --budget, then run the command again".to_owned()
            }
            Self::Unpriced(_) => {
                "a budget needs the price of every request; set the price, or build without a budget".to_owned()
            }
            Self::Batch(BatchError::Ambiguous { .. }) => {
                "resume with --adopt ID, or with --create-again if none of them is yours".to_owned()
            }
            Self::LimitExceeded(excess) => excess.hint(),
            Self::NothingSelected { nearest: Some(name), .. } => {
                format!("did you mean `{name}`?")
            }
            Self::NothingSelected { example: Some(name), .. } => {
                format!("the layer has other units, such as `{name}`")
            }
            Self::NothingSelected { .. } => "the layer has no units".to_owned(),
            Self::Engine(_) => {
                "what was made is kept: run the command again when the workers can be used, or build without the engine".to_owned()
            }
            Self::Outcome { .. } => {
                "the worker is broken, or no worker of synix: stop it, and run the command again; what was made is kept".to_owned()
            }
            Self::ThreadPanicked => "please report this bug".to_owned(),
            Self::Spool { .. } => {
                "free space in the folder for temporary files, or name another folder in TMPDIR".to_owned()
            }
            Self::Source { .. }
            | Self::Sources(_)
            | Self::Metadata { .. }
            | Self::Plugin { .. }
            | Self::Batch(_)
            | Self::Cassette(_)
            | Self::Disk(_)
            | Self::AnswerSourceMismatch { .. }
            | Self::SpoolDamaged { .. }
            | Self::Query(_)
            | Self::ComponentNotKept { .. }
            | Self::Interrupted => return None,
        })
    }
}
