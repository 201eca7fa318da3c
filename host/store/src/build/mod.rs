//! Builds (tables `build`, `build_layer`, `build_unit`): the commands that drive work, their layers and stale units.
//!
//! Its status is derived from these rows and the submissions', never stored.

mod rows;

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::answers::Realm;
use crate::statement::named;
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::Failure;

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
    /// Returns the name kept in rows and shown.
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

/// How a layer's requests are answered, fixed once for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerMode {
    /// One call each.
    Sync,
    /// Through batches.
    Batch,
}

impl LayerMode {
    /// Returns the name kept in rows and shown.
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

/// The progress of a stale unit of a build.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnitState<'a> {
    /// It waits to run or for answers.
    Waiting,
    /// It has its outputs.
    Done,
    /// It failed, or was held back.
    Failed(&'a Failure),
}

impl<'a> UnitState<'a> {
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
    /// Where its answers come from.
    pub realm: Realm,
    /// When it is opened.
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
    /// Where its answers come from.
    pub realm: Realm,
    /// When it was opened.
    pub opened: Timestamp,
    /// When nothing was left to do.
    pub closed: Option<Timestamp>,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Why it stopped before its end, if it did.
    pub error: Option<String>,
}

/// A layer of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildLayer {
    /// Its place in the pipeline's order.
    pub position: usize,
    /// Its name.
    pub name: String,
    /// How its requests are answered; `None`: undecided, or it asks nothing.
    pub mode: Option<LayerMode>,
    /// How many of its units needed nothing.
    pub fresh: u64,
}

/// The stale units of a layer, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerTally {
    /// Units that wait.
    pub waiting: u64,
    /// Units with their outputs.
    pub done: u64,
    /// Units that failed or were held back.
    pub failed: u64,
}

/// A failed unit of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildUnit {
    /// The layer's place in the pipeline's order.
    pub layer: usize,
    /// The unit's name.
    pub key: String,
    /// The kind of failure.
    pub kind: String,
    /// What went wrong.
    pub message: String,
}
