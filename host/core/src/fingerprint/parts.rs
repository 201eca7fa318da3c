//! The parts that a fingerprint covers, and their encoding.
//!
//! No part is text for people: a new wording must not make a unit stale, and two different settings must not have the
//! same encoding. A change to the encoding needs a new scheme, and a module like [`super::version1`] for the old one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::version1;
use crate::digest::{Digest, Encoder};

/// The scheme of a unit's fingerprint.
const SCHEME: &str = "synix.unit.v2";

/// The version of the stored parts that belong to [`SCHEME`].
pub(super) const VERSION: u32 = 2;

/// An input of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPart {
    /// `layer/label`, for messages; not in the fingerprint.
    pub name: String,
    /// The artifact's digest.
    pub digest: Digest,
}

/// A file that a config names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// The path, for messages; not in the fingerprint.
    pub path: String,
    /// The digest of the file's bytes.
    pub digest: Digest,
}

/// The settings of a model role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelParts {
    /// The wire format, by its name in the pipeline file.
    pub api: String,
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The maximum length of an answer in tokens.
    pub max_tokens: Option<u32>,
    /// The sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// The number of dimensions of embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// The maximum length of a text for an embedding in tokens, if it is configured and the layer requests embeddings:
    /// a longer text is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
}

/// The settings of a layer that affect its requests and answers, apart from the model role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestParts {
    /// The `revision`, which is part of every request key.
    pub revision: String,
    /// Whether the layer accepts answers that reached their token limit.
    pub accept_truncated: bool,
    /// The members of `options` that the plugin may set in addition to sampling options, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options_allowed: Vec<String>,
}

/// The limits that can change the outcome of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitParts {
    /// The number of instructions.
    pub fuel: u64,
    /// The size of all memories and tables in bytes.
    pub memory_bytes: u64,
    /// The size of the stack in bytes.
    pub stack_bytes: u64,
    /// The number of bytes passed to the host.
    pub hostcall_bytes: u64,
    /// The size of all outputs in bytes.
    pub output_bytes: u64,
    /// The number of requests.
    pub requests: u64,
    /// The number of tokens in all answers.
    pub tokens: Option<u64>,
}

/// The parts that all units of a layer share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerParts {
    /// The host's contract version.
    pub contract: String,
    /// The layer's name.
    pub layer: String,
    /// The digest of the component.
    pub component: Digest,
    /// The config without the values of files, as canonical JSON.
    pub config: String,
    /// The files that the config names, by JSON pointer.
    pub files: BTreeMap<String, FilePart>,
    /// The layer's model role, if the plugin declares `llm`.
    pub model: Option<ModelParts>,
    /// `revision`, `accept` and `options_allowed`; the default if the plugin does not declare `llm`.
    #[serde(rename = "asking")]
    pub requests: RequestParts,
    /// The limits.
    pub limits: LimitParts,
}

/// The parts of a single unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitParts {
    /// The unit's key.
    pub key: String,
    /// The unit's additions to the config, as canonical JSON.
    pub config: Option<String>,
    /// The inputs in order.
    pub inputs: Vec<InputPart>,
    /// Whether an input was missing.
    pub partial: bool,
}

/// All parts of a unit's fingerprint, as the state stores them to report later what changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredParts {
    /// The version of the encoding.
    pub version: u32,
    /// The parts that all units of the layer share.
    pub layer: LayerParts,
    /// The parts of the unit itself.
    pub unit: UnitParts,
}

fn optional(encoder: Encoder, number: Option<u64>) -> Encoder {
    match number {
        Some(number) => encoder.number(number),
        None => encoder.absent(),
    }
}

impl ModelParts {
    fn encode(&self, encoder: Encoder) -> Encoder {
        let encoder = encoder
            .text(&self.api)
            .text(&self.provider)
            .text(&self.model);
        let encoder = optional(encoder, self.max_tokens.map(u64::from));
        // Adding 0 turns -0 into 0, which is the same setting.
        let encoder = optional(
            encoder,
            self.temperature
                .map(|temperature| (temperature + 0.0).to_bits()),
        );
        // Added later than the other parts: without a value old fingerprints stay the same.
        let later = [
            ("dimensions", self.dimensions.map(u64::from)),
            ("context_window", self.context_window),
        ];
        later
            .into_iter()
            .fold(encoder, |encoder, (name, value)| match value {
                Some(value) => encoder.text(name).number(value),
                None => encoder,
            })
    }
}

impl RequestParts {
    fn encode(&self, encoder: Encoder) -> Encoder {
        let encoder = encoder.text(&self.revision);
        let encoder = if self.accept_truncated {
            encoder.list(1).text("truncated")
        } else {
            encoder.list(0)
        };
        // Added later than the other parts: an empty list leaves old fingerprints unchanged.
        if self.options_allowed.is_empty() {
            return encoder;
        }
        let encoder = encoder
            .text("options_allowed")
            .list(self.options_allowed.len());
        self.options_allowed
            .iter()
            .fold(encoder, |encoder, name| encoder.text(name))
    }
}

impl LimitParts {
    fn encode(&self, encoder: Encoder) -> Encoder {
        let Self {
            fuel,
            memory_bytes,
            stack_bytes,
            hostcall_bytes,
            output_bytes,
            requests,
            tokens,
        } = self;
        let numbers = [
            fuel,
            memory_bytes,
            stack_bytes,
            hostcall_bytes,
            output_bytes,
            requests,
        ];
        let encoder = numbers
            .into_iter()
            .fold(encoder, |encoder, number| encoder.number(*number));
        optional(encoder, *tokens)
    }
}

impl LayerParts {
    /// Starts an encoding with the parts of the layer; [`UnitParts::fingerprint`] continues it.
    pub fn encode(&self) -> Encoder {
        let encoder = Encoder::new(SCHEME).text(&self.contract).text(&self.layer);
        self.encode_settings(encoder)
    }

    /// Encodes everything except the contract version and the layer's name.
    pub(super) fn encode_settings(&self, encoder: Encoder) -> Encoder {
        let mut encoder = encoder
            .digest(self.component)
            .text(&self.config)
            .list(self.files.len());
        for (pointer, file) in &self.files {
            encoder = encoder.text(pointer).digest(file.digest);
        }
        encoder = match &self.model {
            Some(model) => model.encode(encoder),
            None => encoder.absent(),
        };
        self.limits.encode(self.requests.encode(encoder))
    }
}

impl UnitParts {
    /// Returns the unit's fingerprint; `layer` is the result of [`LayerParts::encode`].
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

impl StoredParts {
    /// Combines the parts of a unit under the current version.
    pub const fn new(layer: LayerParts, unit: UnitParts) -> Self {
        Self {
            version: VERSION,
            layer,
            unit,
        }
    }

    /// Reads stored parts of this or an earlier version; returns `None` if the version is unknown.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text)
            .ok()
            .filter(|parts| parts.version == VERSION)
            .or_else(|| version1::read_unit(text))
    }
}
