//! Snapshots (tables `snapshot`, `snapshot_layer`, `layer_set`, `layer_set_unit`): the units that a pipeline makes now.
//!
//! Equal layers of two snapshots share one set of units, so a snapshot stores only the changed layers.

use std::fmt;

use rusqlite::params;

use super::answers::AnswerOrigin;
use super::artifacts::ArtifactId;
use super::build::BuildId;
use super::known_layers::set_digest;
use super::unit_row;
use super::units::UnitId;
use super::{Reader, StoreError, Transaction};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;

/// The number of a snapshot in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId(pub i64);

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot-{}", self.0)
    }
}

/// The units of each layer as of a finished build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the snapshot.
    pub id: SnapshotId,
    /// The name of the trial that made it. A snapshot of a trial is never the newest one of its pipeline.
    pub name: Option<String>,
    /// The build that made it.
    pub build: BuildId,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// The name and set of each layer, in the order of the pipeline.
    layers: Vec<(String, i64)>,
}

impl Snapshot {
    /// Returns the names of the layers in the order of the pipeline.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the number of a layer's set of units; equal layers of several snapshots share it.
    pub fn set(&self, layer: &str) -> Option<i64> {
        self.layers
            .iter()
            .find(|(name, _)| name == layer)
            .map(|(_, set)| *set)
    }
}

/// A unit of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotUnit {
    /// The number of the unit.
    pub id: UnitId,
    /// The unit key.
    pub key: String,
    /// The unit fingerprint.
    pub fingerprint: Digest,
    /// Where the answers of the unit came from.
    pub answer_origin: AnswerOrigin,
    /// The model roles that the unit used besides that of its layer, as a JSON object.
    pub roles: Option<String>,
}

/// A layer of a new snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSnapshotLayer {
    /// The name.
    pub name: String,
    /// The units in order.
    pub units: Vec<UnitId>,
    /// Artifacts of the units that newer ones with the same label replace; in order.
    pub replaced: Vec<ArtifactId>,
    /// The fingerprint of the layer, if each of its units was made.
    pub fingerprint: Option<Digest>,
}

impl From<(String, Vec<UnitId>)> for NewSnapshotLayer {
    fn from((name, units): (String, Vec<UnitId>)) -> Self {
        Self {
            name,
            units,
            ..Self::default()
        }
    }
}

