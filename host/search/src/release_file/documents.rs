//! The documents of a search file by their names.

use rusqlite::{Row, params};
use serde_json::{Map, Value};

use super::columns::quoted;
use super::reader::ReleaseFile;
use crate::error::SearchError;
use crate::sources::Sources;

/// The name of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentName {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its digest in hex.
    pub id: String,
}

/// A document with everything that the file has of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// Its name.
    pub name: DocumentName,
    /// Its text; `None` if it has none, or if its members are columns.
    pub content: Option<String>,
    /// The members of an answer in JSON by column, as texts; those that are null are left out.
    pub data: Map<String, Value>,
    /// Its metadata, an object.
    pub metadata: Value,
    /// The source artifacts behind it.
    pub sources: Sources,
}

impl ReleaseFile {
    /// Returns the layers in the order of the file, with the number of their documents.
    pub fn layers(&self) -> Result<Vec<(String, u64)>, SearchError> {
        let statement =
            "SELECT layer, count(*) FROM document_text GROUP BY layer ORDER BY min(document_id)";
        self.rows(statement, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Returns the names of `limit` documents after the first `offset`, in the order of the file.
    pub fn list(
        &self,
        layer: Option<&str>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<DocumentName>, SearchError> {
        let statement = "SELECT t.layer, t.label, t.kind, f.digest
            FROM document_text t JOIN document_facts f USING (document_id)
            WHERE ?1 IS NULL OR t.layer = ?1 ORDER BY document_id LIMIT ?2 OFFSET ?3";
        self.rows(statement, params![layer, limit, offset], |row| name(row, 0))
    }

    /// Returns the first documents with a label or id, `limit` at most.
    pub fn find(
        &self,
        layer: Option<&str>,
        label: &str,
        limit: usize,
    ) -> Result<Vec<StoredDocument>, SearchError> {
        let members = self.members();
        let columns: String = members
            .iter()
            .map(|member| format!(", t.{}", quoted(member)))
            .collect();
        let statement = format!(
            "SELECT t.layer, t.label, t.kind, f.digest, t.content, t.metadata, f.sources, f.more_sources{columns}
             FROM document_text t JOIN document_facts f USING (document_id)
             WHERE (t.label = ?1 OR f.digest = ?1) AND (?2 IS NULL OR t.layer = ?2)
             ORDER BY document_id LIMIT ?3"
        );
        self.rows(&statement, params![label, layer, limit], |row| {
            let text = |index| row.get::<_, Option<String>>(index);
            let mut data = Map::new();
            for (position, member) in members.iter().enumerate() {
                if let Some(value) = text(8 + position)? {
                    data.insert(member.clone(), value.into());
                }
            }
            let metadata = text(5)?.unwrap_or_default();
            Ok(StoredDocument {
                name: name(row, 0)?,
                content: text(4)?,
                data,
                metadata: serde_json::from_str(&metadata).unwrap_or(Value::Null),
                sources: Sources {
                    labels: serde_json::from_str(&text(6)?.unwrap_or_default()).unwrap_or_default(),
                    has_more: row.get(7)?,
                },
            })
        })
    }
}

/// The columns of a name, from this one on.
fn name(row: &Row<'_>, first: usize) -> rusqlite::Result<DocumentName> {
    Ok(DocumentName {
        layer: row.get(first)?,
        label: row.get(first + 1)?,
        kind: row.get(first + 2)?,
        id: row.get(first + 3)?,
    })
}
