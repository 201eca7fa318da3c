//! The objects in the store as canonical JSON.

mod answer;
mod claim;

use std::fmt;

pub(crate) use answer::MAX_ANSWER_BYTES;
pub use answer::SharedAnswer;
pub(crate) use claim::{ClaimDocument, MAX_CLAIM_BYTES, heartbeat_bytes, random_text};
pub use claim::{ClaimIntent, ClaimMode, SharedClaim};

/// The version of all documents.
const SCHEMA: u32 = 1;

/// An object does not have the content that its path promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid(String);

impl Invalid {
    pub(crate) fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
