//! What a unit was made from: a text, the files of a reader, or artifacts.

use serde::Deserialize;

use synix_core::digest::Digest;
use synix_core::fingerprint::{FilePart, StoredParts};
use synix_store::{Reader, StoreError, StoredUnit};

/// What a unit was made from.
pub(super) enum UnitOrigin {
    /// A text file, which the host reads itself.
    Text(FilePart),
    /// The files of a reader. A reader's input is its file, and no artifact.
    Files(Box<StoredParts>),
    /// Artifacts, or nothing.
    Artifacts(Box<StoredParts>),
    /// A later version of synix knows.
    Unknown,
}

/// The stored parts of the unit of a text.
#[derive(Deserialize)]
struct TextParts {
    path: String,
    bytes: Digest,
}

impl UnitOrigin {
    pub(super) fn of(reader: &Reader, unit: &StoredUnit) -> Result<Self, StoreError> {
        if let Ok(TextParts { path, bytes }) = serde_json::from_str(&unit.parts) {
            return Ok(Self::Text(FilePart {
                path,
                digest: bytes,
            }));
        }
        let Some(parts) = StoredParts::read(&unit.parts).map(Box::new) else {
            return Ok(Self::Unknown);
        };
        let is_reader = !parts.unit.inputs.is_empty() && !reader.has_inputs(unit.id)?;
        Ok(if is_reader {
            Self::Files(parts)
        } else {
            Self::Artifacts(parts)
        })
    }

    /// Returns the source files; none if the unit was made from artifacts.
    pub(super) fn files(&self) -> Vec<FilePart> {
        match self {
            Self::Text(file) => vec![file.clone()],
            Self::Files(parts) => {
                let files = parts.unit.inputs.iter();
                let file = files.map(|file| FilePart {
                    path: file.name.clone(),
                    digest: file.digest,
                });
                file.collect()
            }
            Self::Artifacts(_) | Self::Unknown => Vec::new(),
        }
    }

    /// Returns the parts of the fingerprint; `None` for a text.
    pub(super) fn into_parts(self) -> Option<StoredParts> {
        match self {
            Self::Files(parts) | Self::Artifacts(parts) => Some(*parts),
            Self::Text(_) | Self::Unknown => None,
        }
    }
}
