//! Batches and files that their provider no longer knows: waited for as long as they may come back, then given up.

use super::{BatchError, BatchEvent, Batches, DrivenSubmission, failure};
use synix_core::request::FailureKind;
use synix_providers::{BatchState, ProviderError};
use synix_store::{Submission, SubmissionState};

/// A provider ends every batch within a day; one that it does not know after two will not come back.
const GONE_AFTER_MS: u64 = 48 * 60 * 60 * 1000;

impl Batches<'_> {
    /// Says whether what was looked for is gone, and not only not to be seen yet (L16).
    pub(super) fn is_gone(&self, submission: &Submission, error: &ProviderError) -> bool {
        let age = self.clock.now().0.saturating_sub(submission.opened.0);
        error.is_not_found() && age >= GONE_AFTER_MS
    }

    /// Gives up a batch; its requests are asked again.
    pub(super) fn give_up_batch(
        &mut self,
        work: &mut DrivenSubmission,
        error: &ProviderError,
    ) -> Result<(), BatchError> {
        let batch = work.submission.batch.clone().unwrap_or_default();
        let words = format!("two days after it was sent, batch {batch} is gone: {error}");
        let lost = failure(FailureKind::Missing, words, true);
        self.abandon(work, &lost)
    }

    /// Takes the rows of the files that could still be had; what has none is missing.
    pub(super) fn take_what_is_left(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
        error: &ProviderError,
    ) -> Result<(), BatchError> {
        self.tell(&BatchEvent::Trouble {
            message: format!("rows of batch {} are gone: {error}", batch.id),
        });
        self.take_rows(work, batch)
    }

    /// Goes on with the rows that were downloaded.
    pub(super) fn take_rows(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
    ) -> Result<(), BatchError> {
        self.complete_rows(&work.submission)?;
        work.submission.status.clone_from(&batch.status_text);
        if self.enter(work, SubmissionState::Fetched)? {
            self.take_fetched(work)?;
        }
        Ok(())
    }
}
