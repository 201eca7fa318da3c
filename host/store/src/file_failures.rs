//! Files that a reader could not read (table `file_failure`).
//!
//! The same reader fails in the same way over the same bytes, so such a file is not read again at each build. The row is
//! found by the fingerprint of the file's unit, which covers the bytes, the reader, its config and its limits. Another
//! version of synix may have other limits of its own, so it does not use the row.

use rusqlite::params;

use super::build::BuildId;
use super::recovery::seal;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;

/// The version whose rows are used.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Transaction<'_> {
    /// Records that the file of the unit with this fingerprint cannot be read, and the reader's message.
    pub fn store_file_failure(
        &self,
        build: BuildId,
        fingerprint: Digest,
        path: &str,
        message: &str,
    ) -> Result<(), StoreError> {
        let seal = seal::of_file_failure(fingerprint, path, message, VERSION);
        self.execute(
            "INSERT OR REPLACE INTO file_failure (fingerprint, path, message, version, build, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                fingerprint.as_bytes(),
                path,
                message,
                VERSION,
                build.0,
                seal
            ],
        )
    }
}

impl Reader {
    /// Returns why the file of the unit with this fingerprint could not be read, if that is recorded.
    ///
    /// A row that does not match its seal is left out: its file is read again.
    pub fn file_failure(&self, fingerprint: Digest) -> Result<Option<String>, StoreError> {
        if !self.additions.file_failures {
            return Ok(None);
        }
        type Row = (String, String, Option<i64>);
        let row: Option<Row> = self.query_optional(
            "SELECT path, message, seal FROM file_failure WHERE fingerprint = ?1 AND version = ?2",
            params![fingerprint.as_bytes(), VERSION],
            |row| Row::try_from(row),
        )?;
        Ok(row.and_then(|(path, message, found)| {
            let expected = seal::of_file_failure(fingerprint, &path, &message, VERSION);
            (found == Some(expected)).then_some(message)
        }))
    }
}
