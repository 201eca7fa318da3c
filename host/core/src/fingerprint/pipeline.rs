//! The fingerprint of a pipeline, which decides whether an open batch build may continue with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::parts::{LayerParts, VERSION};
use super::{compare, version1};
use crate::digest::{Digest, Encoder};

/// The scheme of a pipeline's fingerprint.
const SCHEME: &str = "synix.pipeline.v2";

/// All parts of a pipeline's fingerprint, as the state stores them to report later what changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineParts {
    /// The version of the encoding.
    version: u32,
    /// The pipeline's name.
    pub name: String,
    /// The layers by name.
    pub layers: BTreeMap<String, LayerSettings>,
}

/// The settings of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerSettings {
    /// A source of texts.
    Source {
        /// The globs of its files, one a line.
        glob: String,
        /// The kind of its artifacts.
        kind: String,
    },
    /// A source with a reader.
    Reader(Box<ReaderSettings>),
    /// A transform.
    Transform(Box<TransformSettings>),
}

/// The settings of a source with a reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReaderSettings {
    /// The globs of its files.
    pub globs: Vec<String>,
    /// The parts that its files share.
    pub parts: LayerParts,
    /// Whether the newest of several artifacts with one label is used.
    pub newest: bool,
}

/// The settings of a layer with a transform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransformSettings {
    /// The names of its input layers.
    pub inputs: Vec<String>,
    /// The parts that its units share.
    pub parts: LayerParts,
    /// Whether its requests are sent in batches.
    pub batch: BatchSetting,
    /// The minimum number of requests for a batch.
    pub min_batch: u64,
}

/// Whether requests are sent in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchSetting {
    /// If there are enough requests.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl BatchSetting {
    /// Returns the number in the encoding, which must never change.
    const fn number(self) -> u64 {
        match self {
            Self::Auto => 0,
            Self::Always => 1,
            Self::Never => 2,
        }
    }

    /// Returns the value in the pipeline file.
    const fn as_toml(self) -> &'static str {
        match self {
            Self::Auto => "\"auto\"",
            Self::Always => "true",
            Self::Never => "false",
        }
    }
}

impl PipelineParts {
    /// Combines the parts of a pipeline under the current version.
    pub const fn new(name: String, layers: BTreeMap<String, LayerSettings>) -> Self {
        Self {
            version: VERSION,
            name,
            layers,
        }
    }

    /// Reads stored parts of this version; returns `None` for those of others.
    pub fn read(text: &str) -> Option<Self> {
        let parts = serde_json::from_str::<Self>(text).ok();
        parts.filter(|parts| parts.version == VERSION)
    }

    /// Returns the component of each layer that has one.
    pub fn components(&self) -> BTreeMap<String, Digest> {
        let components = self.layers.iter().filter_map(|(name, settings)| {
            let parts = match settings {
                LayerSettings::Source { .. } => return None,
                LayerSettings::Reader(reader) => &reader.parts,
                LayerSettings::Transform(transform) => &transform.parts,
            };
            Some((name.clone(), parts.component))
        });
        components.collect()
    }

    /// Returns the fingerprint.
    pub fn fingerprint(&self) -> Digest {
        let mut encoder = Encoder::new(SCHEME)
            .text(&self.name)
            .list(self.layers.len());
        for (name, settings) in &self.layers {
            encoder = encoder.text(name);
            encoder = match settings {
                LayerSettings::Source { glob, kind } => encoder.number(0).text(glob).text(kind),
                LayerSettings::Reader(reader) => {
                    let encoder = encoder.number(2).list(reader.globs.len());
                    let encoder = reader
                        .globs
                        .iter()
                        .fold(encoder, |encoder, glob| encoder.text(glob));
                    reader
                        .parts
                        .encode_settings(encoder)
                        .number(reader.newest.into())
                }
                LayerSettings::Transform(transform) => {
                    let encoder = encoder.number(1).list(transform.inputs.len());
                    let encoder = transform
                        .inputs
                        .iter()
                        .fold(encoder, |encoder, input| encoder.text(input));
                    transform
                        .parts
                        .encode_settings(encoder)
                        .number(transform.batch.number())
                        .number(transform.min_batch)
                }
            };
        }
        encoder.finish()
    }

