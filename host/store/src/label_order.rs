//! The artifacts of a layer in the order of their labels (columns `by_label` and `seal` of `layer_set`).
//!
//! A set of units never changes, so its order is found once, when the set is stored. A page of a large layer then costs
//! one value and the rows of the page. A set from before format 7 has no order, and is sorted when it is read.

use super::artifacts::{ArtifactId, StoredArtifact};
use super::connection::MAX_VALUE_BYTES;
use super::recovery::seal;
use super::snapshot_artifacts::SnapshotArtifact;
use super::snapshots::Snapshot;
use super::{Reader, StoreError, Transaction};

/// The bytes of one artifact.
const WIDTH: usize = 8;

/// A row has other columns as well.
const MAX_ROW_BYTES: i32 = MAX_VALUE_BYTES - 1024;

/// The artifacts of a layer of a snapshot, by label.
#[derive(Debug)]
pub struct LabelOrder<'r> {
    reader: &'r Reader,
    ids: Vec<u8>,
}

impl Transaction<'_> {
    /// Finds the order of a new set and stores it.
    pub(super) fn store_label_order(&self, set: i64) -> Result<(), StoreError> {
        let ids = self.sorted_by_label(set)?;
        // Pages of a layer that is too large for one value are sorted when they are read.
        if i32::try_from(ids.len()).is_ok_and(|bytes| bytes < MAX_ROW_BYTES) {
            self.execute(
                "UPDATE layer_set SET by_label = ?2, seal = ?3 WHERE id = ?1",
                rusqlite::params![set, ids, seal::of_layer_set(set, &ids)],
            )?;
        }
        Ok(())
    }
}

impl Reader {
    /// Returns the artifacts of a layer of a snapshot in the order of their labels.
    pub fn label_order(
        &self,
        snapshot: &Snapshot,
        layer: &str,
    ) -> Result<LabelOrder<'_>, StoreError> {
        let Some(set) = snapshot.set(layer) else {
            return Ok(LabelOrder {
                reader: self,
                ids: Vec::new(),
            });
        };
        match self.stored_label_order(set)? {
            Some(order) => Ok(order),
            None => Ok(LabelOrder {
                reader: self,
                ids: self.sorted_by_label(set)?,
            }),
        }
    }

    /// Returns the stored order of a set, if it has one.
    pub(super) fn stored_label_order(
        &self,
        set: i64,
    ) -> Result<Option<LabelOrder<'_>>, StoreError> {
        if !self.additions.trials {
            return Ok(None);
        }
        let row: (Option<Vec<u8>>, Option<i64>) = self.query_row(
            "SELECT by_label, seal FROM layer_set WHERE id = ?1",
            [set],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let (Some(ids), sealed) = row else {
            return Ok(None);
        };
        // A row with an order always has a seal.
        let sealed = Some(sealed.unwrap_or_default());
        seal::check(sealed, seal::of_layer_set(set, &ids), || {
            format!("the order of layer set {set}")
        })?;
        Ok(Some(LabelOrder { reader: self, ids }))
    }

    /// Returns the number of artifacts of a layer of a snapshot, without reading them.
    pub fn count_layer_artifacts(
        &self,
        snapshot: &Snapshot,
        layer: &str,
    ) -> Result<u64, StoreError> {
        let Some(set) = snapshot.set(layer) else {
            return Ok(0);
        };
        if self.additions.trials {
            // SQLite knows the length of a value without reading it.
            let bytes: Option<u64> = self.query_row(
                "SELECT length(by_label) FROM layer_set WHERE id = ?1",
                [set],
                |row| row.get(0),
            )?;
            if let Some(bytes) = bytes {
                return Ok(bytes / WIDTH as u64);
            }
        }
        let statement = format!(
            "SELECT count(*) FROM layer_set_unit s JOIN artifact a ON a.unit = s.unit WHERE s.layer_set = ?1 {}",
            self.not_replaced()
        );
        self.query_row(&statement, [set], |row| row.get(0))
    }

    /// Returns the number of artifacts of a snapshot.
    pub fn count_artifacts(&self, snapshot: &Snapshot) -> Result<u64, StoreError> {
        let layers = snapshot.layers();
        layers
            .map(|layer| self.count_layer_artifacts(snapshot, layer))
            .sum()
    }

    fn sorted_by_label(&self, set: i64) -> Result<Vec<u8>, StoreError> {
        let statement = format!(
            "SELECT a.id FROM layer_set_unit s JOIN artifact a ON a.unit = s.unit
             WHERE s.layer_set = ?1 {} ORDER BY a.label",
            self.not_replaced()
        );
        let read = || {
            let mut ids = Vec::new();
            let mut statement = self.connection.prepare_cached(&statement)?;
            let mut rows = statement.query([set])?;
            while let Some(row) = rows.next()? {
                ids.extend(row.get::<_, i64>(0)?.to_be_bytes());
            }
            Ok(ids)
        };
        read().map_err(|source| self.failed(source))
    }
}

impl LabelOrder<'_> {
    /// Returns the number of artifacts.
    pub const fn len(&self) -> usize {
        self.ids.len() / WIDTH
    }

    /// Returns whether the layer has no artifacts.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the artifact at a position, or `None` after the last one.
    pub fn artifact(&self, position: usize) -> Result<Option<StoredArtifact>, StoreError> {
        let Some(id) = self.id(position) else {
            return Ok(None);
        };
        let found = self.reader.find_artifact(id)?;
        found.map(Some).ok_or_else(|| StoreError::Unusable {
            what: "layer set",
            detail: format!("there is no artifact {}", id.0),
        })
    }

    /// Returns the position of the first artifact whose label is `label` or greater.
    pub fn first_from(&self, label: &str) -> Result<usize, StoreError> {
        self.partition(|found| found < label)
    }

    /// Returns the position of the first artifact whose label is greater than `label`.
    pub fn first_after(&self, label: &str) -> Result<usize, StoreError> {
        self.partition(|found| found <= label)
    }

    /// Returns the artifacts with a label: one, unless another program changed the state.
    pub(super) fn labelled(
        &self,
        layer: &str,
        label: &str,
    ) -> Result<Vec<SnapshotArtifact>, StoreError> {
        let mut found = Vec::new();
        let first = self.first_from(label)?;
        for position in first.. {
            match self.artifact(position)? {
                Some(artifact) if artifact.label.as_str() == label => {
                    found.push(SnapshotArtifact {
                        layer: layer.to_owned(),
                        artifact,
                    });
                }
                Some(_) | None => break,
            }
        }
        Ok(found)
    }

    fn id(&self, position: usize) -> Option<ArtifactId> {
        let bytes = self.ids.chunks_exact(WIDTH).nth(position)?;
        Some(ArtifactId(i64::from_be_bytes(bytes.try_into().ok()?)))
    }

    /// Returns the number of artifacts at the beginning whose labels are `before`.
    fn partition(&self, before: impl Fn(&str) -> bool) -> Result<usize, StoreError> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.artifact(middle)? {
                Some(found) if before(found.label.as_str()) => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(low)
    }
}
