//! Batches: sends recorded requests in batches and takes their rows, without paying twice.
//!
//! Creating a batch spends money and cannot be repeated, so each submission is
//! a small state machine, and every step of it is one committed transaction:
//!
//! ```text
//! claimed ─> uploading ─> uploaded ─> creating ─> live ─> ended ─> fetched ─> settled
//!                                         │         ^       ^
//!                                         └> unclear ┴> adopted
//! ```
//!
//! `docs/batch.md` says what is recorded in each state, what a process does
//! that finds it, and which steps there are; a test reads its table.
//!
//! | part | its job |
//! | --- | --- |
//! | [`machine`] | derives the transition for a submission and an event, without any effect |
//! | `driver` | carries out a transition: files, then the transaction, then the call |
//! | `schedule` | which submissions this command drives, and when |
//! | [`requests`] | which requests wait for a batch or for an answer |
//! | [`submitter`] | chunks and their claims |
//! | [`throttle`] | the capacity of a provider |
//! | [`list_search`] | which batches of a list may be a lost one |
//! | [`row_reader`] | rows; each is taken once |
//! | [`calls`] | calls to providers, as tasks without access to the state |
//!
//! Only the process that holds the lock of the submission's build, or finds it
//! free, takes the steps before there is a batch: a create call is never made
//! twice for one claim. Polling and taking rows is open to everyone; a row is
//! taken once because its attempt is closed in the same transaction.

mod calls;
mod chunk;
mod commit;
mod context;
mod driver;
mod error;
mod event;
mod lines;
mod list_search;
mod machine;
mod requests;
mod row_reader;
mod schedule;
mod submitter;
#[cfg(test)]
mod tests;
mod throttle;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use tokio::time::Instant;

use crate::claim_guard::ClaimGuard;
use crate::pending::{PendingRequest, SettledRequest};
use calls::Calls;
use machine::{DrivenSubmission, Progress};
use requests::RequestTracker;
use submitter::Submitter;
use synix_core::request::{Failure, FailureKind, Usage};
use synix_disk::FileLock;
use synix_store::{BuildId, RequestId, Submission, SubmissionId};
use throttle::Throttle;

pub use context::{BatchContext, BatchSettings, LostCreatePolicy};
pub use error::BatchError;
pub use event::BatchEvent;
pub use machine::UnexpectedEvent;

/// A submission that this command drives, and its next step.
#[derive(Debug)]
struct Slot {
    driven: DrivenSubmission,
    next_step: NextStep,
}

/// When a submission takes its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextStep {
    /// When its call has ended.
    AfterCall,
    At(Instant),
    /// After another event, or not in this command.
    OnEvent,
}

impl Slot {
    fn new(submission: Submission, due: Instant) -> Self {
        Self {
            driven: DrivenSubmission {
                submission,
                progress: Progress::default(),
            },
            next_step: NextStep::At(due),
        }
    }
}

impl NextStep {
    const fn due(self) -> Option<Instant> {
        match self {
            Self::At(due) => Some(due),
            Self::AfterCall | Self::OnEvent => None,
        }
    }

    fn is_due(self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Makes the next step due now if it waits for an event.
    fn wake(&mut self, now: Instant) {
        if *self == Self::OnEvent {
            *self = Self::At(now);
        }
    }
}

/// What a command does with batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Drives them until they are settled.
    Drive,
    /// Cancels those of its build.
    Cancel,
}

/// The batches of a project, as one command drives them.
pub struct Batches<'a> {
    context: BatchContext<'a>,
    purpose: Purpose,
    tracker: RequestTracker,
    throttle: Throttle,
    /// Decides whether a request may still be sent, before its batch is recorded.
    guard: Option<ClaimGuard>,
    calls: Calls,
    slots: BTreeMap<SubmissionId, Slot>,
    /// Locks of other builds whose submissions this command creates.
    locks: HashMap<BuildId, FileLock>,
    /// When the list of submissions is read again (L5).
    next_refresh: Option<Instant>,
    reported_missing_provider: HashSet<SubmissionId>,
}

impl fmt::Debug for Batches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("purpose", &self.purpose)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}

impl<'a> Batches<'a> {
    /// Opens the batches of a project for one command.
    pub fn new(context: BatchContext<'a>) -> Self {
        Self {
            purpose: Purpose::Drive,
            tracker: RequestTracker::new(context.settings.attempts),
            throttle: Throttle::default(),
            guard: None,
            calls: Calls::new(),
            slots: BTreeMap::new(),
            locks: HashMap::new(),
            next_refresh: Some(Instant::now()),
            reported_missing_provider: HashSet::new(),
            context,
        }
    }