    /// Returns whether `fingerprint` belongs to this pipeline, under this or an earlier version of the encoding.
    pub fn has_fingerprint(&self, fingerprint: Digest) -> bool {
        fingerprint == self.fingerprint() || fingerprint == version1::pipeline_fingerprint(self)
    }

    /// Returns what changed since `before`, the stored parts of a build: one line for each layer.
    pub fn changes_since(&self, before: &str) -> Vec<String> {
        let read = serde_json::from_str::<Self>(before).ok();
        let Some(before) = read.or_else(|| version1::read_pipeline(before, self)) else {
            return vec!["the state has no readable record of the earlier pipeline".to_owned()];
        };
        let mut changes = Vec::new();
        if let Some(change) = Change::between("name", Some(&before.name), Some(&self.name)) {
            changes.push(change.to_string());
        }
        for (name, settings) in &self.layers {
            match before.layers.get(name) {
                Some(earlier) => {
                    let found = layer_changes(earlier, settings);
                    if !found.is_empty() {
                        changes.push(format!("layer {name}: {}", found.join(", ")));
                    }
                }
                None => changes.push(format!("layer {name} added")),
            }
        }
        for name in before.layers.keys() {
            if !self.layers.contains_key(name) {
                changes.push(format!("layer {name} removed"));
            }
        }
        changes
    }
}

fn layer_changes(old: &LayerSettings, new: &LayerSettings) -> Vec<String> {
    match (old, new) {
        (
            LayerSettings::Source { glob, kind },
            LayerSettings::Source {
                glob: new_glob,
                kind: new_kind,
            },
        ) => {
            let changes = [
                Change::between("source", Some(glob), Some(new_glob)),
                Change::between("kind", Some(kind), Some(new_kind)),
            ];
            changes.iter().flatten().map(ToString::to_string).collect()
        }
        (LayerSettings::Transform(old), LayerSettings::Transform(new)) => {
            let mut changes: Vec<String> = compare::stale_reasons_of_layers(&old.parts, &new.parts)
                .iter()
                .map(ToString::to_string)
                .collect();
            let joined = |settings: &TransformSettings| settings.inputs.join(", ");
            let own = [
                Change::between("inputs", Some(&joined(old)), Some(&joined(new))),
                Change::between(
                    "batch",
                    Some(&old.batch.as_toml()),
                    Some(&new.batch.as_toml()),
                ),
                Change::between("min_batch", Some(&old.min_batch), Some(&new.min_batch)),
            ];
            changes.extend(own.iter().flatten().map(ToString::to_string));
            changes
        }
        (LayerSettings::Reader(old), LayerSettings::Reader(new)) => {
            let mut changes: Vec<String> = compare::stale_reasons_of_layers(&old.parts, &new.parts)
                .iter()
                .map(ToString::to_string)
                .collect();
            let globs = |settings: &ReaderSettings| settings.globs.join(", ");
            let own = [
                Change::between("source", Some(&globs(old)), Some(&globs(new))),
                Change::between(
                    "on_duplicate",
                    Some(&on_duplicate(old.newest)),
                    Some(&on_duplicate(new.newest)),
                ),
            ];
            changes.extend(own.iter().flatten().map(ToString::to_string));
            changes
        }
        (LayerSettings::Source { .. }, LayerSettings::Reader(_)) => {
            vec!["now has a reader".to_owned()]
        }
        (LayerSettings::Reader(_), LayerSettings::Source { .. }) => {
            vec!["now reads texts".to_owned()]
        }
        (LayerSettings::Source { .. } | LayerSettings::Reader(_), LayerSettings::Transform(_)) => {
            vec!["is now a transform".to_owned()]
        }
        (LayerSettings::Transform(_), LayerSettings::Source { .. } | LayerSettings::Reader(_)) => {
            vec!["is now a source".to_owned()]
        }
    }
}

/// Returns the value in the pipeline file.
const fn on_duplicate(newest: bool) -> &'static str {
    if newest { "newest" } else { "error" }
}
