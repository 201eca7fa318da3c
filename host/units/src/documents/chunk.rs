//! A chunk: units of some transforms, and how much of them a worker should run.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::Rounds;
use super::artifact::Inputs;
use super::error::DocumentError;
use super::payload::{ObjectRef, TextPayload};
use super::{MAX_MESSAGE_BYTES, SCHEMA, VERSION, check_schema, decode};
use synix_core::digest::Digest;
use synix_core::ids::UnitKey;

const CHUNK: &str = "a chunk of units";

/// A chunk of units.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitChunk {
    schema: u32,
    version: String,
    /// After an outcome of so many bytes, the worker starts no further unit.
    pub outcome_bytes: u64,
    /// After so many seconds, the worker starts no further unit.
    pub seconds: u64,
    /// The transforms of the units.
    pub transforms: Vec<TransformSettings>,
    /// The units, each a [`UnitJob`].
    units: Vec<Box<RawValue>>,
}

/// A transform with the settings of its layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformSettings {
    /// The name of the plugin, for messages.
    pub name: String,
    /// The component.
    pub component: ObjectRef,
    /// The config of the layer: the text of a JSON object.
    pub config: TextPayload,
    /// The limits of each unit.
    pub limits: WireLimits,
    /// What the plugin may use.
    pub grants: WireGrants,
}

/// The limits of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireLimits {
    /// The number of instructions.
    pub fuel: u64,
    /// The bytes of memory.
    pub memory_bytes: u64,
    /// The milliseconds of wall time.
    pub wall_ms: u64,
    /// The bytes that the guest passes to the host.
    pub hostcall_bytes: u64,
    /// The bytes of all outputs.
    pub output_bytes: u64,
    /// The number of requests.
    pub requests: u32,
    /// The tokens of all answers.
    pub tokens: Option<u64>,
}

/// The capabilities that the layer grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireGrants {
    /// To send requests to models.
    pub llm: bool,
    /// To request embeddings.
    pub embed: bool,
}

/// A unit to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitJob {
    /// The position of its transform in the chunk.
    pub transform: usize,
    /// Its key.
    pub key: UnitKey,
    /// The positions of its inputs in the list of the layer's inputs.
    pub positions: Vec<u32>,
    /// Its additions to the config of the layer: the text of a JSON object.
    pub config: Option<String>,
    /// Its inputs.
    pub inputs: Inputs,
    /// Its rounds that are answered, in order.
    pub rounds: Vec<Rounds>,
}

impl UnitJob {
    /// Returns the unit as a part of a chunk.
    pub fn encode(&self) -> Box<RawValue> {
        // It has no map with other keys than texts.
        serde_json::value::to_raw_value(self).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }
}

impl UnitChunk {
    /// Makes a chunk without units; see the members.
    pub const fn new(outcome_bytes: u64, seconds: u64) -> Self {
        Self {
            schema: SCHEMA,
            version: String::new(),
            outcome_bytes,
            seconds,
            transforms: Vec::new(),
            units: Vec::new(),
        }
    }

    /// Adds an encoded unit.
    pub fn push(&mut self, unit: Box<RawValue>) {
        self.units.push(unit);
    }

    /// Returns the number of units.
    pub const fn len(&self) -> usize {
        self.units.len()
    }

    /// Returns whether there is no unit.
    pub const fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Returns the digests of the units, by which the outcome names them.
    pub fn unit_digests(&self) -> impl Iterator<Item = Digest> {
        self.units
            .iter()
            .map(|unit| Digest::of(unit.get().as_bytes()))
    }

    /// Returns a unit.
    pub fn unit(&self, position: usize) -> Result<UnitJob, DocumentError> {
        let Some(unit) = self.units.get(position) else {
            return Err(DocumentError::Position {
                what: "the unit",
                position,
            });
        };
        serde_json::from_str(unit.get()).map_err(|source| DocumentError::Syntax {
            what: "a unit",
            source,
        })
    }

    /// Returns the document.
    pub fn encode(mut self) -> Vec<u8> {
        VERSION.clone_into(&mut self.version);
        // It has no map with other keys than texts.
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// Reads a document. Its units are read one by one, when they are needed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let chunk: Self = decode(CHUNK, bytes, MAX_MESSAGE_BYTES)?;
        check_schema(CHUNK, chunk.schema)?;
        if chunk.version != VERSION {
            return Err(DocumentError::Version {
                build: chunk.version,
            });
        }
        Ok(chunk)
    }
}
