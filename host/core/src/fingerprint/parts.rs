//! What a fingerprint covers, as types, and its one encoding.
//!
//! Nothing here is text for people: a new wording elsewhere must not make a unit stale, and two different settings must
//! not have one encoding. A change of what is encoded is a new scheme, and [`super::earlier`] learns to read the old one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::earlier;
use crate::digest::{Digest, Encoder};

/// The scheme of a unit's fingerprint.
const SCHEME: &str = "synix.unit.v2";

/// The version of stored parts that go with [`SCHEME`].
pub(super) const VERSION: u32 = 2;

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

/// The settings behind a model role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelParts {
    /// How its provider is spoken to, as the pipeline file names it.
    pub api: String,
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The longest answer in tokens.
    pub max_tokens: Option<u32>,
    /// 0 to 2.
    pub temperature: Option<f64>,
}

/// What a layer says of its requests and answers beside the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskingParts {
    /// Enters the request keys.
    pub revision: String,
    /// Whether an answer cut at its token limit will do.
    pub accept_truncated: bool,
    /// Members of `options` that its plugin may set beside those of sampling, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options_allowed: Vec<String>,
}

/// The limits that decide what a run of a unit comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitParts {
    /// Instructions.
    pub fuel: u64,
    /// Bytes in all memories and tables.
    pub memory_bytes: u64,
    /// Bytes of the stack.
    pub stack_bytes: u64,
    /// Bytes handed to the host.
    pub hostcall_bytes: u64,
    /// Bytes in all outputs.
    pub output_bytes: u64,
    /// Requests.
    pub requests: u64,
    /// Tokens of the answers.
    pub tokens: Option<u64>,
}

/// What all units of a layer share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The layer's model role, where its plugin may ask a model.
    pub model: Option<ModelParts>,
    /// `revision` and `accept`; the default where its plugin asks no model.
    pub asking: AskingParts,
    /// The limits.
    pub limits: LimitParts,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredParts {
    /// Under which version of the encoding the unit was made.
    pub version: u32,
    /// What it shares with the layer's other units.
    pub layer: LayerParts,
    /// What is its own.
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
        // -0 is 0.
        optional(
            encoder,
            self.temperature.map(|degree| (degree + 0.0).to_bits()),
        )
    }
}

impl AskingParts {
    fn encode(&self, encoder: Encoder) -> Encoder {
        let encoder = encoder.text(&self.revision);
        let encoder = if self.accept_truncated {
            encoder.list(1).text("truncated")
        } else {
            encoder.list(0)
        };
        // Later than the others: without it everything is as it was.
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
    /// Starts the encoding that each unit's fingerprint goes on from.
    pub fn encode(&self) -> Encoder {
        let encoder = Encoder::new(SCHEME).text(&self.contract).text(&self.layer);
        self.encode_settings(encoder)
    }

    /// Adds all but the layer's name and the host's contract.
    pub(super) fn encode_settings(&self, encoder: Encoder) -> Encoder {
        let mut encoder = encoder
            .digest(self.component)
            .text(&self.config)
            .list(self.files.len());
        for (place, file) in &self.files {
            encoder = encoder.text(place).digest(file.digest);
        }
        encoder = match &self.model {
            Some(model) => model.encode(encoder),
            None => encoder.absent(),
        };
        self.limits.encode(self.asking.encode(encoder))
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

impl StoredParts {
    /// Puts the parts of a unit together as they are kept now.
    pub const fn new(layer: LayerParts, unit: UnitParts) -> Self {
        Self {
            version: VERSION,
            layer,
            unit,
        }
    }

    /// Reads stored parts of this version of synix or an earlier one; `None` where they are of no version it knows.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text)
            .ok()
            .filter(|parts| parts.version == VERSION)
            .or_else(|| earlier::unit(text))
    }
}