impl Transaction<'_> {
    /// Takes a snapshot of `layers`, unless the newest one of this pipeline is equal.
    pub fn take_snapshot(
        &self,
        build: BuildId,
        pipeline: &str,
        layers: &[NewSnapshotLayer],
        now: Timestamp,
    ) -> Result<SnapshotId, StoreError> {
        let sets: Vec<(String, i64)> = layers
            .iter()
            .map(|layer| Ok((layer.name.clone(), self.layer_set(layer)?)))
            .collect::<Result<_, StoreError>>()?;
        if let Some(newest) = self.newest_snapshot_of(pipeline)?
            && newest.layers == sets
        {
            self.store_layer_fingerprints(newest.id, layers)?;
            return Ok(newest.id);
        }
        let id = self.insert(
            "INSERT INTO snapshot (build, pipeline, made) VALUES (?1, ?2, ?3)",
            params![build.0, pipeline, now.0],
        )?;
        let snapshot = self.add_snapshot_layers(id, &sets)?;
        self.store_layer_fingerprints(snapshot, layers)?;
        Ok(snapshot)
    }

    pub(super) fn add_snapshot_layers(
        &self,
        id: i64,
        sets: &[(String, i64)],
    ) -> Result<SnapshotId, StoreError> {
        for (position, (name, set)) in sets.iter().enumerate() {
            self.execute(
                "INSERT INTO snapshot_layer (snapshot, position, name, layer_set) VALUES (?1, ?2, ?3, ?4)",
                params![id, position, name, set],
            )?;
        }
        Ok(SnapshotId(id))
    }

    pub(super) fn layer_set(&self, layer: &NewSnapshotLayer) -> Result<i64, StoreError> {
        let NewSnapshotLayer {
            units, replaced, ..
        } = layer;
        let digest = set_digest(units, replaced);
        let known = self.query_optional(
            "SELECT id, by_label IS NULL FROM layer_set WHERE digest = ?1",
            [digest.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if let Some((set, lacks_order)) = known {
            if lacks_order {
                self.store_label_order(set)?;
            }
            return Ok(set);
        }
        let set = self.insert(
            "INSERT INTO layer_set (digest) VALUES (?1)",
            [digest.as_bytes()],
        )?;
        for (position, unit) in units.iter().enumerate() {
            self.execute(
                "INSERT INTO layer_set_unit (layer_set, position, unit) VALUES (?1, ?2, ?3)",
                params![set, position, unit.0],
            )?;
        }
        for artifact in replaced {
            self.execute(
                "INSERT INTO layer_set_replaced (layer_set, artifact) VALUES (?1, ?2)",
                params![set, artifact.0],
            )?;
        }
        self.store_label_order(set)?;
        Ok(set)
    }
}

impl Reader {
    /// Returns the newest snapshot of any pipeline, apart from those of trials.
    pub fn newest_snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        let condition = format!("(1 = 1 OR ?1) AND {} IS NULL", self.name_column());
        Ok(self.snapshots_where(&condition, "", 1)?.pop())
    }

    /// Returns the newest snapshot of this pipeline, apart from those of trials.
    pub fn newest_snapshot_of(&self, pipeline: &str) -> Result<Option<Snapshot>, StoreError> {
        let condition = format!("pipeline = ?1 AND {} IS NULL", self.name_column());
        Ok(self.snapshots_where(&condition, pipeline, 1)?.pop())
    }

    /// Returns all snapshots, those of trials included, the newest first.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, StoreError> {
        self.snapshots_where("1 = 1 OR ?1", "", -1)
    }

    /// Returns the SQL expression for the name of a snapshot.
    const fn name_column(&self) -> &'static str {
        if self.additions.trials {
            "name"
        } else {
            "NULL"
        }
    }

    fn snapshots_where(
        &self,
        condition: &str,
        pipeline: &str,
        limit: i64,
    ) -> Result<Vec<Snapshot>, StoreError> {
        let find = || {
            let statement = format!(
                "SELECT id, build, pipeline, made, {} FROM snapshot WHERE {condition} ORDER BY id DESC LIMIT ?2",
                self.name_column()
            );
            let mut found: Vec<Snapshot> = self
                .connection
                .prepare_cached(&statement)?
                .query_map(params![pipeline, limit], |row| {
                    Ok(Snapshot {
                        id: SnapshotId(row.get(0)?),
                        build: BuildId(row.get(1)?),
                        pipeline: row.get(2)?,
                        taken: Timestamp(row.get(3)?),
                        name: row.get(4)?,
                        layers: Vec::new(),
                    })
                })?
                .collect::<Result<_, _>>()?;
            let mut layers = self.connection.prepare_cached(
                "SELECT name, layer_set
             FROM snapshot_layer WHERE snapshot = ?1 ORDER BY position",
            )?;
            for snapshot in &mut found {
                snapshot.layers = layers
                    .query_map([snapshot.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<Result<_, _>>()?;
            }
            Ok(found)
        };
        find().map_err(|source| self.failed(source))
    }

    /// Returns the units of a layer of a snapshot, in order; none if there is no such layer.
    pub fn snapshot_units(
        &self,
        snapshot: &Snapshot,
        layer: &str,
    ) -> Result<Vec<SnapshotUnit>, StoreError> {
        let Some(set) = snapshot.set(layer) else {
            return Ok(Vec::new());
        };
        let statement = format!(
            "SELECT u.id, u.fingerprint, u.realm, u.layer, u.key, u.done, u.partial, d.roles, {}
             FROM layer_set_unit s
             JOIN unit u ON u.id = s.unit JOIN unit_detail d ON d.unit = u.id
             WHERE s.layer_set = ?1 ORDER BY s.position",
            self.unit_seal_column("u")
        );
        let failed = |source| self.failed(source);
        let mut statement = self.connection.prepare_cached(&statement).map_err(failed)?;
        let rows = statement
            .query_map([set], |row| unit_row::Row::try_from(row))
            .map_err(failed)?;
        rows.map(|row| {
            let row = unit_row::verify(row.map_err(failed)?)?;
            Ok(SnapshotUnit {
                id: row.id,
                key: row.key,
                fingerprint: row.fingerprint,
                answer_origin: row.answer_origin,
                roles: row.roles,
            })
        })
        .collect()
    }
}
