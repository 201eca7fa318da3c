//! The artifacts of a snapshot: the outputs of its units, without those that newer ones replace.

use rusqlite::params;

use super::artifacts::{Columns, StoredArtifact, artifact_row};
use super::snapshots::Snapshot;
use super::units::UnitId;
use super::{Reader, StoreError};
use synix_core::digest::Digest;

/// An artifact of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotArtifact {
    /// The layer of the artifact.
    pub layer: String,
    /// The artifact.
    pub artifact: StoredArtifact,
}

impl Reader {
    /// Returns the artifacts of a layer of a snapshot, in the order of their labels.
    pub fn snapshot_artifacts(
        &self,
        snapshot: &Snapshot,
        layer: &str,
    ) -> Result<Vec<SnapshotArtifact>, StoreError> {
        let mut found = Vec::new();
        self.for_each_snapshot_artifact(snapshot, layer, |artifact| {
            found.push(SnapshotArtifact {
                layer: layer.to_owned(),
                artifact,
            });
        })?;
        Ok(found)
    }

    /// Returns the artifacts of a layer of a snapshot that have this label.
    pub fn labelled_artifacts(
        &self,
        snapshot: &Snapshot,
        layer: &str,
        label: &str,
    ) -> Result<Vec<SnapshotArtifact>, StoreError> {
        let Some(set) = snapshot.set(layer) else {
            return Ok(Vec::new());
        };
        if let Some(order) = self.stored_label_order(set)? {
            return order.labelled(layer, label);
        }
        let find = || {
            self.connection
                .prepare_cached(&format!(
                    "SELECT a.id, a.unit, a.position, a.label, a.kind, a.digest, {}
                     FROM layer_set_unit s JOIN artifact a ON a.unit = s.unit
                     WHERE s.layer_set = ?1 AND a.label = ?2 {}",
                    self.seal_column("a"),
                    self.not_replaced()
                ))?
                .query_map(params![set, label], |row| Columns::try_from(row))?
                .collect::<Result<Vec<Columns>, _>>()
        };
        let rows = find().map_err(|source| self.failed(source))?;
        rows.into_iter()
            .map(|columns| {
                Ok(SnapshotArtifact {
                    layer: layer.to_owned(),
                    artifact: artifact_row(columns)?,
                })
            })
            .collect()
    }

    /// Calls `take` with each artifact of a layer of a snapshot, in the order of their labels.
    pub fn for_each_snapshot_artifact(
        &self,
        snapshot: &Snapshot,
        layer: &str,
        take: impl FnMut(StoredArtifact),
    ) -> Result<(), StoreError> {
        let condition = format!("{} ORDER BY a.label", self.not_replaced());
        self.for_each_output(snapshot, layer, &condition, take)
    }

    /// Calls `take` with each output of the units of a layer of a snapshot, also with those that newer ones replace. They
    /// are in the order of the units, because a build looks all of them up and needs no other.
    pub fn for_each_snapshot_output(
        &self,
        snapshot: &Snapshot,
        layer: &str,
        take: impl FnMut(StoredArtifact),
    ) -> Result<(), StoreError> {
        self.for_each_output(snapshot, layer, "ORDER BY s.position", take)
    }

    /// Calls `take` with each unit of a layer of a snapshot and each of its inputs, as layer and digest.
    pub fn for_each_use(
        &self,
        snapshot: &Snapshot,
        layer: &str,
        mut take: impl FnMut(UnitId, String, Digest),
    ) -> Result<(), StoreError> {
        let Some(set) = snapshot.set(layer) else {
            return Ok(());
        };
        let rows: Vec<(i64, String, Vec<u8>)> = self.query(
            "SELECT s.unit, u.layer, a.digest
             FROM layer_set_unit s JOIN unit_input i ON i.unit = s.unit
             JOIN artifact a ON a.id = i.artifact JOIN unit u ON u.id = a.unit
             WHERE s.layer_set = ?1",
            [set],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        for (unit, layer, digest) in rows {
            // The artifact itself is read and checked where it is shown.
            if let Ok(digest) = <[u8; 32]>::try_from(digest) {
                take(UnitId(unit), layer, Digest::from_bytes(digest));
            }
        }
        Ok(())
    }

    /// Returns the SQL condition that leaves out the artifacts that newer ones replace.
    pub(super) fn not_replaced(&self) -> &'static str {
        if self.additions.readers {
            "AND NOT EXISTS (SELECT 1 FROM layer_set_replaced r WHERE r.layer_set = s.layer_set AND r.artifact = a.id)"
        } else {
            ""
        }
    }

    fn for_each_output(
        &self,
        snapshot: &Snapshot,
        layer: &str,
        rest: &str,
        mut take: impl FnMut(StoredArtifact),
    ) -> Result<(), StoreError> {
        let Some(set) = snapshot.set(layer) else {
            return Ok(());
        };
        let failed = |source| self.failed(source);
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT a.id, a.unit, a.position, a.label, a.kind, a.digest, {}
                 FROM layer_set_unit s JOIN artifact a ON a.unit = s.unit
                 WHERE s.layer_set = ?1 {rest}",
                self.seal_column("a")
            ))
            .map_err(failed)?;
        let rows = statement
            .query_map([set], |row| Columns::try_from(row))
            .map_err(failed)?;
        for row in rows {
            let columns: Columns = row.map_err(failed)?;
            take(artifact_row(columns)?);
        }
        Ok(())
    }
}
