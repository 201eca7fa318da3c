//! Fingerprints: what decides whether a component runs at all.
//!
//! | part | in | because |
//! | --- | --- | --- |
//! | contract version of the host | yes | it says what a component is told |
//! | layer name, unit key | yes | a unit's outputs stand under them |
//! | component digest | yes | other code may ask or make something else |
//! | layer config, canonical JSON, file values left out | yes | |
//! | bytes of each file the config names | yes | a prompt is part of the question |
//! | unit's additions to the config | yes | |
//! | digest of each input, in order | yes | covers label, kind, content, metadata |
//! | settings of the layer's model role: wire, provider, model, `max_tokens`, `temperature` | yes, if the plugin declares `llm` | |
//! | `revision`, `accept` | yes, likewise | they change what is asked or kept |
//! | limits: fuel, memory, stack, output, requests, tokens | yes | a breach is an outcome |
//! | whether an input was missing (`--allow-partial`) | yes | so that a partial artifact never passes for a whole one |
//! | settings of other model roles a unit named | kept beside it | known only after it ran; compared when it is looked up |
//! | time, machine, absolute paths, map order, credentials, URLs | no | the same work elsewhere is the same work |
//! | name of the layer's model role, `batch`, `min_batch` | no | they do not change a request |
//! | wall-clock limit | no | a breach of it is never stored |

mod reason;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Encoder};

pub use reason::{StaleReason, compare};

/// An input of a unit, for its fingerprint and for telling what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPart {
    /// `layer/label`, for people; not in the fingerprint.
    pub name: String,
    /// The artifact's digest.
    pub digest: Digest,
}

/// A file that the config names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// Its path, for people; not in the fingerprint.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// What all units of a layer share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerParts {
    /// The host's contract version.
    pub contract: String,
    /// The layer's name.
    pub layer: String,
    /// The component.
    pub component: Digest,
    /// The config without its file values, as canonical JSON.
    pub config: String,
    /// The files that the config names, by their place in it.
    pub files: BTreeMap<String, FilePart>,
    /// The layer's model role in words, or none.
    pub model: Option<String>,
    /// `revision` and `accept` in words.
    pub asking: String,
    /// The limits in words.
    pub limits: String,
}

/// What a unit's fingerprint covers beside its layer's parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitParts {
    /// The unit's key.
    pub key: String,
    /// Its additions to the config, as canonical JSON.
    pub config: Option<String>,
    /// Its inputs in order.
    pub inputs: Vec<InputPart>,
    /// Whether an input was missing.
    pub partial: bool,
}

/// All that a unit's fingerprint covers, as it is kept to tell later what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredParts {
    /// What it shares with the layer's other units.
    pub layer: LayerParts,
    /// What is its own.
    pub unit: UnitParts,
}

impl LayerParts {
    /// Starts the encoding that each unit's fingerprint goes on from.
    pub fn encode(&self) -> Encoder {
        let mut encoder = Encoder::new("synix.unit.v1")
            .text(&self.contract)
            .text(&self.layer)
            .digest(self.component)
            .text(&self.config)
            .list(self.files.len());
        for (place, file) in &self.files {
            encoder = encoder.text(place).digest(file.digest);
        }
        encoder = match &self.model {
            Some(model) => encoder.text(model),
            None => encoder.absent(),
        };
        encoder.text(&self.asking).text(&self.limits)
    }
}

impl UnitParts {
    /// Returns the unit's fingerprint; `layer` is [`LayerParts::encode`] of its layer.
    pub fn fingerprint(&self, layer: &Encoder) -> Digest {
        let mut encoder = layer.clone().text(&self.key);
        encoder = match &self.config {
            Some(config) => encoder.text(config),
            None => encoder.absent(),
        };
        encoder = encoder.number(self.partial.into()).list(self.inputs.len());
        for input in &self.inputs {
            encoder = encoder.digest(input.digest);
        }
        encoder.finish()
    }
}

/// Returns the fingerprint of a file of a source; `path` is relative to the project.
pub fn source_fingerprint(
    layer: &str,
    kind: &str,
    path: &str,
    label: &str,
    bytes: Digest,
) -> Digest {
    Encoder::new("synix.source.v1")
        .text(layer)
        .text(kind)
        .text(path)
        .text(label)
        .digest(bytes)
        .finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts() -> StoredParts {
        let file = FilePart {
            path: "prompts/a.md".to_owned(),
            digest: Digest::of(b"prompt"),
        };
        StoredParts {
            layer: LayerParts {
                contract: "synix:plugin@0.1.0".to_owned(),
                layer: "work-styles".to_owned(),
                component: Digest::of(b"component"),
                config: "{}".to_owned(),
                files: BTreeMap::from([("/prompt_file".to_owned(), file)]),
                model: Some("openai gpt-4o-mini".to_owned()),
                asking: String::new(),
                limits: "fuel 1".to_owned(),
            },
            unit: UnitParts {
                key: "alice".to_owned(),
                config: None,
                inputs: vec![InputPart {
                    name: "bios/alice".to_owned(),
                    digest: Digest::of(b"alice"),
                }],
                partial: false,
            },
        }
    }

    fn fingerprint(parts: &StoredParts) -> Digest {
        parts.unit.fingerprint(&parts.layer.encode())
    }

    /// I1: each listed part changes the fingerprint.
    #[test]
    fn every_part_is_in_the_fingerprint() {
        type Change = fn(&mut StoredParts);
        let changes: [Change; 12] = [
            |parts| parts.layer.contract.push('1'),
            |parts| parts.layer.layer.push('x'),
            |parts| parts.layer.component = Digest::of(b"other"),
            |parts| parts.layer.config.push(' '),
            |parts| {
                parts
                    .layer
                    .files
                    .values_mut()
                    .for_each(|file| file.digest = Digest::of(b"other"));
            },
            |parts| parts.layer.model = None,
            |parts| parts.layer.asking.push('2'),
            |parts| parts.layer.limits.push('0'),
            |parts| parts.unit.key.push('x'),
            |parts| parts.unit.config = Some("{}".to_owned()),
            |parts| parts.unit.inputs[0].digest = Digest::of(b"other"),
            |parts| parts.unit.partial = true,
        ];
        let base = fingerprint(&parts());
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = parts();
            change(&mut changed);
            assert_ne!(fingerprint(&changed), base, "change {number}");
        }
    }

    /// I2: a path is shown, never hashed.
    #[test]
    fn paths_and_names_for_people_are_not_in_the_fingerprint() {
        let mut moved = parts();
        moved.unit.inputs[0].name = "elsewhere/alice".to_owned();
        moved
            .layer
            .files
            .values_mut()
            .for_each(|file| file.path = "/other/place.md".to_owned());
        assert_eq!(fingerprint(&moved), fingerprint(&parts()));
    }

    proptest! {
        #[test]
        fn the_order_of_inputs_matters(mut digests in proptest::collection::vec(any::<[u8; 32]>(), 2..5)) {
            let with = |digests: &[[u8; 32]]| {
                let input = |bytes: &[u8; 32]| InputPart { name: String::new(), digest: Digest::from_bytes(*bytes) };
                let mut parts = parts();
                parts.unit.inputs = digests.iter().map(input).collect();
                fingerprint(&parts)
            };
            let before = with(&digests);
            let original = digests.clone();
            digests.reverse();
            prop_assert_eq!(with(&digests) == before, digests == original);
        }
    }
}
