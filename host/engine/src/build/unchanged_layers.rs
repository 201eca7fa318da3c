//! Layers that have the units of the newest snapshot, so that none of their units is looked at.
//!
//! A build that made every unit of a layer stores the layer's fingerprint with its snapshot. If the next build or plan
//! computes the same fingerprint, the layer is unchanged: it has the units of the snapshot, and all are fresh. This is as
//! strict as looking at each unit, because the fingerprint covers what decides about them
//! ([`synix_core::fingerprint::SourceLayerParts`], [`synix_core::fingerprint::TransformLayerParts`]) and because of these
//! rules:
//!
//! | case | what happens |
//! | --- | --- |
//! | a unit failed or was held back, also with `--allow-partial` or `--retry-failed` | no fingerprint is stored for the layer and those downstream of it |
//! | a file could not be read, or is damaged | the same; other problems of sources end the build, as they do otherwise |
//! | a file was added, deleted, renamed or changed, or is hidden | the list of the fingerprints of the files differs |
//! | a file is touched, or `--rehash` | it is hashed as usual; the source is looked at by file, and layers downstream of it can be unchanged |
//! | two files have one label | the setting is a part; which artifacts are replaced is a part of the layer's set of units |
//! | a build with a selection | looks at each unit, and stores no fingerprint, like any trial |
//! | another cassette, or none | where answers come from is a part |
//! | a truncated answer | `accept` is a part; without it, such a unit failed |
//! | a model role that a unit named itself | all roles are parts |
//! | a finished unit is retired, because its fingerprint is used again | all fingerprints of layers are deleted |
//! | another build retires a unit while this one runs with other settings | the unit was fresh when this build looked at it, and its outputs were made with these settings |
//! | `gc` and `clean` | delete a layer's fingerprint with its snapshot, and never a unit of a snapshot alone |
//! | more units than a limit allows | each unit is looked at, so the error is the same |
//! | a damaged list of units or fingerprint | each unit is looked at |
//! | a damaged unit or artifact | it is found when it is read: it is neither shown nor used |
//! | another version of synix | each unit is looked at once |

use std::collections::HashMap;

use super::BuildError;
use super::answerer::Answerer;
use super::handle::{Handle, Location};
use super::layers::{ReadyBody, ReadyReader};
use super::limit_excess::LimitKind;
use super::scheduler::{Scheduler, Step};
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_core::fingerprint::{SourceLayerParts, TransformLayerParts};
use synix_core::ids::Kind;
use synix_core::skipped::SkippedCounts;
use synix_manifest::OnDuplicate;
use synix_sandbox::Shape;
use synix_sources::{ReaderFile, SourceFile};
use synix_store::{KnownLayer, NewSnapshotLayer, UnitId, set_digest};

/// A layer that has the units of the newest snapshot.
#[derive(Debug)]
pub(super) struct UnchangedLayer {
    fingerprint: Digest,
    known: KnownLayer,
}

/// The digest of the units of each layer, by position; `None` unless each of its units was made.
type UnitSets = Vec<Option<Digest>>;

