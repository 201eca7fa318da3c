//! Lists the artifacts of a snapshot, and the last good ones of units that have failed since.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;

use super::find::FoundArtifact;
use super::find_error::FindError;
use super::snapshot::{SnapshotView, StaleInfo};
use synix_store::{BuildId, Reader, Snapshot, SnapshotArtifact, StoreError};

/// An artifact in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactView {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its digest in hex.
    pub id: String,
    /// The build whose snapshot has it.
    pub build: String,
    /// Why the newest snapshot does not have it; `None` if it does.
    pub stale: Option<StaleInfo>,
}

impl ArtifactView {
    pub(super) fn new(found: &SnapshotArtifact, build: BuildId, stale: Option<StaleInfo>) -> Self {
        Self {
            layer: found.layer.clone(),
            label: found.artifact.label.to_string(),
            kind: found.artifact.kind.to_string(),
            id: found.artifact.digest.to_string(),
            build: build.to_string(),
            stale,
        }
    }
}

impl SnapshotView<'_> {
    /// Returns the artifacts, or those of one layer, by layer and label.
    ///
    /// Includes the earlier artifacts of failed units, each with the reason why the newest build does not have it.
    pub fn list(&self, layer: Option<&str>) -> Result<Vec<ArtifactView>, FindError> {
        let Some(selected) = &self.selected else {
            return Ok(Vec::new());
        };
        let failed = self.missing_units.layers();
        let layers = self.listed_layers(selected);
        if let Some(name) = layer
            && !layers.contains(&name)
        {
            return Err(FindError::no_layer(name, layers.iter().copied()));
        }
        let mut listed = Vec::new();
        for name in layers
            .into_iter()
            .filter(|name| layer.is_none_or(|layer| layer == *name))
        {
            let found = self.reader.snapshot_artifacts(selected, name)?;
            let mut artifacts: Vec<ArtifactView> = found
                .iter()
                .map(|found| ArtifactView::new(found, selected.build, None))
                .collect();
            if failed.contains(name) {
                let labels: HashSet<&str> =
                    artifacts.iter().map(|one| one.label.as_str()).collect();
                let before = self.last_good(name, &|label| Ok(labels.contains(label)))?;
                artifacts.extend(before);
                artifacts.sort_by(|left, right| left.label.cmp(&right.label));
            }
            listed.append(&mut artifacts);
        }
        Ok(listed)
    }

    /// Returns the layers of which there is something to list; none before the first complete build.
    pub fn layers(&self) -> Vec<&str> {
        let selected = self.selected.as_ref();
        selected.map_or_else(Vec::new, |selected| self.listed_layers(selected))
    }

    /// Returns the layers of a snapshot, and those of which only an earlier snapshot has artifacts because they failed.
    pub(super) fn listed_layers<'a>(&'a self, selected: &'a Snapshot) -> Vec<&'a str> {
        let mut layers: Vec<&str> = selected.layers().collect();
        let failed = self.missing_units.layers().into_iter();
        layers.extend(failed.filter(|name| selected.set(name).is_none()));
        layers
    }

    /// Returns the artifacts of a layer of the snapshot, by label, without those of earlier ones.
    pub fn artifacts(&self, layer: &str) -> Result<Vec<FoundArtifact>, FindError> {
        let snapshot = self.required()?;
        let found = self.reader.snapshot_artifacts(snapshot, layer)?.into_iter();
        Ok(found
            .map(|artifact| FoundArtifact {
                artifact,
                build: snapshot.build,
                stale: None,
            })
            .collect())
    }

    /// Refuses a layer that the snapshot does not have.
    pub fn check_layer(&self, layer: &str) -> Result<(), FindError> {
        let snapshot = self.required()?;
        match snapshot.set(layer) {
            Some(_) => Ok(()),
            None => Err(FindError::no_layer(
                layer,
                snapshot.layers().collect::<Vec<_>>().into_iter(),
            )),
        }
    }

    /// Returns the last good artifacts of the failed units of a layer, without labels that the snapshot has.
    pub(super) fn last_good(
        &self,
        layer: &str,
        is_listed: &dyn Fn(&str) -> Result<bool, StoreError>,
    ) -> Result<Vec<ArtifactView>, StoreError> {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut settled: HashSet<String> = HashSet::new();
        if let Some(selected) = &self.selected {
            let units = self.reader.snapshot_units(selected, layer)?;
            settled.extend(units.into_iter().map(|unit| unit.key));
        }
        let mut found_artifacts = Vec::new();
        for snapshot in self.earlier_sets(layer) {
            let mut keys = Vec::new();
            let mut stale_units = std::collections::HashMap::new();
            for unit in self.reader.snapshot_units(snapshot, layer)? {
                if let Some(stale) = self.missing_units.reason(layer, &unit.key)
                    && !settled.contains(&unit.key)
                {
                    stale_units.insert(unit.id, stale);
                    keys.push(unit.key);
                }
            }
            if stale_units.is_empty() {
                continue;
            }
            for found in self.reader.snapshot_artifacts(snapshot, layer)? {
                if let Some(stale) = stale_units.get(&found.artifact.unit)
                    && !is_listed(found.artifact.label.as_str())?
                    && taken.insert(found.artifact.label.to_string())
                {
                    let stale = Some((*stale).clone());
                    found_artifacts.push(ArtifactView::new(&found, snapshot.build, stale));
                }
            }
            settled.extend(keys);
        }
        Ok(found_artifacts)
    }
}

/// Returns the artifacts of the newest snapshot that are not an input of another one.
///
/// A fresh unit has the inputs that it was made of, even if an equal artifact of another unit has replaced one since,
/// such as the same conversation in a newer export. So an input that the snapshot lacks counts by its digest.
pub fn final_artifacts(reader: &Reader) -> Result<Vec<ArtifactView>, StoreError> {
    let Some(snapshot) = reader.newest_snapshot()? else {
        return Ok(Vec::new());
    };
    let (mut artifacts, mut inputs) = (Vec::new(), Vec::new());
    for layer in snapshot.layers() {
        artifacts.extend(reader.snapshot_artifacts(&snapshot, layer)?);
        for unit in reader.snapshot_units(&snapshot, layer)? {
            inputs.extend(reader.inputs(unit.id)?);
        }
    }
    let ids: HashSet<_> = artifacts.iter().map(|found| found.artifact.id).collect();
    let used: HashSet<_> = inputs.iter().map(|input| input.id).collect();
    let replaced = inputs.iter().filter(|input| !ids.contains(&input.id));
    let replaced: HashSet<_> = replaced.map(|input| input.digest).collect();
    Ok(artifacts
        .iter()
        .filter(|found| {
            !used.contains(&found.artifact.id) && !replaced.contains(&found.artifact.digest)
        })
        .map(|found| ArtifactView::new(found, snapshot.build, None))
        .collect())
}
