//! The end of a submission, and the outcome of the requests that it still holds.

use super::{CloseAction, Effect, Preparation, Route, Transition, Write};
use crate::batch::{BatchEvent, failure};
use synix_core::request::{Failure, FailureKind};
use synix_providers::Phase;
use synix_store::SubmissionState;

/// The result of reading the rows of a fetched batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::batch) enum RowsRead {
    /// The files no longer exist.
    FilesGone,
    /// No row answers a request of the submission.
    NotOurs,
    /// Every row was taken; transient failures take the `route`.
    Taken { tally: RowTally, route: Route },
}

/// The irregular rows of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::batch) struct RowTally {
    /// Requests without a row.
    pub(in crate::batch) missing: u64,
    /// Rows for a request that had one.
    pub(in crate::batch) duplicate: u64,
    /// Rows for requests that are not in the batch.
    pub(in crate::batch) unknown: u64,
    /// Rows that cannot be read.
    pub(in crate::batch) unreadable: u64,
    /// Unreadable rows without a readable id.
    pub(in crate::batch) unreadable_without_id: u64,
}

impl RowTally {
    const fn is_irregular(self) -> bool {
        self.missing + self.duplicate + self.unknown + self.unreadable > 0
    }
}

impl CloseAction {
    /// Returns the failure of the request on `line`, counted from 1.
    pub(in crate::batch) fn failure_for(&self, line: u64) -> Failure {
        match self {
            Self::Fail { failure, .. } => failure.clone(),
            Self::FailLines { reason, lines } if lines.contains(&line) => {
                failure(FailureKind::Invalid, reason.as_str(), false)
            }
            Self::Requeue { reason } | Self::Halve { reason } | Self::FailLines { reason, .. } => {
                failure(FailureKind::Provider, format!("not run: {reason}"), true)
            }
        }
    }
}

/// Returns the failure of requests whose build was cancelled before they were sent.
pub(super) fn cancelled_before_send() -> Failure {
    failure(FailureKind::Expired, "cancelled before it was sent", true)
}

impl Transition {
    /// Ends the submission and the requests that it still holds.
    pub(super) fn close(mut self, state: SubmissionState, action: CloseAction) -> Self {
        self.next.submission.state = state;
        self.write = Write::Close(action);
        self
    }

    /// Ends the submission without rows; its requests are sent again if that is allowed.
    pub(super) fn abandon(mut self, failure: Failure) -> Self {
        let submission = &mut self.next.submission;
        "abandoned".clone_into(&mut submission.status);
        submission.note = Some(failure.message.clone());
        let event = BatchEvent::Abandoned {
            batch: submission.batch.clone(),
            message: failure.message.clone(),
        };
        let route = Route::NextBatch;
        self.close(
            SubmissionState::Abandoned,
            CloseAction::Fail { failure, route },
        )
        .with_report(event)
    }

    pub(super) fn on_rows_read(self, read: RowsRead) -> Self {
        match read {
            RowsRead::FilesGone => self.enter(SubmissionState::Ended).due_now(),
            RowsRead::NotOurs => self.reject_batch(),
            RowsRead::Taken { tally, route } => self.settle_rows(tally, route),
        }
    }

    /// Rejects a batch that has no row of ours, and searches again.
    fn reject_batch(mut self) -> Self {
        self.next.progress.searches = 0;
        let submission = &mut self.next.submission;
        let batch = submission.batch.take().unwrap_or_default();
        let message = format!("batch {batch} is not ours: none of its rows answers our requests");
        submission.rejected.push(batch);
        submission.provisional = false;
        self.with_preparation(Preparation::DiscardRows)
            .enter_unclear()
            .with_report(BatchEvent::CallFailed { message })
            .due_now()
    }

    fn settle_rows(self, tally: RowTally, route: Route) -> Self {
        let batch = self.batch();
        let failure = missing_row_failure(&batch, &self.next.submission.status, tally);
        let settled = self.close(
            SubmissionState::Settled,
            CloseAction::Fail { failure, route },
        );
        let reported = if tally.is_irregular() {
            settled.with_report(BatchEvent::UnexpectedRows {
                batch,
                missing: tally.missing,
                duplicate: tally.duplicate,
                unknown: tally.unknown,
                unreadable: tally.unreadable,
            })
        } else {
            settled
        };
        reported.with_effect(Effect::ReportSettled)
    }
}

/// Returns the failure of a request without a row.
fn missing_row_failure(batch: &str, status: &str, tally: RowTally) -> Failure {
    let has_ended_early = matches!(Phase::parse(status), Phase::Expired | Phase::Cancelled);
    let unidentified = tally.unreadable_without_id;
    let (kind, reason) = if unidentified > 0 {
        let reason = format!("no readable row; {unidentified} unreadable rows have no readable id");
        (FailureKind::Unreadable, reason)
    } else if has_ended_early {
        let reason = "no row: the batch ended before the request ran".to_owned();
        (FailureKind::Expired, reason)
    } else {
        let reason = "no row in the batch's files".to_owned();
        (FailureKind::Missing, reason)
    };
    let mut why = failure(kind, format!("{reason} ({batch})"), true);
    // One of those rows may have been its own, and billed.
    why.usage.uncounted = unidentified > 0;
    why
}
