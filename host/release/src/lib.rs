//! Artifacts of a snapshot as files for other programs.
//!
//! [`Rows`] reads the artifacts of some layers of a snapshot, one after the other, and [`Format`] says how they are
//! written. A row has the same values as the document of `show`. Where a transform asked for JSON, the members of the
//! answer are columns of their own.
//!
//! ```
//! use synix_release::Format;
//!
//! assert_eq!("jsonl".parse(), Ok(Format::Jsonl));
//! assert_eq!(Format::Csv.name(), "csv");
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod csv;
mod format;
mod jsonl;
mod rows;

pub use format::{Format, UnknownFormat};
pub use rows::{Row, Rows};

use std::io;

use synix_engine::view::FindError;
use synix_store::StoreError;

/// Why artifacts could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A layer or snapshot does not exist.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The state could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The output could not be written.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
}
