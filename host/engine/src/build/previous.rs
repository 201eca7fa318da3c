//! The newest snapshot of the pipeline, to find fresh units fast and to report changes.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use super::digest_search;
use super::layers::Roles;
use synix_core::digest::Digest;
use synix_core::fingerprint::{StaleReason, StoredParts, stale_reasons};
use synix_core::skipped::SkippedCount;
use synix_store::{
    AnswerOrigin, BuildRow, KnownLayer, Reader, Snapshot, SnapshotUnit, StoreError, StoredArtifact,
    UnitId,
};

/// One layer of the newest snapshot.
///
/// Sorted lists, because a layer may have a million units, and maps of small lists need several times the memory.
#[derive(Debug, Default)]
struct PreviousLayer {
    /// By fingerprint.
    units: Vec<SnapshotUnit>,
    /// Positions in `units`, by key. Sorting texts takes long, and a build without stale units needs none of it.
    by_key: OnceCell<Vec<u32>>,
    /// By unit, then by number.
    outputs: Vec<StoredArtifact>,
}

impl PreviousLayer {
    fn read(reader: &Reader, snapshot: &Snapshot, name: &str) -> Result<Self, StoreError> {
        let mut units = reader.snapshot_units(snapshot, name)?;
        units.sort_unstable_by_key(|unit| unit.fingerprint);
        let mut outputs: Vec<StoredArtifact> = Vec::with_capacity(units.len());
        reader.for_each_snapshot_output(snapshot, name, |artifact| outputs.push(artifact))?;
        outputs.sort_unstable_by_key(|output| (output.unit, output.id));
        Ok(Self {
            units,
            by_key: OnceCell::new(),
            outputs,
        })
    }

    fn by_key(&self) -> &[u32] {
        self.by_key.get_or_init(|| {
            let key = |position: &u32| key_at(&self.units, *position);
            let mut by_key: Vec<u32> = (0..).take(self.units.len()).collect();
            by_key.sort_unstable_by(|left, right| key(left).cmp(key(right)));
            by_key
        })
    }

    fn unit_by_fingerprint(&self, fingerprint: Digest) -> Option<&SnapshotUnit> {
        let at = |position: usize| self.units[position].fingerprint;
        let position = digest_search::position(fingerprint, self.units.len(), at)?;
        self.units.get(position)
    }

    fn unit_by_key(&self, key: &str) -> Option<UnitId> {
        let by_key = self.by_key();
        let found = by_key.binary_search_by(|position| key_at(&self.units, *position).cmp(key));
        let position = by_key.get(found.ok()?)?;
        Some(self.units.get(usize::try_from(*position).ok()?)?.id)
    }

    fn outputs_of(&self, unit: UnitId) -> &[StoredArtifact] {
        let start = self.outputs.partition_point(|output| output.unit < unit);
        let rest = &self.outputs[start..];
        &rest[..rest.partition_point(|output| output.unit == unit)]
    }
}

/// Returns the newest build that is no trial.
fn newest_whole_build(reader: &Reader) -> Result<Option<BuildRow>, StoreError> {
    let mut builds = reader.builds(None)?.into_iter();
    Ok(builds.find(|build| build.trial.is_none()))
}

fn key_at(units: &[SnapshotUnit], position: u32) -> &str {
    let unit = usize::try_from(position)
        .ok()
        .and_then(|position| units.get(position));
    unit.map_or("", |unit| unit.key.as_str())
}

