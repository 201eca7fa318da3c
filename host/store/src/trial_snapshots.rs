//! Snapshots of trials (table `snapshot`, rows with a name).
//!
//! A pipeline has at most one of each name, and none of them is its newest snapshot.

use std::collections::HashSet;

use rusqlite::params;

use super::build::BuildId;
use super::snapshots::{NewSnapshotLayer, Snapshot, SnapshotId};
use super::units::UnitId;
use super::{Reader, StoreError, Transaction};
use synix_core::clock::Timestamp;

impl Transaction<'_> {
    /// Takes the snapshot of a trial. It replaces an earlier one of the same name.
    pub fn take_trial_snapshot(
        &self,
        build: BuildId,
        (pipeline, name): (&str, &str),
        layers: &[NewSnapshotLayer],
        now: Timestamp,
    ) -> Result<SnapshotId, StoreError> {
        self.execute(
            "DELETE FROM snapshot_layer WHERE snapshot IN (SELECT id FROM snapshot WHERE pipeline = ?1 AND name = ?2)",
            params![pipeline, name],
        )?;
        self.execute(
            "DELETE FROM snapshot WHERE pipeline = ?1 AND name = ?2",
            params![pipeline, name],
        )?;
        let mut sets = Vec::with_capacity(layers.len());
        for layer in layers {
            // A trial may not have the unit of a replaced artifact.
            let units: HashSet<&UnitId> = layer.units.iter().collect();
            let mut replaced = Vec::new();
            for artifact in &layer.replaced {
                if units.contains(&self.stored_artifact(*artifact)?.unit) {
                    replaced.push(*artifact);
                }
            }
            let set = self.layer_set(&NewSnapshotLayer {
                replaced,
                ..layer.clone()
            })?;
            sets.push((layer.name.clone(), set));
        }
        let id = self.insert(
            "INSERT INTO snapshot (build, pipeline, made, name) VALUES (?1, ?2, ?3, ?4)",
            params![build.0, pipeline, now.0, name],
        )?;
        self.add_snapshot_layers(id, &sets)
    }
}

impl Reader {
    /// Returns the snapshot of the newest trial of this name.
    pub fn trial_snapshot(
        &self,
        pipeline: &str,
        name: &str,
    ) -> Result<Option<Snapshot>, StoreError> {
        let mut all = self.snapshots()?.into_iter();
        Ok(all.find(|one| one.pipeline == pipeline && one.name.as_deref() == Some(name)))
    }
}
