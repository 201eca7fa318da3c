//! Artifacts as the scheduler holds them: without their contents where the store has these.

use std::sync::Arc;

use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::ids::Label;
use crate::store::ArtifactId;

use super::unit::JobInput;

/// An artifact of this build.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) layer: usize,
    pub(super) label: Label,
    pub(super) digest: Digest,
    /// Whether something is missing below it.
    pub(super) partial: bool,
    pub(super) place: Place,
}

/// Where the content is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Stored(ArtifactId),
    /// Made in a dry run, which writes nothing.
    Held(Arc<Artifact>),
}

impl Handle {
    pub(super) fn job_input(&self) -> JobInput {
        match &self.place {
            Place::Stored(id) => JobInput::Stored(*id, self.digest),
            Place::Held(artifact) => JobInput::Held(Arc::clone(artifact), self.digest),
        }
    }

    pub(super) const fn stored(&self) -> Option<ArtifactId> {
        match self.place {
            Place::Stored(id) => Some(id),
            Place::Held(_) => None,
        }
    }
}
