//! Searches the search file of a release.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use super::find;
use super::open::open;
use super::search::ReleaseSearch;
use crate::error::SearchError;
use crate::meaning::EmbedQuery;
use crate::query::Query;
use crate::result::Answer;
use crate::search::{Search, in_memory};
use crate::tokenizer::Tokenizer;

/// The search file of a release, open for reading.
#[derive(Debug)]
pub struct ReleaseFile {
    connection: Connection,
    path: PathBuf,
    members: Vec<String>,
}

impl ReleaseFile {
    /// Opens a search file, or the one in the folder of a release.
    pub fn open(path: &Path) -> Result<Self, SearchError> {
        let path = find::find(path)?;
        let opened = open(&path).map_err(|source| SearchError::Database {
            path: path.clone(),
            source,
        })?;
        match opened {
            Some((connection, members)) => Ok(Self {
                connection,
                path,
                members,
            }),
            None => Err(SearchError::NoSearchFile {
                path,
                what: "its tables are not those that this synix writes".to_owned(),
            }),
        }
    }

    /// Returns a fact about the file: `snapshot` or `pipeline`.
    pub fn about(&self, name: &str) -> Result<Option<String>, SearchError> {
        let statement = "SELECT value FROM about WHERE name = ?1";
        let found = self
            .connection
            .query_row(statement, [name], |row| row.get(0));
        found.optional().map_err(|error| self.failed(error))
    }

    /// Returns whether the file has documents of a layer.
    pub fn has_layer(&self, layer: &str) -> Result<bool, SearchError> {
        let statement = "SELECT 1 FROM document_text WHERE layer = ?1 UNION ALL SELECT 1 FROM vectors WHERE layer = ?1 LIMIT 1";
        let found = self
            .connection
            .prepare(statement)
            .and_then(|mut statement| statement.exists([layer]));
        found.map_err(|error| self.failed(error))
    }

    /// Searches the documents of the file.
    pub fn search(
        &self,
        search: &Search,
        embed: Option<&EmbedQuery<'_>>,
    ) -> Result<Answer, SearchError> {
        let tokenizer = Tokenizer::new().map_err(in_memory)?;
        let query = Query::parse(&search.query, &tokenizer).map_err(in_memory)?;
        let run = ReleaseSearch {
            connection: &self.connection,
            path: &self.path,
            members: self.members.len(),
            search,
            query: &query,
            tokenizer: &tokenizer,
        };
        run.answer(embed)
    }

    /// Returns the columns of members of answers in JSON.
    pub(super) fn members(&self) -> &[String] {
        &self.members
    }

    /// Returns what `read` makes of each row of a statement.
    pub(super) fn rows<T>(
        &self,
        statement: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SearchError> {
        let run = || -> rusqlite::Result<Vec<T>> {
            let mut statement = self.connection.prepare_cached(statement)?;
            statement.query_map(parameters, read)?.collect()
        };
        run().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: rusqlite::Error) -> SearchError {
        SearchError::Database {
            path: self.path.clone(),
            source,
        }
    }
}
