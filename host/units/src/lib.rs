//! Units on other machines: chunks of pure units travel to workers that have no key, no project and no state.
//!
//! A build hands chunks to a [`UnitEngine`] and gets their outcomes back. Its scheduler does not know where units run.
//! This crate owns the documents that travel, and the store of what is too large for them. It runs nothing, and does not
//! know how documents travel.
//!
//! ```
//! use synix_units::{ChunkOutcome, UnitChunk, UnitEnd, UnitReport, WireOutcome};
//! use synix_core::digest::Digest;
//!
//! // A build makes a chunk whose outcome should have about a megabyte and take about 20 seconds.
//! let chunk = UnitChunk::new(1 << 20, 20).encode();
//! // A worker reads it, and reports how each unit ended.
//! assert!(UnitChunk::decode(&chunk)?.is_empty());
//! let report = UnitReport { unit: Digest::of(b"unit"), end: UnitEnd::NotRun };
//! let outcome = ChunkOutcome::encode(Digest::of(&chunk), &[report.encode()], |_, _| Err("it is small"))?;
//! // The build checks that it is the outcome of its chunk.
//! let outcome = ChunkOutcome::decode(&outcome)?;
//! assert_eq!(outcome.chunk, Digest::of(&chunk));
//! assert_eq!(outcome.units, WireOutcome::List(vec![report]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