    /// Sends a request only if the guard permits it.
    pub(crate) fn with_guard(mut self, guard: Option<ClaimGuard>) -> Self {
        self.guard = guard;
        self
    }

    /// Returns the requests that need another shared claim.
    pub(crate) fn take_unclaimed(&mut self) -> Vec<PendingRequest<RequestId>> {
        self.tracker.take_unclaimed()
    }

    /// Queues a request for the next batch.
    pub(crate) fn queue(&mut self, request: PendingRequest<RequestId>) {
        self.tracker.queue(request);
    }

    /// Claims chunks of all queued requests of `ready` layers, one model per chunk.
    pub(crate) fn submit(&mut self, ready: &dyn Fn(usize) -> bool) -> Result<(), BatchError> {
        let submissions = self.submitter().submit_ready(ready)?;
        self.drive(submissions);
        Ok(())
    }

    /// Claims the chunks that are full already.
    pub(crate) fn submit_full(&mut self) -> Result<(), BatchError> {
        let submissions = self.submitter().submit_full()?;
        self.drive(submissions);
        Ok(())
    }

    /// Returns whether requests of this command wait in a batch or for one.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.tracker.is_empty()
    }

    /// Returns whether this command has more steps to take, now or later.
    pub fn is_active(&self) -> bool {
        self.calls.in_flight() > 0 || self.next_due().is_some()
    }

    /// Returns whether this command waits for requests that another process has in flight.
    pub(crate) const fn has_foreign_requests(&self) -> bool {
        self.tracker.has_foreign_requests
    }

    /// Returns how many requests other processes had in flight in calls when this command last checked them.
    pub(crate) const fn foreign_calls(&self) -> usize {
        self.tracker.foreign_calls
    }

    /// Takes over requests that another process no longer has in flight.
    pub(crate) fn check_foreign_requests(&mut self) -> Result<(), BatchError> {
        self.take_over()
    }

    /// Returns the requests that settled since the last call.
    pub(crate) fn take_settled(&mut self) -> Vec<SettledRequest> {
        self.tracker.take_settled()
    }

    /// Takes the requests that are sent by sync calls from now on.
    pub(crate) fn take_for_sync_calls(&mut self) -> Vec<PendingRequest<RequestId>> {
        self.tracker.take_for_sync_calls()
    }

    /// Waits for the next event of a batch and handles it. Cancel-safe.
    pub async fn progress(&mut self) -> Result<(), BatchError> {
        self.start_due()?;
        let next = self.next_due();
        let ended = tokio::select! {
            biased;
            ended = self.calls.next(), if self.calls.in_flight() > 0 => ended,
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => None,
            else => None,
        };
        // Nothing awaits from here on.
        if let Some(ended) = ended {
            self.on_call_ended(ended)?;
        }
        self.start_due()
    }

    /// Waits for the calls in flight and starts no others.
    pub(crate) async fn drain(&mut self) -> Result<(), BatchError> {
        while self.calls.in_flight() > 0 {
            let Some(ended) = self.calls.next().await else {
                return Ok(());
            };
            self.on_call_ended(ended)?;
        }
        Ok(())
    }

    /// Cancels the batches of `build`, whose lock the caller holds (M7).
    ///
    /// A live batch stays recorded until it has ended: its finished rows are billed and will be taken.
    pub async fn cancel(&mut self, build: BuildId) -> Result<(), BatchError> {
        self.purpose = Purpose::Cancel;
        self.next_refresh = None;
        let submissions = self.context.store.unsettled_submissions()?;
        let of_build = |submission: &Submission| submission.build == build;
        self.drive(submissions.into_iter().filter(of_build).collect());
        while self.is_active() {
            self.progress().await?;
        }
        Ok(())
    }

    fn submitter(&mut self) -> Submitter<'_> {
        Submitter {
            context: &self.context,
            throttle: &self.throttle,
            guard: self.guard.as_ref(),
            tracker: &mut self.tracker,
        }
    }

    fn drive(&mut self, submissions: Vec<Submission>) {
        let now = Instant::now();
        for submission in submissions {
            self.slots.insert(submission.id, Slot::new(submission, now));
        }
    }
}

fn failure(kind: FailureKind, message: impl Into<String>, transient: bool) -> Failure {
    Failure {
        kind,
        message: message.into(),
        transient,
        usage: Usage::default(),
    }
}
