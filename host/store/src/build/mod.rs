//! Builds (tables `build`, `build_layer`, `build_unit`), with their layers and stale units.
//!
//! The status of a build is never stored: it is derived from these rows and those of the submissions.

mod failed;
mod lists;
mod rows;

pub use failed::FailedPage;

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::answers::AnswerOrigin;
use crate::statement::named;
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::Failure;
use synix_core::skipped::SkippedCount;

/// The number of a build, shown as `build-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(pub i64);

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "build-{}", self.0)
    }
}

impl FromStr for BuildId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("build-")
            .unwrap_or(text)
            .parse()
            .map(Self)
    }
}

/// Which command opened a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildKind {
    /// `synix build`.
    Build,
    /// `synix batch-build run`.
    Batch,
}

impl BuildKind {
    /// Returns the name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Batch => "batch-build",
        }
    }
}

impl ToSql for BuildKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for BuildKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(
            "kind of build",
            &[Self::Build, Self::Batch],
            Self::name,
            value,
        )
    }
}

/// How a layer's requests are answered. A build decides it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerMode {
    /// By one call for each request.
    Sync,
    /// By batches.
    Batch,
}

impl LayerMode {
    /// Returns the name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Batch => "batch",
        }
    }
}

impl ToSql for LayerMode {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for LayerMode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(
            "mode of a layer",
            &[Self::Sync, Self::Batch],
            Self::name,
            value,
        )
    }
}

/// What happened to a build after it was opened and before it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildStep {
    /// Another command continued it.
    Resumed,
    /// The user or the system ended the command that drove it.
    Interrupted,
    /// An error ended the command that drove it.
    Stopped,
    /// A user cancelled it.
    Cancelled,
}

impl BuildStep {
    /// Returns the name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
        }
    }
}

impl ToSql for BuildStep {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

/// The progress of a stale unit of a build.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnitState<'a> {
    /// The unit waits for its run or for answers.
    Waiting,
    /// The unit has its outputs.
    Done,
    /// The unit failed, or was held back.
    Failed(&'a Failure),
}

impl<'a> UnitState<'a> {
    pub(crate) const fn is_settled(self) -> bool {
        !matches!(self, Self::Waiting)
    }

    pub(crate) const fn failure(self) -> Option<&'a Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Waiting | Self::Done => None,
        }
    }
}

impl ToSql for UnitState<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = match self {
            Self::Waiting => 0,
            Self::Done => 1,
            Self::Failed(_) => 2,
        };
        Ok(ToSqlOutput::from(number))
    }
}

/// A build that is about to be opened.
#[derive(Debug, Clone)]
pub struct NewBuild {
    /// Which command opens it.
    pub kind: BuildKind,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// The pipeline's fingerprint.
    pub fingerprint: Digest,
    /// The fingerprint's parts, as JSON.
    pub parts: String,
    /// Where the answers of the build come from.
    pub answer_origin: AnswerOrigin,
    /// The time at which it is opened.
    pub opened: Timestamp,
}

/// A build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRow {
    /// Its number.
    pub id: BuildId,
    /// Which command opened it.
    pub kind: BuildKind,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// The pipeline's fingerprint when it was opened.
    pub fingerprint: Digest,
    /// The fingerprint's parts, as JSON.
    pub parts: String,
    /// Where the answers of the build come from.
    pub answer_origin: AnswerOrigin,
    /// When it was opened.
    pub opened: Timestamp,
    /// When every unit was settled.
    pub closed: Option<Timestamp>,
    /// Whether a user cancelled it.
    pub cancelled: bool,
    /// The error that stopped it before its end, if there was one.
    pub error: Option<String>,
    /// What a trial selects and changes, as JSON; `None` for a build of the whole pipeline as it is.
    pub trial: Option<String>,
    /// The last job of a service that opened or resumed it; `None` if there is none.
    pub job: Option<String>,
}

/// A layer of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildLayer {
    /// The position in the order of the pipeline.
    pub position: usize,
    /// The name of the layer.
    pub name: String,
    /// How its requests are answered; `None` if that is not decided, or if there are no requests.
    pub mode: Option<LayerMode>,
    /// The number of fresh units.
    pub fresh: u64,
    /// What its reader left out.
    pub skipped: Vec<SkippedCount>,
}

/// The numbers of a layer's stale units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerTally {
    /// Units that wait for their run or for answers.
    pub waiting: u64,
    /// Units with their outputs.
    pub done: u64,
    /// Units that failed or were held back.
    pub failed: u64,
}

/// A stale unit of a build, to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct NewBuildUnit<'a> {
    /// The position of the layer in the order of the pipeline.
    pub layer: usize,
    /// The unit key.
    pub key: &'a str,
    /// Its state.
    pub state: UnitState<'a>,
    /// The time of the record: when the unit began, if it is new, and when it settled, if it did.
    pub now: Timestamp,
}

/// A failed unit of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildUnit {
    /// The position of the layer in the order of the pipeline.
    pub layer: usize,
    /// The unit key.
    pub key: String,
    /// The kind of failure.
    pub kind: String,
    /// The message of the failure.
    pub message: String,
}
