//! What calls brought: each a transition of one submission.

use std::time::Duration;

use tokio::time::Instant;

use super::step::{Call, CallResult, Finished};
use super::{BatchError, BatchEvent, Batches, DrivenSubmission};
use synix_core::request::{Failure, FailureKind};
use synix_providers::{BatchState, CreateError, Phase, Provider, ProviderError, Retry};
use synix_store::SubmissionState;

/// Looks at a batch after its end, by whatever command, before files it should have are taken as absent.
const LATE_LOOKS: u32 = 5;

/// Looks, by whatever command, at which the files were not whole, before that is a failure. The
/// looks for late files count, too.
const FETCHES: u32 = LATE_LOOKS + 3;

/// The longest pause between two looks that back-off leads to.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

impl Batches<'_> {
    /// Takes in what a call brought, and starts the call that follows at once.
    pub(super) fn take(&mut self, finished: Finished) -> Result<(), BatchError> {
        self.busy = self.busy.saturating_sub(1);
        let Some(mut work) = self.works.remove(&finished.submission) else {
            return Ok(());
        };
        work.busy = false;
        let Some(provider) = self.providers.get(&work.submission.provider).cloned() else {
            return Ok(());
        };
        let next = self.take_brought(&mut work, &provider, finished.brought)?;
        if !work.submission.state.is_unsettled() {
            return self.ended(&work.submission);
        }
        if let Some(call) = next {
            work.busy = true;
            self.spawn(finished.submission, provider, call);
        }
        self.works.insert(finished.submission, work);
        Ok(())
    }

    fn take_brought(
        &mut self,
        work: &mut DrivenSubmission,
        provider: &Provider,
        brought: CallResult,
    ) -> Result<Option<Call>, BatchError> {
        match brought {
            CallResult::Uploaded(Ok(file)) => {
                synix_disk::discard(&self.input_file(&work.submission)?);
                work.submission.file = Some(file.0);
                self.enter(work, SubmissionState::Uploaded)?;
                work.due = Some(Instant::now());
            }
            CallResult::Uploaded(Err(error)) => {
                self.give_up(work, &error, "cannot upload the input file")?;
            }
            CallResult::Marked(Ok(newest)) => {
                work.marked = true;
                work.submission.newest = Some(newest.unwrap_or_default());
                return self.create_call(work, provider);
            }
            CallResult::Marked(Err(error)) => {
                self.give_up(work, &error, "cannot read the list of batches")?;
            }
            CallResult::Created(created) => self.take_created(work, created)?,
            CallResult::Found(found) => return self.take_found(work, provider, found),
            CallResult::Polled(Ok(batch)) => return self.take_polled(work, *batch),
            CallResult::Polled(Err(error)) => self.take_poll_error(work, error)?,
            CallResult::Fetched(batch, Ok(())) => self.take_rows(work, &batch)?,
            CallResult::Fetched(batch, Err(error)) if self.is_gone(&work.submission, &error) => {
                self.take_what_is_left(work, &batch, &error)?;
            }
            CallResult::Fetched(batch, Err(error)) => {
                self.take_no_rows(work, &batch, error)?;
            }
            CallResult::Cancelled(batch, cancelled) => {
                self.take_cancelled(work, &batch, cancelled)?
            }
            CallResult::Broken => {
                self.tell(&BatchEvent::Trouble {
                    message: "a call broke off inside synix; please report it".to_owned(),
                });
                // Whether a create call was made is not known.
                if work.submission.state == SubmissionState::Creating {
                    self.enter(work, SubmissionState::Unclear)?;
                }
                self.later(work);
            }
        }
        Ok(None)
    }

    fn take_created(
        &mut self,
        work: &mut DrivenSubmission,
        created: Result<Box<BatchState>, CreateError>,
    ) -> Result<(), BatchError> {
        match created {
            Ok(batch) => {
                synix_disk::discard(&self.input_file(&work.submission)?);
                self.go_live(work, &batch)?;
                self.tell(&BatchEvent::Submitted {
                    batch: batch.id.clone(),
                    provider: work.submission.provider.clone(),
                    layers: work.submission.layers.clone(),
                    requests: work.submission.requests,
                });
                // A batch made just now has nothing to show yet.
                work.due = self.settings.interval.map(|pause| Instant::now() + pause);
                Ok(())
            }
            Err(CreateError::Refused(error) | CreateError::NotSent(error)) => {
                self.give_up(work, &error, "the batch was not created")
            }
            Err(CreateError::Unclear(error)) => {
                self.tell(&BatchEvent::Unclear {
                    provider: work.submission.provider.clone(),
                    message: error.to_string(),
                });
                self.enter(work, SubmissionState::Unclear)?;
                work.due = Some(Instant::now());
                Ok(())
            }
        }
    }

    fn take_polled(
        &mut self,
        work: &mut DrivenSubmission,
        batch: BatchState,
    ) -> Result<Option<Call>, BatchError> {
        work.errors = 0;
        let pause = self.settings.interval;
        let pause = pause.map(|pause| batch.poll_after.map_or(pause, |hint| hint.max(pause)));
        work.due = pause.map(|pause| Instant::now() + pause);
        if !self.tell_status(work, &batch)? {
            return Ok(None);
        }
        match batch.phase {
            Phase::Completed | Phase::Expired | Phase::Cancelled => {
                if lacks_files(&batch) && work.submission.late < LATE_LOOKS {
                    work.submission.late += 1;
                    self.keep(work)?;
                    return Ok(None);
                }
                if !self.enter(work, SubmissionState::Ended)? {
                    return Ok(None);
                }
                self.wake(&work.submission);
                let files = self.files_of(&work.submission, &batch)?;
                Ok(Some(Call::Fetch {
                    batch: Box::new(batch),
                    requests: work.submission.requests,
                    files,
                }))
            }
            Phase::Failed => self.take_refusal(work, &batch).map(|()| None),
            Phase::Waiting
            | Phase::Running
            | Phase::Finalizing
            | Phase::Cancelling
            | Phase::Unknown(_) => Ok(None),
        }
    }

    /// Goes on without the files, which stay at the provider; the submission stays ended.
    ///
    /// What will not pass ends the command, so that nobody waits for it: an error that would be the
    /// same again, or files that are no better after so many looks.
    fn take_no_rows(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
        error: ProviderError,
    ) -> Result<(), BatchError> {
        let is_bad_file = matches!(
            error,
            ProviderError::Short { .. }
                | ProviderError::Doubtful { .. }
                | ProviderError::Coded { .. }
        );
        if is_bad_file {
            work.submission.late += 1;
            self.keep(work)?;
        }
        // A file that is not found may not be seen yet.
        let lasts = error.retry() == Retry::Never && !error.is_not_found();
        if lasts || (is_bad_file && work.submission.late > FETCHES) {
            return Err(BatchError::Rows {
                batch: batch.id.clone(),
                error,
            });
        }
        let message = format!("cannot download the rows of batch {}: {error}", batch.id);
        self.tell_trouble(work, message);
        self.later(work);
        Ok(())
    }

    /// Tells how a batch stands; false where another process has taken the submission on.
    fn tell_status(
        &self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
    ) -> Result<bool, BatchError> {
        let counts = batch.counts.as_ref();
        let done = counts.map(|counts| counts.completed + counts.failed);
        if work.submission.status != batch.status_text {
            work.submission.status.clone_from(&batch.status_text);
            if !self.keep(work)? {
                return Ok(false);
            }
        } else if work.done == done {
            return Ok(true);
        }
        work.done = done;
        self.tell(&BatchEvent::Status {
            batch: batch.id.clone(),
            status: batch.status_text.clone(),
            done,
            requests: work.submission.requests,
        });
        Ok(true)
    }

    fn take_poll_error(
        &mut self,
        work: &mut DrivenSubmission,
        error: ProviderError,
    ) -> Result<(), BatchError> {
        let batch = work.submission.batch.clone().unwrap_or_default();
        if work.submission.build == self.build && error.to_failure().kind == FailureKind::Auth {
            return Err(BatchError::Refused { batch, error });
        }
        if self.is_gone(&work.submission, &error) {
            return self.give_up_batch(work, &error);
        }
        // The batch goes on whatever befell this call (L4, L16).
        self.tell_trouble(work, format!("cannot look at batch {batch}: {error}"));
        self.later(work);
        Ok(())
    }

    fn take_cancelled(
        &mut self,
        work: &mut DrivenSubmission,
        id: &str,
        cancelled: Result<Box<BatchState>, ProviderError>,
    ) -> Result<(), BatchError> {
        match cancelled {
            Ok(batch) => {
                if !self.tell_status(work, &batch)? {
                    return Ok(());
                }
                work.due = self.settings.interval.map(|pause| Instant::now() + pause);
            }
            Err(error) => {
                self.tell(&BatchEvent::Trouble {
                    message: format!("cannot cancel batch {id}: {error}"),
                });
                self.later(work);
            }
        }
        Ok(())
    }

    /// Sets the next step off by the interval, doubled with each error in a row.
    pub(super) fn later(&self, work: &mut DrivenSubmission) {
        let factor = 1_u32 << work.errors.min(6);
        work.errors += 1;
        work.due = self.settings.interval.map(|pause| {
            Instant::now() + pause.saturating_mul(factor).min(LONGEST_PAUSE.max(pause))
        });
    }

    /// Frees the requests of a submission that was surely not created.
    fn give_up(
        &mut self,
        work: &mut DrivenSubmission,
        error: &ProviderError,
        what: &str,
    ) -> Result<(), BatchError> {
        let failure = error.to_failure();
        let message = format!("{what}: {}", failure.message);
        self.abandon(work, &Failure { message, ..failure })
    }
}

/// Says whether an ended batch should have a file that is not there (A3).
fn lacks_files(batch: &BatchState) -> bool {
    if batch.output_file.is_some() {
        return false;
    }
    match &batch.counts {
        Some(counts) if counts.completed > 0 => true,
        Some(counts) => batch.error_file.is_none() && counts.failed > 0,
        None => batch.error_file.is_none(),
    }
}
