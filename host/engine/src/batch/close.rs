//! The end of a submission: what it still holds is closed in the transaction that ends it.

use super::{BatchError, BatchEvent, Batches, Work, failure, log};
use synix_core::request::{Failure, FailureKind, Settlement};
use synix_store::{AttemptNote, SubmissionRequest, SubmissionState};

impl Batches<'_> {
    /// Ends a submission in `state` and fails what it still holds, each with its verdict by line, from 1.
    ///
    /// Returns what it held, in the order of its lines; `None`, and nothing done, where another process was faster.
    pub(super) fn close(
        &mut self,
        work: &mut Work,
        state: SubmissionState,
        verdict: impl Fn(u64) -> Failure,
    ) -> Result<Option<Vec<SubmissionRequest>>, BatchError> {
        let submission = &mut work.submission;
        let mut open: Vec<SubmissionRequest> = Vec::new();
        self.store
            .each_open_request(submission.id, |request| -> Result<(), BatchError> {
                open.push(request);
                Ok(())
            })?;
        submission.state = state;
        submission.changed = self.clock.now();
        let kept = self.store.write(|| -> Result<bool, BatchError> {
            if !self.store.update_submission(submission)? {
                return Ok(false);
            }
            for (request, line) in open.iter().zip(1_u64..) {
                let failure = verdict(line);
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message,
                };
                self.store
                    .close_failed(request.attempt, &note, failure.usage)?;
            }
            Ok(true)
        })?;
        if !kept {
            self.follow(work)?;
            return Ok(None);
        }
        log(&work.submission);
        synix_disk::discard(&self.input_file(&work.submission)?);
        for file in self.row_files(&work.submission)? {
            synix_disk::discard(&file);
        }
        Ok(Some(open))
    }

    /// Ends a submission without rows and fails what it held.
    pub(super) fn abandon(&mut self, work: &mut Work, failure: &Failure) -> Result<(), BatchError> {
        "abandoned".clone_into(&mut work.submission.status);
        work.submission.note = Some(failure.message.clone());
        let closed = self.close(work, SubmissionState::Abandoned, |_| failure.clone())?;
        let Some(open) = closed else {
            return Ok(());
        };
        self.tell(&BatchEvent::Abandoned {
            batch: work.submission.batch.clone(),
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
