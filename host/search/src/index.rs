//! An index at a snapshot: opened, brought up to date and asked within one transaction.

use std::path::Path;

use rusqlite::Connection;
use synix_store::{Reader, Snapshot};

use crate::error::{SearchError, Trouble};
use crate::index_file::{IndexFile, Place, Sort};
use crate::update::{IndexedSnapshot, Problem, Target, bring_to, reconcile};

/// The state that is searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) reader: &'a Reader,
    pub(crate) snapshot: &'a Snapshot,
}

/// What a command does with one sort of index.
pub(crate) trait Task<T> {
    /// Returns what writes to the index. `progress` is for the whole command.
    fn target<'a>(&'a self, connection: &'a Connection) -> Result<Box<dyn Target + 'a>, Problem>;

    /// Asks the index, which is at the snapshot.
    fn ask(&self, connection: &Connection) -> Result<T, Problem>;
}

/// How an index is brought to its snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// Only what differs from the indexed snapshot is read.
    Changes,
    /// Each artifact is compared: the state does not have what the index refers to.
    Comparison,
}

impl State<'_> {
    /// Asks the index of the pipeline. If it is damaged, or does not agree with the state, it is compared, then made again.
    pub(crate) fn ask<T>(&self, sort: Sort, task: &dyn Task<T>) -> Result<(T, Place), SearchError> {
        let pipeline = &self.snapshot.pipeline;
        let mut effort = Effort::Changes;
        let mut is_new = false;
        loop {
            let mut index = IndexFile::open(self.folder, pipeline, sort)?;
            if index.place == Place::ReadOnly && !self.is_current(&index) {
                index = IndexFile::temporary(sort, index.path)?;
            }
            let place = index.place;
            let problem = match self.run(&index, task, effort) {
                Ok(found) => return Ok((found, place)),
                Err(problem) => problem,
            };
            if matches!(problem, Problem::Disagrees)
                && effort == Effort::Changes
                && place == Place::State
            {
                tracing::debug!(path = %index.path.display(), "the index does not agree with the state");
                effort = Effort::Comparison;
                continue;
            }
            let path = index.path.clone();
            match problem.trouble(&path) {
                Trouble::Damaged(source) if !is_new && place == Place::State => {
                    tracing::debug!(path = %path.display(), error = %source, "the index is damaged");
                    index.discard(self.folder, pipeline, sort);
                    (effort, is_new) = (Effort::Changes, true);
                }
                Trouble::Other(error) => return Err(error),
                Trouble::Damaged(source) | Trouble::Denied(source) => {
                    return Err(SearchError::Database { path, source });
                }
            }
        }
    }

    fn is_current(&self, index: &IndexFile) -> bool {
        let indexed = IndexedSnapshot::read(&index.connection);
        matches!(indexed, Ok(Some(indexed)) if indexed == IndexedSnapshot::of(self.snapshot))
    }

    fn run<T>(&self, index: &IndexFile, task: &dyn Task<T>, effort: Effort) -> Result<T, Problem> {
        let connection = &index.connection;
        let wanted = IndexedSnapshot::of(self.snapshot);
        if effort == Effort::Changes {
            connection.execute_batch("BEGIN")?;
            let indexed = IndexedSnapshot::read(connection);
            let is_current = matches!(&indexed, Ok(Some(indexed)) if *indexed == wanted);
            let found = is_current.then(|| task.ask(connection));
            roll_back(connection)?;
            indexed?;
            if let Some(found) = found {
                return found;
            }
        }
        // From here, no other command moves the index to another snapshot.
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let ended = self.update_and_ask(index, task, effort, &wanted);
        // What failed may not have left the index in order.
        let keeps = ended.as_ref().is_ok_and(|(_, keeps)| *keeps);
        if keeps {
            connection.execute_batch("COMMIT")?;
        } else {
            roll_back(connection)?;
        }
        ended.map(|(found, _)| found)
    }

    fn update_and_ask<T>(
        &self,
        index: &IndexFile,
        task: &dyn Task<T>,
        effort: Effort,
        wanted: &IndexedSnapshot,
    ) -> Result<(T, bool), Problem> {
        let connection = &index.connection;
        let indexed = IndexedSnapshot::read(connection)?;
        if indexed.as_ref() != Some(wanted) || effort == Effort::Comparison {
            let mut target = task.target(connection)?;
            if effort == Effort::Comparison {
                reconcile(&mut *target, self.reader, self.snapshot)?;
                target.finish()?;
                wanted.write(connection)?;
            } else {
                bring_to(connection, &mut *target, self.reader, self.snapshot)?;
            }
        }
        let found = task.ask(connection)?;
        // An index stays at the newest snapshot that was asked, unless that one is gone. A trial is asked now and then.
        let known = self.reader.snapshots()?;
        let is_trial = self.snapshot.name.is_some();
        let keeps = indexed.is_none_or(|indexed| {
            (!indexed.is_after(wanted) && !is_trial)
                || !known
                    .iter()
                    .any(|snapshot| IndexedSnapshot::of(snapshot) == indexed)
        });
        Ok((found, keeps))
    }
}

/// Ends a transaction. After some errors, SQLite has already done so.
fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() {
        Ok(())
    } else {
        connection.execute_batch("ROLLBACK")
    }
}
