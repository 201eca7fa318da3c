//! Why batches cannot be driven.

use std::path::PathBuf;

use super::machine::UnexpectedEvent;
use synix_disk::DiskError;
use synix_providers::ProviderError;
use synix_store::StoreError;

/// Why batches cannot be driven. What happens to one batch or row is no such error.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file on its way to or from a provider could not be written or read.
    #[error("cannot use the batch file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The provider does not let us see a batch of ours; asking again would not help.
    #[error("cannot look at batch {batch}, which goes on: {error}; resume when the key is right")]
    Refused {
        /// The batch.
        batch: String,
        /// What the provider said.
        error: ProviderError,
    },
    /// The rows of a batch cannot be had; they stay at the provider.
    #[error(
        "cannot download the rows of batch {batch}, which stay at the provider: {error}; `synix batch-build resume` tries again"
    )]
    Rows {
        /// The batch.
        batch: String,
        /// What stands in the way.
        error: ProviderError,
    },
    /// Nothing tells whether the batch exists whose create reply was lost; only a person can.
    #[error(
        "the reply to a batch of {requests} requests was lost, and nothing tells whether it exists: {error}; resume later, with --adopt ID if it does, or with --create-again if it does not"
    )]
    CreateOutcomeUnknown {
        /// How many requests it carries.
        requests: u64,
        /// What is wrong with the list.
        error: ProviderError,
    },
    /// Several batches may be the one whose create reply was lost; only a person can tell.
    #[error("the reply to a batch of {requests} requests at {provider} was lost, and {} may be it: {}", .candidates.len(), .candidates.join(", "))]
    Ambiguous {
        /// The provider.
        provider: String,
        /// How many requests it carries.
        requests: u64,
        /// The ids at the provider.
        candidates: Vec<String>,
    },
    /// No randomness for a token.
    #[error("the system gives no random numbers for a submission's token")]
    NoToken,
    /// Something happened to a submission that cannot happen where it stands.
    #[error(transparent)]
    UnexpectedEvent(#[from] UnexpectedEvent),
}
