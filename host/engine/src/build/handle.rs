//! Artifacts as the scheduler holds them: without their contents where the store has these.

use std::sync::Arc;

use synix_core::artifact::{Artifact, Metadata};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label, LayerName};
use synix_sources::{ProjectFolder, SourceError, SourceFile};
use synix_store::ArtifactId;

use super::BuildError;
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
    /// In the file of a source, in a dry run: read again where it is needed.
    File(Arc<FileArtifact>),
    /// Made in a dry run, which writes nothing.
    Held(Arc<Artifact>),
}

impl Handle {
    pub(super) fn job_input(&self) -> JobInput {
        match &self.place {
            Place::Stored(id) => JobInput::Stored(*id, self.digest),
            Place::File(file) => JobInput::File(Arc::clone(file), self.digest),
            Place::Held(artifact) => JobInput::Held(Arc::clone(artifact), self.digest),
        }
    }

    pub(super) const fn stored(&self) -> Option<ArtifactId> {
        match self.place {
            Place::Stored(id) => Some(id),
            Place::File(_) | Place::Held(_) => None,
        }
    }
}

/// The artifact of a source's file without its content.
#[derive(Debug)]
pub(super) struct FileArtifact {
    pub(super) folder: ProjectFolder,
    pub(super) layer: LayerName,
    pub(super) file: SourceFile,
    pub(super) kind: Kind,
    pub(super) metadata: Metadata,
}

impl FileArtifact {
    /// Reads the file again; it must be what it was.
    pub(super) fn read(&self, digest: Digest) -> Result<Artifact, BuildError> {
        let failed = |source| BuildError::Source {
            layer: self.layer.to_string(),
            source: Box::new(source),
        };
        let bytes = self.folder.read_source(&self.file).map_err(failed)?;
        let artifact = self.folder.artifact(&self.file, &self.kind, &bytes);
        let artifact = artifact.map_err(failed)?;
        if artifact.digest().is_ok_and(|now| now == digest) {
            return Ok(artifact);
        }
        Err(failed(SourceError::Changed {
            path: self.file.path.clone(),
        }))
    }
}