impl<A: Answerer> Scheduler<'_, A> {
    /// Takes the units of a source of texts from the snapshot, if it is unchanged.
    pub(super) fn take_unchanged_texts(
        &mut self,
        layer: usize,
        kind: &Kind,
        files: &[SourceFile],
    ) -> Result<bool, BuildError> {
        let stamps = files.iter().map(|file| (file.path.as_str(), file.stamp));
        let Some((digests, bytes)) = self.unchanged_digests(stamps) else {
            return Ok(false);
        };
        let mut parts = SourceLayerParts::default();
        for (file, digest) in files.iter().zip(digests) {
            parts.add(self.text_fingerprint(layer, kind, file, digest));
        }
        self.take_unchanged_source(layer, parts, (files.len(), bytes))
    }

    /// Takes the units of a source with a reader from the snapshot, if it is unchanged.
    pub(super) fn take_unchanged_files(
        &mut self,
        layer: usize,
        reader: &ReadyReader,
        files: &[ReaderFile],
    ) -> Result<bool, BuildError> {
        let stamps = files.iter().map(|file| (file.path.as_str(), file.stamp));
        let Some((digests, bytes)) = self.unchanged_digests(stamps) else {
            return Ok(false);
        };
        let mut parts = SourceLayerParts::new(reader.on_duplicate == OnDuplicate::Newest);
        for (file, digest) in files.iter().zip(digests) {
            let file = reader.file_parts(&file.path, digest);
            parts.add(file.fingerprint(&reader.encoder));
        }
        if !self.take_unchanged_source(layer, parts, (files.len(), bytes))? {
            return Ok(false);
        }
        let mut skipped = SkippedCounts::default();
        skipped.extend(&self.previous.skipped(self.layer_name(layer))?);
        self.layers[layer].skipped = skipped.to_vec();
        Ok(true)
    }

    /// Returns the digests and the size of the files of a source, if none has to be read and the layer may be known.
    /// Fingerprints are computed after this: they would be of no use if another file has changed.
    fn unchanged_digests<'f>(
        &self,
        files: impl Iterator<Item = (&'f str, Option<FileStamp>)>,
    ) -> Option<(Vec<Digest>, u64)> {
        if self.sample.is_partial() {
            return None;
        }
        let mut bytes = 0;
        let digests = files.map(|(path, stamp)| {
            let (digest, stamp) = self
                .files
                .known
                .unchanged(self.context.folder, path, stamp)?;
            bytes += stamp.size;
            Some(digest)
        });
        let digests = digests.collect::<Option<_>>()?;
        Some((digests, bytes))
    }

    fn take_unchanged_source(
        &mut self,
        layer: usize,
        parts: SourceLayerParts,
        (files, bytes): (usize, u64),
    ) -> Result<bool, BuildError> {
        let Some(unchanged) = self.find_unchanged(layer, parts.finish())? else {
            return Ok(false);
        };
        // A file is a unit.
        if unchanged.known.units.len() != files {
            return Ok(false);
        }
        let run = &mut self.layers[layer];
        run.source_size.artifacts += unchanged.known.artifacts;
        run.source_size.bytes += bytes;
        run.progress.layer_unchanged(files as u64);
        run.unchanged = Some(unchanged);
        Ok(true)
    }

    fn find_unchanged(
        &self,
        layer: usize,
        fingerprint: Digest,
    ) -> Result<Option<UnchangedLayer>, BuildError> {
        let known = self
            .previous
            .known_layer(self.layer_name(layer), fingerprint)?;
        Ok(known.map(|known| UnchangedLayer { fingerprint, known }))
    }

    /// Takes the units of unchanged transforms from the snapshot. All sources are read.
    pub(super) fn take_unchanged_transforms(&mut self) -> Result<(), BuildError> {
        let mut sets: UnitSets = Vec::with_capacity(self.layers.len());
        for layer in 0..self.layers.len() {
            let is_transform = self.context.pipeline.layers[layer]
                .body
                .transform()
                .is_some();
            if is_transform
                && !self.sample.is_partial()
                && let Some(fingerprint) = self.layer_fingerprint(layer, &sets)
            {
                self.take_unchanged_transform(layer, fingerprint)?;
            }
            sets.push(self.known_set(layer));
        }
        for layer in 0..self.layers.len() {
            let is_gathered = self.layers[layer].downstream.iter().any(|next| {
                let shape = self.context.pipeline.layers[*next].body.shape();
                let is_gathering = shape.is_some_and(|shape| shape != Shape::PerInput);
                is_gathering && self.layers[*next].unchanged.is_none()
            });
            self.layers[layer].is_gathered = is_gathered;
        }
        Ok(())
    }

    fn take_unchanged_transform(
        &mut self,
        layer: usize,
        fingerprint: Digest,
    ) -> Result<(), BuildError> {
        let Some(unchanged) = self.find_unchanged(layer, fingerprint)? else {
            return Ok(());
        };
        let units = unchanged.known.units.len() as u64;
        // Who looks at each unit reports the first one that exceeds a limit.
        if self.remaining_units(layer) < units || !self.try_count(layer, LimitKind::Units, units) {
            return Ok(());
        }
        let run = &mut self.layers[layer];
        run.progress.layer_unchanged(units);
        run.unchanged = Some(unchanged);
        Ok(())
    }

    /// Returns the digest of the units of a layer, if each is known before any unit runs.
    fn known_set(&self, layer: usize) -> Option<Digest> {
        let run = &self.layers[layer];
        if let Some(UnchangedLayer { known, .. }) = &run.unchanged {
            return Some(known.digest);
        }
        // New units have new numbers, so no layer downstream of them is unchanged.
        let is_source = self.context.pipeline.layers[layer]
            .body
            .transform()
            .is_none();
        if !is_source || run.progress.has_failed() || run.progress.stale() > 0 {
            return None;
        }
        let mut units: Vec<_> = run.done_units.iter().collect();
        units.sort_unstable();
        let units = units.into_iter().map(|(_, unit)| *unit);
        let units: Vec<UnitId> = units.collect::<Option<_>>()?;
        Some(set_digest(&units, &run.replaced))
    }

    /// Returns the fingerprint of a layer; `sets` has the units of all upstream layers.
    fn layer_fingerprint(&self, layer: usize, sets: &UnitSets) -> Option<Digest> {
        let run = &self.layers[layer];
        if let Some(unchanged) = &run.unchanged {
            return Some(unchanged.fingerprint);
        }
        let pipeline = self.context.pipeline;
        match &pipeline.layers[layer].body {
            ReadyBody::Texts { .. } | ReadyBody::Reader(_) => {
                Some(run.source_parts.clone().finish())
            }
            ReadyBody::Transform(transform) => {
                let inputs = transform.inputs.iter();
                let inputs =
                    inputs.map(|input| Some((self.layer_name(*input), (*sets.get(*input)?)?)));
                Some(
                    TransformLayerParts {
                        layer: &transform.encoder,
                        cassette: self.context.answer_origin.cassette(),
                        roles: &pipeline.roles.settings()?,
                        inputs: inputs.collect::<Option<_>>()?,
                    }
                    .fingerprint(),
                )
            }
        }
    }

    /// Takes the layers of a complete build for its snapshot.
    pub(super) fn take_snapshot_layers(&mut self) -> Result<Vec<NewSnapshotLayer>, BuildError> {
        let needed = self.needed_units()?;
        let is_needed = |unit: &UnitId| needed.as_ref().is_none_or(|needed| needed.contains(unit));
        let mut sets: UnitSets = Vec::with_capacity(self.layers.len());
        let mut layers = Vec::with_capacity(self.layers.len());
        for position in 0..self.layers.len() {
            let run = &self.layers[position];
            let is_whole = !self.sample.is_partial() && !run.progress.has_failed();
            let fingerprint = is_whole
                .then(|| self.layer_fingerprint(position, &sets))
                .flatten();
            let run = &mut self.layers[position];
            let (units, replaced, set) = match run.unchanged.take() {
                Some(UnchangedLayer { known, .. }) => {
                    (known.units, known.replaced, Some(known.digest))
                }
                None => {
                    run.done_units.sort();
                    let units = run.done_units.iter().filter_map(|(_, unit)| *unit);
                    let units: Vec<UnitId> = units.filter(is_needed).collect();
                    let replaced = std::mem::take(&mut run.replaced);
                    let set = fingerprint.map(|_| set_digest(&units, &replaced));
                    (units, replaced, set)
                }
            };
            sets.push(set);
            if self.sample.is_built(position) {
                layers.push(NewSnapshotLayer {
                    name: self.layer_name(position).to_owned(),
                    units,
                    replaced,
                    fingerprint,
                });
            }
        }
        Ok(layers)
    }
}

impl<A: Answerer> Step<'_, '_, '_, A> {
    /// Passes the artifacts of an unchanged layer to the layers that are not.
    pub(super) fn pass_on_unchanged(&mut self, layer: usize) -> Result<(), BuildError> {
        let run = &self.layers[layer];
        let is_unchanged = |next: &usize| self.layers[*next].unchanged.is_some();
        if run.downstream.iter().all(is_unchanged) {
            return Ok(());
        }
        let Some(unchanged) = &run.unchanged else {
            return Ok(());
        };
        let order: HashMap<UnitId, usize> =
            unchanged.known.units.iter().copied().zip(0..).collect();
        let replaced = unchanged.known.replaced.clone();
        let mut outputs = self.previous.outputs(self.layer_name(layer))?;
        outputs.retain(|output| replaced.binary_search(&output.id).is_err());
        outputs.sort_by_key(|output| order.get(&output.unit).copied());
        for output in outputs {
            let artifact = Handle {
                layer,
                label: output.label,
                digest: output.digest,
                partial: false,
                location: Location::Stored(output.id),
            };
            self.spawn_downstream(&artifact)?;
            if self.layers[layer].is_gathered {
                self.layers[layer].artifacts.push(artifact);
            }
        }
        Ok(())
    }
}