/// The newest snapshot of a pipeline, read layer by layer when needed.
#[derive(Debug)]
pub(super) struct Previous<'a> {
    reader: Option<&'a Reader>,
    snapshot: Option<Snapshot>,
    layers: HashMap<String, PreviousLayer>,
    /// The layers and keys of the units that failed in the newest build.
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

    fn layer(&mut self, name: &str) -> Result<&PreviousLayer, StoreError> {
        if !self.layers.contains_key(name) {
            let layer = match (self.reader, &self.snapshot) {
                (Some(reader), Some(snapshot)) => PreviousLayer::read(reader, snapshot, name)?,
                _ => PreviousLayer::default(),
            };
            self.layers.insert(name.to_owned(), layer);
        }
        Ok(&self.layers[name])
    }

    /// Returns a layer of the snapshot if this is its fingerprint.
    pub(super) fn known_layer(
        &self,
        layer: &str,
        fingerprint: Digest,
    ) -> Result<Option<KnownLayer>, StoreError> {
        match (self.reader, &self.snapshot) {
            (Some(reader), Some(snapshot)) => reader.known_layer(snapshot, layer, fingerprint),
            _ => Ok(None),
        }
    }

    /// Returns what readers left out of the files of a layer of the snapshot.
    pub(super) fn skipped(&self, layer: &str) -> Result<Vec<SkippedCount>, StoreError> {
        match (self.reader, &self.snapshot) {
            (Some(reader), Some(snapshot)) => reader.skipped_of_layer(snapshot, layer),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the outputs of all units of a layer of the snapshot, in the order of their positions.
    pub(super) fn outputs(&self, layer: &str) -> Result<Vec<StoredArtifact>, StoreError> {
        let mut outputs = Vec::new();
        if let (Some(reader), Some(snapshot)) = (self.reader, &self.snapshot) {
            reader.for_each_snapshot_output(snapshot, layer, |artifact| outputs.push(artifact))?;
        }
        outputs.sort_unstable_by_key(|output| (output.unit, output.id));
        Ok(outputs)
    }

    /// Frees the memory of a layer. If it is needed again, it is read again.
    pub(super) fn release(&mut self, layer: &str) {
        self.layers.remove(layer);
    }

    /// Returns the finished unit under `fingerprint` with its outputs, from this snapshot or any earlier build.
    ///
    /// `usable` decides by the extra model roles that the unit used.
    pub(super) fn finished(
        &mut self,
        layer: &str,
        fingerprint: Digest,
        answer_origin: AnswerOrigin,
        usable: impl Fn(Option<&str>) -> bool,
    ) -> Result<Option<(UnitId, Vec<StoredArtifact>)>, StoreError> {
        let Some(reader) = self.reader else {
            return Ok(None);
        };
        // The newest snapshot has most units of a rebuild: one scan replaces a query for each.
        let known = self.layer(layer)?;
        if let Some(unit) = known
            .unit_by_fingerprint(fingerprint)
            .filter(|unit| unit.answer_origin == answer_origin)
        {
            if usable(unit.roles.as_deref()) {
                return Ok(Some((unit.id, known.outputs_of(unit.id).to_vec())));
            }
            return Ok(None);
        }
        let Some((id, roles)) = reader.finished_unit(fingerprint, answer_origin)? else {
            return Ok(None);
        };
        if !usable(roles.as_deref()) {
            return Ok(None);
        }
        Ok(Some((id, reader.outputs(id)?)))
    }

    /// Returns the keys of the layer's units.
    pub(super) fn keys(&mut self, layer: &str) -> Result<Vec<String>, StoreError> {
        let layer = self.layer(layer)?;
        let in_order = layer.by_key().iter();
        Ok(in_order
            .map(|position| key_at(&layer.units, *position).to_owned())
            .collect())
    }

    /// Returns the labels of the outputs of a unit.
    pub(super) fn labels(&mut self, layer: &str, key: &str) -> Result<Vec<String>, StoreError> {
        let layer = self.layer(layer)?;
        let outputs = layer.unit_by_key(key).map(|unit| layer.outputs_of(unit));
        Ok(outputs
            .into_iter()
            .flatten()
            .map(|output| output.label.to_string())
            .collect())
    }

    /// Returns the fingerprint parts of a unit.
    pub(super) fn parts(
        &mut self,
        layer: &str,
        key: &str,
    ) -> Result<Option<StoredParts>, StoreError> {
        let earlier = self.layer(layer)?.unit_by_key(key);
        let (Some(reader), Some(earlier)) = (self.reader, earlier) else {
            return Ok(None);
        };
        Ok(StoredParts::read(&reader.unit(earlier)?.parts))
    }

    /// Returns the earlier digest of a source's file.
    pub(super) fn source_digest(
        &mut self,
        layer: &str,
        label: &str,
    ) -> Result<Option<Digest>, StoreError> {
        let layer = self.layer(layer)?;
        let outputs = layer.unit_by_key(label).map(|unit| layer.outputs_of(unit));
        Ok(outputs
            .and_then(|outputs| outputs.first())
            .map(|output| output.digest))
    }

    /// Returns why a unit is stale.
    pub(super) fn reasons(
        &mut self,
        layer: &str,
        key: &str,
        now: &StoredParts,
        roles: &Roles,
    ) -> Result<Vec<StaleReason>, StoreError> {
        let earlier = self.layer(layer)?.unit_by_key(key);
        let (Some(reader), Some(earlier)) = (self.reader, earlier) else {
            let failed = self.failed()?.contains(&(layer.to_owned(), key.to_owned()));
            return Ok(vec![if failed {
                StaleReason::NotMade
            } else {
                StaleReason::New
            }]);
        };
        let unit = reader.unit(earlier)?;
        let Some(before) = StoredParts::read(&unit.parts) else {
            return Ok(vec![StaleReason::Version]);
        };
        let mut reasons = stale_reasons(&before, now);
        let changes = roles.changes(unit.roles.as_deref());
        if !changes.is_empty() {
            reasons.push(StaleReason::Model { changes });
        }
        if reasons.is_empty() {
            reasons.push(StaleReason::Answers);
        }
        Ok(reasons)
    }

    fn failed(&mut self) -> Result<&BTreeSet<(String, String)>, StoreError> {
        if self.failed.is_none() {
            let mut failed = BTreeSet::new();
            if let Some(reader) = self.reader
                && let Some(newest) = newest_whole_build(reader)?
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
