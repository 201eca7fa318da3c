//! Reads the rows of a batch and matches them with its requests.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::{Line, Lines, UnreadableRowFile};
use super::machine::{Route, RowTally, RowsRead};
use super::requests::RequestTracker;
use super::{BatchContext, BatchError, BatchEvent};
use crate::pending::SettledRequest;
use synix_core::digest::Digest;
use synix_core::request::{FailureKind, Outcome, RequestKey, RequestKind, Usage, Wire};
use synix_providers::{Row, UnreadableRow};
use synix_store::{AttemptNote, Submission, Transaction};

/// The maximum number of rows in one transaction, and in memory.
const MAX_ROWS_PER_TRANSACTION: usize = 10_000;

/// The size of rows after which a transaction takes no more.
const MAX_BYTES_PER_TRANSACTION: usize = 4 * 1024 * 1024;

/// The number of unreadable rows that are reported one by one.
const MAX_REPORTED: u64 = 3;

/// Reads the rows of one fetched batch.
#[derive(Debug)]
pub(super) struct RowReader<'c> {
    context: &'c BatchContext<'c>,
    tracker: &'c mut RequestTracker,
    submission: &'c Submission,
    route: Route,
    wire: Wire,
    /// What its requests ask for.
    kind: RequestKind,
    tally: RowTally,
    /// Requests whose rows were taken from these files.
    seen: HashSet<RequestKey>,
    unreadable_rows: UnreadableRowFile,
}

/// The id and the outcome of a row.
type TakenRow = (Option<String>, Outcome);

impl<'c> RowReader<'c> {
    /// Opens the rows of a batch; transient failures take the `route`.
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
            kind: context.kind_of(submission)?,
            wire: provider.map_or(Wire::OpenAi, |provider: Arc<_>| provider.wire()),
            tally: RowTally::default(),
            seen: HashSet::new(),
            unreadable_rows: UnreadableRowFile::open(context.unreadable_rows(submission)?),
        })
    }

    /// Takes every row, and counts irregular ones.
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

    /// Returns whether an adopted batch has a row for a request of the submission.
    fn has_own_row(&self, files: &[PathBuf]) -> Result<bool, BatchError> {
        for file in files {
            for line in Lines::open(file)? {
                for row in line?.rows(self.wire, self.kind) {
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
            for row in line.rows(self.wire, self.kind) {
                let outcome = match row.outcome {
                    Ok(outcome) => outcome,
                    Err(unreadable) => {
                        let location = format!("line {} of its {name} file", line.number);
                        self.record_unreadable_row(&location, &line, &unreadable);
                        Outcome::Failed(unreadable.to_failure(&location))
                    }
                };
                rows.push((row.custom_id, outcome));
            }
        }
        Ok(rows)
    }

    /// Keeps an unreadable row, and reports the first ones.
    fn record_unreadable_row(&mut self, location: &str, line: &Line, unreadable: &UnreadableRow) {
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
            place: location.to_owned(),
            reason: unreadable.reason.clone(),
            start: unreadable.start.clone(),
            kept,
        });
    }

    /// Closes the attempt that a row answers; `None` if the submission has no such open attempt.
    fn take_row(
        &mut self,
        tx: &Transaction<'_>,
        id: Option<&str>,
        outcome: Outcome,
    ) -> Result<Option<SettledRequest>, BatchError> {
        let is_unusable = is_unusable(&outcome);
        let Some(key) = id.and_then(key_of) else {
            // An unreadable row is counted as such.
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
        let now = self.context.clock.peek();
        match &outcome {
            Outcome::Answered(answer) => {
                tx.close_answered(open.attempt, open.request, answer, now)?;
            }
            Outcome::Failed(failure) => {
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message.clone(),
                };
                tx.close_failed(open.attempt, &note, failure.usage, now)?;
                if is_unusable {
                    // It was answered and thus billed, but the amount is unknown.
                    tx.record_unclear_sends(open.request, self.submission.build, 1, now)?;
                }
            }
        }
        Ok(Some((key, outcome.into_ending())))
    }
}

fn key_of(custom_id: &str) -> Option<RequestKey> {
    custom_id.parse::<Digest>().ok().map(RequestKey)
}

/// Returns whether the reply is complete but unusable, without token counts.
fn is_unusable(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(failure)
        if failure.kind == FailureKind::Unreadable && failure.usage == Usage::default())
}
