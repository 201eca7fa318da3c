//! From live to settled: poll, and take what a batch that has ended brought.

use super::{BatchError, BatchEvent, Batches, failure};
use crate::llm::{BatchState, Phase, Provider};
use crate::request::FailureKind;
use crate::store::{Submission, SubmissionState};

/// Looks at a batch after its end, by whatever command, before files it should have are taken as absent.
const LATE_LOOKS: u32 = 5;

impl Batches<'_> {
    /// Looks at a live batch once; takes its rows when it has ended.
    pub(super) async fn poll(
        &mut self,
        submission: &mut Submission,
        provider: &Provider,
    ) -> Result<(), BatchError> {
        let Some(id) = submission.batch.clone() else {
            return Ok(());
        };
        let batch = match provider.poll_batch(&id).await {
            Ok(batch) => batch,
            Err(error)
                if submission.build == self.build
                    && error.to_failure().kind == FailureKind::Auth =>
            {
                return Err(BatchError::Refused { batch: id, error });
            }
            Err(error) => {
                // The batch goes on whatever befell this call (L4, L16): look again later.
                self.tell(&BatchEvent::Trouble {
                    message: format!("cannot look at batch {id}: {error}"),
                });
                return Ok(());
            }
        };
        if let Some(hint) = batch.poll_after {
            self.next_look = Some(self.next_look.map_or(hint, |earlier| earlier.max(hint)));
        }
        if submission.status != batch.status_text {
            submission.status.clone_from(&batch.status_text);
            self.keep(submission)?;
            self.tell(&BatchEvent::Status {
                batch: id.clone(),
                status: batch.status_text.clone(),
                done: batch
                    .counts
                    .as_ref()
                    .map(|counts| counts.completed + counts.failed),
                requests: submission.requests,
            });
        }
        match batch.phase {
            Phase::Completed | Phase::Expired | Phase::Cancelled => {
                if lacks_files(&batch) && submission.late < LATE_LOOKS {
                    submission.late += 1;
                    return self.keep(submission);
                }
                submission.state = SubmissionState::Ended;
                self.keep(submission)?;
                self.take_rows(submission, provider, &batch).await
            }
            Phase::Failed => self.take_refusal(submission, &batch),
            Phase::Waiting
            | Phase::Running
            | Phase::Finalizing
            | Phase::Cancelling
            | Phase::Unknown(_) => Ok(()),
        }
    }

    /// Takes the verdict of a batch that failed validation: nothing ran, nothing was billed.
    fn take_refusal(
        &mut self,
        submission: &mut Submission,
        batch: &BatchState,
    ) -> Result<(), BatchError> {
        let words = batch
            .errors
            .iter()
            .map(|error| match error.line {
                Some(line) => format!("line {line}: {} ({})", error.message, error.code),
                None => format!("{} ({})", error.message, error.code),
            })
            .collect::<Vec<_>>()
            .join("; ");
        let words = if words.is_empty() {
            "the provider gives no reason".to_owned()
        } else {
            words
        };
        let refusal = format!("batch {} failed validation: {words}", batch.id);
        let passing = !batch.errors.is_empty()
            && batch
                .errors
                .iter()
                .all(|error| is_passing(&error.code, error.line, &error.message));
        if passing {
            return self.requeue(
                submission,
                &failure(FailureKind::Provider, refusal, true),
                &[],
            );
        }
        let lines: Vec<u64> = batch.errors.iter().filter_map(|error| error.line).collect();
        if lines.is_empty() || lines.len() < batch.errors.len() {
            return self.abandon(submission, &failure(FailureKind::Invalid, refusal, false));
        }
        self.requeue(
            submission,
            &failure(FailureKind::Invalid, refusal, false),
            &lines,
        )
    }
}

/// Says whether an ended batch should have a file that is not there (A3).
fn lacks_files(batch: &BatchState) -> bool {
    if batch.output_file.is_some() {
        return false;
    }
    match &batch.counts {
        Some(counts) if counts.completed > 0 => true,
        Some(counts) => batch.error_file.is_none() && counts.failed > 0,
        None => batch.error_file.is_none(),
    }
}

/// Says whether a validation error may pass by itself (`batch-apis` 1.5): a full queue, or a file not seen yet.
fn is_passing(code: &str, line: Option<u64>, message: &str) -> bool {
    code == "token_limit_exceeded"
        || (code == "invalid_request" && line.is_none() && message.starts_with("Cannot find file"))
}
