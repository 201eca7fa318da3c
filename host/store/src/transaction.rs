//! Transactions: nothing is written outside of one.
//!
//! Every method that writes rows belongs to [`Transaction`], which only [`Store::write`] hands out. A [`Transaction`]
//! reads as its store does, and sees what it has written.

use super::{Reader, Store, StoreError, database};
use synix_core::crash;

/// A transaction that is open.
#[derive(Debug)]
pub struct Transaction<'s> {
    reader: &'s Reader,
}

/// Reads go through to the connection that writes. A [`Reader`] has no method that writes.
impl std::ops::Deref for Transaction<'_> {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        self.reader
    }
}

/// What becomes of the rows that a transaction wrote without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    RollBack,
}

impl Store {
    /// Runs `act` in one transaction: all of it is kept, durably, or nothing.
    ///
    /// A transaction within another one is an error, and leaves the outer one as it is. What writes is a method of
    /// the transaction alone:
    ///
    /// ```compile_fail,E0599
    /// # fn cancel(store: &synix_store::Store) {
    /// store.cancel_build(synix_store::BuildId(7));
    /// # }
    /// ```
    pub fn write<T, E: From<StoreError>>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        crash::point();
        let value = self.in_transaction(End::Commit, act)?;
        crash::point();
        Ok(value)
    }

    /// Does as [`Store::write`] does, but has no point where a test kills the process.
    pub(super) fn in_transaction<T, E: From<StoreError>>(
        &self,
        end: End,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.connection.is_autocommit() {
            let path = database::path(&self.place);
            return Err(StoreError::Nested { path }.into());
        }
        self.execute_batch("BEGIN IMMEDIATE")?;
        let unfinished = Unfinished(self);
        let transaction = Transaction {
            reader: &self.reader,
        };
        let value = act(&transaction)?;
        if end == End::Commit {
            self.execute_batch("COMMIT")?;
        }
        drop(unfinished);
        Ok(value)
    }
}

/// Rolls back what was not committed, also where `act` panicked.
struct Unfinished<'s>(&'s Store);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.0.connection.is_autocommit() {
            // The error that led here is the one to report.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}
