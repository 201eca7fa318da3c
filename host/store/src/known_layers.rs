//! Layers of a snapshot with their fingerprints (columns `fingerprint` and `seal` of `snapshot_layer`).
//!
//! A layer whose fingerprint is unchanged has the units of the snapshot, so a build or plan does not look at each. Only a
//! build that made every unit of a layer stores its fingerprint. To retire a finished unit deletes all fingerprints,
//! because the unit is not fresh any more.

use std::collections::HashSet;

use rusqlite::params;

use super::artifacts::ArtifactId;
use super::recovery::seal;
use super::snapshots::{NewSnapshotLayer, Snapshot, SnapshotId};
use super::units::UnitId;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::{Digest, Encoder};
use synix_core::skipped::SkippedCount;

/// A layer whose units are those of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLayer {
    /// Its units in order.
    pub units: Vec<UnitId>,
    /// Artifacts of the units that newer ones with the same label replace; in order.
    pub replaced: Vec<ArtifactId>,
    /// The digest of both; see [`set_digest`].
    pub digest: Digest,
    /// The number of its other artifacts.
    pub artifacts: u64,
}

/// Returns the digest of a set of units and replaced artifacts, by which the state finds it.
pub fn set_digest(units: &[UnitId], replaced: &[ArtifactId]) -> Digest {
    let mut encoder = Encoder::new("synix.layer-set.v1").list(units.len());
    for unit in units {
        encoder = encoder.number(unit.0.unsigned_abs());
    }
    if !replaced.is_empty() {
        encoder = encoder.list(replaced.len());
        for artifact in replaced {
            encoder = encoder.number(artifact.0.unsigned_abs());
        }
    }
    encoder.finish()
}

impl Transaction<'_> {
    /// Replaces the fingerprints of the layers of a snapshot.
    pub(super) fn store_layer_fingerprints(
        &self,
        snapshot: SnapshotId,
        layers: &[NewSnapshotLayer],
    ) -> Result<(), StoreError> {
        for layer in layers {
            let fingerprint = layer.fingerprint;
            let bytes = fingerprint.as_ref().map(Digest::as_bytes);
            let set: Option<i64> = self.query_optional(
                "SELECT layer_set FROM snapshot_layer
                 WHERE snapshot = ?1 AND name = ?2 AND fingerprint IS NOT ?3",
                params![snapshot.0, layer.name, bytes],
                |row| row.get(0),
            )?;
            let Some(set) = set else { continue };
            let seal = fingerprint.map(|fingerprint| {
                seal::of_snapshot_layer(snapshot.0, &layer.name, set, fingerprint)
            });
            self.execute(
                "UPDATE snapshot_layer SET fingerprint = ?3, seal = ?4 WHERE snapshot = ?1 AND name = ?2",
                params![snapshot.0, layer.name, bytes, seal],
            )?;
        }
        Ok(())
    }

    /// Deletes the fingerprints of all layers, so that the next build looks at each unit.
    pub(super) fn forget_layer_fingerprints(&self) -> Result<(), StoreError> {
        self.execute(
            "UPDATE snapshot_layer SET fingerprint = NULL, seal = NULL WHERE fingerprint IS NOT NULL",
            [],
        )
    }
}

impl Reader {
    /// Returns a layer of a snapshot if this is its fingerprint.
    ///
    /// A row or a set that does not match its seal or digest is not used: each unit is then looked at, and checked.
    pub fn known_layer(
        &self,
        snapshot: &Snapshot,
        layer: &str,
        fingerprint: Digest,
    ) -> Result<Option<KnownLayer>, StoreError> {
        let (true, Some(set)) = (self.additions.layer_fingerprints, snapshot.set(layer)) else {
            return Ok(None);
        };
        let sealed: Option<Option<i64>> = self.query_optional(
            "SELECT seal FROM snapshot_layer WHERE snapshot = ?1 AND name = ?2 AND layer_set = ?3 AND fingerprint = ?4",
            params![snapshot.id.0, layer, set, fingerprint.as_bytes()],
            |row| row.get(0),
        )?;
        let expected = seal::of_snapshot_layer(snapshot.id.0, layer, set, fingerprint);
        if sealed != Some(Some(expected)) {
            return Ok(None);
        }
        let units: Vec<UnitId> = self.query(
            "SELECT unit FROM layer_set_unit WHERE layer_set = ?1 ORDER BY position",
            [set],
            |row| row.get(0).map(UnitId),
        )?;
        let replaced: Vec<ArtifactId> = self.query(
            "SELECT artifact FROM layer_set_replaced WHERE layer_set = ?1 ORDER BY artifact",
            [set],
            |row| row.get(0).map(ArtifactId),
        )?;
        let stored =
            self.query_optional("SELECT digest FROM layer_set WHERE id = ?1", [set], |row| {
                row.get(0).map(Digest::from_bytes)
            })?;
        let digest = set_digest(&units, &replaced);
        if stored != Some(digest) {
            return Ok(None);
        }
        Ok(Some(KnownLayer {
            artifacts: self.count_layer_artifacts(snapshot, layer)?,
            units,
            replaced,
            digest,
        }))
    }

    /// Returns what the readers of the files of a layer left out, by file in order, then by reason. Files are left out
    /// whose artifacts are all replaced by those of other files.
    pub fn skipped_of_layer(
        &self,
        snapshot: &Snapshot,
        layer: &str,
    ) -> Result<Vec<SkippedCount>, StoreError> {
        let (true, Some(set)) = (self.additions.readers, snapshot.set(layer)) else {
            return Ok(Vec::new());
        };
        let superseded: HashSet<i64> = self.query(
            "SELECT a.unit FROM layer_set_replaced r JOIN artifact a ON a.id = r.artifact
             WHERE r.layer_set = ?1 AND NOT EXISTS (
               SELECT 1 FROM artifact b WHERE b.unit = a.unit AND NOT EXISTS (
                 SELECT 1 FROM layer_set_replaced q WHERE q.layer_set = ?1 AND q.artifact = b.id))",
            [set],
            |row| row.get(0),
        )?;
        let units: Vec<i64> = self.query(
            "SELECT DISTINCT s.unit, s.position FROM layer_set_unit s JOIN unit_skipped k ON k.unit = s.unit
             WHERE s.layer_set = ?1 ORDER BY s.position",
            [set],
            |row| row.get(0),
        )?;
        let mut skipped = Vec::new();
        for unit in units {
            if !superseded.contains(&unit) {
                skipped.extend(self.skipped(UnitId(unit))?);
            }
        }
        Ok(skipped)
    }
}
