//! Rows: set arithmetic between what was asked and what came back.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use super::input::discard;
use super::{BatchError, BatchEvent, Batches, failure};
use crate::digest::Digest;
use crate::llm::{BatchState, Phase, Provider, Row, read_row};
use crate::request::{Failure, FailureKind, Outcome, RequestKey};
use crate::store::{AttemptNote, Submission, SubmissionRequest, SubmissionState};

/// Rows kept in one transaction.
const ROWS_AT_ONCE: usize = 10_000;

#[derive(Debug, Default)]
struct Oddities {
    seen: HashSet<RequestKey>,
    duplicate: u64,
    unknown: u64,
    garbled: u64,
}

impl Batches<'_> {
    /// Downloads both files of an ended batch and takes every row; what has none is missing.
    pub(super) async fn take_rows(
        &mut self,
        submission: &mut Submission,
        provider: &Provider,
        batch: &BatchState,
    ) -> Result<(), BatchError> {
        let mut oddities = Oddities::default();
        for (file, name) in [(&batch.output_file, "output"), (&batch.error_file, "error")] {
            let Some(file) = file else { continue };
            let path = self
                .store
                .batch_folder()?
                // Another build may take the same rows at the same time.
                .join(format!("{}-{name}-{}.jsonl", submission.token, self.build));
            if let Err(error) = provider.download(file, &path).await {
                // The file stays at the provider; the submission stays `ended`.
                self.tell(&BatchEvent::Trouble {
                    message: format!(
                        "cannot download the {name} file of batch {}: {error}",
                        batch.id
                    ),
                });
                return Ok(());
            }
            self.take_file(submission, provider, &path, &mut oddities)?;
            discard(&path);
        }
        let mut missing = 0;
        self.store
            .each_open_request(submission.id, |_| -> Result<(), BatchError> {
                missing += 1;
                Ok(())
            })?;
        if missing + oddities.duplicate + oddities.unknown + oddities.garbled > 0 {
            self.tell(&BatchEvent::OddRows {
                batch: batch.id.clone(),
                missing,
                duplicate: oddities.duplicate,
                unknown: oddities.unknown,
                garbled: oddities.garbled,
            });
        }
        let (kind, words) = if matches!(batch.phase, Phase::Expired | Phase::Cancelled) {
            (FailureKind::Expired, "no row: the batch ended before it")
        } else {
            (FailureKind::Missing, "no row in the batch's files")
        };
        self.requeue(
            submission,
            &failure(kind, format!("{words} ({})", batch.id), true),
            &[],
        )?;
        let (succeeded, failed) = self.store.submission_tally(submission.id)?;
        self.tell(&BatchEvent::Settled {
            batch: batch.id.clone(),
            succeeded,
            failed,
        });
        Ok(())
    }

    fn take_file(
        &mut self,
        submission: &Submission,
        provider: &Provider,
        path: &Path,
        oddities: &mut Oddities,
    ) -> Result<(), BatchError> {
        let failed = |source| BatchError::File {
            path: path.to_owned(),
            source,
        };
        let mut lines = BufReader::new(File::open(path).map_err(failed)?).split(b'\n');
        loop {
            let mut rows = Vec::new();
            for line in lines.by_ref().take(ROWS_AT_ONCE) {
                let line = line.map_err(failed)?;
                let text = String::from_utf8_lossy(&line);
                if !text.trim().is_empty() {
                    rows.push(read_row(provider.wire(), &text));
                }
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
            for (key, outcome) in taken {
                self.bring(key, outcome);
            }
        }
    }

    fn take_row(
        &self,
        submission: &Submission,
        row: Row,
        oddities: &mut Oddities,
    ) -> Result<Option<(RequestKey, Outcome)>, BatchError> {
        let key = row
            .custom_id
            .as_deref()
            .and_then(|id| id.parse::<Digest>().ok())
            .map(RequestKey);
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
        Ok(Some((key, outcome)))
    }

    /// Hands an outcome to this command, if it waits for it; a passing failure goes into the next batch.
    pub(super) fn bring(&mut self, key: RequestKey, outcome: Outcome) {
        let Some((queued, sends)) = self.wanted.get(&key) else {
            return;
        };
        match outcome {
            Outcome::Failed(failure) if failure.passing && *sends < self.settings.attempts => {
                let queued = queued.clone();
                self.queue_again(queued);
            }
            outcome @ (Outcome::Answered(_) | Outcome::Failed(_)) => {
                self.wanted.remove(&key);
                self.settled.push((key, outcome));
            }
        }
    }

    /// Closes what a submission still holds and settles it. `bad_lines` (from 1) fail for good, the rest as `why` says.
    pub(super) fn requeue(
        &mut self,
        submission: &mut Submission,
        why: &Failure,
        bad_lines: &[u64],
    ) -> Result<(), BatchError> {
        let mut open: Vec<SubmissionRequest> = Vec::new();
        self.store
            .each_open_request(submission.id, |request| -> Result<(), BatchError> {
                open.push(request);
                Ok(())
            })?;
        let innocent = failure(
            FailureKind::Provider,
            format!("not run: {}", why.message),
            true,
        );
        let outcomes: Vec<(RequestKey, Failure)> = open
            .iter()
            .zip(1_u64..)
            .map(|(request, line)| {
                let guilty = bad_lines.is_empty() || bad_lines.contains(&line);
                (
                    request.key,
                    if guilty {
                        why.clone()
                    } else {
                        innocent.clone()
                    },
                )
            })
            .collect();
        submission.state = SubmissionState::Settled;
        submission.changed = self.clock.now();
        self.store.write(|| -> Result<(), BatchError> {
            for (request, (_, failure)) in open.iter().zip(&outcomes) {
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message.clone(),
                };
                self.store
                    .close_failed(request.attempt, &note, failure.usage)?;
            }
            Ok(self.store.update_submission(submission)?)
        })?;
        for (key, failure) in outcomes {
            self.bring(key, Outcome::Failed(failure));
        }
        Ok(())
    }
}
