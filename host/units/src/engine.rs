//! What a build needs of the machines that run its units.

use std::error::Error;
use std::fmt;
use std::num::NonZero;

use synix_core::digest::Digest;
use tokio_util::sync::CancellationToken;

/// Runs chunks of units on other machines.
///
/// A chunk is pure: it runs at least once, and what its outcome says of a unit is the same in each run. The calls block,
/// and they are made on threads that belong to no async runtime. A call ends with [`EngineError::Cancelled`] soon after
/// its token was cancelled.
pub trait UnitEngine: Send + Sync + fmt::Debug {
    /// Returns the URL of the engine, for messages. It has no credentials.
    fn name(&self) -> &str;

    /// Returns how many chunks may run at the same time.
    fn concurrency(&self) -> NonZero<usize>;

    /// Makes an object available to the workers under its digest. It is no error if they have it.
    fn provide(
        &self,
        digest: Digest,
        bytes: &[u8],
        cancelled: &CancellationToken,
    ) -> Result<(), EngineError>;

    /// Returns an object that a worker has made available, because it is too large for an outcome.
    ///
    /// An object of more than `max_bytes` is an error, and so is one that does not exist.
    fn fetch(
        &self,
        digest: Digest,
        max_bytes: u64,
        cancelled: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError>;

    /// Runs a chunk and returns its outcome.
    ///
    /// A call that is repeated with the same `id` waits for the first one or gets its outcome, so a lost reply costs no
    /// second run.
    fn run(
        &self,
        id: &str,
        chunk: Vec<u8>,
        cancelled: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError>;
}

/// The units of a chunk did not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The build was interrupted.
    #[error("the call was cancelled")]
    Cancelled,
    /// The engine cannot be reached, or has no worker.
    #[error("the engine at {name} does not answer")]
    Unavailable {
        /// The URL of the engine.
        name: String,
        /// The reason.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The engine or a worker refused the chunk, and would refuse it again.
    #[error("the engine at {name} refused a chunk of units")]
    Refused {
        /// The URL of the engine.
        name: String,
        /// The reason.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store of contents failed.
    #[error("the store of contents at {name} failed")]
    Content {
        /// The URL of the store of contents.
        name: String,
        /// Whether a retry may succeed.
        is_transient: bool,
        /// The reason.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl EngineError {
    /// Returns whether the call may succeed later, so the build waits and makes it again.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Content { is_transient, .. } => *is_transient,
            Self::Cancelled | Self::Refused { .. } => false,
        }
    }

    /// Returns the URL of the engine or of the store of contents; `None` if the build was interrupted.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Unavailable { name, .. }
            | Self::Refused { name, .. }
            | Self::Content { name, .. } => Some(name),
            Self::Cancelled => None,
        }
    }
}
