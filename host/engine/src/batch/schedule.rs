//! Decides which submissions this command drives, and when each takes its next step.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::time::Instant;

use super::machine::{Event, route};
use super::row_reader::RowReader;
use super::submitter::Submitter;
use super::throttle::target_of;
use super::{BatchError, BatchEvent, Batches, NextStep, Slot};
use synix_store::{Submission, SubmissionId, SubmissionState};

/// The maximum number of calls in flight: files are streamed, but sockets and disks are limited.
const MAX_CALLS: usize = 16;

/// The minimum pause between two readings of the list of submissions.
const MIN_REFRESH_PAUSE: Duration = Duration::from_millis(200);

impl Batches<'_> {
    /// Starts every step that is due.
    pub(super) fn start_due(&mut self) -> Result<(), BatchError> {
        let now = Instant::now();
        if self.next_refresh.is_some_and(|due| due <= now) {
            self.refresh_submissions()?;
        }
        loop {
            let due = self
                .slots
                .iter()
                .find(|(_, slot)| slot.next_step.is_due(now));
            let Some((id, _)) = due else { return Ok(()) };
            if self.calls.in_flight() >= MAX_CALLS {
                return Ok(());
            }
            self.start(*id)?;
        }
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let turns = self.slots.values().filter_map(|slot| slot.next_step.due());
        turns.chain(self.next_refresh).min()
    }

    /// Reads the list of submissions: other processes add and settle them, too (L5).
    fn refresh_submissions(&mut self) -> Result<(), BatchError> {
        let now = Instant::now();
        let pause = self.context.settings.interval;
        self.next_refresh = pause.map(|pause| now + pause.max(MIN_REFRESH_PAUSE));
        let stored = self.context.store.unsettled_submissions()?;
        let known = self.slots.len();
        self.slots.retain(|id, slot| {
            slot.next_step == NextStep::AfterCall
                || stored.iter().any(|submission| submission.id == *id)
        });
        // The process that settled the others may have received answers that this command waits for.
        self.tracker.has_foreign_requests |= self.slots.len() < known || self.slots.is_empty();
        // There may be capacity now: batches of other processes end, too.
        for slot in self.slots.values_mut() {
            if pause.is_some() && slot.driven.submission.state.is_before_batch() {
                slot.next_step.wake(now);
            }
        }
        for submission in stored {
            self.slots
                .entry(submission.id)
                .or_insert_with(|| Slot::new(submission, now));
        }
        self.take_over()
    }

    /// Takes the next step of a submission if this command may drive it.
    fn start(&mut self, id: SubmissionId) -> Result<(), BatchError> {
        let Some(slot) = self.slots.get_mut(&id) else {
            return Ok(());
        };
        slot.next_step = NextStep::OnEvent;
        let mut submission = slot.driven.submission.clone();
        if self.context.provider(&submission.provider).is_none() {
            if self.reported_missing_provider.insert(id) {
                self.context.report(&BatchEvent::NoProvider {
                    submission: id.0,
                    provider: submission.provider,
                });
            }
            return Ok(());
        }
        if !self.may_drive(&mut submission)? {
            // Another process drives it; the next refresh reads its state.
            self.slots.remove(&id);
            return Ok(());
        }
        if !submission.state.is_unsettled() {
            return self.on_settled(&submission);
        }
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.driven.submission = submission;
        }
        self.handle(id, Event::Due)
    }

    /// Returns whether this command may drive the submission, and takes the lock if that is necessary.
    fn may_drive(&mut self, submission: &mut Submission) -> Result<bool, BatchError> {
        let (build, state) = (submission.build, submission.state);
        let is_open = build == self.context.build || !state.is_before_batch();
        if is_open || self.locks.contains_key(&build) {
            return Ok(true);
        }
        let Some(lock) = self.context.store.lock_build(build)? else {
            return Ok(false);
        };
        self.locks.insert(build, lock);
        // Its state may have changed between the reading and the lock.
        match self.context.store.submission(submission.id)? {
            Some(current) => *submission = current,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Releases the lock of another build if all its batches are created.
    pub(super) fn release_build_lock(&mut self, submission: &Submission) {
        let build = submission.build;
        let is_needed = self
            .slots
            .values()
            .map(|slot| &slot.driven.submission)
            .any(|other| other.build == build && other.state.is_before_batch());
        if !is_needed {
            self.locks.remove(&build);
        }
    }

    /// Wakes submissions that wait for the capacity that an ended batch used.
    pub(super) fn wake_waiting(&mut self, ended: &Submission) {
        let now = Instant::now();
        let target = target_of(ended);
        for slot in self.slots.values_mut() {
            let submission = &slot.driven.submission;
            let waits = matches!(
                submission.state,
                SubmissionState::Claimed | SubmissionState::Uploading | SubmissionState::Uploaded
            );
            if waits && slot.next_step != NextStep::AfterCall && target_of(submission) == target {
                slot.next_step = NextStep::At(now);
            }
        }
    }

    /// Takes the rows that were downloaded.
    pub(super) fn read_rows(&mut self, fetched: &Submission) -> Result<Option<Event>, BatchError> {
        let route = route(&self.context.settings, fetched, self.context.clock.now());
        let reader = RowReader::new(&self.context, &mut self.tracker, fetched, route)?;
        match reader.read() {
            Ok(read) => Ok(Some(Event::RowsRead(read))),
            // Another process was faster and has deleted the files.
            Err(BatchError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                self.reload(fetched.id)?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn report_settled(&self, submission: &Submission) -> Result<(), BatchError> {
        let (succeeded, failed) = self.context.store.submission_tally(submission.id)?;
        self.context.report(&BatchEvent::Settled {
            batch: submission.batch.clone().unwrap_or_default(),
            succeeded,
            failed,
        });
        Ok(())
    }

    /// Queues the requests again that other processes no longer have in flight.
    pub(super) fn take_over(&mut self) -> Result<(), BatchError> {
        let slots = &self.slots;
        let mut submitter = Submitter {
            context: &self.context,
            throttle: &self.throttle,
            guard: self.guard.as_ref(),
            tracker: &mut self.tracker,
        };
        submitter.take_over(&|id| slots.contains_key(&id))
    }
}
