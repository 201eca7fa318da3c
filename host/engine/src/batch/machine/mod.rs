//! The batch machine: what a submission does next when something happens to it.
//!
//! [`step`] is a pure function: it makes no call, writes nothing and reads no
//! clock. From a submission, an event and the facts at that moment it derives the
//! next state of the submission, what is recorded, and what is done then.
//! The driver carries out a transition in this order:
//!
//! 1. it prepares the files of the transition,
//! 2. it writes the submission, in one transaction,
//! 3. it starts the call of the transition and applies its effects.
//!
//! If another process was faster, the third step does not happen.
//!
//! `docs/batch.md` lists the steps from state to state; a test compares
//! the two.

mod end;
mod event;
mod live;
mod search;
mod send;
#[cfg(test)]
mod tests;
mod transition;
mod validation;

use std::collections::HashSet;
use std::time::Duration;

use super::error::BatchError;
use super::{BatchEvent, BatchSettings};
use synix_core::clock::Timestamp;
use synix_core::request::Failure;
use synix_providers::{BatchState, BatchTraits};
use synix_store::{Submission, SubmissionState};

pub(super) use end::{RowTally, RowsRead};
pub(super) use event::Event;
pub use event::UnexpectedEvent;
pub(super) use search::{SearchResult, may_be_ours};

/// A submission and what this command did for it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DrivenSubmission {
    pub(super) submission: Submission,
    pub(super) progress: Progress,
}

/// What this command did for a submission. It is not recorded: the next command starts from zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Searches for a lost batch that found nothing.
    pub(super) searches: usize,
    /// Create calls.
    pub(super) creates: u32,
    /// Consecutive calls that failed.
    pub(super) errors: u32,
    pub(super) cancellation: Cancellation,
    /// Rows done at the last poll, as counted by the provider.
    pub(super) rows_done: Option<u64>,
    /// The failed call that was reported last, because each is reported once.
    pub(super) last_failed_call: Option<String>,
}

/// How far the cancellation of a batch is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cancellation {
    #[default]
    NotWanted,
    /// Its build was cancelled before the batch was known.
    Wanted,
    /// The provider was asked to cancel it.
    Sent,
}

/// What is true at the moment of an event.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) now: Timestamp,
    pub(super) settings: &'a BatchSettings,
    pub(super) traits: BatchTraits,
    pub(super) ownership: Ownership,
    pub(super) cancel_source: CancelSource,
    pub(super) capacity: Capacity,
    /// Validation failures of this model in this command, with the one of the event.
    pub(super) validation_failures: u32,
}

/// Whose build a submission belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    ThisBuild,
    AnotherBuild,
}

/// Who cancels a submission, if anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CancelSource {
    None,
    /// Its build is recorded as cancelled.
    Build,
    /// This command cancels its build.
    Command,
}

/// Whether the provider accepts another submission now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capacity {
    Available,
    /// Not before this pause is over; `None`: not before a batch has ended.
    Full {
        retry_after: Option<Duration>,
    },
}

/// How a request without an answer is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    NextBatch,
    SyncCall,
}

/// The consequences of an event.
#[derive(Debug)]
pub(super) struct Transition {
    /// The next state of the submission.
    pub(super) next: DrivenSubmission,
    /// What is prepared before the submission is written.
    pub(super) preparations: Vec<Preparation>,
    pub(super) write: Write,
    /// The call that starts once the submission is written.
    pub(super) call: Option<Call>,
    /// When the next step is due; `None`: after another event.
    pub(super) due: Option<Duration>,
    /// What is applied once the submission is written.
    pub(super) effects: Vec<Effect>,
}

/// A preparation before a submission is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preparation {
    /// Removes the input file.
    DiscardInput,
    /// Gives the submission a token that no other create call has.
    RenewToken,
    /// Creates the files of rows that the batch does not have.
    CompleteRows,
    /// Removes the files of rows.
    DiscardRows,
}

/// What is written about a submission.
#[derive(Debug)]
pub(super) enum Write {
    Nothing,
    /// The next state of the submission.
    Record,
    /// The same, and in the same transaction the failure of every request that it still holds.
    Close(CloseAction),
}

