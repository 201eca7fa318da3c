//! The building blocks of transitions.

use std::time::Duration;

use super::{Call, DrivenSubmission, Effect, Facts, Preparation, Transition, Write};
use crate::batch::BatchEvent;
use synix_providers::BatchState;
use synix_store::SubmissionState;

/// The maximum pause after consecutive errors, or because a provider asks for it.
const MAX_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The maximum number of doublings of the pause.
const MAX_DOUBLINGS: u32 = 6;

impl Transition {
    /// Returns a transition that changes nothing.
    pub(super) fn of(driven: &DrivenSubmission) -> Self {
        Self {
            next: driven.clone(),
            preparations: Vec::new(),
            write: Write::Nothing,
            call: None,
            due: None,
            effects: Vec::new(),
        }
    }

    pub(super) fn with_call(mut self, call: Call) -> Self {
        self.call = Some(call);
        self
    }

    pub(super) const fn due_now(mut self) -> Self {
        self.due = Some(Duration::ZERO);
        self
    }

    pub(super) const fn due_after(mut self, pause: Option<Duration>) -> Self {
        self.due = pause;
        self
    }

    pub(super) fn with_preparation(mut self, preparation: Preparation) -> Self {
        self.preparations.push(preparation);
        self
    }

    pub(super) fn with_effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    pub(super) fn with_report(self, event: BatchEvent) -> Self {
        self.with_effect(Effect::Report(event))
    }

    pub(super) fn with_record(mut self) -> Self {
        self.write = Write::Record;
        self
    }

    /// Records that the submission enters `state`.
    pub(super) fn enter(mut self, state: SubmissionState) -> Self {
        let submission = &mut self.next.submission;
        submission.state = state;
        // Before there is a batch, the provider reports no status.
        if state.is_before_batch() {
            state.name().clone_into(&mut submission.status);
        }
        self.with_record()
    }

    /// Delays the next poll by the interval, or by what the provider asks for if that is longer.
    ///
    /// The provider's number is bounded: it may be a year, or more than a clock can count.
    pub(super) fn poll_again(self, hint: Option<Duration>, facts: &Facts<'_>) -> Self {
        let hint = hint.unwrap_or_default().min(MAX_PAUSE);
        let pause = facts.settings.interval.map(|pause| pause.max(hint));
        self.due_after(pause)
    }

    /// Delays the next step by the interval, doubled with each consecutive error.
    pub(super) fn back_off(mut self, facts: &Facts<'_>) -> Self {
        let factor = 1_u32 << self.next.progress.errors.min(MAX_DOUBLINGS);
        self.next.progress.errors += 1;
        let pause = facts
            .settings
            .interval
            .map(|pause| pause.saturating_mul(factor).min(MAX_PAUSE.max(pause)));
        self.due_after(pause)
    }

    /// Reports a failed call, unless it is the one that was reported last.
    pub(super) fn report_failed_call(mut self, message: String) -> Self {
        if self.next.progress.last_failed_call.as_ref() == Some(&message) {
            return self;
        }
        self.next.progress.last_failed_call = Some(message.clone());
        self.with_report(BatchEvent::CallFailed { message })
    }

    /// Records the status of the batch, and reports it if it changed.
    pub(super) fn note_status(mut self, batch: &BatchState) -> Self {
        let DrivenSubmission {
            submission,
            progress,
        } = &mut self.next;
        let counts = batch.counts.as_ref();
        let done = counts.map(|counts| counts.completed + counts.failed);
        let is_new_word = submission.status != batch.status_text;
        if !is_new_word && progress.rows_done == done {
            return self;
        }
        submission.status.clone_from(&batch.status_text);
        progress.rows_done = done;
        let event = BatchEvent::Status {
            batch: batch.id.clone(),
            status: batch.status_text.clone(),
            done,
            requests: submission.requests,
        };
        let noted = self.with_report(event);
        if is_new_word {
            noted.with_record()
        } else {
            noted
        }
    }

    /// Returns the id of the batch; empty if there is none.
    pub(super) fn batch(&self) -> String {
        self.next.submission.batch.clone().unwrap_or_default()
    }
}
