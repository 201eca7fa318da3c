//! Writes a search file, document by document.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use serde_json::{Map, Value};
use synix_core::artifact::Metadata;

use super::columns::{column_names, quoted};
use super::{APPLICATION, COLUMNS, FORMAT, tables};
use crate::document::add_values;
use crate::error::{SearchError, Trouble};
use crate::segment::segment;

/// What a search file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The snapshot.
    pub snapshot: String,
    /// The pipeline file.
    pub pipeline: String,
}

/// An artifact as a row of a search file.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its layer.
    pub layer: &'a str,
    /// Its label.
    pub label: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its digest in hex.
    pub id: &'a str,
    /// Its text; `None` if it has none, or if its members are columns.
    pub content: Option<&'a str>,
    /// The members of an answer in JSON.
    pub data: Option<&'a Map<String, Value>>,
    /// Its metadata.
    pub metadata: &'a Metadata,
    /// The labels of the source artifacts behind it.
    pub sources: &'a [String],
    /// Whether there are more sources.
    pub has_more_sources: bool,
}

/// The embedding of a document that was added before.
#[derive(Debug, Clone, Copy)]
pub struct DocumentVector<'a> {
    /// The layer of the embedding.
    pub layer: &'a str,
    /// The layer and the label of the document.
    pub document: (&'a str, &'a str),
    /// The model that made it.
    pub model: &'a str,
    /// The numbers.
    pub vector: &'a [f32],
}

/// A search file that is written.
///
/// The caller chooses a path that nobody reads yet, and renames the file when it is complete.
#[derive(Debug)]
pub struct ReleaseFileWriter {
    connection: Connection,
    path: PathBuf,
    members: Vec<String>,
    add_text: String,
    add_words: String,
    /// The documents that vectors may be about, if there are vectors.
    documents: HashMap<(String, String), i64>,
    count: i64,
}

impl ReleaseFileWriter {
    /// Begins an empty file. `members` are those of answers in JSON that get columns of their own.
    pub fn create(path: &Path, about: &About, members: &[String]) -> Result<Self, SearchError> {
        let columns = column_names(members);
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            // Nobody reads the file before it is complete, so nothing needs to be undone.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "page_size", 8192)?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update(None, "user_version", FORMAT)?;
            connection.execute_batch("BEGIN")?;
            connection.execute_batch(&tables(&columns))?;
            connection.execute(
                "INSERT INTO documents(documents, rank) VALUES ('hashsize', 67108864)",
                [],
            )?;
            for (name, value) in [
                ("schema", FORMAT.to_string().as_str()),
                ("snapshot", &about.snapshot),
                ("pipeline", &about.pipeline),
            ] {
                connection.execute("INSERT INTO about VALUES (?1, ?2)", [name, value])?;
            }
            Ok(connection)
        };
        let connection = open().map_err(|error| failed(path, error))?;
        let names: Vec<String> = COLUMNS
            .iter()
            .map(|&name| quoted(name))
            .chain(columns.iter().map(|name| quoted(name)))
            .collect();
        let names = names.join(", ");
        let marks = ", ?".repeat(COLUMNS.len() + columns.len());
        Ok(Self {
            connection,
            path: path.to_owned(),
            members: members.to_vec(),
            add_text: format!("INSERT INTO document_text (document_id, {names}) VALUES (?{marks})"),
            add_words: format!("INSERT INTO documents (rowid, {names}) VALUES (?{marks})"),
            documents: HashMap::new(),
            count: 0,
        })
    }

    /// Adds a document.
    pub fn add(&mut self, document: &Document<'_>) -> Result<(), SearchError> {
        self.count += 1;
        let name = (document.layer.to_owned(), document.label.to_owned());
        self.documents.insert(name, self.count);
        self.insert(document)
            .map_err(|error| failed(&self.path, error))
    }

    fn insert(&self, document: &Document<'_>) -> rusqlite::Result<()> {
        let metadata: Map<String, Value> = document
            .metadata
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let metadata = Value::Object(metadata);
        let members: Vec<Option<String>> = self
            .members
            .iter()
            .map(|name| cell(document.data?.get(name)))
            .collect();
        let text = |text: &str| SqlValue::Text(text.to_owned());
        let optional = |text: Option<&str>| {
            text.map_or(SqlValue::Null, |text| SqlValue::Text(text.to_owned()))
        };
        let mut row = vec![
            SqlValue::Integer(self.count),
            text(document.layer),
            text(document.label),
            text(document.kind),
            optional(document.content),
            text(&metadata.to_string()),
        ];
        row.extend(members.iter().map(|member| optional(member.as_deref())));
        self.connection
            .prepare_cached(&self.add_text)?
            .execute(params_from_iter(row))?;
        let words = |text: &str| SqlValue::Text(segment(text).into_owned());
        let mut values = String::new();
        add_values(&metadata, &mut values);
        let mut row = vec![
            SqlValue::Integer(self.count),
            SqlValue::Null,
            words(document.label),
            SqlValue::Null,
            words(document.content.unwrap_or_default()),
            words(&values),
        ];
        row.extend(
            members
                .iter()
                .map(|member| words(member.as_deref().unwrap_or_default())),
        );
        self.connection
            .prepare_cached(&self.add_words)?
            .execute(params_from_iter(row))?;
        self.connection
            .prepare_cached("INSERT INTO document_facts VALUES (?1, ?2, ?3, ?4)")?
            .execute((
                self.count,
                document.id,
                Value::from(document.sources).to_string(),
                document.has_more_sources,
            ))?;
        Ok(())
    }

    /// Adds the embedding of a document; returns false if the file does not have the document.
    pub fn add_vector(&mut self, vector: &DocumentVector<'_>) -> Result<bool, SearchError> {
        let (layer, label) = vector.document;
        let Some(document) = self.documents.get(&(layer.to_owned(), label.to_owned())) else {
            return Ok(false);
        };
        let bytes: Vec<u8> = vector
            .vector
            .iter()
            .flat_map(|one| one.to_le_bytes())
            .collect();
        let statement = "INSERT INTO vectors (document_id, layer, model, dimensions, vector) VALUES (?1, ?2, ?3, ?4, ?5)";
        let added = self
            .connection
            .prepare_cached(statement)
            .and_then(|mut statement| {
                statement.execute((
                    document,
                    vector.layer,
                    vector.model,
                    vector.vector.len(),
                    bytes,
                ))
            });
        added.map_err(|error| failed(&self.path, error))?;
        Ok(true)
    }

    /// Completes the file, and returns the number of documents. The caller syncs it.
    pub fn finish(self) -> Result<u64, SearchError> {
        let complete = || {
            self.connection
                .execute("INSERT INTO documents(documents) VALUES ('optimize')", [])?;
            self.connection.execute_batch("COMMIT")
        };
        complete().map_err(|error| failed(&self.path, error))?;
        Ok(self.count.unsigned_abs())
    }
}

/// Returns a value as a cell: a text as it is, nothing for null, anything else as JSON.
fn cell(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(other.to_string())
        }
    }
}

fn failed(path: &Path, error: rusqlite::Error) -> SearchError {
    match Trouble::of(path, error) {
        Trouble::Other(error) => error,
        Trouble::Denied(source) | Trouble::Damaged(source) => SearchError::Database {
            path: path.to_owned(),
            source,
        },
    }
}
