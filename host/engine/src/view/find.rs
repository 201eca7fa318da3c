//! Finds artifacts by their names, their ids, or a prefix of either.

use std::collections::{BTreeSet, HashSet};

use super::find_error::FindError;
use super::snapshot::{SnapshotView, StaleInfo};
use synix_core::digest::Digest;
use synix_manifest::nearest;
use synix_store::{BuildId, Snapshot, SnapshotArtifact, StoreError};

/// The minimum number of digits of an id.
const MIN_ID_DIGITS: usize = 4;
/// An artifact and the snapshot that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundArtifact {
    /// The artifact.
    pub artifact: SnapshotArtifact,
    /// The build whose snapshot has it.
    pub build: BuildId,
    /// Why the newest snapshot does not have it; `None` if it does.
    pub stale: Option<StaleInfo>,
}

impl SnapshotView<'_> {
    /// Finds an artifact by `LAYER/LABEL`, `LABEL`, an id, or a prefix of one of them.
    ///
    /// Complete names take precedence, even if only an earlier snapshot has them. A label may
    /// contain a `/`, so a name is read in both ways.
    pub fn find(&self, name: &str) -> Result<FoundArtifact, FindError> {
        if let Some(selected) = &self.selected
            && let Some(found) = self.by_name(selected, &mut selected.layers(), name)?
        {
            return Ok(found);
        }
        // Unchanged layers share their units, so each set is searched once.
        let mut seen: HashSet<i64> = HashSet::new();
        if let Some(selected) = &self.selected {
            seen.extend(selected.layers().filter_map(|layer| selected.set(layer)));
        }
        for snapshot in &self.earlier {
            let mut layers = snapshot
                .layers()
                .filter(|layer| snapshot.set(layer).is_some_and(|set| seen.insert(set)));
            if let Some(found) = self.by_name(snapshot, &mut layers, name)? {
                return Ok(found);
            }
        }
        if let Some(found) = self.by_id(name)? {
            return Ok(found);
        }
        self.by_prefix(name)
    }

    fn by_name(
        &self,
        snapshot: &Snapshot,
        layers: &mut dyn Iterator<Item = &str>,
        name: &str,
    ) -> Result<Option<FoundArtifact>, FindError> {
        let (mut complete, mut labels) = (Vec::new(), Vec::new());
        for layer in layers {
            if let Some(label) = name
                .strip_prefix(layer)
                .and_then(|rest| rest.strip_prefix('/'))
            {
                complete.extend(self.reader.labelled_artifacts(snapshot, layer, label)?);
            }
            labels.extend(self.reader.labelled_artifacts(snapshot, layer, name)?);
        }
        if complete.len() == 1 {
            labels = complete;
        } else {
            labels.append(&mut complete);
        }
        self.unique(name, snapshot, labels)
    }

    fn unique(
        &self,
        name: &str,
        snapshot: &Snapshot,
        mut named: Vec<SnapshotArtifact>,
    ) -> Result<Option<FoundArtifact>, FindError> {
        match named.len() {
            0 => Ok(None),
            1 => Ok(Some(self.found(snapshot, named.remove(0))?)),
            _ => Err(FindError::Ambiguous {
                name: name.to_owned(),
                candidates: named.iter().map(full_name).collect(),
            }),
        }
    }

    /// Finds an artifact by its id or a prefix of it, in the selected snapshot or an earlier one.
    fn by_id(&self, name: &str) -> Result<Option<FoundArtifact>, FindError> {
        let digits = name.len();
        let is_hex = name
            .bytes()
            .all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hex || !(MIN_ID_DIGITS..=64).contains(&digits) {
            return Ok(None);
        }
        let mut snapshots: Vec<(&Snapshot, Vec<&str>)> = Vec::new();
        if let Some(selected) = &self.selected {
            snapshots.push((selected, selected.layers().collect()));
        }
        for layer in self.earlier_layers() {
            for snapshot in self.earlier_sets(layer) {
                snapshots.push((snapshot, vec![layer]));
            }
        }
        let mut ids: BTreeSet<Digest> = BTreeSet::new();
        let mut found: Vec<(&Snapshot, SnapshotArtifact)> = Vec::new();
        for (snapshot, layers) in snapshots {
            for layer in layers {
                self.reader
                    .for_each_snapshot_artifact(snapshot, layer, |artifact| {
                        if artifact.digest.to_string().starts_with(name) {
                            ids.insert(artifact.digest);
                            let artifact = SnapshotArtifact {
                                layer: layer.to_owned(),
                                artifact,
                            };
                            found.push((snapshot, artifact));
                        }
                    })?;
            }
        }
        // An artifact may be in several snapshots.
        let names: BTreeSet<String> = found
            .iter()
            .map(|(_, artifact)| full_name(artifact))
            .collect();
        if ids.len() > 1 || names.len() > 1 {
            let candidates = found
                .iter()
                .map(|(_, one)| format!("{} ({})", full_name(one), one.artifact.digest))
                .collect::<BTreeSet<_>>();
            return Err(FindError::Ambiguous {
                name: name.to_owned(),
                candidates: candidates.into_iter().collect(),
            });
        }
        match found.into_iter().next() {
            Some((snapshot, artifact)) => Ok(Some(self.found(snapshot, artifact)?)),
            None => Ok(None),
        }
    }

    /// Finds the only artifact whose name has this prefix.
    fn by_prefix(&self, name: &str) -> Result<FoundArtifact, FindError> {
        let mut all = Vec::new();
        if let Some(selected) = &self.selected {
            for layer in selected.layers() {
                all.extend(self.reader.snapshot_artifacts(selected, layer)?);
            }
            let begins = |one: &SnapshotArtifact| {
                one.artifact.label.as_str().starts_with(name) || full_name(one).starts_with(name)
            };
            let named = all.iter().filter(|one| begins(one)).cloned().collect();
            if !name.is_empty()
                && let Some(found) = self.unique(name, selected, named)?
            {
                return Ok(found);
            }
        }
        let names: Vec<String> = if name.contains('/') {
            all.iter().map(full_name).collect()
        } else {
            let label = |one: &SnapshotArtifact| one.artifact.label.to_string();
            all.iter().map(label).collect()
        };
        Err(FindError::NotFound {
            name: name.to_owned(),
            nearest: nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
        })
    }

    fn found(
        &self,
        snapshot: &Snapshot,
        artifact: SnapshotArtifact,
    ) -> Result<FoundArtifact, StoreError> {
        let is_chosen = self
            .selected
            .as_ref()
            .is_some_and(|selected| selected.id == snapshot.id);
        let stale = if is_chosen {
            None
        } else {
            Some(self.stale_info(&artifact)?)
        };
        Ok(FoundArtifact {
            artifact,
            build: snapshot.build,
            stale,
        })
    }

    /// Returns why the selected snapshot does not have an artifact of an earlier one.
    fn stale_info(&self, found: &SnapshotArtifact) -> Result<StaleInfo, StoreError> {
        let unit = self.reader.unit(found.artifact.unit)?;
        if let Some(stale) = self.missing_units.reason(&found.layer, &unit.key) {
            return Ok(stale.clone());
        }
        if let Some(selected) = &self.selected {
            let label = found.artifact.label.as_str();
            let now = self
                .reader
                .labelled_artifacts(selected, &found.layer, label)?;
            if let Some(now) = now.first() {
                return Ok(StaleInfo {
                    newest: selected.build.to_string(),
                    kind: "replaced".to_owned(),
                    message: format!("it was replaced by {}", now.artifact.digest.short()),
                });
            }
        }
        Ok(self
            .missing_units
            .removed(self.selected.as_ref(), &found.layer))
    }
}

fn full_name(found: &SnapshotArtifact) -> String {
    format!("{}/{}", found.layer, found.artifact.label)
}
