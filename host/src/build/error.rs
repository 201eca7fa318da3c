//! Why a build could not go on. A failed unit is no such error: it is part of the result.

use std::error::Error;

use super::bounds::Excess;
use crate::batch::BatchError;
use crate::disk::DiskError;
use crate::llm::cassette::CassetteError;
use crate::plugin::PluginError;
use crate::price::{Amount, PriceError};
use crate::source::{SourceError, SourceProblems};
use crate::store::{BuildId, StoreError};

/// Why a build could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// There is no build of this number.
    #[error("there is no build {0}; `synix batch-build list` names those there are")]
    UnknownBuild(String),
    /// Another process drives the build.
    #[error("{build} is driven by another process{holder}; wait for it or stop it")]
    Held {
        /// The build.
        build: BuildId,
        /// Who and since when, in words, with a leading blank; empty where it has not said.
        holder: String,
    },
    /// The build has ended; there is nothing to resume.
    #[error("{build} is {status}; start another with `synix batch-build run`")]
    Ended {
        /// The build.
        build: BuildId,
        /// Its status.
        status: &'static str,
    },
    /// The pipeline is not what it was when the build was opened.
    #[error("the pipeline is not the one of {build}: {}; pass --allow-pipeline-mismatch to go on with it as it is now", .changes.join("; "))]
    Mismatch {
        /// The build.
        build: BuildId,
        /// What changed, old and new.
        changes: Vec<String>,
    },
    /// A live build was resumed from a cassette, or the reverse.
    #[error("{build} was opened {opened} and cannot go on {now}")]
    OtherAnswers {
        /// The build.
        build: BuildId,
        /// In which way it was opened.
        opened: &'static str,
        /// In which way it would go on.
        now: &'static str,
    },
    /// A provider needs a credential that is not there.
    #[error(
        "provider `{provider}` needs a key: set {variable} in the environment or in a .env file beside the pipeline file"
    )]
    MissingKey {
        /// The provider.
        provider: String,
        /// The environment variable.
        variable: String,
    },
    /// What is about to be sent could cost more than is left of the budget.
    #[error(
        "the budget of {budget} could be exceeded: {spent} is spent, at most {under_way} is under way, at most {asked} was about to be sent; what was sent is kept: raise budget_usd in the pipeline file or pass a higher --budget, and go on"
    )]
    Budget {
        /// What may be spent.
        budget: Amount,
        /// What was billed, or may have been.
        spent: Amount,
        /// What is in flight may cost so much.
        under_way: Amount,
        /// What was about to be sent may cost so much.
        asked: Amount,
    },
    /// There is a budget, and no telling what a request costs at most.
    #[error("nothing can be sent within a budget: {0}")]
    Unpriced(#[from] PriceError),
    /// A layer would have more units, or ask more requests, than it may.
    #[error(transparent)]
    Excess(#[from] Excess),
    /// Somebody wanted the build to end; the calls on their way were waited for.
    #[error("interrupted")]
    Interrupted,
    /// A worker thread died.
    #[error("a worker thread ended unexpectedly; this is a bug in synix")]
    WorkersGone,
}

/// Returns an error with its causes in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
