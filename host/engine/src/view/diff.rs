//! Compares two snapshots: what was added, removed and changed, and why.

use std::collections::HashMap;

use serde::Serialize;

use super::diff_samples::Samples;
use super::find_error::FindError;
use super::reasons::reasons;
use super::snapshot::SnapshotView;
use super::snapshots::SnapshotSummary;
use super::text_diff::TextDiff;
use synix_core::artifact::Content;
use synix_core::digest::Digest;
use synix_core::fingerprint::StaleReason;
use synix_store::{LayerChanges, Reader, Snapshot, StoreError, StoredArtifact, StoredUnit, UnitId};

/// The maximum size of a text that is compared, in bytes.
const MAX_TEXT: usize = 4 << 20;

/// The difference between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotDiff {
    /// The first snapshot.
    pub before: SnapshotSummary,
    /// The second snapshot.
    pub after: SnapshotSummary,
    /// How many artifacts of one snapshot are not compared, because the other one is of a trial that leaves out their
    /// units.
    pub outside: usize,
    /// The layers in which something differs.
    pub layers: Vec<LayerDiff>,
    /// Artifacts that only the second snapshot has. Empty with [`Detail::Counts`].
    pub added: Vec<ArtifactChange>,
    /// Artifacts that only the first snapshot has. Empty with [`Detail::Counts`].
    pub removed: Vec<ArtifactChange>,
    /// Artifacts that differ. Empty with [`Detail::Counts`].
    pub changed: Vec<ArtifactChange>,
}

/// How many artifacts of a layer differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerDiff {
    /// The layer.
    pub name: String,
    /// The number of artifacts that only the second snapshot has.
    pub added: usize,
    /// The number of artifacts that only the first snapshot has.
    pub removed: usize,
    /// The number of artifacts that differ.
    pub changed: usize,
}

/// An artifact that differs between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactChange {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its digest in the first snapshot; `None` if it was added.
    pub before: Option<Digest>,
    /// Its digest in the second snapshot; `None` if it was removed.
    pub after: Option<Digest>,
    /// Why.
    pub why: Vec<StaleReason>,
    /// How its text differs; `None` if it was added or removed, is no text or is too large, or has the same text.
    pub diff: Option<TextDiff>,
}

/// How much of a difference is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The number of artifacts of each layer.
    Counts,
    /// Each artifact, with the reason and the texts.
    Artifacts,
}

impl SnapshotDiff {
    /// Compares two snapshots, or one layer of them.
    pub fn of(
        reader: &Reader,
        (before, after): (&SnapshotView<'_>, &SnapshotView<'_>),
        layer: Option<&str>,
        detail: Detail,
    ) -> Result<Self, FindError> {
        let (before, after) = (before.required()?, after.required()?);
        let samples = Samples::of(reader, before, after)?;
        let mut found = Self {
            outside: 0,
            before: SnapshotSummary::of(reader, before)?,
            after: SnapshotSummary::of(reader, after)?,
            layers: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
        };
        for name in layers(before, after, layer)? {
            let mut changes = reader.layer_changes(before, after, name)?;
            // Most layers of two snapshots are equal, and their units need not be read.
            if changes.before.is_empty() && changes.after.is_empty() {
                continue;
            }
            let units = if detail == Detail::Artifacts || samples.any() {
                LayerUnits::of(reader, before, after, name)?
            } else {
                LayerUnits::default()
            };
            found.outside += samples.leave_out(&units, &mut changes);
            if changes.before.is_empty() && changes.after.is_empty() {
                continue;
            }
            let comparison = Comparison {
                reader,
                layer: name,
                units,
                samples,
                changes: &changes,
            };
            found.layers.push(comparison.counts());
            if detail == Detail::Artifacts {
                comparison.add_to(&mut found)?;
            }
        }
        Ok(found)
    }
}

/// Returns the names of the layers of both snapshots: those of the second one, then those that it no longer has.
fn layers<'a>(
    before: &'a Snapshot,
    after: &'a Snapshot,
    layer: Option<&str>,
) -> Result<Vec<&'a str>, FindError> {
    let mut names: Vec<&str> = after.layers().collect();
    names.extend(before.layers().filter(|name| after.set(name).is_none()));
    let Some(wanted) = layer else {
        return Ok(names);
    };
    match names.iter().find(|name| **name == wanted) {
        Some(name) => Ok(vec![name]),
        None => Err(FindError::no_layer(wanted, names.iter().copied())),
    }
}

