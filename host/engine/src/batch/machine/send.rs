//! Uploads claimed requests, creates their batch, and handles the reply.

use std::ops::ControlFlow;

use super::search::Recognition;
use super::{Call, CancelSource, Capacity, Effect, Facts, Preparation, Transition, end};
use crate::batch::BatchEvent;
use synix_core::request::Failure;
use synix_providers::{BatchState, CreateError, FileId, ProviderError};
use synix_store::SubmissionState;

impl Transition {
    /// Starts to send the requests, unless the provider's queue is full.
    pub(super) fn start_sending(self, facts: &Facts<'_>) -> Self {
        if !facts.traits.uploads {
            return self.create_if_capacity(facts);
        }
        match self.check_may_send(facts) {
            ControlFlow::Continue(ready) => ready
                .enter(SubmissionState::Uploading)
                .with_call(Call::Upload),
            ControlFlow::Break(instead) => instead,
        }
    }

    pub(super) fn create_if_capacity(self, facts: &Facts<'_>) -> Self {
        match self.check_may_send(facts) {
            // Nothing identifies such a batch as ours, but the newest one before the call cannot be it.
            ControlFlow::Continue(ready)
                if !facts.traits.carries_token && !facts.traits.uploads =>
            {
                ready.with_call(Call::ReadNewest)
            }
            ControlFlow::Continue(ready) => ready.create(),
            ControlFlow::Break(instead) => instead,
        }
    }

    /// Returns the transition to take instead if nothing may be sent.
    fn check_may_send(self, facts: &Facts<'_>) -> ControlFlow<Self, Self> {
        if facts.cancel_source != CancelSource::None {
            return ControlFlow::Break(self.abandon(end::cancelled_before_send()));
        }
        match facts.capacity {
            Capacity::Available => ControlFlow::Continue(self),
            Capacity::Full { retry_after } => ControlFlow::Break(self.due_after(retry_after)),
        }
    }

    /// Records that a batch is about to be created, with all that is needed to find it again.
    fn create(mut self) -> Self {
        self.next.progress.creates += 1;
        self.enter(SubmissionState::Creating)
            .with_call(Call::Create)
    }

    pub(super) fn on_upload_ended(mut self, ended: Result<FileId, ProviderError>) -> Self {
        match ended {
            Ok(file) => {
                self.next.submission.file = Some(file.0);
                self.with_preparation(Preparation::DiscardInput)
                    .enter(SubmissionState::Uploaded)
                    .due_now()
            }
            Err(error) => self.not_created(&error, "cannot upload the input file"),
        }
    }

    pub(super) fn on_newest_read(mut self, newest: Result<Option<String>, ProviderError>) -> Self {
        match newest {
            Ok(newest) => {
                self.next.submission.newest = Some(newest.unwrap_or_default());
                self.create()
            }
            Err(error) => self.not_created(&error, "cannot read the list of batches"),
        }
    }

    pub(super) fn on_create_ended(
        self,
        ended: Result<Box<BatchState>, CreateError>,
        facts: &Facts<'_>,
    ) -> Self {
        let submission = &self.next.submission;
        match ended {
            Ok(batch) => {
                let event = BatchEvent::Submitted {
                    batch: batch.id.clone(),
                    provider: submission.provider.clone(),
                    layers: submission.layers.clone(),
                    requests: submission.requests,
                };
                // A new batch has no results yet.
                self.with_preparation(Preparation::DiscardInput)
                    .go_live(&batch, Recognition::Token)
                    .with_report(event)
                    .due_after(facts.settings.interval)
            }
            Err(CreateError::Refused(error) | CreateError::NotSent(error)) => {
                self.not_created(&error, "the batch was not created")
            }
            Err(CreateError::Unclear(error)) => {
                let event = BatchEvent::Unclear {
                    provider: submission.provider.clone(),
                    message: error.to_string(),
                };
                self.with_report(event).enter_unclear().due_now()
            }
        }
    }

    /// Treats the reply of the create call as lost.
    pub(super) fn enter_unclear(self) -> Self {
        self.enter(SubmissionState::Unclear)
    }

    /// Frees the requests of a submission whose batch was certainly not created.
    fn not_created(self, error: &ProviderError, what: &str) -> Self {
        let failure = error.to_failure();
        let message = format!("{what}: {}", failure.message);
        self.abandon(Failure { message, ..failure })
    }

    /// Records the id of the batch, and whether that is certain.
    pub(super) fn go_live(mut self, batch: &BatchState, recognition: Recognition) -> Self {
        let submission = &mut self.next.submission;
        submission.batch = Some(batch.id.clone());
        submission.note = None;
        submission.status.clone_from(&batch.status_text);
        submission.provisional = recognition == Recognition::Rows;
        let state = if submission.provisional {
            SubmissionState::Adopted
        } else {
            SubmissionState::Live
        };
        self.enter(state).with_effect(Effect::ReleaseBuildLock)
    }

    /// Prepares another create call, under another token: no two calls share one.
    pub(super) fn start_over(mut self) -> Self {
        self.next.progress.searches = 0;
        let submission = &mut self.next.submission;
        submission.provisional = false;
        let state = if submission.file.is_some() {
            SubmissionState::Uploaded
        } else {
            SubmissionState::Claimed
        };
        self.with_preparation(Preparation::DiscardInput)
            .with_preparation(Preparation::RenewToken)
            .enter(state)
    }

    pub(super) fn on_call_panicked(self, facts: &Facts<'_>) -> Self {
        let event = BatchEvent::CallFailed {
            message: "a call ended unexpectedly; please report this bug in synix".to_owned(),
        };
        let reported = self.with_report(event).back_off(facts);
        // It is unknown whether the create call was made.
        if reported.next.submission.state == SubmissionState::Creating {
            return reported.enter_unclear();
        }
        reported
    }
}
