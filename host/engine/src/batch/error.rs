//! Why batches cannot be driven.

use std::path::PathBuf;

use super::machine::UnexpectedEvent;
use synix_disk::DiskError;
use synix_providers::ProviderError;
use synix_store::StoreError;

/// Why batches cannot be driven. The failure of a single batch or row is not such an error.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch file could not be written or read.
    #[error("cannot use the batch file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file system reported an error.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The provider denies access to one of our batches; a retry would not help.
    #[error(
        "cannot poll batch {batch}, which continues at the provider: {error}; correct the key, then run `synix batch-build resume`"
    )]
    Refused {
        /// The batch.
        batch: String,
        /// The provider's error.
        error: ProviderError,
    },
    /// The rows of a batch cannot be downloaded; they stay at the provider.
    #[error(
        "cannot download the rows of batch {batch}, which stay at the provider: {error}; run `synix batch-build resume` to try again"
    )]
    Rows {
        /// The batch.
        batch: String,
        /// The provider's error.
        error: ProviderError,
    },
    /// It is unknown whether a batch whose create reply was lost exists; the user must decide.
    #[error(
        "the reply to the creation of a batch of {requests} requests was lost, and it is unknown whether the batch exists: {error}; resume later, with --adopt ID if it does, or with --create-again if it does not"
    )]
    CreateOutcomeUnknown {
        /// The number of its requests.
        requests: u64,
        /// Why the list cannot be read.
        error: ProviderError,
    },
    /// Several batches may be the one whose create reply was lost; the user must decide.
    #[error("the reply to the creation of a batch of {requests} requests at {provider} was lost, and any of {} batches may be it: {}", .candidates.len(), .candidates.join(", "))]
    Ambiguous {
        /// The provider.
        provider: String,
        /// The number of its requests.
        requests: u64,
        /// The ids at the provider.
        candidates: Vec<String>,
    },
    /// The system returned no random numbers for a token.
    #[error("the system returned no random numbers for a submission's token")]
    NoToken,
    /// An event is impossible in the state of its submission.
    #[error(transparent)]
    UnexpectedEvent(#[from] UnexpectedEvent),
}
