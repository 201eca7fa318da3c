//! The fingerprint of a whole pipeline: whether an open batch build may go on with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::parts::{LayerParts, VERSION};
use super::{earlier, reason};
use crate::digest::{Digest, Encoder};

/// The scheme of a pipeline's fingerprint.
const SCHEME: &str = "synix.pipeline.v2";

/// What a pipeline's fingerprint covers, as it is kept to tell later what changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineParts {
    /// The version of the encoding.
    version: u32,
    /// The pipeline's name.
    pub name: String,
    /// The layers by name.
    pub layers: BTreeMap<String, LayerSettings>,
}

/// What a layer is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerSettings {
    /// Files.
    Source {
        /// Which ones.
        glob: String,
        /// The kind of its artifacts.
        kind: String,
    },
    /// A plugin.
    Transform(Box<TransformSettings>),
}

/// The settings of a layer that a plugin makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransformSettings {
    /// The layers that it takes in.
    pub inputs: Vec<String>,
    /// What its units share.
    pub parts: LayerParts,
    /// Whether its requests go in batches.
    pub batch: BatchSetting,
    /// The fewest requests that make a batch.
    pub min_batch: u64,
}

/// Whether requests go in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchSetting {
    /// Where there are enough.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl BatchSetting {
    /// Its number in the encoding; never another one.
    const fn number(self) -> u64 {
        match self {
            Self::Auto => 0,
            Self::Always => 1,
            Self::Never => 2,
        }
    }

    /// As the pipeline file writes it.
    const fn written(self) -> &'static str {
        match self {
            Self::Auto => "\"auto\"",
            Self::Always => "true",
            Self::Never => "false",
        }
    }
}

impl PipelineParts {
    /// Puts the parts of a pipeline together.
    pub const fn new(name: String, layers: BTreeMap<String, LayerSettings>) -> Self {
        Self {
            version: VERSION,
            name,
            layers,
        }
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

    /// Says whether `fingerprint` is this pipeline's, under this version of the encoding or an earlier one.
    pub fn has_fingerprint(&self, fingerprint: Digest) -> bool {
        fingerprint == self.fingerprint() || fingerprint == earlier::pipeline_fingerprint(self)
    }

    /// Returns what differs from the pipeline that `before`, the stored parts of a build, was; a line for each layer.
    pub fn changes_since(&self, before: &str) -> Vec<String> {
        let read = serde_json::from_str::<Self>(before).ok();
        let Some(before) = read.or_else(|| earlier::pipeline(before, self)) else {
            return vec!["what it was is not on record".to_owned()];
        };
        let mut changes = Vec::new();
        if let Some(change) = Change::of("name", Some(&before.name), Some(&self.name)) {
            changes.push(change.to_string());
        }
        for (name, settings) in &self.layers {
            match before.layers.get(name) {
                Some(earlier) => {
                    let found = between(earlier, settings);
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

fn between(old: &LayerSettings, new: &LayerSettings) -> Vec<String> {
    match (old, new) {
        (
            LayerSettings::Source { glob, kind },
            LayerSettings::Source {
                glob: new_glob,
                kind: new_kind,
            },
        ) => {
            let changes = [
                Change::of("source", Some(glob), Some(new_glob)),
                Change::of("kind", Some(kind), Some(new_kind)),
            ];
            changes.iter().flatten().map(ToString::to_string).collect()
        }
        (LayerSettings::Transform(old), LayerSettings::Transform(new)) => {
            let mut changes: Vec<String> = reason::between_layers(&old.parts, &new.parts)
                .iter()
                .map(ToString::to_string)
                .collect();
            let joined = |settings: &TransformSettings| settings.inputs.join(", ");
            let own = [
                Change::of("inputs", Some(&joined(old)), Some(&joined(new))),
                Change::of(
                    "batch",
                    Some(&old.batch.written()),
                    Some(&new.batch.written()),
                ),
                Change::of("min_batch", Some(&old.min_batch), Some(&new.min_batch)),
            ];
            changes.extend(own.iter().flatten().map(ToString::to_string));
            changes
        }
        (LayerSettings::Source { .. }, LayerSettings::Transform(_)) => {
            vec!["has a transform now".to_owned()]
        }
        (LayerSettings::Transform(_), LayerSettings::Source { .. }) => {
            vec!["is a source now".to_owned()]
        }
    }
}
