//! Carries out the transitions of the batch machine: files, the transaction, the call, in this order.

use tokio::time::Instant;

use super::calls::{CallResult, EndedCall};
use super::commit::Committed;
use super::list_search::Recovery;
use super::machine::{
    CancelSource, Capacity, CloseAction, DrivenSubmission, Effect, Event, Facts, Ownership,
    Preparation, Transition, Write, step,
};
use super::{BatchError, Batches, NextStep, Purpose, submitter};
use synix_providers::{Phase, Provider};
use synix_store::{Submission, SubmissionId, SubmissionRequest, SubmissionState};

impl Batches<'_> {
    /// Handles the result of a call.
    pub(super) fn on_call_ended(&mut self, ended: EndedCall) -> Result<(), BatchError> {
        let EndedCall { submission, result } = ended;
        let Some(slot) = self.slots.get_mut(&submission) else {
            return Ok(());
        };
        slot.next_step = NextStep::OnEvent;
        let event = match result {
            CallResult::Event(event) => event,
            CallResult::List(list) => {
                let lost = &slot.driven.submission;
                let Some(provider) = self.context.provider(&lost.provider) else {
                    return Ok(());
                };
                let recovery = Recovery {
                    context: &self.context,
                    submission: lost,
                    traits: provider.batch_traits(),
                };
                let findings = match list {
                    Ok(list) => Ok(recovery.findings(list)?),
                    Err(error) => Err(error),
                };
                Event::SearchEnded(findings)
            }
        };
        self.handle(submission, event)
    }

    /// Handles an event of a submission, and the events that follow from it at once.
    pub(super) fn handle(&mut self, id: SubmissionId, event: Event) -> Result<(), BatchError> {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            next = self.handle_one(id, event)?;
        }
        Ok(())
    }

    fn handle_one(&mut self, id: SubmissionId, event: Event) -> Result<Option<Event>, BatchError> {
        let Some(slot) = self.slots.get(&id) else {
            return Ok(None);
        };
        let driven = slot.driven.clone();
        let Some(provider) = self.context.provider(&driven.submission.provider) else {
            return Ok(None);
        };
        let (cancel_source, capacity, validation_failures) =
            self.collect_facts(&driven, &event, &provider)?;
        let facts = Facts {
            now: self.context.clock.now(),
            settings: &self.context.settings,
            traits: provider.batch_traits(),
            ownership: self.ownership(&driven.submission),
            cancel_source,
            capacity,
            validation_failures,
        };
        let now = facts.now;
        let mut transition = step(&driven, event, &facts)?;
        self.prepare(&driven.submission, &mut transition)?;
        let next = &mut transition.next;
        let call = match transition.call.take() {
            Some(call) => Some(self.context.provider_call(call, &next.submission)?),
            None => None,
        };
        next.submission.changed = now;
        let open = match self
            .context
            .commit(&mut next.submission, &transition.write)?
        {
            Committed::Written(open) => {
                if !matches!(transition.write, Write::Nothing) {
                    log(&next.submission);
                }
                open
            }
            Committed::Overtaken => {
                self.replace(id, transition.next);
                self.reload(id)?;
                return Ok(None);
            }
        };
        let turn = match (&call, transition.due) {
            (Some(_), _) => NextStep::AfterCall,
            (None, Some(pause)) => NextStep::At(Instant::now() + pause),
            (None, None) => NextStep::OnEvent,
        };
        let submission = transition.next.submission.clone();
        self.replace(id, transition.next);
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.next_step = turn;
        }
        if let Write::Close(action) = &transition.write {
            self.on_closed(&submission, action, &open)?;
        }
        if let Some(call) = call {
            self.calls.start(id, provider, call);
        }
        for effect in transition.effects {
            if let Some(event) = self.apply_effect(effect, &submission)? {
                return Ok(Some(event));
            }
        }
        if !submission.state.is_unsettled() {
            self.on_settled(&submission)?;
        }
        Ok(None)
    }

    fn replace(&mut self, id: SubmissionId, driven: DrivenSubmission) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.driven = driven;
        }
    }

    /// Looks up the facts that are expensive, and only if they matter.
    fn collect_facts(
        &mut self,
        driven: &DrivenSubmission,
        event: &Event,
        provider: &Provider,
    ) -> Result<(CancelSource, Capacity, u32), BatchError> {
        let submission = &driven.submission;
        let cancel_source = self.cancel_source(submission)?;
        let is_sent_next = matches!(event, Event::Due)
            && matches!(
                submission.state,
                SubmissionState::Claimed | SubmissionState::Uploading | SubmissionState::Uploaded
            );
        let capacity = if is_sent_next && cancel_source == CancelSource::None {
            let traits = provider.batch_traits();
            self.throttle.capacity(&self.context, submission, traits)?
        } else {
            Capacity::Available
        };
        let validation_failures = if let Event::Polled(Ok(batch)) = event
            && batch.phase == Phase::Failed
        {
            self.throttle.count_validation_failure(submission)
        } else {
            0
        };
        Ok((cancel_source, capacity, validation_failures))
    }

    fn ownership(&self, submission: &Submission) -> Ownership {
        if submission.build == self.context.build {
            Ownership::ThisBuild
        } else {
            Ownership::AnotherBuild
        }
    }

    fn cancel_source(&self, submission: &Submission) -> Result<CancelSource, BatchError> {
        if self.purpose == Purpose::Cancel {
            return Ok(CancelSource::Command);
        }
        if !submission.state.is_before_batch() {
            return Ok(CancelSource::None);
        }
        // Its build may have been cancelled in the meantime: sending it now would waste money.
        let build = self.context.store.build(submission.build)?;
        Ok(match build {
            Some(build) if build.cancelled => CancelSource::Build,
            Some(_) | None => CancelSource::None,
        })
    }

    /// Prepares what a transition needs before it is written.
    fn prepare(&self, current: &Submission, transition: &mut Transition) -> Result<(), BatchError> {
        for preparation in &transition.preparations {
            match preparation {
                Preparation::DiscardInput => self.context.discard_input(current)?,
                Preparation::RenewToken => {
                    transition.next.submission.token = submitter::new_token()?;
                }
                Preparation::CompleteRows => self.context.complete_rows(current)?,
                Preparation::DiscardRows => self.context.discard_rows(current)?,
            }
        }
        Ok(())
    }

    /// Continues from the state that another process recorded.
    pub(super) fn reload(&mut self, id: SubmissionId) -> Result<(), BatchError> {
        let current = self.context.store.submission(id)?;
        let Some(slot) = self.slots.get_mut(&id) else {
            return Ok(());
        };
        if let Some(current) = current {
            slot.driven.submission = current;
        }
        slot.next_step = NextStep::At(Instant::now());
        let submission = slot.driven.submission.clone();
        if !submission.state.is_unsettled() {
            self.on_settled(&submission)?;
        }
        Ok(())
    }

    /// Removes the files of an ended submission, and passes on the outcomes of the requests that it still held.
    fn on_closed(
        &mut self,
        submission: &Submission,
        action: &CloseAction,
        open: &[SubmissionRequest],
    ) -> Result<(), BatchError> {
        self.context.discard_input(submission)?;
        self.context.discard_rows(submission)?;
        if let CloseAction::Halve { .. } = action {
            self.tracker.halve(open, submission.divided + 1);
        } else {
            self.tracker.on_submission_closed(action, open);
        }
        Ok(())
    }

    /// Handles the end of a submission, whichever process ended it.
    pub(super) fn on_settled(&mut self, submission: &Submission) -> Result<(), BatchError> {
        self.slots.remove(&submission.id);
        self.release_build_lock(submission);
        self.wake_waiting(submission);
        self.tracker.has_foreign_requests = true;
        self.take_over()
    }

    /// Applies an effect; returns the event that follows from it at once.
    fn apply_effect(
        &mut self,
        effect: Effect,
        submission: &Submission,
    ) -> Result<Option<Event>, BatchError> {
        match effect {
            Effect::Report(event) => self.context.report(&event),
            Effect::ReportSettled => self.report_settled(submission)?,
            Effect::ReadRows => return self.read_rows(submission),
            Effect::ReleaseBuildLock => self.release_build_lock(submission),
            Effect::WakeWaiting => self.wake_waiting(submission),
            Effect::RecordFullQueue { limit } => {
                let interval = self.context.settings.interval;
                self.throttle.on_full_queue(submission, limit, interval);
            }
            Effect::EndCommand(error) => return Err(error),
        }
        Ok(None)
    }
}

/// Logs the new state of a submission.
fn log(submission: &Submission) {
    tracing::debug!(
        submission = submission.token,
        provider = submission.provider,
        batch = submission.batch,
        requests = submission.requests,
        state = submission.state.name(),
        status = submission.status,
        "batch"
    );
}
