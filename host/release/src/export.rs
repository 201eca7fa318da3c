//! Writes the artifacts of layers in a format, to a stream or to a folder.

use std::io::Write;

use super::folder::OutputFolder;
use super::rows::Rows;
use super::{Format, ReleaseError, Settings, croissant, csv, document, files, jsonl, search};
use synix_core::clock::Timestamp;
use synix_engine::view::SnapshotRecord;

/// What documents and datasets say about the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The name of the pipeline.
    pub name: String,
    /// The id of the snapshot.
    pub snapshot: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
}

impl About {
    /// Describes a snapshot.
    pub fn new(record: &SnapshotRecord) -> Self {
        let pipeline = record.snapshot.pipeline.clone();
        Self {
            name: record.name.clone().unwrap_or_else(|| pipeline.clone()),
            snapshot: record.snapshot.id.to_string(),
            taken: record.snapshot.taken,
            pipeline,
        }
    }
}

/// Artifacts to write, and how.
#[derive(Debug)]
pub struct Export<'a> {
    /// The artifacts.
    pub rows: &'a Rows<'a>,
    /// The settings of the format.
    pub settings: &'a Settings,
    /// The snapshot.
    pub about: &'a About,
}

impl Export<'_> {
    /// Writes to a stream, and returns the number of artifacts.
    pub fn to_stream(&self, format: Format, out: &mut dyn Write) -> Result<u64, ReleaseError> {
        match format {
            Format::Document => document::write(self, out),
            Format::Jsonl => jsonl::write(self.rows, out),
            Format::Csv => csv::write(self.rows, out),
            #[cfg(feature = "parquet")]
            Format::Parquet => super::parquet::write(self.rows, out),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(ReleaseError::NotBuilt(format)),
            Format::Files | Format::Croissant | Format::Search => {
                Err(ReleaseError::NoStream(format))
            }
        }
    }

    /// Writes to a file or folder inside `folder`, and returns the number of artifacts.
    pub fn to_folder(
        &self,
        format: Format,
        folder: &mut OutputFolder,
        path: &str,
    ) -> Result<u64, ReleaseError> {
        match format {
            Format::Files => files::write(self, folder, path),
            Format::Croissant => croissant::write(self, folder, path),
            Format::Search => search::write(self, folder, path),
            Format::Document | Format::Jsonl | Format::Csv | Format::Parquet => {
                folder.write(path, |out| self.to_stream(format, out))
            }
        }
    }
}
