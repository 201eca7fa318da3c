//! Rows: set arithmetic between what was asked and what came back.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::{BatchError, BatchEvent, Batches, Work, failure};
use crate::digest::Digest;
use crate::disk;
use crate::llm::{BatchState, FileId, Phase, Row, read_row};
use crate::request::{FailureKind, Outcome, RequestKey, Settlement, Wire};
use crate::store::{AttemptNote, Realm, Submission, SubmissionState};

/// Rows kept in one transaction, and held in memory for it, at most.
const ROWS_AT_ONCE: usize = 10_000;

/// Bytes of rows after which a transaction takes no more.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
struct Oddities {
    seen: HashSet<RequestKey>,
    duplicate: u64,
    unknown: u64,
    garbled: u64,
}

impl Batches<'_> {
    /// Returns where the rows of a submission go: output and error file.
    pub(super) fn row_files(&self, submission: &Submission) -> Result<[PathBuf; 2], BatchError> {
        let path = |ending| self.store.batch_file(&submission.token, ending);
        Ok([path("-output.jsonl")?, path("-error.jsonl")?])
    }

    /// Returns which of an ended batch's files go where.
    pub(super) fn files_of(
        &self,
        submission: &Submission,
        batch: &BatchState,
    ) -> Result<Vec<(FileId, PathBuf)>, BatchError> {
        let [output, error] = self.row_files(submission)?;
        let offered = [(&batch.output_file, output), (&batch.error_file, error)];
        Ok(offered
            .into_iter()
            .filter_map(|(file, path)| Some((file.clone()?, path)))
            .collect())
    }

    /// Makes the files that a batch did not offer, so that those of a fetched one are always there.
    pub(super) fn complete_rows(&self, submission: &Submission) -> Result<(), BatchError> {
        for path in self.row_files(submission)? {
            if !path.exists() {
                disk::replace(&path, b"")?;
            }
        }
        Ok(())
    }

    /// Takes every row of a fetched batch; what has none is missing.
    pub(super) fn take_fetched(&mut self, work: &mut Work) -> Result<(), BatchError> {
        let files = self.row_files(&work.submission)?;
        if !files.iter().all(|file| file.exists()) {
            self.enter(work, SubmissionState::Ended)?;
            work.due = Some(Instant::now());
            return Ok(());
        }
        if work.submission.provisional && !self.are_ours(&work.submission, &files)? {
            return self.release_stranger(work);
        }
        let over_time = self.is_over_time(&work.submission);
        let mut oddities = Oddities::default();
        for file in &files {
            self.take_file(&work.submission, file, &mut oddities, over_time)?;
        }
        let submission = &work.submission;
        let batch = submission.batch.clone().unwrap_or_default();
        let mut missing = 0;
        self.store
            .each_open_request(submission.id, |_| -> Result<(), BatchError> {
                missing += 1;
                Ok(())
            })?;
        if missing + oddities.duplicate + oddities.unknown + oddities.garbled > 0 {
            self.tell(&BatchEvent::OddRows {
                batch: batch.clone(),
                missing,
                duplicate: oddities.duplicate,
                unknown: oddities.unknown,
                garbled: oddities.garbled,
            });
        }
        let (kind, words) = if matches!(
            Phase::read(&submission.status),
            Phase::Expired | Phase::Cancelled
        ) {
            (FailureKind::Expired, "no row: the batch ended before it")
        } else {
            (FailureKind::Missing, "no row in the batch's files")
        };
        let why = failure(kind, format!("{words} ({batch})"), true);
        let closed = self.close(work, SubmissionState::Settled, |_| why.clone())?;
        let Some(open) = closed else {
            return Ok(());
        };
        for request in open {
            self.bring(request.key, Settlement::Failed(why.clone()), over_time);
        }
        let (succeeded, failed) = self.store.submission_tally(work.submission.id)?;
        self.tell(&BatchEvent::Settled {
            batch,
            succeeded,
            failed,
        });
        Ok(())
    }

    /// Says whether a provisionally adopted batch answered what the submission asked.
    fn are_ours(&self, submission: &Submission, files: &[PathBuf]) -> Result<bool, BatchError> {
        let wire = self.wire_of(submission);
        for file in files {
            for line in lines_of(file)? {
                let row = read_row(wire, &line?);
                let key = row.custom_id.as_deref().and_then(key_of);
                if let Some(key) = key
                    && self.store.open_attempt(submission.id, key)?.is_some()
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Lets a batch go whose rows are not ours; the search for ours begins anew.
    fn release_stranger(&mut self, work: &mut Work) -> Result<(), BatchError> {
        for file in self.row_files(&work.submission)? {
            disk::discard(&file);
        }
        let batch = work.submission.batch.take().unwrap_or_default();
        self.tell(&BatchEvent::Trouble {
            message: format!("batch {batch} is not ours: none of its rows was asked for"),
        });
        work.submission.rejected.push(batch);
        work.submission.provisional = false;
        work.looks = 0;
        work.due = Some(Instant::now());
        self.enter(work, SubmissionState::Unclear).map(drop)
    }

    fn wire_of(&self, submission: &Submission) -> Wire {
        let provider = self.providers.get(&submission.provider);
        provider.map_or(Wire::OpenAi, |provider| provider.wire())
    }

    fn take_file(
        &mut self,
        submission: &Submission,
        path: &Path,
        oddities: &mut Oddities,
        over_time: bool,
    ) -> Result<(), BatchError> {
        let wire = self.wire_of(submission);
        let mut lines = lines_of(path)?;
        loop {
            let (mut rows, mut bytes) = (Vec::new(), 0);
            while rows.len() < ROWS_AT_ONCE && bytes < BYTES_AT_ONCE {
                let Some(line) = lines.next() else {
                    break;
                };
                let line = line?;
                bytes += line.len();
                rows.push(read_row(wire, &line));
            }
            if rows.is_empty() {
                return Ok(());
            }
            let store = self.store;
            let taken = store.write(|| {
                let mut taken = Vec::new();
                for row in rows {
                    taken.extend(self.take_row(submission, row, oddities)?);
                }
                Ok::<_, BatchError>(taken)
            })?;
            for (key, settlement) in taken {
                self.bring(key, settlement, over_time);
            }
        }
    }

    fn take_row(
        &self,
        submission: &Submission,
        row: Row,
        oddities: &mut Oddities,
    ) -> Result<Option<(RequestKey, Settlement)>, BatchError> {
        let key = row.custom_id.as_deref().and_then(key_of);
        let outcome = match (key, row.outcome) {
            (Some(key), Ok(outcome)) => (key, outcome),
            // A row that names its request but holds nothing usable leaves the request missing.
            (_, Err(_)) => {
                oddities.garbled += 1;
                return Ok(None);
            }
            (None, Ok(_)) => {
                oddities.unknown += 1;
                return Ok(None);
            }
        };
        let (key, outcome) = outcome;
        let Some(open) = self.store.open_attempt(submission.id, key)? else {
            if oddities.seen.contains(&key) {
                oddities.duplicate += 1;
            } else if self.store.request_id(key)?.is_none() {
                oddities.unknown += 1;
            }
            return Ok(None);
        };
        oddities.seen.insert(key);
        match &outcome {
            Outcome::Answered(answer) => {
                self.store
                    .close_answered(open.attempt, open.request, answer)?;
            }
            Outcome::Failed(failure) => {
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message.clone(),
                };
                self.store
                    .close_failed(open.attempt, &note, failure.usage)?;
            }
        }
        Ok(Some((key, outcome.into())))
    }

    /// Hands an outcome to this command, if it waits for it; a passing failure goes into the next batch.
    ///
    /// `over_time` says that what is open goes by single calls from now on.
    pub(super) fn bring(&mut self, key: RequestKey, settlement: Settlement, over_time: bool) {
        let Some(wanted) = self.wanted.get(&key) else {
            return;
        };
        match settlement {
            Settlement::Failed(failure) if failure.passing && over_time => {
                self.for_sync.push(wanted.queued.clone());
                self.wanted.remove(&key);
            }
            Settlement::Failed(failure)
                if failure.passing && wanted.sends < self.settings.attempts =>
            {
                let queued = wanted.queued.clone();
                self.queue.push(queued);
            }
            settlement @ (Settlement::Answered { .. } | Settlement::Failed(_)) => {
                self.wanted.remove(&key);
                self.settled.push((key, settlement));
            }
        }
    }

    /// Takes up again what somebody else had in flight and does no more.
    pub(super) fn claim_again(&mut self) -> Result<(), BatchError> {
        if !std::mem::take(&mut self.elsewhere) {
            return Ok(());
        }
        let queued: HashSet<RequestKey> = self.queue.iter().map(|queued| queued.key).collect();
        let (mut free, mut answered) = (Vec::new(), Vec::new());
        for wanted in self.wanted.values() {
            let one = &wanted.queued;
            if queued.contains(&one.key) {
                continue;
            }
            // What is in flight may be asked again after an answer that would not do.
            if let Some(submission) = self.store.in_flight(one.request)? {
                let ours = submission.is_some_and(|id| self.works.contains_key(&id));
                self.elsewhere |= !ours;
                continue;
            }
            let answer = self
                .store
                .answer_to(one.request, Realm::Live, one.accept_truncated)?;
            match answer {
                Some(answer) => answered.push((one.key, Settlement::from(&answer))),
                None => free.push((one.clone(), wanted.sends)),
            }
        }
        for (key, settlement) in answered {
            self.wanted.remove(&key);
            self.settled.push((key, settlement));
        }
        for (queued, sends) in free {
            if sends < self.settings.attempts {
                self.queue.push(queued);
                continue;
            }
            let words = match self.store.last_failure(queued.request) {
                Ok(Some((_, message))) => message,
                _ => "no answer".to_owned(),
            };
            let message = format!("{words} (after {sends} attempts)");
            self.wanted.remove(&queued.key);
            let failed = failure(FailureKind::Provider, message, true);
            self.settled.push((queued.key, Settlement::Failed(failed)));
        }
        Ok(())
    }
}

fn key_of(custom_id: &str) -> Option<RequestKey> {
    custom_id.parse::<Digest>().ok().map(RequestKey)
}

/// Reads the lines that hold something; bytes that are no text become the mark for it.
fn lines_of(
    path: &Path,
) -> Result<impl Iterator<Item = Result<String, BatchError>> + use<>, BatchError> {
    let path = path.to_owned();
    let file = File::open(&path).map_err(|source| BatchError::File {
        path: path.clone(),
        source,
    })?;
    let lines = BufReader::new(file).split(b'\n');
    Ok(lines
        .map(move |line| match line {
            Ok(line) => Ok(String::from_utf8_lossy(&line).into_owned()),
            Err(source) => Err(BatchError::File {
                path: path.clone(),
                source,
            }),
        })
        .filter(|line| !matches!(line, Ok(text) if text.trim().is_empty())))
}