/// The units that a layer has in each snapshot, by key.
#[derive(Debug, Default)]
pub(super) struct LayerUnits {
    pub(super) before: HashMap<String, UnitId>,
    pub(super) after: HashMap<String, UnitId>,
}

impl LayerUnits {
    fn of(
        reader: &Reader,
        before: &Snapshot,
        after: &Snapshot,
        layer: &str,
    ) -> Result<Self, StoreError> {
        let units = |snapshot| {
            let units = reader.snapshot_units(snapshot, layer)?;
            Ok::<_, StoreError>(units.into_iter().map(|unit| (unit.key, unit.id)).collect())
        };
        Ok(Self {
            before: units(before)?,
            after: units(after)?,
        })
    }
}

/// A layer of two snapshots.
struct Comparison<'a> {
    reader: &'a Reader,
    layer: &'a str,
    units: LayerUnits,
    samples: Samples,
    changes: &'a LayerChanges,
}

impl Comparison<'_> {
    fn counts(&self) -> LayerDiff {
        let LayerChanges { before, after } = self.changes;
        let changed = before
            .keys()
            .filter(|label| after.contains_key(*label))
            .count();
        LayerDiff {
            name: self.layer.to_owned(),
            added: after.len() - changed,
            removed: before.len() - changed,
            changed,
        }
    }

    fn add_to(&self, found: &mut SnapshotDiff) -> Result<(), StoreError> {
        let LayerChanges { before, after } = self.changes;
        for (label, new) in after {
            match before.get(label) {
                Some(old) => found.changed.push(ArtifactChange {
                    diff: self.texts(old, new)?,
                    ..self.change(label, Some(old), Some(new))?
                }),
                None => found.added.push(self.change(label, None, Some(new))?),
            }
        }
        for (label, old) in before {
            if !after.contains_key(label) {
                found.removed.push(self.change(label, Some(old), None)?);
            }
        }
        Ok(())
    }

    fn change(
        &self,
        label: &str,
        old: Option<&StoredArtifact>,
        new: Option<&StoredArtifact>,
    ) -> Result<ArtifactChange, StoreError> {
        let maker = |artifact: Option<&StoredArtifact>| {
            let unit = artifact.map(|artifact| self.reader.unit(artifact.unit));
            unit.transpose()
        };
        let (mut before, mut after) = (maker(old)?, maker(new)?);
        // A unit may make other artifacts than before.
        if let (Some(unit), None) = (&before, &after) {
            after = self.unit(&self.units.after, &unit.key)?;
        } else if let (None, Some(unit)) = (&before, &after) {
            before = self.unit(&self.units.before, &unit.key)?;
        }
        let why = match (&before, &after) {
            (Some(before), Some(after)) => {
                let why = reasons(self.reader, label, before, after)?;
                self.samples.without_left_out(why)
            }
            (None, _) => vec![StaleReason::New],
            (Some(_), None) => vec![StaleReason::Removed],
        };
        Ok(ArtifactChange {
            layer: self.layer.to_owned(),
            label: label.to_owned(),
            before: old.map(|old| old.digest),
            after: new.map(|new| new.digest),
            why,
            diff: None,
        })
    }

    fn unit(
        &self,
        units: &HashMap<String, UnitId>,
        key: &str,
    ) -> Result<Option<StoredUnit>, StoreError> {
        units
            .get(key)
            .map(|unit| self.reader.unit(*unit))
            .transpose()
    }

    fn texts(
        &self,
        old: &StoredArtifact,
        new: &StoredArtifact,
    ) -> Result<Option<TextDiff>, StoreError> {
        let text = |artifact: &StoredArtifact| {
            let content = self.reader.artifact(artifact.id)?.content;
            Ok::<_, StoreError>(match content {
                Content::Text(text) if text.len() <= MAX_TEXT => Some(text),
                Content::Text(_) | Content::Bytes { .. } => None,
            })
        };
        Ok(match (text(old)?, text(new)?) {
            (Some(old), Some(new)) if old != new => Some(TextDiff::of(&old, &new)),
            _ => None,
        })
    }
}
