//! Polls a live batch and downloads its rows.

use super::{
    Call, CancelSource, Cancellation, Effect, Facts, Ownership, Preparation, Route, Transition,
    route,
};
use crate::batch::error::BatchError;
use crate::batch::{BatchEvent, failure};
use synix_core::clock::Timestamp;
use synix_core::request::FailureKind;
use synix_providers::{BatchState, Phase, ProviderError, RetryAdvice};
use synix_store::{Submission, SubmissionState};

/// The number of polls after the end of a batch, by any command, before files that it should have count as missing.
const MAX_LATE_POLLS: u32 = 5;

/// The number of polls, by any command, with incomplete files before that is a failure. Polls for late files count,
/// too.
const MAX_BAD_DOWNLOADS: u32 = MAX_LATE_POLLS + 3;

/// A provider ends every batch within a day; one that it does not know after two days is lost.
const LOST_AFTER_MS: u64 = 48 * 60 * 60 * 1000;

impl Transition {
    /// Polls a batch, or cancels one that is no longer wanted or takes too long.
    pub(super) fn poll_or_cancel(mut self, facts: &Facts<'_>) -> Self {
        let cancels = facts.cancel_source == CancelSource::Command;
        let cancellation = &mut self.next.progress.cancellation;
        let is_unwanted = cancels
            || *cancellation == Cancellation::Wanted
            || route(facts.settings, &self.next.submission, facts.now) == Route::SyncCall;
        if is_unwanted && *cancellation != Cancellation::Sent {
            *cancellation = Cancellation::Sent;
            return self.with_call(Call::Cancel);
        }
        // A command that cancels does not wait for rows: the next command takes them.
        if cancels {
            return self;
        }
        self.with_call(Call::Poll)
    }

    pub(super) fn poll_ended(self, facts: &Facts<'_>) -> Self {
        if facts.cancel_source == CancelSource::Command {
            return self;
        }
        self.with_call(Call::Poll)
    }

    pub(super) fn read_fetched(self, facts: &Facts<'_>) -> Self {
        if facts.cancel_source == CancelSource::Command {
            return self;
        }
        self.with_effect(Effect::ReadRows)
    }

    pub(super) fn on_polled(
        self,
        polled: Result<Box<BatchState>, ProviderError>,
        facts: &Facts<'_>,
    ) -> Self {
        match polled {
            Ok(batch) => self.on_batch_state(batch, facts),
            Err(error) => self.on_poll_failed(error, facts),
        }
    }

    fn on_batch_state(mut self, batch: Box<BatchState>, facts: &Facts<'_>) -> Self {
        self.next.progress.errors = 0;
        let mut noted = self.note_status(&batch);
        match batch.phase {
            Phase::Completed | Phase::Expired | Phase::Cancelled => {
                if is_missing_files(&batch) && noted.next.submission.late < MAX_LATE_POLLS {
                    noted.next.submission.late += 1;
                    return noted.with_record().poll_again(batch.poll_after, facts);
                }
                noted
                    .enter(SubmissionState::Ended)
                    .with_effect(Effect::WakeWaiting)
                    .with_call(Call::Download(batch))
            }
            Phase::Failed => noted.on_validation_failed(&batch, facts),
            Phase::Waiting
            | Phase::Running
            | Phase::Finalizing
            | Phase::Cancelling
            | Phase::Unknown(_) => noted.poll_again(batch.poll_after, facts),
        }
    }

    fn on_poll_failed(self, error: ProviderError, facts: &Facts<'_>) -> Self {
        let batch = self.batch();
        let is_refused = error.to_failure().kind == FailureKind::Auth;
        if is_refused && facts.ownership == Ownership::ThisBuild {
            return self.with_effect(Effect::EndCommand(BatchError::Refused { batch, error }));
        }
        if is_lost_for_good(&self.next.submission, &error, facts.now) {
            let message =
                format!("batch {batch} no longer exists two days after it was sent: {error}");
            return self.abandon(failure(FailureKind::Missing, message, true));
        }
        // A failed call does not affect the batch (L4, L16).
        self.report_failed_call(format!("cannot poll batch {batch}: {error}"))
            .back_off(facts)
    }

    pub(super) fn on_download_ended(
        self,
        batch: &BatchState,
        ended: Result<(), ProviderError>,
        facts: &Facts<'_>,
    ) -> Self {
        match ended {
            Ok(()) => self.use_rows(batch),
            Err(error) if is_lost_for_good(&self.next.submission, &error, facts.now) => {
                let message = format!("the rows of batch {} no longer exist: {error}", batch.id);
                self.with_report(BatchEvent::CallFailed { message })
                    .use_rows(batch)
            }
            Err(error) => self.on_download_failed(batch, error, facts),
        }
    }

    /// Reads the files that there are; a request without a row in them is missing.
    fn use_rows(mut self, batch: &BatchState) -> Self {
        let submission = &mut self.next.submission;
        submission.status.clone_from(&batch.status_text);
        self.with_preparation(Preparation::CompleteRows)
            .enter(SubmissionState::Fetched)
            .with_effect(Effect::ReadRows)
    }

    /// Leaves the files at the provider.
    ///
    /// A permanent error ends the command, so that nobody waits for it: an error that a retry would repeat, or files that
    /// are still incomplete after this many polls.
    fn on_download_failed(
        mut self,
        batch: &BatchState,
        error: ProviderError,
        facts: &Facts<'_>,
    ) -> Self {
        let is_bad_file = matches!(
            error,
            ProviderError::Truncated { .. }
                | ProviderError::Inconsistent { .. }
                | ProviderError::Undecodable { .. }
        );
        if is_bad_file {
            self.next.submission.late += 1;
            self = self.with_record();
        }
        // A file that is not found may not be visible yet.
        let lasts = error.retry() == RetryAdvice::Never && !error.is_not_found();
        if lasts || (is_bad_file && self.next.submission.late > MAX_BAD_DOWNLOADS) {
            let batch = batch.id.clone();
            return self.with_effect(Effect::EndCommand(BatchError::Rows { batch, error }));
        }
        let message = format!("cannot download the rows of batch {}: {error}", batch.id);
        self.report_failed_call(message).back_off(facts)
    }

    pub(super) fn on_cancel_ended(
        self,
        ended: Result<Box<BatchState>, ProviderError>,
        facts: &Facts<'_>,
    ) -> Self {
        match ended {
            Ok(batch) => self.note_status(&batch).due_after(facts.settings.interval),
            Err(error) => {
                let message = format!("cannot cancel batch {}: {error}", self.batch());
                self.with_report(BatchEvent::CallFailed { message })
                    .back_off(facts)
            }
        }
    }
}

/// Returns whether something is lost, and not only not visible yet (L16).
fn is_lost_for_good(submission: &Submission, error: &ProviderError, now: Timestamp) -> bool {
    error.is_not_found() && now.0.saturating_sub(submission.opened.0) >= LOST_AFTER_MS
}

/// Returns whether an ended batch lacks a file that it should have (A3).
fn is_missing_files(batch: &BatchState) -> bool {
    if batch.output_file.is_some() {
        return false;
    }
    match &batch.counts {
        Some(counts) if counts.completed > 0 => true,
        Some(counts) => batch.error_file.is_none() && counts.failed > 0,
        None => batch.error_file.is_none(),
    }
}
