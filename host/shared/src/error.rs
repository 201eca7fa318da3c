//! The errors of shared answers.

use crate::objects::ObjectsError;

/// Shared answers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// An operation of the store failed.
    #[error("shared answers in {name}")]
    Store {
        /// The URL of the store.
        name: String,
        /// The error of the store.
        #[source]
        source: ObjectsError,
    },
    /// The store contradicts itself: it reports objects that it does not have, again and again.
    #[error(
        "shared answers in {name}: the store reports a claim on request {key} and does not have it; check that the store is consistent"
    )]
    Inconsistent {
        /// The URL of the store.
        name: String,
        /// The request.
        key: String,
    },
    /// The answer cannot be represented as canonical JSON.
    #[error("the answer to request {key} cannot be shared")]
    Answer {
        /// The request.
        key: String,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes for the name of a claim: {0}")]
    Random(getrandom::Error),
}

impl SharedError {
    /// Returns whether a retry may succeed.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store { source, .. } => source.is_transient(),
            Self::Inconsistent { .. } => true,
            Self::Answer { .. } | Self::Random(_) => false,
        }
    }
}
