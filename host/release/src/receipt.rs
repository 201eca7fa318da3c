//! The receipt of a release: what it was made from, and each of its files.

use serde::{Deserialize, Serialize};

use synix_core::digest::Digest;
use synix_engine::view::SnapshotRecord;
use synix_manifest::Output;

/// The version of the receipt.
pub(super) const SCHEMA: u32 = 1;

/// The contents of `receipt.json`. It says nothing about when or where the release was written, so releasing a snapshot
/// again makes the same receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The version of this document.
    pub schema: u32,
    /// The id of the snapshot.
    pub snapshot: String,
    /// When it was taken.
    pub taken: String,
    /// The build that made it.
    pub build: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// The fingerprint of the pipeline.
    pub fingerprint: Option<Digest>,
    /// The component of each layer that has one, in the order of their names.
    pub components: Vec<ComponentEntry>,
    /// The outputs, in the order of the pipeline file.
    pub outputs: Vec<OutputRecord>,
    /// Each file except this one, in the order of their paths.
    pub files: Vec<FileEntry>,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentEntry {
    /// The layer that it made.
    pub layer: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// An output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Its name in the pipeline file.
    pub name: String,
    /// Its format.
    pub format: String,
    /// Its file or folder.
    pub path: String,
    /// Its layers.
    pub layers: Vec<String>,
    /// The number of its artifacts.
    pub artifacts: u64,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The path relative to the folder of the snapshot, with `/`.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-256 of the bytes.
    pub sha256: Digest,
}

impl Receipt {
    pub(super) fn new(
        record: &SnapshotRecord,
        outputs: Vec<OutputRecord>,
        mut files: Vec<FileEntry>,
    ) -> Self {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let components = record.components.iter();
        Self {
            schema: SCHEMA,
            snapshot: record.snapshot.id.to_string(),
            taken: record.snapshot.taken.to_string(),
            build: record.snapshot.build.to_string(),
            pipeline: record.snapshot.pipeline.clone(),
            fingerprint: record.fingerprint,
            components: components
                .map(|(layer, digest)| ComponentEntry {
                    layer: layer.clone(),
                    digest: *digest,
                })
                .collect(),
            outputs,
            files,
        }
    }

    /// Returns the bytes of the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a receipt of this version; returns `None` for anything else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let receipt: Self = serde_json::from_slice(bytes).ok()?;
        (receipt.schema == SCHEMA).then_some(receipt)
    }
}

impl OutputRecord {
    pub(super) fn new(output: &Output, artifacts: u64) -> Self {
        Self {
            name: output.name.clone(),
            format: output.format.to_string(),
            path: output.path.clone(),
            layers: output.layers.clone(),
            artifacts,
        }
    }
}
