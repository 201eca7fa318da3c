//! Why a chunk did not run. What a unit did wrong is a part of the outcome of its chunk, and no such error.

use std::io;

use synix_core::digest::Digest;
use synix_sandbox::PluginError;
use synix_units::{ContentError, DocumentError, ObjectRef};

use crate::maxima::MaximumExceeded;

/// A chunk did not run, or a worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The sandbox cannot be set up.
    #[error("cannot start the worker")]
    Sandbox(#[source] PluginError),
    /// The chunk is malformed, or was made by another version of synix.
    #[error("cannot read the chunk")]
    Chunk(#[from] DocumentError),
    /// The chunk asks for more than this worker allows.
    #[error(transparent)]
    Maximum(#[from] MaximumExceeded),
    /// An object that the chunk needs cannot be read, or the outcome cannot be written.
    #[error("cannot use the contents of the chunk")]
    Content(#[from] ContentError),
    /// An object does not have the size that the chunk says, or is too large for any worker.
    #[error("the object {} does not have the {} bytes that the chunk says, or is too large", .0.digest.short(), .0.size)]
    ObjectSize(ObjectRef),
    /// The component of a unit cannot be loaded.
    #[error("cannot load the component {}", .digest.short())]
    Component {
        /// The digest of the component.
        digest: Digest,
        /// The reason.
        #[source]
        source: PluginError,
    },
    /// The sandbox runs as many units as it can.
    #[error("the worker runs as many units as it can")]
    Busy(#[source] PluginError),
    /// The machine has no thread for the chunk.
    #[error("the machine has no thread for the chunk")]
    Thread(#[source] io::Error),
    /// The worker is about to end.
    #[error("the worker was stopped")]
    Stopped,
}

impl WorkerError {
    /// Returns whether the chunk may succeed here or elsewhere, so it should be run again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stopped | Self::Busy(_) | Self::Thread(_) => true,
            Self::Chunk(_) | Self::Maximum(_) | Self::ObjectSize(_) => false,
            Self::Content(error) => error.is_transient(),
            Self::Sandbox(error) | Self::Component { source: error, .. } => error.is_transient(),
        }
    }
}
