//! Why a build could not go on. A failed unit is no such error: it is part of the result.

use super::limits::LimitExcess;
use crate::batch::BatchError;
use synix_core::error_kind::ErrorKind;
use synix_disk::DiskError;
use synix_prices::{Amount, PriceError};
use synix_providers::cassette::CassetteError;
use synix_sandbox::PluginError;
use synix_sources::{SourceError, SourceProblems};
use synix_store::{BuildId, StoreError};

/// Why a build could not go on.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A source could not be read.
    #[error("layer `{layer}`: cannot read its source")]
    Source {
        /// The layer.
        layer: String,
        /// What is wrong.
        source: Box<SourceError>,
    },
    /// Files cannot be sources.
    #[error("{0}")]
    Sources(SourceProblems),
    /// A source holds metadata that cannot be kept.
    #[error("layer `{layer}`, {path}: {detail}")]
    Metadata {
        /// The layer.
        layer: String,
        /// The file.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// A plugin could not be started at all.
    #[error("layer `{layer}`: cannot use its plugin")]
    Plugin {
        /// The layer.
        layer: String,
        /// What is wrong.
        source: Box<PluginError>,
    },
    /// A batch could not be driven.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The cassette failed.
    #[error(transparent)]
    Cassette(#[from] CassetteError),
    /// The file system refused.
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
        /// Who and since when, in words, with a leading blank; empty where it has not said.
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
    /// The pipeline is not what it was when the build was opened.
    #[error("the pipeline is not the one of {build}: {}", .changes.join("; "))]
    PipelineMismatch {
        /// The build.
        build: BuildId,
        /// What changed, old and new.
        changes: Vec<String>,
    },
    /// A live build was resumed from a cassette, or the reverse.
    #[error("{build} was opened {opened} and cannot go on {now}")]
    AnswerSourceMismatch {
        /// The build.
        build: BuildId,
        /// In which way it was opened.
        opened: &'static str,
        /// In which way it would go on.
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
    /// What is about to be sent could cost more than is left of the budget.
    #[error(
        "the budget of {budget} could be exceeded: {spent} is spent, at most {reserved} is in flight, and the next requests cost at most {requested}"
    )]
    Budget {
        /// What may be spent.
        budget: Amount,
        /// What was billed, or may have been.
        spent: Amount,
        /// What is in flight may cost so much.
        reserved: Amount,
        /// What was about to be sent may cost so much.
        requested: Amount,
    },
    /// There is a budget, and no telling what a request costs at most.
    #[error("nothing can be sent within a budget")]
    Unpriced(#[from] PriceError),
    /// A layer would have more units, or ask more requests, than it may.
    #[error(transparent)]
    LimitExceeded(#[from] LimitExcess),
    /// Somebody wanted the build to end; the calls on their way were waited for.
    #[error("interrupted")]
    Interrupted,
    /// A worker thread died.
    #[error("a worker thread ended unexpectedly; this is a bug in synix")]
    WorkerPanicked,
}

impl BuildError {
    /// Returns the stable word for the class of the error, as `docs/commands.md` lists them.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Source { .. } | Self::Sources(_) | Self::Metadata { .. } => ErrorKind::SOURCE,
            Self::Plugin { .. } => ErrorKind::PLUGIN,
            Self::Batch(BatchError::Ambiguous { .. }) => ErrorKind::AMBIGUOUS_BATCH,
            Self::Batch(BatchError::Store(error)) => error.kind(),
            Self::Batch(BatchError::Disk(_) | BatchError::File { .. }) | Self::Disk(_) => {
                ErrorKind::FILE
            }
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
            Self::Interrupted => ErrorKind::INTERRUPTED,
            Self::WorkerPanicked => ErrorKind::INTERNAL,
        }
    }

    /// Says what to do about it, where the message does not.
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
            Self::WorkerPanicked => "please report it".to_owned(),
            Self::Source { .. }
            | Self::Sources(_)
            | Self::Metadata { .. }
            | Self::Plugin { .. }
            | Self::Batch(_)
            | Self::Cassette(_)
            | Self::Disk(_)
            | Self::AnswerSourceMismatch { .. }
            | Self::Interrupted => return None,
        })
    }
}
