//! Cancelling: live batches at the provider, and what has not left the machine yet (M7).

use super::close::never_sent;
use super::start::{find_call, poll_call};
use super::step::Call;
use super::{BatchError, Batches, DrivenSubmission};
use synix_store::{BuildId, Submission, SubmissionState};

impl Batches<'_> {
    /// Cancels what `build`, whose lock the caller holds, has under way.
    ///
    /// A live batch stays on record until it has ended: its finished rows are paid and will be taken.
    pub async fn cancel(&mut self, build: BuildId) -> Result<(), BatchError> {
        self.cancelling = true;
        self.survey = None;
        let now = tokio::time::Instant::now();
        for submission in self.store.unsettled_submissions()? {
            if submission.build == build {
                self.works
                    .insert(submission.id, DrivenSubmission::new(submission, now));
            }
        }
        while self.is_active() {
            self.progress().await?;
        }
        Ok(())
    }

    /// Says whether the submission is to be ended rather than sent.
    pub(super) fn is_cancelling(&self, submission: &Submission) -> Result<bool, BatchError> {
        if self.cancelling {
            return Ok(true);
        }
        // One of a build that was cancelled while it could not be: sending it now would spend money on it.
        let build = self.store.build(submission.build)?;
        Ok(build.is_some_and(|build| build.cancelled))
    }

    pub(super) fn cancelling_call(
        &mut self,
        work: &mut DrivenSubmission,
    ) -> Result<Option<Call>, BatchError> {
        match work.submission.state {
            SubmissionState::Claimed | SubmissionState::Uploading | SubmissionState::Uploaded => {
                self.abandon(work, &never_sent())?;
                Ok(None)
            }
            // Whether there is a batch to cancel is not known before the list is read.
            SubmissionState::Creating => {
                let entered = self.enter(work, SubmissionState::Unclear)?;
                Ok(entered.then(|| find_call(&work.submission)))
            }
            SubmissionState::Unclear => Ok(Some(find_call(&work.submission))),
            SubmissionState::Adopted | SubmissionState::Live if !work.cancel_sent => {
                work.cancel_sent = true;
                let batch = work.submission.batch.clone();
                Ok(batch.map(|batch| Call::Cancel { batch }))
            }
            // Somebody may wait for the rows it has.
            SubmissionState::Adopted | SubmissionState::Live if !self.cancelling => {
                Ok(poll_call(&work.submission))
            }
            SubmissionState::Adopted
            | SubmissionState::Live
            | SubmissionState::Ended
            | SubmissionState::Fetched
            | SubmissionState::Settled
            | SubmissionState::Abandoned => Ok(None),
        }
    }
}
