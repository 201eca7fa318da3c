//! Artifacts of a snapshot as files for other programs, and releases: folders with all outputs of one snapshot.
//!
//! [`Rows`] reads the artifacts of some layers of a snapshot, one after the other, and an [`Export`] writes them in a
//! [`Format`]. Where a transform asked for JSON, the members of the answer are columns of their own. [`publish`] writes a
//! release and switches `current` to it, and [`check`] compares a release with its receipt.
//!
//! ```
//! use synix_release::Format;
//!
//! assert_eq!("jsonl".parse(), Ok(Format::Jsonl));
//! assert_eq!(Format::Csv.name(), "csv");
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod check;
mod columns;
mod croissant;
mod csv;
mod current;
mod document;
mod error;
mod export;
mod file_name;
mod files;
mod folder;
mod front_matter;
mod jsonl;
mod keep;
#[cfg(feature = "parquet")]
mod parquet;
mod publish;
mod receipt;
mod rows;
mod search;
mod write_new;

pub use check::{CheckedRelease, Problem, ProblemKind, check};
pub use current::CurrentRelease;
pub use error::ReleaseError;
pub use export::{About, Export};
pub use file_name::file_name;
pub use folder::OutputFolder;
pub use publish::{CURRENT, Published, ReleaseOptions, publish};
pub use receipt::{ComponentEntry, FileEntry, OutputRecord, Receipt};
pub use rows::{Row, Rows};
pub use synix_manifest::{
    Output, OutputFormat as Format, OutputSettings as Settings, UnknownFormat,
};
pub use write_new::write_new;
