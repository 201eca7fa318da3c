//! From claimed requests to a create call, and its reply.

use std::ops::ControlFlow;

use super::search::Recognition;
use super::{Call, Effect, Ending, Facts, Preparation, Room, Transition, end};
use crate::batch::BatchEvent;
use synix_core::request::Failure;
use synix_providers::{BatchState, CreateError, FileId, ProviderError};
use synix_store::SubmissionState;

impl Transition {
    /// Brings the requests on their way, unless the provider has no room for them now.
    pub(super) fn bring_on_its_way(self, facts: &Facts<'_>) -> Self {
        if !facts.traits.uploads {
            return self.create_where_room(facts);
        }
        match self.obstacle(facts) {
            ControlFlow::Continue(free) => free
                .entering(SubmissionState::Uploading)
                .calling(Call::Upload),
            ControlFlow::Break(kept_back) => kept_back,
        }
    }

    pub(super) fn create_where_room(self, facts: &Facts<'_>) -> Self {
        match self.obstacle(facts) {
            // Nothing of such a batch will be ours alone: what is newest now is surely not it.
            ControlFlow::Continue(free) if !facts.traits.carries_token && !facts.traits.uploads => {
                free.calling(Call::ReadNewest)
            }
            ControlFlow::Continue(free) => free.creating(),
            ControlFlow::Break(kept_back) => kept_back,
        }
    }

    /// Returns what happens instead where nothing may be sent.
    fn obstacle(self, facts: &Facts<'_>) -> ControlFlow<Self, Self> {
        if facts.ending != Ending::No {
            return ControlFlow::Break(self.abandoning(end::never_sent()));
        }
        match facts.room {
            Room::Free => ControlFlow::Continue(self),
            Room::Full { again_after } => ControlFlow::Break(self.due_after(again_after)),
        }
    }

    /// Writes down that a batch is about to be created, with all that is needed to find it again.
    fn creating(mut self) -> Self {
        self.next.progress.creates += 1;
        self.entering(SubmissionState::Creating)
            .calling(Call::Create)
    }

    pub(super) fn on_upload_ended(mut self, ended: Result<FileId, ProviderError>) -> Self {
        match ended {
            Ok(file) => {
                self.next.submission.file = Some(file.0);
                self.preparing(Preparation::DiscardInput)
                    .entering(SubmissionState::Uploaded)
                    .due_now()
            }
            Err(error) => self.not_created(&error, "cannot upload the input file"),
        }
    }

    pub(super) fn on_newest_read(mut self, newest: Result<Option<String>, ProviderError>) -> Self {
        match newest {
            Ok(newest) => {
                self.next.submission.newest = Some(newest.unwrap_or_default());
                self.creating()
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
                // A batch made just now has nothing to show yet.
                self.preparing(Preparation::DiscardInput)
                    .going_live(&batch, Recognition::Token)
                    .reporting(event)
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
                self.reporting(event).lose_sight().due_now()
            }
        }
    }

    /// Takes the create call as one whose reply is lost.
    pub(super) fn lose_sight(self) -> Self {
        self.entering(SubmissionState::Unclear)
    }

    /// Frees the requests of a submission whose batch was surely not created.
    fn not_created(self, error: &ProviderError, what: &str) -> Self {
        let failure = error.to_failure();
        let message = format!("{what}: {}", failure.message);
        self.abandoning(Failure { message, ..failure })
    }

    /// Writes down which batch it is, and whether that is certain.
    pub(super) fn going_live(mut self, batch: &BatchState, recognition: Recognition) -> Self {
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
        self.entering(state).doing(Effect::ReleaseBuildLock)
    }

    /// Prepares another create call, under another token: no two calls share one.
    pub(super) fn starting_over(mut self) -> Self {
        self.next.progress.searches = 0;
        let submission = &mut self.next.submission;
        submission.provisional = false;
        let state = if submission.file.is_some() {
            SubmissionState::Uploaded
        } else {
            SubmissionState::Claimed
        };
        self.preparing(Preparation::DiscardInput)
            .preparing(Preparation::RenewToken)
            .entering(state)
    }

    pub(super) fn on_call_broke(self, facts: &Facts<'_>) -> Self {
        let event = BatchEvent::Trouble {
            message: "a call broke off inside synix; please report it".to_owned(),
        };
        let reported = self.reporting(event).backing_off(facts);
        // Whether the create call was made is not known.
        if reported.next.submission.state == SubmissionState::Creating {
            return reported.lose_sight();
        }
        reported
    }
}
