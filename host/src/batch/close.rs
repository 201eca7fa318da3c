//! The end of a submission: what it still holds is closed in the transaction that ends it.

use super::{BatchError, BatchEvent, Batches, failure};
use crate::disk;
use crate::request::{Failure, FailureKind, Settlement};
use crate::store::{AttemptNote, Submission, SubmissionRequest, SubmissionState};

impl Batches<'_> {
    /// Ends a submission in `state` and fails what it still holds, each with its verdict by line, from 1.
    ///
    /// Returns what it held, in the order of its lines.
    pub(super) fn close(
        &mut self,
        submission: &mut Submission,
        state: SubmissionState,
        verdict: impl Fn(u64) -> Failure,
    ) -> Result<Vec<SubmissionRequest>, BatchError> {
        let mut open: Vec<SubmissionRequest> = Vec::new();
        self.store
            .each_open_request(submission.id, |request| -> Result<(), BatchError> {
                open.push(request);
                Ok(())
            })?;
        submission.state = state;
        submission.changed = self.clock.now();
        self.store.write(|| -> Result<(), BatchError> {
            for (request, line) in open.iter().zip(1_u64..) {
                let failure = verdict(line);
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message,
                };
                self.store
                    .close_failed(request.attempt, &note, failure.usage)?;
            }
            self.store.update_submission(submission)?;
            Ok(())
        })?;
        disk::discard(&self.input_file(submission)?);
        for file in self.row_files(submission)? {
            disk::discard(&file);
        }
        Ok(open)
    }

    /// Ends a submission without rows and fails what it held.
    pub(super) fn abandon(
        &mut self,
        submission: &mut Submission,
        failure: &Failure,
    ) -> Result<(), BatchError> {
        "abandoned".clone_into(&mut submission.status);
        submission.note = Some(failure.message.clone());
        let open = self.close(submission, SubmissionState::Abandoned, |_| failure.clone())?;
        self.tell(&BatchEvent::Abandoned {
            batch: submission.batch.clone(),
            message: failure.message.clone(),
        });
        for request in open {
            self.bring(request.key, Settlement::Failed(failure.clone()), false);
        }
        Ok(())
    }
}

/// Why the requests of a build are not asked that was cancelled before they were sent.
pub(super) fn never_sent() -> Failure {
    failure(FailureKind::Expired, "cancelled before it was sent", true)
}
