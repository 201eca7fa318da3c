//! Rows: set arithmetic between what was asked and what came back.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::lines::{KeptRows, Line, Lines};
use super::{BatchError, BatchEvent, Batches, DrivenSubmission, failure};
use synix_core::digest::Digest;
use synix_core::request::{Failure, FailureKind, Outcome, RequestKey, Settlement, Usage, Wire};
use synix_providers::{BatchState, FileId, GarbledRow, Phase};
use synix_store::{AttemptNote, Realm, Submission, SubmissionState};

/// Rows kept in one transaction, and held in memory for it, at most.
const ROWS_AT_ONCE: usize = 10_000;

/// Bytes of rows after which a transaction takes no more.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// Rows that cannot be read and are told one by one.
const TOLD: u64 = 3;

/// How often a request is put into a batch whose answers cannot be used: each of them is paid.
const UNREADABLE_SENDS: u32 = 2;

#[derive(Debug)]
struct Oddities {
    seen: HashSet<RequestKey>,
    duplicate: u64,
    unknown: u64,
    garbled: u64,
    /// Those of them that do not say whose they are.
    nobodys: u64,
    kept: KeptRows,
}

impl Batches<'_> {
    /// Returns where the rows of a submission go: output and error file.
    pub(super) fn row_files(&self, submission: &Submission) -> Result<[PathBuf; 2], BatchError> {
        let path = |ending| self.store.batch_file(&submission.token, ending);
        Ok([path("-output.jsonl")?, path("-error.jsonl")?])
    }

    /// Returns where rows are kept that cannot be read.
    fn kept_rows(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        Ok(self
            .store
            .batch_file(&submission.token, "-unreadable.jsonl")?)
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
                synix_disk::replace_private(&path, b"")?;
            }
        }
        Ok(())
    }

    /// Takes every row of a fetched batch; what has none is missing.
    pub(super) fn take_fetched(&mut self, work: &mut DrivenSubmission) -> Result<(), BatchError> {
        match self.take_all_rows(work) {
            // Another process took them too, was faster, and has put the files away.
            Err(BatchError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                self.follow(work)
            }
            taken => taken,
        }
    }

    fn take_all_rows(&mut self, work: &mut DrivenSubmission) -> Result<(), BatchError> {
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
        let mut oddities = Oddities {
            seen: HashSet::new(),
            duplicate: 0,
            unknown: 0,
            garbled: 0,
            nobodys: 0,
            kept: KeptRows::at(self.kept_rows(&work.submission)?),
        };
        for (file, name) in files.iter().zip(["output", "error"]) {
            self.take_file(&work.submission, (file, name), &mut oddities, over_time)?;
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
        let has_ended_early = matches!(
            Phase::read(&submission.status),
            Phase::Expired | Phase::Cancelled
        );
        let nobodys = oddities.nobodys;
        let (kind, words) = match (has_ended_early, nobodys) {
            (_, 1..) => (
                FailureKind::Unreadable,
                format!("no row that can be read; {nobodys} others cannot be, nor whose they are"),
            ),
            (true, 0) => (
                FailureKind::Expired,
                "no row: the batch ended before it".to_owned(),
            ),
            (false, 0) => (
                FailureKind::Missing,
                "no row in the batch's files".to_owned(),
            ),
        };
        let mut why = failure(kind, format!("{words} ({batch})"), true);
        // One of those rows may have been its own, and paid.
        why.usage.uncounted = nobodys > 0;
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
            for line in Lines::of(file)? {
                for row in line?.rows(wire) {
                    let key = row.custom_id.as_deref().and_then(key_of);
                    if let Some(key) = key
                        && self.store.open_attempt(submission.id, key)?.is_some()
                    {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Lets a batch go whose rows are not ours; the search for ours begins anew.
    fn release_stranger(&mut self, work: &mut DrivenSubmission) -> Result<(), BatchError> {
        for file in self.row_files(&work.submission)? {
            synix_disk::discard(&file);
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
        (path, name): (&Path, &str),
        oddities: &mut Oddities,
        over_time: bool,
    ) -> Result<(), BatchError> {
        let wire = self.wire_of(submission);
        let mut lines = Lines::of(path)?;
        loop {
            let (mut rows, mut bytes) = (Vec::new(), 0);
            let mut ended = false;
            while rows.len() < ROWS_AT_ONCE && bytes < BYTES_AT_ONCE {
                let Some(line) = lines.next() else {
                    ended = true;
                    break;
                };
                let line = line?;
                bytes += line.bytes.len();
                for row in line.rows(wire) {
                    rows.push(match row.outcome {
                        Ok(outcome) => (row.custom_id, outcome),
                        Err(garbled) => {
                            let place = format!("line {} of its {name} file", line.number);
                            self.note_garbled(submission, &place, &line, &garbled, oddities);
                            let failed = Outcome::Failed(garbled.to_failure(&place));
                            (row.custom_id, failed)
                        }
                    });
                }
            }
            if ended && rows.is_empty() {
                return Ok(());
            }
            let store = self.store;
            let taken = store.write(|| {
                let mut taken = Vec::new();
                for (id, outcome) in rows {
                    taken.extend(self.take_row(submission, id.as_deref(), outcome, oddities)?);
                }
                Ok::<_, BatchError>(taken)
            })?;
            for (key, settlement) in taken {
                self.bring(key, settlement, over_time);
            }
        }
    }

    /// Keeps a row that cannot be read, and tells the first ones.
    fn note_garbled(
        &self,
        submission: &Submission,
        place: &str,
        line: &Line,
        garbled: &GarbledRow,
        oddities: &mut Oddities,
    ) {
        oddities.garbled += 1;
        let kept = oddities.kept.keep(&line.bytes);
        if oddities.garbled > TOLD {
            return;
        }
        let kept = kept.and_then(Path::file_name).map(|name| {
            let name = name.to_string_lossy();
            format!("batches/{name}")
        });
        self.tell(&BatchEvent::GarbledRow {
            batch: submission.batch.clone().unwrap_or_default(),
            place: place.to_owned(),
            reason: garbled.reason.clone(),
            start: garbled.start.clone(),
            kept,
        });
    }

    fn take_row(
        &self,
        submission: &Submission,
        id: Option<&str>,
        outcome: Outcome,
        oddities: &mut Oddities,
    ) -> Result<Option<(RequestKey, Settlement)>, BatchError> {
        let is_unusable = is_unusable(&outcome);
        let Some(key) = id.and_then(key_of) else {
            // A row that cannot be read is counted as such.
            oddities.unknown += u64::from(!is_unusable);
            oddities.nobodys += u64::from(is_unusable);
            return Ok(None);
        };
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
                if is_unusable {
                    // It was answered, so it was billed; nobody says how much.
                    self.store.add_unclear(open.request, submission.build, 1)?;
                }
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
                if failure.passing && wanted.sends < self.most_sends(&failure) =>
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

    /// Returns how often a request is put into a batch that failed like this.
    fn most_sends(&self, failure: &Failure) -> u32 {
        if failure.kind == FailureKind::Unreadable {
            self.settings.attempts.min(UNREADABLE_SENDS)
        } else {
            self.settings.attempts
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

/// Says whether a whole answer came that nothing can be made of, and nothing was counted for.
fn is_unusable(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(failure)
        if failure.kind == FailureKind::Unreadable && failure.usage == Usage::default())
}
