//! Runs statements, which are prepared once for each connection, with errors of the store.
//!
//! Only a transaction has functions that write.

use std::path::Path;

use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{OptionalExtension as _, Params, Row};

use super::{Reader, StoreError, Transaction};

impl Reader {
    /// Returns the rows of a query, each converted by `read`.
    pub(super) fn query<T, C: FromIterator<T>>(
        &self,
        statement: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<C, StoreError> {
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.query_map(values, read)?.collect())
            .map_err(|source| self.failed(source))
    }

    /// Returns the only row of a query; it is an error if there is none.
    pub(super) fn query_row<T>(
        &self,
        statement: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.query_row(values, read))
            .map_err(|source| self.failed(source))
    }

    /// Returns the first row of a query, if there is one.
    pub(super) fn query_optional<T>(
        &self,
        statement: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.query_row(values, read).optional())
            .map_err(|source| self.failed(source))
    }
}

impl Transaction<'_> {
    /// Runs a statement that writes.
    pub(super) fn execute(&self, statement: &str, values: impl Params) -> Result<(), StoreError> {
        self.change(statement, values).map(drop)
    }

    /// Runs a statement that writes, and returns the number of changed rows.
    pub(super) fn change(&self, statement: &str, values: impl Params) -> Result<usize, StoreError> {
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.execute(values))
            .map_err(|source| self.failed(source))
    }

    /// Runs a statement that adds a row, and returns the row id.
    pub(super) fn insert(&self, statement: &str, values: impl Params) -> Result<i64, StoreError> {
        self.execute(statement, values)?;
        Ok(self.connection.last_insert_rowid())
    }
}

/// A value that is not one of a closed set: another program changed the row, or a newer synix wrote it.
#[derive(Debug, thiserror::Error)]
#[error("{found:?} is not a valid {what}")]
struct UnknownValue {
    what: &'static str,
    found: String,
}

/// Finds a value of a closed set by its name in rows.
pub(super) fn named<T: Copy>(
    what: &'static str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    value: ValueRef<'_>,
) -> FromSqlResult<T> {
    let found = value.as_str()?;
    let known = all.iter().copied().find(|known| name(*known) == found);
    known.ok_or_else(|| unknown(what, &found))
}

/// Returns the error for a value that is not in a closed set.
pub(super) fn unknown(what: &'static str, found: &dyn std::fmt::Display) -> FromSqlError {
    FromSqlError::other(UnknownValue {
        what,
        found: found.to_string(),
    })
}

/// Returns the error for an invalid value in a row, or for one that cannot be stored; `None` for any other error.
pub(super) fn bad_value(path: &Path, error: &rusqlite::Error) -> Option<StoreError> {
    use rusqlite::Error;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "SQLite's other errors are not about a value"
    )]
    let detail = match error {
        Error::InvalidColumnType(_, column, sort) => {
            return Some(StoreError::Changed {
                what: format!("a row whose `{column}` has the type {sort}"),
            });
        }
        Error::IntegralValueOutOfRange(column, number) => {
            format!("{number} in column {column} of a row is out of range")
        }
        Error::FromSqlConversionFailure(_, _, error) => error.to_string(),
        Error::Utf8Error(_, error) => error.to_string(),
        Error::ToSqlConversionFailure(error) => {
            return Some(StoreError::TooLarge {
                path: path.to_owned(),
                detail: error.to_string(),
            });
        }
        _ => return None,
    };
    Some(StoreError::Unusable {
        what: "row",
        detail,
    })
}
