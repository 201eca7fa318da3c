//! The documents that travel: chunks of units, and their outcomes. `docs/scale.md` describes them.
//!
//! Both are JSON. Whatever a plugin or a user wrote as JSON travels as a text inside it, because the depth of nesting is
//! limited and a number must keep its digits.

mod answer;
mod artifact;
mod chunk;
mod error;
mod outcome;
mod payload;
mod request;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use answer::{AnsweredRound, RoundResponse, Rounds, WireAnswer, WireUsage};
pub use artifact::{Inputs, WireArtifact, WireContent, WireInput};
pub use chunk::{TransformSettings, UnitChunk, UnitJob, WireGrants, WireLimits};
pub use error::DocumentError;
pub use outcome::{ChunkOutcome, UnitEnd, UnitReport, WireLine, WireOutcome};
pub use payload::{ObjectRef, TextPayload};
pub use request::{WireMessage, WirePart, WireRequest, round_digest};

/// The version of the documents.
pub const SCHEMA: u32 = 1;

/// The version of synix. A build and its workers must have the same one: another one can compile components otherwise,
/// or count instructions otherwise.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The maximum size of a document that travels in a message.
pub const MAX_MESSAGE_BYTES: usize = 32 << 20;

/// The maximum size of an outcome in a message. A larger one is an object.
pub const MAX_INLINE_OUTCOME_BYTES: usize = 16 << 20;

/// The maximum size of a text or content in a document. A larger one is an object.
pub const MAX_INLINE_BYTES: usize = 16 << 10;

/// The part of a document that says which version of it this is.
#[derive(Serialize, Deserialize)]
struct Header {
    schema: u32,
}

/// Reads a document of at most `max_bytes`.
fn decode<'d, T: Deserialize<'d>>(
    what: &'static str,
    bytes: &'d [u8],
    max_bytes: usize,
) -> Result<T, DocumentError> {
    if bytes.len() > max_bytes {
        return Err(DocumentError::TooLarge {
            what,
            bytes: bytes.len(),
            limit: max_bytes,
        });
    }
    serde_json::from_slice(bytes).map_err(|source| match serde_json::from_slice(bytes) {
        Ok(Header { schema }) if schema != SCHEMA => DocumentError::Schema { what, schema },
        _ => DocumentError::Syntax { what, source },
    })
}

/// Refuses a document with another version whose members are those of this version.
const fn check_schema(what: &'static str, schema: u32) -> Result<(), DocumentError> {
    if schema == SCHEMA {
        Ok(())
    } else {
        Err(DocumentError::Schema { what, schema })
    }
}
