//! The outcome of a chunk.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::artifact::WireArtifact;
use super::error::DocumentError;
use super::payload::ObjectRef;
use super::request::WireRequest;
use super::{MAX_INLINE_OUTCOME_BYTES, MAX_MESSAGE_BYTES, SCHEMA, check_schema, decode};
use synix_core::digest::Digest;

const OUTCOME: &str = "the outcome of a chunk";

/// The outcome of a chunk, as an engine returns it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkOutcome {
    schema: u32,
    /// The digest of the chunk.
    pub chunk: Digest,
    /// The outcomes of its units.
    pub units: WireOutcome,
}

/// The outcomes of the units of a chunk, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WireOutcome {
    /// The outcomes themselves.
    List(Vec<UnitReport>),
    /// An object with the list, as JSON.
    Object(ObjectRef),
}

/// The outcome of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitReport {
    /// The digest of the unit in the chunk.
    pub unit: Digest,
    /// How it ended.
    pub end: UnitEnd,
}

/// How the run of a unit ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UnitEnd {
    /// It has its outputs.
    Done {
        /// The outputs.
        outputs: Vec<WireArtifact>,
        /// What the plugin logged.
        log: Vec<WireLine>,
    },
    /// It waits for the answers to a further round.
    Round {
        /// The requests.
        requests: Vec<WireRequest>,
    },
    /// It failed.
    Failed {
        /// Why.
        message: String,
        /// Whether a retry may succeed.
        transient: bool,
    },
    /// The plugin is not deterministic: this round, counted from 0, differs from the one that the chunk has.
    Diverged {
        /// The number of the round.
        round: usize,
    },
    /// It was not started, because the outcome is large enough or took long enough.
    NotRun,
}

/// A line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireLine {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text.
    pub message: String,
}

/// The same members as those of [`ChunkOutcome`], with a list that is encoded already.
#[derive(Serialize)]
struct EncodedOutcome<'o> {
    schema: u32,
    chunk: Digest,
    units: EncodedUnits<'o>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum EncodedUnits<'o> {
    List(&'o [Box<RawValue>]),
    Object(ObjectRef),
}

impl UnitReport {
    /// Returns the report as a part of an outcome.
    pub fn encode(&self) -> Box<RawValue> {
        // It has no map with other keys than texts, and no number that is not finite.
        serde_json::value::to_raw_value(self).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }
}

impl ChunkOutcome {
    /// Returns the document of encoded reports about a chunk. If it is too large for a message, `store` keeps the list.
    pub fn encode<E>(
        chunk: Digest,
        reports: &[Box<RawValue>],
        store: impl FnOnce(ObjectRef, Vec<u8>) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let bytes: usize = reports.iter().map(|report| report.get().len()).sum();
        let units = if bytes <= MAX_INLINE_OUTCOME_BYTES {
            EncodedUnits::List(reports)
        } else {
            let list = serde_json::to_vec(reports).unwrap_or_default();
            let object = ObjectRef::to(&list);
            store(object, list)?;
            EncodedUnits::Object(object)
        };
        let outcome = EncodedOutcome {
            schema: SCHEMA,
            chunk,
            units,
        };
        Ok(serde_json::to_vec(&outcome).unwrap_or_default())
    }

    /// Reads a document.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let outcome: Self = decode(OUTCOME, bytes, MAX_MESSAGE_BYTES)?;
        check_schema(OUTCOME, outcome.schema)?;
        Ok(outcome)
    }

    /// Reads a list that is an object.
    pub fn decode_list(bytes: &[u8]) -> Result<Vec<UnitReport>, DocumentError> {
        decode(OUTCOME, bytes, usize::MAX)
    }
}
