//! Cancelling: live batches at the provider, and what has not left the machine yet (M7).

use super::{BatchError, BatchEvent, Batches, failure};
use crate::llm::Provider;
use crate::request::FailureKind;
use crate::store::{BuildId, Submission, SubmissionState};

impl Batches<'_> {
    /// Cancels what `build`, whose lock the caller holds, has under way.
    ///
    /// A live batch stays on record until it has ended: its finished rows are paid and will be taken.
    pub async fn cancel(&mut self, build: BuildId) -> Result<(), BatchError> {
        for submission in self.store.unsettled_submissions()? {
            if submission.build != build {
                continue;
            }
            let Some(provider) = self.providers.get(&submission.provider).cloned() else {
                self.tell(&BatchEvent::NoProvider {
                    submission: submission.id.0,
                    provider: submission.provider,
                });
                continue;
            };
            self.cancel_one(submission, &provider).await?;
        }
        Ok(())
    }

    /// Cancels one submission; the caller holds its build's lock.
    pub(super) async fn cancel_one(
        &mut self,
        mut submission: Submission,
        provider: &Provider,
    ) -> Result<(), BatchError> {
        // Whether there is a batch to cancel is not known before the list is read.
        let absent = if submission.state == SubmissionState::Creating {
            !self.adopt(&mut submission, provider).await?
        } else {
            submission.state < SubmissionState::Creating
        };
        if absent {
            let why = failure(FailureKind::Expired, "cancelled before it was sent", true);
            return self.abandon(&mut submission, &why);
        }
        let Some(id) = submission.batch.clone() else {
            self.tell(&BatchEvent::Trouble {
                message: format!(
                    "whether submission {} became a batch at {} is not known; cancel again later",
                    submission.token, submission.provider
                ),
            });
            return Ok(());
        };
        match provider.cancel_batch(&id).await {
            Ok(batch) => {
                submission.status.clone_from(&batch.status_text);
                self.keep(&mut submission)?;
                self.tell(&BatchEvent::Status {
                    batch: id,
                    status: batch.status_text,
                    done: None,
                    requests: submission.requests,
                });
            }
            Err(error) => {
                self.tell(&BatchEvent::Trouble {
                    message: format!("cannot cancel batch {id}: {error}"),
                });
            }
        }
        Ok(())
    }
}
