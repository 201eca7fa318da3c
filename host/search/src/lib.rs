//! Search over the artifacts of a snapshot, by words and by meaning.
//!
//! An *index* is a SQLite file in the state folder. It says where the words of a query are, and nothing in it is shown:
//! each result is read from the state, which checks it against its digest. The first search makes the index, and later
//! ones add and remove what differs between two snapshots. A damaged or planted index is deleted and made again.
//!
//! Words of all scripts are found: synix cuts texts without spaces into pairs of characters.
//!
//!
//! A release can hand over a search file, which any program with SQLite can query:
//!
//! ```
//! use synix_search::{About, Document, ReleaseFile, ReleaseFileWriter, Search};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("memory.sqlite");
//! let about = About {
//!     snapshot: "snapshot-1".to_owned(),
//!     pipeline: "synix.toml".to_owned(),
//! };
//! let mut file = ReleaseFileWriter::create(&path, &about, &[])?;
//! file.add(&Document {
//!     layer: "notes",
//!     label: "tokyo",
//!     kind: "note",
//!     id: "5e2f",
//!     content: Some("東京都に行きました。"),
//!     data: None,
//!     metadata: &Default::default(),
//!     sources: &["diary".to_owned()],
//!     has_more_sources: false,
//! })?;
//! file.finish()?;
//!
//! let search = Search {
//!     query: "東京".to_owned(),
//!     layers: Vec::new(),
//!     conditions: Vec::new(),
//!     mode: None,
//!     limit: 10,
//! };
//! let answer = ReleaseFile::open(folder.path())?.search(&search, None)?;
//! assert_eq!(answer.results[0].label, "tokyo");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod characters;
mod document;
mod embedding;
mod error;
mod fuse;
mod index;
mod index_file;
mod meaning;
mod query;
mod release_file;
mod result;
mod schema;
mod search;
mod segment;
mod snippet;
mod sources;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tokenizer;
mod update;
mod vectors;
mod word_search;
mod words;

pub use document::{Condition, InvalidCondition};
pub use embedding::{EMBEDDING_KIND, Embedding};
pub use error::SearchError;
pub use index_file::remove_indexes;
pub use meaning::EmbedQuery;
pub use query::Match;
pub use release_file::{
    About, Document, DocumentName, DocumentVector, MAX_MEMBERS, ReleaseFile, ReleaseFileWriter,
    StoredDocument, column_names,
};
pub use result::{Answer, Mode, SearchResult, UnknownMode, Why};
pub use search::{Search, search};
pub use snippet::{Snippet, TermMatch};
pub use sources::Sources;
pub use vectors::Space;

#[cfg(test)]
mod tests;
