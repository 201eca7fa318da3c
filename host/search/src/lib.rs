//! Search over the artifacts of a snapshot, by words and by meaning.
//!
//! An *index* is a SQLite file in the state folder. It says where the words of a query are, and nothing in it is shown:
//! each result is read from the state, which checks it against its digest. The first search makes the index, and later
//! ones add and remove what differs between two snapshots. A damaged or planted index is deleted and made again.
//!
//! Words of all scripts are found: synix cuts texts without spaces into pairs of characters.
//!
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
pub use embedding::Embedding;
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
