//! What the pipeline made before: for finding fresh units fast and for telling what changed.

use std::collections::{BTreeSet, HashMap};

use crate::digest::Digest;
use crate::fingerprint::{StaleReason, StoredParts, compare};
use crate::store::{Reader, Realm, Snapshot, SnapshotUnit, StoreError, StoredArtifact, UnitId};

/// One layer of the newest snapshot.
#[derive(Debug, Default)]
struct Layer {
    by_fingerprint: HashMap<Digest, SnapshotUnit>,
    by_key: HashMap<String, UnitId>,
    outputs: HashMap<UnitId, Vec<StoredArtifact>>,
}

/// The newest snapshot of a pipeline, read layer by layer when needed.
#[derive(Debug)]
pub(super) struct Previous<'a> {
    reader: Option<&'a Reader>,
    snapshot: Option<Snapshot>,
    layers: HashMap<String, Layer>,
    /// Layer and key of the units that failed in the newest build.
    failed: Option<BTreeSet<(String, String)>>,
}

impl<'a> Previous<'a> {
    pub(super) fn open(reader: Option<&'a Reader>, pipeline: &str) -> Result<Self, StoreError> {
        let snapshot = match reader {
            Some(reader) => reader.newest_snapshot_of(pipeline)?,
            None => None,
        };
        Ok(Self {
            reader,
            snapshot,
            layers: HashMap::new(),
            failed: None,
        })
    }

    fn layer(&mut self, name: &str) -> Result<&Layer, StoreError> {
        if !self.layers.contains_key(name) {
            let mut layer = Layer::default();
            if let (Some(reader), Some(snapshot)) = (self.reader, &self.snapshot) {
                for artifact in reader.snapshot_artifacts(snapshot, name)? {
                    layer
                        .outputs
                        .entry(artifact.artifact.unit)
                        .or_default()
                        .push(artifact.artifact);
                }
                for outputs in layer.outputs.values_mut() {
                    outputs.sort_by_key(|output| output.id);
                }
                for unit in reader.snapshot_units(snapshot, name)? {
                    layer.by_key.insert(unit.key.clone(), unit.id);
                    layer.by_fingerprint.insert(unit.fingerprint, unit);
                }
            }
            self.layers.insert(name.to_owned(), layer);
        }
        Ok(&self.layers[name])
    }

    /// Returns the finished unit under `fingerprint` with its outputs, from this snapshot or any build before.
    ///
    /// `usable` is asked about the extra model roles the unit used.
    pub(super) fn finished(
        &mut self,
        layer: &str,
        fingerprint: Digest,
        realm: Realm,
        usable: impl Fn(Option<&str>) -> bool,
    ) -> Result<Option<(UnitId, Vec<StoredArtifact>)>, StoreError> {
        let Some(reader) = self.reader else {
            return Ok(None);
        };
        // Most units of a rebuild stand in the newest snapshot: one scan instead of a look-up each.
        let known = self.layer(layer)?;
        if let Some(unit) = known
            .by_fingerprint
            .get(&fingerprint)
            .filter(|unit| unit.realm == realm)
        {
            if usable(unit.roles.as_deref()) {
                let outputs = known.outputs.get(&unit.id).cloned().unwrap_or_default();
                return Ok(Some((unit.id, outputs)));
            }
            return Ok(None);
        }
        let Some((id, roles)) = reader.finished_unit(fingerprint, realm)? else {
            return Ok(None);
        };
        if !usable(roles.as_deref()) {
            return Ok(None);
        }
        Ok(Some((id, reader.outputs(id)?)))
    }

    /// Returns the names of the units that the layer had.
    pub(super) fn keys(&mut self, layer: &str) -> Result<Vec<String>, StoreError> {
        let mut keys: Vec<_> = self.layer(layer)?.by_key.keys().cloned().collect();
        keys.sort();
        Ok(keys)
    }

    /// Returns the labels of what the unit of this name made.
    pub(super) fn labels(&mut self, layer: &str, key: &str) -> Result<Vec<String>, StoreError> {
        let layer = self.layer(layer)?;
        let outputs = layer
            .by_key
            .get(key)
            .and_then(|unit| layer.outputs.get(unit));
        Ok(outputs
            .into_iter()
            .flatten()
            .map(|output| output.label.to_string())
            .collect())
    }

    /// Returns the digest of what a source's file was.
    pub(super) fn source_digest(
        &mut self,
        layer: &str,
        label: &str,
    ) -> Result<Option<Digest>, StoreError> {
        let layer = self.layer(layer)?;
        let outputs = layer
            .by_key
            .get(label)
            .and_then(|unit| layer.outputs.get(unit));
        Ok(outputs
            .and_then(|outputs| outputs.first())
            .map(|output| output.digest))
    }

    /// Tells why a unit is stale.
    pub(super) fn reasons(
        &mut self,
        layer: &str,
        key: &str,
        now: &StoredParts,
    ) -> Result<Vec<StaleReason>, StoreError> {
        let earlier = self.layer(layer)?.by_key.get(key).copied();
        let (Some(reader), Some(earlier)) = (self.reader, earlier) else {
            let failed = self.failed()?.contains(&(layer.to_owned(), key.to_owned()));
            return Ok(vec![if failed {
                StaleReason::NotMade
            } else {
                StaleReason::New
            }]);
        };
        let Ok(before) = serde_json::from_str::<StoredParts>(&reader.unit(earlier)?.parts) else {
            return Ok(vec![StaleReason::New]);
        };
        let mut reasons = compare(&before, now);
        if reasons.is_empty() {
            reasons.push(StaleReason::Answers);
        }
        Ok(reasons)
    }

    fn failed(&mut self) -> Result<&BTreeSet<(String, String)>, StoreError> {
        if self.failed.is_none() {
            let mut failed = BTreeSet::new();
            if let Some(reader) = self.reader
                && let Some(newest) = reader.builds(None)?.first()
            {
                let layers = reader.build_layers(newest.id)?;
                for unit in reader.failed_units(newest.id)? {
                    if let Some(layer) = layers.iter().find(|layer| layer.position == unit.layer) {
                        failed.insert((layer.name.clone(), unit.key));
                    }
                }
            }
            self.failed = Some(failed);
        }
        Ok(self.failed.get_or_insert_default())
    }
}
