//! The search file of a release: one SQLite file that any program with SQLite can query.
//!
//! `docs/search.md` describes its tables. It uses only what every SQLite since 3.25 has, so that Python's module reads it.

mod columns;
mod documents;
mod find;
mod open;
mod reader;
mod search;
mod writer;

pub use columns::{MAX_MEMBERS, column_names};
pub use documents::{DocumentName, StoredDocument};
pub use reader::ReleaseFile;
pub use writer::{About, Document, DocumentVector, ReleaseFileWriter};

use std::fmt::Write as _;

use columns::quoted;

use crate::schema::TOKENIZER;

/// The number of the format, in SQLite's `user_version`.
const FORMAT: u32 = 1;

/// What SQLite's `application_id` says: `synx` in ASCII.
const APPLICATION: i32 = 0x7379_6e78;

/// The columns of every document.
pub(crate) const COLUMNS: [&str; 5] = ["layer", "label", "kind", "content", "metadata"];

/// Returns the statements that create the tables, with a column for each member of answers in JSON.
fn tables(members: &[String]) -> String {
    let members: String = members.iter().fold(String::new(), |mut all, name| {
        let _ = write!(all, ", {}", quoted(name));
        all
    });
    // Only `documents` is for readers: FTS5 takes the texts that it returns from the table beside it, so that scripts
    // without spaces can be indexed in another form than they are shown.
    format!(
        "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE document_text (document_id INTEGER PRIMARY KEY, layer, label, kind, content, metadata{members});
CREATE VIRTUAL TABLE documents USING fts5(layer UNINDEXED, label, kind UNINDEXED, content, metadata{members}, content = 'document_text', content_rowid = 'document_id', {TOKENIZER});
CREATE TABLE document_facts (document_id INTEGER PRIMARY KEY, digest TEXT NOT NULL, sources TEXT NOT NULL, more_sources INTEGER NOT NULL);
CREATE TABLE vectors (vector_id INTEGER PRIMARY KEY, document_id INTEGER NOT NULL, layer TEXT NOT NULL, model TEXT NOT NULL, dimensions INTEGER NOT NULL, vector BLOB NOT NULL);"
    )
}