/// What happens to the requests of a submission that ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CloseAction {
    /// Each fails with this failure, and is sent again if that is allowed.
    Fail { failure: Failure, route: Route },
    /// None was run, for this reason. Each is sent again, and this send does not count.
    Requeue { reason: String },
    /// The same, but each half is sent in a batch of its own.
    Halve { reason: String },
    /// The requests on `lines`, counted from 1, fail; the others were not run.
    FailLines { reason: String, lines: HashSet<u64> },
}

/// A call to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Upload,
    /// Reads the id of the newest batch in the list.
    ReadNewest,
    Create,
    Search,
    Poll,
    Download(Box<BatchState>),
    Cancel,
}

/// An effect after a submission is written.
#[derive(Debug)]
pub(super) enum Effect {
    Report(BatchEvent),
    /// Reports how many rows were answered.
    ReportSettled,
    /// Reads the rows that were downloaded.
    ReadRows,
    /// Releases the lock of another build if all its batches are created.
    ReleaseBuildLock,
    /// Wakes submissions that wait for the capacity that the batch used.
    WakeWaiting,
    /// Records that the provider's queue is full. The provider may have named its limit.
    RecordFullQueue {
        limit: Option<u64>,
    },
    /// Ends the command.
    EndCommand(BatchError),
}

/// Derives the transition for an event.
pub(super) fn step(
    driven: &DrivenSubmission,
    event: Event,
    facts: &Facts<'_>,
) -> Result<Transition, UnexpectedEvent> {
    use SubmissionState as S;
    let transition = Transition::of(driven);
    let state = driven.submission.state;
    match (state, event) {
        (S::Claimed | S::Uploading, Event::Due) => Ok(transition.start_sending(facts)),
        (S::Uploaded, Event::Due) => Ok(transition.create_if_capacity(facts)),
        // An earlier process made the call and ended before the reply.
        (S::Creating, Event::Due) => Ok(transition.enter_unclear().with_call(Call::Search)),
        (S::Unclear, Event::Due) => Ok(transition.with_call(Call::Search)),
        (S::Adopted | S::Live, Event::Due) => Ok(transition.poll_or_cancel(facts)),
        (S::Ended, Event::Due) => Ok(transition.poll_ended(facts)),
        (S::Fetched, Event::Due) => Ok(transition.read_fetched(facts)),
        (S::Uploading, Event::UploadEnded(ended)) => Ok(transition.on_upload_ended(ended)),
        (S::Claimed | S::Uploading | S::Uploaded, Event::NewestRead(newest)) => {
            Ok(transition.on_newest_read(newest))
        }
        (S::Creating, Event::CreateEnded(ended)) => Ok(transition.on_create_ended(ended, facts)),
        (S::Unclear, Event::SearchEnded(ended)) => Ok(transition.on_search_ended(ended, facts)),
        (S::Adopted | S::Live | S::Ended, Event::Polled(polled)) => {
            Ok(transition.on_polled(polled, facts))
        }
        (S::Ended, Event::DownloadEnded(batch, ended)) => {
            Ok(transition.on_download_ended(&batch, ended, facts))
        }
        (S::Fetched, Event::RowsRead(read)) => Ok(transition.on_rows_read(read)),
        (S::Adopted | S::Live, Event::CancelEnded(ended)) => {
            Ok(transition.on_cancel_ended(ended, facts))
        }
        (state, Event::CallPanicked) if state.is_unsettled() => {
            Ok(transition.on_call_panicked(facts))
        }
        (state, event) => Err(UnexpectedEvent {
            submission: driven.submission.id.0,
            state: state.name(),
            event: event.name(),
        }),
    }
}

/// Returns how requests with a transient failure are sent again: by sync calls if their batch takes longer than the user allows.
pub(super) fn route(settings: &BatchSettings, submission: &Submission, now: Timestamp) -> Route {
    let age = now.since(submission.opened);
    match settings.sync_after {
        Some(after) if age >= after => Route::SyncCall,
        Some(_) | None => Route::NextBatch,
    }
}
