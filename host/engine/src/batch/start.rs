//! Which step is next: from a submission's state to the call that takes it on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

use super::step::{Call, Finished, Input, make};
use super::{BatchError, BatchEvent, Batches, Work};
use synix_providers::{FileId, Provider};
use synix_store::{Submission, SubmissionId, SubmissionState};

/// Calls under way at once, at most: files are streamed, but sockets and disks are not endless.
const MOST_CALLS: usize = 16;

/// Between two readings of the list of submissions, at least.
const LEAST_SURVEY: Duration = Duration::from_millis(200);

impl Batches<'_> {
    /// Starts every step whose time has come.
    pub(super) fn start_due(&mut self) -> Result<(), BatchError> {
        let now = Instant::now();
        if self.survey.is_some_and(|due| due <= now) {
            self.survey_all()?;
        }
        loop {
            let due = self
                .works
                .iter()
                .find(|(_, work)| !work.busy && work.due.is_some_and(|due| due <= now));
            let Some((id, _)) = due else { return Ok(()) };
            if self.busy >= MOST_CALLS {
                return Ok(());
            }
            self.start(*id)?;
        }
    }

    /// Reads which submissions there are: other processes make and settle them too (L5).
    fn survey_all(&mut self) -> Result<(), BatchError> {
        let now = Instant::now();
        let pause = self.settings.interval;
        self.survey = pause.map(|pause| now + pause.max(LEAST_SURVEY));
        let stored = self.store.unsettled_submissions()?;
        let known = self.works.len();
        self.works
            .retain(|id, work| work.busy || stored.iter().any(|submission| submission.id == *id));
        // Whoever settled the others may have brought what this command waits for.
        self.elsewhere |= self.works.len() < known || self.works.is_empty();
        // What waits for room may have it now: others' batches end, too.
        for work in self.works.values_mut() {
            if pause.is_some() && !work.busy && work.submission.state.is_before_batch() {
                work.due.get_or_insert(now);
            }
        }
        for submission in stored {
            self.works
                .entry(submission.id)
                .or_insert_with(|| Work::new(submission, now));
        }
        self.claim_again()
    }

    /// Takes the next step of a submission, or finds that it is not ours to take.
    fn start(&mut self, id: SubmissionId) -> Result<(), BatchError> {
        let Some(mut work) = self.works.remove(&id) else {
            return Ok(());
        };
        work.due = None;
        let Some(provider) = self
            .providers
            .get(&work.submission.provider)
            .map(Arc::clone)
        else {
            if self.told.insert(id) {
                self.tell(&BatchEvent::NoProvider {
                    submission: id.0,
                    provider: work.submission.provider.clone(),
                });
            }
            self.works.insert(id, work);
            return Ok(());
        };
        if !self.may_drive(&mut work.submission)? {
            // Its own process is at it; the survey sees what comes of it.
            return Ok(());
        }
        if !work.submission.state.is_unsettled() {
            return self.ended(&work.submission);
        }
        match self.next_call(&mut work, &provider)? {
            Some(call) => {
                work.busy = true;
                self.spawn(id, provider, call);
                self.works.insert(id, work);
            }
            None if work.submission.state.is_unsettled() => {
                self.works.insert(id, work);
            }
            None => self.ended(&work.submission)?,
        }
        Ok(())
    }

    /// Goes on after the end of a submission, whichever process brought it.
    pub(super) fn ended(&mut self, submission: &Submission) -> Result<(), BatchError> {
        self.let_go(submission);
        self.wake(submission);
        self.elsewhere = true;
        self.claim_again()
    }

    pub(super) fn spawn(&mut self, submission: SubmissionId, provider: Arc<Provider>, call: Call) {
        self.busy += 1;
        let sender = self.sender.clone();
        let sending = async move {
            // In a task of its own: a panic there must not let the build wait for ever.
            let made = tokio::spawn(make(provider, call).in_current_span()).await;
            let brought = made.unwrap_or(super::step::Brought::Broken);
            // The receiver is gone only when the command is.
            let _ = sender.send(Finished {
                submission,
                brought,
            });
        };
        tokio::spawn(sending.in_current_span());
    }

    /// Says whether this command may take the submission on, and takes the lock where it must.
    fn may_drive(&mut self, submission: &mut Submission) -> Result<bool, BatchError> {
        let (build, state) = (submission.build, submission.state);
        if build == self.build || !state.is_before_batch() || self.locks.contains_key(&build) {
            return Ok(true);
        }
        let Some(lock) = self.store.lock_build(build)? else {
            return Ok(false);
        };
        self.locks.insert(build, lock);
        // It may have moved on between the survey and the lock.
        match self.store.submission(submission.id)? {
            Some(current) => *submission = current,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Gives back the lock of another build when nothing of it is left to create.
    pub(super) fn let_go(&mut self, submission: &Submission) {
        let build = submission.build;
        let others = self
            .works
            .values()
            .any(|work| work.submission.build == build && work.submission.state.is_before_batch());
        if !others {
            self.locks.remove(&build);
        }
    }

    fn next_call(
        &mut self,
        work: &mut Work,
        provider: &Provider,
    ) -> Result<Option<Call>, BatchError> {
        let before = work.submission.state.is_before_batch();
        if self.cancelling || work.doomed || (before && self.is_cancelling(&work.submission)?) {
            return self.cancelling_call(work);
        }
        match work.submission.state {
            SubmissionState::Claimed | SubmissionState::Uploading => {
                self.first_call(work, provider)
            }
            SubmissionState::Uploaded => self.create_call(work, provider),
            // An earlier process made the call and did not live to see the reply.
            SubmissionState::Creating => {
                let entered = self.enter(work, SubmissionState::Unclear)?;
                Ok(entered.then(|| find_call(&work.submission)))
            }
            SubmissionState::Unclear => Ok(Some(find_call(&work.submission))),
            SubmissionState::Live | SubmissionState::Adopted => Ok(Some(self.live_call(work))),
            SubmissionState::Ended => Ok(poll_call(&work.submission)),
            SubmissionState::Fetched => {
                self.take_fetched(work)?;
                Ok(None)
            }
            SubmissionState::Settled | SubmissionState::Abandoned => Ok(None),
        }
    }

    /// Brings the requests on their way, unless the provider has no room for them now.
    fn first_call(
        &mut self,
        work: &mut Work,
        provider: &Provider,
    ) -> Result<Option<Call>, BatchError> {
        if !self.has_room(work, provider)? {
            return Ok(None);
        }
        if !provider.batch_traits().uploads {
            return self.create_call(work, provider);
        }
        let path = self.write_input(&work.submission)?;
        if !self.enter(work, SubmissionState::Uploading)? {
            return Ok(None);
        }
        let name = format!("{}.jsonl", work.submission.token);
        Ok(Some(Call::Upload { path, name }))
    }

    /// Writes down that a batch is about to be created, with all that will be needed to find it again.
    pub(super) fn create_call(
        &mut self,
        work: &mut Work,
        provider: &Provider,
    ) -> Result<Option<Call>, BatchError> {
        if work.submission.state == SubmissionState::Uploaded && !self.has_room(work, provider)? {
            return Ok(None);
        }
        let traits = provider.batch_traits();
        if !traits.labelled && !traits.uploads && !work.marked {
            return Ok(Some(Call::Mark));
        }
        let input = match &work.submission.file {
            Some(file) => Input::Uploaded {
                file: FileId(file.clone()),
                model: work.submission.model.clone(),
            },
            None => Input::Lines(self.write_input(&work.submission)?),
        };
        work.creates += 1;
        work.marked = false;
        if !self.enter(work, SubmissionState::Creating)? {
            return Ok(None);
        }
        let token = work.submission.token.clone();
        Ok(Some(Call::Create { input, token }))
    }

    /// Looks at a batch, or cancels one that takes too long.
    fn live_call(&self, work: &mut Work) -> Call {
        let batch = work.submission.batch.clone().unwrap_or_default();
        if self.is_over_time(&work.submission) && !work.cancel_sent {
            work.cancel_sent = true;
            return Call::Cancel { batch };
        }
        Call::Poll { batch }
    }

    /// Says whether what the submission still holds is to go by single calls.
    pub(super) fn is_over_time(&self, submission: &Submission) -> bool {
        let age = self.clock.now().since(submission.opened);
        self.settings.sync_after.is_some_and(|after| age >= after)
    }
}

impl Work {
    pub(super) fn new(submission: Submission, due: Instant) -> Self {
        Self {
            submission,
            busy: false,
            due: Some(due),
            looks: 0,
            creates: 0,
            errors: 0,
            marked: false,
            cancel_sent: false,
            doomed: false,
            done: None,
            told: None,
        }
    }
}

pub(super) fn find_call(submission: &Submission) -> Call {
    Call::Find {
        newest: submission.newest.clone(),
        opened: submission.opened,
    }
}

pub(super) fn poll_call(submission: &Submission) -> Option<Call> {
    let batch = submission.batch.clone()?;
    Some(Call::Poll { batch })
}
