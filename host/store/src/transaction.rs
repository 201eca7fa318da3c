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

/// When a transaction is safe from a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// When it is committed.
    Full,
    /// When a later one is that is durable at once: the write-ahead log is synced as a whole.
    Deferred,
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
        let value = self.in_transaction(Durability::Full, TransactionEnd::Commit, act)?;
        crash::point();
        Ok(value)
    }

    /// Like [`Store::write`], but if the machine loses power, the transaction may be lost. The next durable one makes it
    /// durable, too, and a process that is killed loses nothing.
    ///
    /// It is for what can be computed again for nothing, never for what was paid for. It does not wait for the disk.
    pub fn write_deferred<T, E: From<StoreError>>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        crash::point();
        let value = self.in_transaction(Durability::Deferred, TransactionEnd::Commit, act)?;
        crash::point();
        Ok(value)
    }

    fn set_durability(&self, durability: Durability) -> Result<(), StoreError> {
        if self.durability.get() == durability {
            return Ok(());
        }
        self.execute_batch(match durability {
            Durability::Full => "PRAGMA synchronous = FULL",
            Durability::Deferred => "PRAGMA synchronous = NORMAL",
        })?;
        self.durability.set(durability);
        Ok(())
    }

    /// Runs `act` in one transaction, without crash points.
    pub(super) fn in_transaction<T, E: From<StoreError>>(
        &self,
        durability: Durability,
        end: TransactionEnd,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.connection.is_autocommit() {
            let path = database::path(&self.state_folder);
            return Err(StoreError::Nested { path }.into());
        }
        self.set_durability(durability)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn synchronous(reader: &Reader) -> i64 {
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        reader
            .connection
            .query_row("PRAGMA synchronous", [], read)
            .unwrap()
    }

    /// 2 syncs each commit, 1 only when the log is written back. Money is written by the next transaction.
    #[test]
    fn only_the_deferred_transaction_does_not_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let durable = || {
            store
                .write(|tx| Ok::<_, StoreError>(synchronous(tx)))
                .unwrap()
        };
        assert_eq!(durable(), 2);
        let seen = store.write_deferred(|tx| Ok::<_, StoreError>(synchronous(tx)));
        assert_eq!((seen.unwrap(), durable()), (1, 2));
        let failed = store.write_deferred(|tx| {
            let path = database::path(&tx.state_folder);
            Err::<(), _>(StoreError::Nested { path })
        });
        assert_eq!((failed.is_err(), durable()), (true, 2));
    }
}
