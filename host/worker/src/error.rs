//! Why a chunk did not run. What a unit did wrong is a part of the outcome of its chunk, and no such error.

use synix_core::digest::Digest;
use synix_sandbox::PluginError;
use synix_units::ContentError;

/// A chunk did not run, or a worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The sandbox cannot be set up.
    #[error("cannot start the worker")]
    Sandbox(#[source] PluginError),
    /// An object that the chunk needs cannot be read, or an outcome cannot be written.
    #[error("the contents of a chunk")]
    Content(#[from] ContentError),
    /// The component of a unit cannot be loaded.
    #[error("the component {}", .digest.short())]
    Component {
        /// The digest of the component.
        digest: Digest,
        /// The reason.
        #[source]
        source: PluginError,
    },
    /// The worker is about to end.
    #[error("the worker was stopped")]
    Stopped,
}

impl WorkerError {
    /// Returns whether the chunk may succeed here or elsewhere, so it should be run again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Content(error) => error.is_transient(),
            Self::Sandbox(error) | Self::Component { source: error, .. } => error.is_transient(),
        }
    }
}
