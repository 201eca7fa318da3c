//! What differs between two snapshots: units, and artifacts that a newer one replaces in one of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::artifacts::{ArtifactId, StoredArtifact};
use super::snapshots::Snapshot;
use super::units::UnitId;
use super::{Reader, StoreError};

/// The artifacts of a layer that only one of two snapshots has, by label.
#[derive(Debug, Default)]
pub struct LayerChanges {
    /// Those of the first snapshot.
    pub before: BTreeMap<String, StoredArtifact>,
    /// Those of the second snapshot.
    pub after: BTreeMap<String, StoredArtifact>,
}

/// The members of a layer in one snapshot.
#[derive(Debug, Default)]
struct Members {
    units: Vec<UnitId>,
    replaced: BTreeSet<ArtifactId>,
}

impl Reader {
    /// Returns the artifacts of a layer that only one of two snapshots has.
    ///
    /// Only the units that differ are read: two snapshots of a large project share most of them.
    pub fn layer_changes(
        &self,
        before: &Snapshot,
        after: &Snapshot,
        layer: &str,
    ) -> Result<LayerChanges, StoreError> {
        if before.set(layer) == after.set(layer) {
            return Ok(LayerChanges::default());
        }
        let (old, new) = (
            self.members(before.set(layer))?,
            self.members(after.set(layer))?,
        );
        let mut changes = LayerChanges {
            before: self.only_in(&old, &new)?,
            after: self.only_in(&new, &old)?,
        };
        // A unit that ran again may have made the same artifact.
        let same: Vec<String> = changes
            .before
            .iter()
            .filter(|(label, old)| {
                let new = changes.after.get(*label);
                new.is_some_and(|new| new.digest == old.digest)
            })
            .map(|(label, _)| label.clone())
            .collect();
        for label in same {
            changes.before.remove(&label);
            changes.after.remove(&label);
        }
        Ok(changes)
    }

    fn members(&self, set: Option<i64>) -> Result<Members, StoreError> {
        let Some(set) = set else {
            return Ok(Members::default());
        };
        let mut units: Vec<UnitId> = self.query(
            "SELECT unit FROM layer_set_unit WHERE layer_set = ?1",
            [set],
            |row| row.get(0).map(UnitId),
        )?;
        units.sort_unstable();
        Ok(Members {
            units,
            replaced: self.replaced(set)?,
        })
    }

    fn replaced(&self, set: i64) -> Result<BTreeSet<ArtifactId>, StoreError> {
        if !self.additions.readers {
            return Ok(BTreeSet::new());
        }
        let rows: Vec<ArtifactId> = self.query(
            "SELECT artifact FROM layer_set_replaced WHERE layer_set = ?1",
            [set],
            |row| row.get(0).map(ArtifactId),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Returns the artifacts of `these` that `others` does not have.
    fn only_in(
        &self,
        these: &Members,
        others: &Members,
    ) -> Result<BTreeMap<String, StoredArtifact>, StoreError> {
        let is_shared = |unit: &UnitId| others.units.binary_search(unit).is_ok();
        let mut units: HashSet<UnitId> = HashSet::new();
        units.extend(these.units.iter().filter(|unit| !is_shared(unit)));
        let own: Vec<UnitId> = units.iter().copied().collect();
        let mut found = BTreeMap::new();
        for unit in own {
            for artifact in self.outputs(unit)? {
                if !these.replaced.contains(&artifact.id) {
                    found.insert(artifact.label.to_string(), artifact);
                }
            }
        }
        // An artifact of a shared unit that is replaced in the other snapshot alone.
        for &artifact in others.replaced.difference(&these.replaced) {
            let artifact = self.stored_artifact(artifact)?;
            if these.units.binary_search(&artifact.unit).is_ok() {
                found.insert(artifact.label.to_string(), artifact);
            }
        }
        Ok(found)
    }
}
