//! Lists snapshots.

use serde::Serialize;
use synix_core::clock::Timestamp;
use synix_store::{Reader, Snapshot, StoreError};

/// A snapshot in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotSummary {
    /// Its id, such as `snapshot-3`.
    pub id: String,
    /// Its name; `None` if it has none.
    pub name: Option<String>,
    /// The build that made it.
    pub build: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// The number of its artifacts.
    pub artifacts: u64,
}

impl SnapshotSummary {
    /// Describes a snapshot.
    pub fn of(reader: &Reader, snapshot: &Snapshot) -> Result<Self, StoreError> {
        Ok(Self {
            id: snapshot.id.to_string(),
            name: snapshot.name.clone(),
            build: snapshot.build.to_string(),
            taken: snapshot.taken,
            pipeline: snapshot.pipeline.clone(),
            artifacts: reader.count_artifacts(snapshot)?,
        })
    }
}

/// Returns the snapshots of all pipelines, the newest first.
pub fn snapshots(reader: &Reader) -> Result<Vec<SnapshotSummary>, StoreError> {
    let snapshots = reader.snapshots()?;
    let summaries = snapshots.iter();
    summaries
        .map(|snapshot| SnapshotSummary::of(reader, snapshot))
        .collect()
}
