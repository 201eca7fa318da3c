//! Artifacts as the scheduler keeps them: without their contents, unless only memory has them.

use std::sync::Arc;

use super::BuildError;
use super::readers::{Spool, SpoolRange};
use synix_core::artifact::{Artifact, Metadata};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label, LayerName};
use synix_sources::{ProjectFolder, SourceError, SourceFile};
use synix_store::ArtifactId;

/// An artifact of this build.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) layer: usize,
    pub(super) label: Label,
    pub(super) digest: Digest,
    /// Whether an input, or anything upstream of one, is missing.
    pub(super) partial: bool,
    pub(super) location: Location,
}

/// Where the content of an artifact is.
#[derive(Debug, Clone)]
pub(super) enum Location {
    Stored(ArtifactId),
    /// In a source's file, during a plan: it is read again when it is needed.
    File(Arc<FileArtifact>),
    /// In a temporary file, during a plan: what a reader made.
    Spooled(Arc<Spool>, SpoolRange),
    /// In memory, during a plan, because a plan writes nothing.
    Memory(Arc<Artifact>),
}

impl Handle {
    pub(super) const fn stored(&self) -> Option<ArtifactId> {
        match self.location {
            Location::Stored(id) => Some(id),
            Location::File(_) | Location::Spooled(..) | Location::Memory(_) => None,
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
    /// Reads the file again; it must be unchanged.
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
