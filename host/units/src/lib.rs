//! Units on other machines: chunks of pure units travel to workers that have no key, no project and no state.
//!
//! A build hands chunks to a [`UnitEngine`] and gets their outcomes back. Its scheduler does not know where units run.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod contents;
mod documents;
mod engine;

pub use contents::{ContentError, Contents};
pub use documents::{
    AnsweredRound, ChunkOutcome, DocumentError, Inputs, MAX_INLINE_BYTES, MAX_INLINE_OUTCOME_BYTES,
    MAX_MESSAGE_BYTES, ObjectRef, RoundResponse, Rounds, SCHEMA, TextPayload, TransformSettings,
    UnitChunk, UnitEnd, UnitJob, UnitReport, VERSION, WireAnswer, WireArtifact, WireContent,
    WireGrants, WireInput, WireLimits, WireLine, WireMessage, WireOutcome, WirePart, WireRequest,
    WireUsage, round_digest,
};
pub use engine::{EngineError, UnitEngine};
