//! Why a unit cannot be run.

use std::path::PathBuf;

use synix_core::json::UnsafeNumber;
use synix_disk::DiskError;
use synix_sandbox::PluginError;
use synix_sources::SourceError;

/// Why a unit cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum UnitRunError {
    /// An input cannot be read.
    #[error("cannot read the input {}", .path.display())]
    Input {
        /// The path of the input.
        path: PathBuf,
        /// Why it cannot be read.
        source: Box<SourceError>,
    },
    /// The name of a file is not a valid label.
    #[error("the name of {} is not a valid label; rename the file", .path.display())]
    Name {
        /// The path of the file.
        path: PathBuf,
    },
    /// Two inputs have the same label.
    #[error(
        "two inputs have the label {0:?}; a label is the file name without its extension, so rename one file"
    )]
    SameLabel(String),
    /// The metadata of an input has a number without a canonical form.
    #[error("the metadata of an input cannot be used")]
    Metadata(#[from] UnsafeNumber),
    /// A file that the config names cannot be read.
    #[error(transparent)]
    File(#[from] DiskError),
    /// A file that the config names is not text.
    #[error("the config names {path}, which is not a UTF-8 text")]
    NotText {
        /// The path in the config.
        path: String,
    },
    /// The config is not valid in the plugin's schema.
    #[error("the config does not match the plugin's schema: {0}")]
    Config(String),
    /// `split` failed.
    #[error("the inputs cannot be divided into units")]
    Split(#[source] Box<PluginError>),
    /// The inputs make more than one unit.
    #[error("the inputs make {} units; choose one with --unit: {}", .0.len(), .0.join(", "))]
    Several(Vec<String>),
    /// No unit has the requested key.
    #[error("there is no unit {key:?}; the units are {}", .known.join(", "))]
    NoUnit {
        /// The requested key.
        key: String,
        /// The keys of all units.
        known: Vec<String>,
    },
}
