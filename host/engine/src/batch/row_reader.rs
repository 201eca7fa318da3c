//! Rows: set arithmetic between what was asked and what came back.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::{Line, Lines, UnreadableRowFile};
use super::machine::{Route, RowTally, RowsRead};
use super::requests::RequestTracker;
use super::{BatchContext, BatchError, BatchEvent};
use crate::pending::SettledRequest;
use synix_core::digest::Digest;
use synix_core::request::FailureKind;
use synix_core::request::{Outcome, RequestKey, Usage, Wire};
use synix_providers::{Row, UnreadableRow};
use synix_store::{AttemptNote, Submission, Transaction};

/// Rows kept in one transaction, and held in memory for it, at most.
const MAX_ROWS_PER_TRANSACTION: usize = 10_000;

/// Bytes of rows after which a transaction takes no more.
const MAX_BYTES_PER_TRANSACTION: usize = 4 * 1024 * 1024;

/// Rows that cannot be read and are reported one by one.
const MAX_REPORTED: u64 = 3;

/// Reads the rows of one fetched batch.
#[derive(Debug)]
pub(super) struct RowReader<'c> {
    context: &'c BatchContext<'c>,
    tracker: &'c mut RequestTracker,
    submission: &'c Submission,
    route: Route,
    wire: Wire,
    tally: RowTally,
    /// Requests whose row was taken from these files.
    seen: HashSet<RequestKey>,
    unreadable_rows: UnreadableRowFile,
}

/// A row as it is taken: whose it is, and what came.
type TakenRow = (Option<String>, Outcome);

impl<'c> RowReader<'c> {
    /// Prepares the reading; what failed in passing goes where `route` says.
    pub(super) fn new(
        context: &'c BatchContext<'c>,
        tracker: &'c mut RequestTracker,
        submission: &'c Submission,
        route: Route,
    ) -> Result<Self, BatchError> {
        let provider = context.provider(&submission.provider);
        Ok(Self {
            context,
            tracker,
            submission,
            route,
            wire: provider.map_or(Wire::OpenAi, |provider: Arc<_>| provider.wire()),
            tally: RowTally::default(),
            seen: HashSet::new(),
            unreadable_rows: UnreadableRowFile::open(context.unreadable_rows(submission)?),
        })
    }

    /// Takes every row, and counts what is odd.
    pub(super) fn read(mut self) -> Result<RowsRead, BatchError> {
        let files = self.context.row_files(self.submission)?;
        if !files.iter().all(|file| file.exists()) {
            return Ok(RowsRead::FilesGone);
        }
        if self.submission.provisional && !self.has_own_row(&files)? {
            return Ok(RowsRead::NotOurs);
        }
        for (file, name) in files.iter().zip(["output", "error"]) {
            self.read_file(file, name)?;
        }
        let missing = &mut self.tally.missing;
        self.context.store.for_each_open_request(
            self.submission.id,
            |_| -> Result<(), BatchError> {
                *missing += 1;
                Ok(())
            },
        )?;
        Ok(RowsRead::Taken {
            tally: self.tally,
            route: self.route,
        })
    }

    /// Says whether a batch that was adopted answers what the submission asked.
    fn has_own_row(&self, files: &[PathBuf]) -> Result<bool, BatchError> {
        for file in files {
            for line in Lines::open(file)? {
                for row in line?.rows(self.wire) {
                    if self.is_own_row(&row)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    fn is_own_row(&self, row: &Row) -> Result<bool, BatchError> {
        let Some(key) = row.custom_id.as_deref().and_then(key_of) else {
            return Ok(false);
        };
        let store = self.context.store;
        Ok(store.open_attempt(self.submission.id, key)?.is_some())
    }

    fn read_file(&mut self, path: &Path, name: &str) -> Result<(), BatchError> {
        let mut lines = Lines::open(path)?;
        loop {
            let rows = self.next_rows(&mut lines, name)?;
            if rows.is_empty() {
                return Ok(());
            }
            let store = self.context.store;
            let taken = store.write(|tx| {
                let mut taken = Vec::new();
                for (id, outcome) in rows {
                    taken.extend(self.take_row(tx, id.as_deref(), outcome)?);
                }
                Ok::<_, BatchError>(taken)
            })?;
            for (key, outcome) in taken {
                self.tracker.on_outcome(key, outcome, self.route);
            }
        }
    }

    /// Returns the rows for one transaction; none at the end of the file.
    fn next_rows(&mut self, lines: &mut Lines, name: &str) -> Result<Vec<TakenRow>, BatchError> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < MAX_ROWS_PER_TRANSACTION
            && (bytes < MAX_BYTES_PER_TRANSACTION || rows.is_empty())
        {
            let Some(line) = lines.next() else { break };
            let line = line?;
            bytes += line.bytes.len();
            for row in line.rows(self.wire) {
                let outcome = match row.outcome {
                    Ok(outcome) => outcome,
                    Err(unreadable) => {
                        let place = format!("line {} of its {name} file", line.number);
                        self.record_unreadable_row(&place, &line, &unreadable);
                        Outcome::Failed(unreadable.to_failure(&place))
                    }
                };
                rows.push((row.custom_id, outcome));
            }
        }
        Ok(rows)
    }

    /// Keeps a row that cannot be read, and reports the first ones.
    fn record_unreadable_row(&mut self, place: &str, line: &Line, unreadable: &UnreadableRow) {
        self.tally.unreadable += 1;
        let kept = self.unreadable_rows.append(&line.bytes);
        if self.tally.unreadable > MAX_REPORTED {
            return;
        }
        let kept = kept.and_then(Path::file_name).map(|name| {
            let name = name.to_string_lossy();
            format!("batches/{name}")
        });
        self.context.report(&BatchEvent::UnreadableRow {
            batch: self.submission.batch.clone().unwrap_or_default(),
            place: place.to_owned(),
            reason: unreadable.reason.clone(),
            start: unreadable.start.clone(),
            kept,
        });
    }

    /// Closes the attempt that a row answers; `None` where the submission has none that is open.
    fn take_row(
        &mut self,
        tx: &Transaction<'_>,
        id: Option<&str>,
        outcome: Outcome,
    ) -> Result<Option<SettledRequest>, BatchError> {
        let is_unusable = is_unusable(&outcome);
        let Some(key) = id.and_then(key_of) else {
            // A row that cannot be read is counted as such.
            self.tally.unknown += u64::from(!is_unusable);
            self.tally.unreadable_without_id += u64::from(is_unusable);
            return Ok(None);
        };
        let Some(open) = tx.open_attempt(self.submission.id, key)? else {
            if self.seen.contains(&key) {
                self.tally.duplicate += 1;
            } else if tx.request_id(key)?.is_none() {
                self.tally.unknown += 1;
            }
            return Ok(None);
        };
        self.seen.insert(key);
        match &outcome {
            Outcome::Answered(answer) => {
                tx.close_answered(open.attempt, open.request, answer)?;
            }
            Outcome::Failed(failure) => {
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message.clone(),
                };
                tx.close_failed(open.attempt, &note, failure.usage)?;
                if is_unusable {
                    // It was answered, so it was billed; nobody says how much.
                    tx.record_unclear_sends(open.request, self.submission.build, 1)?;
                }
            }
        }
        Ok(Some((key, outcome.into_ending())))
    }
}

fn key_of(custom_id: &str) -> Option<RequestKey> {
    custom_id.parse::<Digest>().ok().map(RequestKey)
}

/// Says whether a whole answer came that nothing can be made of, and nothing was counted for.
fn is_unusable(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(failure)
        if failure.kind == FailureKind::Unreadable && failure.usage == Usage::default())
}
