//! After a lost create reply: look, look again, adopt, or create once more.

use tokio::time::Instant;

use super::close::never_sent;
use super::step::Call;
use super::{BatchError, BatchEvent, Batches, DrivenSubmission, LostCreatePolicy};
use synix_providers::{BatchState, Phase, Provider, ProviderError};
use synix_store::{BatchOwner, Submission, SubmissionState};

/// Create calls for one submission in one command, at most. Each comes after looks that found nothing.
const CREATES: u32 = 3;

impl Batches<'_> {
    /// Takes in the part of the provider's list where the lost batch would be.
    ///
    /// A list that cannot be read proves nothing: the submission then stays as it is.
    pub(super) fn take_found(
        &mut self,
        work: &mut DrivenSubmission,
        provider: &Provider,
        found: Result<Vec<BatchState>, ProviderError>,
    ) -> Result<Option<Call>, BatchError> {
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.take_no_list(work, provider, error),
        };
        let tells = tells(&work.submission, provider);
        let mut candidates = Vec::new();
        let mut held = false;
        for batch in found {
            if !may_be_ours(&work.submission, &batch, tells) {
                continue;
            }
            match self.store.owner_of_batch(&batch.id)? {
                BatchOwner::Nobody => candidates.push(batch),
                BatchOwner::Perhaps => held = true,
                BatchOwner::Certain => {}
            }
        }
        if candidates.is_empty()
            && held
            && self.settings.lost_create != LostCreatePolicy::CreateAgain
        {
            // Another submission took it for its own; if its rows say no, it may be this one's.
            work.submission.note = Some("waits for the rows of a batch that may be it".to_owned());
            self.keep(work)?;
            self.later(work);
            return Ok(None);
        }
        match &self.settings.lost_create {
            LostCreatePolicy::Ask => {}
            LostCreatePolicy::Adopt(id) => {
                if candidates.iter().any(|batch| batch.id == *id) {
                    candidates.retain(|batch| batch.id == *id);
                }
            }
            LostCreatePolicy::CreateAgain => candidates.clear(),
        }
        let is_named = |batch: &BatchState| batch.token.as_deref() == Some(&work.submission.token);
        if candidates.len() > 1 && candidates.iter().any(is_named) {
            // Of two that were made from our file, this create call made the one with its token.
            candidates.retain(is_named);
        }
        if candidates.len() > 1 {
            return Err(BatchError::Ambiguous {
                provider: work.submission.provider.clone(),
                requests: work.submission.requests,
                candidates: candidates.into_iter().map(|batch| batch.id).collect(),
            });
        }
        match candidates.pop() {
            Some(batch) => self.adopt(work, &batch, tells).map(|()| None),
            None => self.look_again(work, provider),
        }
    }

    /// Goes on without a list: it proves nothing, so nothing is created unless the user says so.
    fn take_no_list(
        &mut self,
        work: &mut DrivenSubmission,
        provider: &Provider,
        error: ProviderError,
    ) -> Result<Option<Call>, BatchError> {
        match self.settings.lost_create.clone() {
            LostCreatePolicy::CreateAgain => return self.look_again(work, provider),
            // Its rows tell whether it is.
            LostCreatePolicy::Adopt(id) => {
                let batch = BatchState::unseen(id);
                return self.adopt(work, &batch, Tells::Rows).map(|()| None);
            }
            LostCreatePolicy::Ask => {}
        }
        let name = &work.submission.provider;
        let message = format!("cannot read the list of batches at {name}: {error}");
        self.tell_trouble(work, message);
        work.submission.note = Some("whether it was created is not known yet".to_owned());
        self.keep(work)?;
        if matches!(error, ProviderError::EndlessList { .. }) {
            // A list that was only late would show more at the next looks.
            let pauses = self.settings.search_pauses.get(&work.submission.provider);
            let Some(pause) = pauses.and_then(|pauses| pauses.get(work.looks)) else {
                return Err(BatchError::CreateOutcomeUnknown {
                    requests: work.submission.requests,
                    error,
                });
            };
            work.due = Some(Instant::now() + *pause);
            work.looks += 1;
            return Ok(None);
        }
        self.later(work);
        Ok(None)
    }

    fn adopt(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
        tells: Tells,
    ) -> Result<(), BatchError> {
        work.submission.provisional = tells == Tells::Rows;
        self.go_live(work, batch)?;
        self.tell(&BatchEvent::Adopted {
            batch: batch.id.clone(),
            provider: work.submission.provider.clone(),
            requests: work.submission.requests,
        });
        work.doomed = self.is_cancelling(&work.submission)?;
        work.due = Some(Instant::now());
        Ok(())
    }

    fn look_again(
        &mut self,
        work: &mut DrivenSubmission,
        provider: &Provider,
    ) -> Result<Option<Call>, BatchError> {
        let pauses = self.settings.search_pauses.get(&work.submission.provider);
        let pause = pauses.and_then(|pauses| pauses.get(work.looks));
        if let Some(pause) =
            pause.filter(|_| self.settings.lost_create != LostCreatePolicy::CreateAgain)
        {
            work.looks += 1;
            work.due = Some(Instant::now() + *pause);
            return Ok(None);
        }
        if self.is_cancelling(&work.submission)? {
            self.abandon(work, &never_sent())?;
            return Ok(None);
        }
        if work.creates >= CREATES {
            // Stays unclear: the next command looks again before it creates.
            self.tell(&BatchEvent::Trouble {
                message: format!(
                    "{CREATES} create calls at {} had no clear reply",
                    work.submission.provider
                ),
            });
            work.creates = 0;
            work.looks = 0;
            self.later(work);
            return Ok(None);
        }
        if !self.create_anew(work)? {
            return Ok(None);
        }
        self.create_call(work, provider)
    }

    /// Prepares another create call, so that no two calls share a token.
    pub(super) fn create_anew(&mut self, work: &mut DrivenSubmission) -> Result<bool, BatchError> {
        synix_disk::discard(&self.input_file(&work.submission)?);
        work.looks = 0;
        work.marked = false;
        work.submission.token = super::chunk::new_token()?;
        let state = if work.submission.file.is_some() {
            SubmissionState::Uploaded
        } else {
            SubmissionState::Claimed
        };
        self.enter(work, state)
    }

    /// Writes down that the batch exists.
    pub(super) fn go_live(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
    ) -> Result<(), BatchError> {
        work.submission.batch = Some(batch.id.clone());
        work.submission.note = None;
        work.submission.status.clone_from(&batch.status_text);
        let state = if work.submission.provisional {
            SubmissionState::Adopted
        } else {
            SubmissionState::Live
        };
        self.enter(work, state)?;
        let submission = work.submission.clone();
        self.let_go(&submission);
        Ok(())
    }
}

/// Says whether a batch may be the one that the submission lost sight of.
fn may_be_ours(submission: &Submission, batch: &BatchState, tells: Tells) -> bool {
    if batch.phase == Phase::Failed || submission.rejected.contains(&batch.id) {
        return false;
    }
    match tells {
        // The uploaded file is ours alone: it tells where the server lost the token.
        Tells::Token => {
            let token = batch.token.as_deref();
            token.is_some_and(|token| token.eq_ignore_ascii_case(&submission.token))
                || is_of_our_file(submission, batch)
        }
        Tells::File => is_of_our_file(submission, batch),
        Tells::Rows => {
            // Counters may not be there before the end.
            let total = batch.counts.as_ref().map_or(0, |counts| counts.total);
            total == 0 || total == submission.requests
        }
    }
}

fn is_of_our_file(submission: &Submission, batch: &BatchState) -> bool {
    submission.file.is_some() && batch.input_file == submission.file
}

/// What tells a batch of ours from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    Token,
    File,
    Rows,
}

fn tells(submission: &Submission, provider: &Provider) -> Tells {
    if provider.batch_traits().labelled {
        Tells::Token
    } else if submission.file.is_some() {
        Tells::File
    } else {
        Tells::Rows
    }
}
