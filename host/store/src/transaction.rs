//! Transactions. Nothing is written outside of one.
//!
//! Every method that writes rows belongs to [`Transaction`], which only [`Store::write`] creates. A [`Transaction`] can also read, and sees what it has written.

use super::{Reader, Store, StoreError, database};
use synix_core::crash;

/// An open transaction.
#[derive(Debug)]
pub struct Transaction<'s> {
    reader: &'s Reader,
}

/// Gives the transaction the methods that read. A [`Reader`] has no method that writes.
impl std::ops::Deref for Transaction<'_> {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        self.reader
    }
}

/// What happens to the rows that a transaction wrote without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransactionEnd {
    Commit,
    RollBack,
}

impl Store {
    /// Runs `act` in one transaction: either all of it is stored durably, or nothing.
    ///
    /// A transaction within another one is an error, which does not affect the outer one. Only a transaction has
    /// methods that write:
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
        let value = self.in_transaction(TransactionEnd::Commit, act)?;
        crash::point();
        Ok(value)
    }

    /// Like [`Store::write`], but without crash points.
    pub(super) fn in_transaction<T, E: From<StoreError>>(
        &self,
        end: TransactionEnd,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.connection.is_autocommit() {
            let path = database::path(&self.state_folder);
            return Err(StoreError::Nested { path }.into());
        }
        self.execute_batch("BEGIN IMMEDIATE")?;
        let unfinished = RollbackOnDrop(self);
        let transaction = Transaction {
            reader: &self.reader,
        };
        let value = act(&transaction)?;
        if end == TransactionEnd::Commit {
            self.execute_batch("COMMIT")?;
        }
        drop(unfinished);
        Ok(value)
    }
}

/// Rolls back an uncommitted transaction, even if `act` panicked.
struct RollbackOnDrop<'s>(&'s Store);

impl Drop for RollbackOnDrop<'_> {
    fn drop(&mut self) {
        if !self.0.connection.is_autocommit() {
            // The original error is more useful than an error of the rollback.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}
