//! From claimed to live: upload, create, and what follows a reply that was lost.

use std::time::Duration;

use super::input::{discard, new_token};
use super::{BatchError, BatchEvent, Batches};
use crate::llm::{BatchInput, BatchState, CreateError, FileId, Phase, Provider, ProviderError};
use crate::request::{Failure, Outcome};
use crate::store::{AttemptNote, Submission, SubmissionState};

/// Create calls for one submission in one command, at most. Each comes after a search that found nothing.
const CREATES: u32 = 3;

/// In milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

impl Batches<'_> {
    /// Takes every step from where the submission stands to a live batch.
    pub(super) async fn bring_to_life(
        &mut self,
        submission: &mut Submission,
        provider: &Provider,
    ) -> Result<(), BatchError> {
        if submission.state == SubmissionState::Creating {
            // An earlier process made the call and did not live to see the reply.
            if self.adopt(submission, provider).await?
                || submission.state != SubmissionState::Creating
            {
                return Ok(());
            }
            self.renew_token(submission)?;
        }
        let uploads = provider.batch_traits().uploads;
        if submission.state == SubmissionState::Claimed && uploads {
            let path = self.write_input(submission, provider)?;
            let name = format!("{}.jsonl", submission.token);
            let uploaded = provider.upload_batch(&path, &name).await;
            discard(&path);
            match uploaded {
                Ok(file) => {
                    submission.file = Some(file.0);
                    submission.state = SubmissionState::Uploaded;
                    submission.status = "uploaded".to_owned();
                    self.keep(submission)?;
                }
                Err(error) => {
                    return self.give_up(submission, &error, "cannot upload the input file");
                }
            }
        }
        for _ in 0..CREATES {
            submission.state = SubmissionState::Creating;
            submission.status = "creating".to_owned();
            self.keep(submission)?;
            let created = if uploads {
                let file = FileId(submission.file.clone().unwrap_or_default());
                let input = BatchInput::Uploaded {
                    file: &file,
                    model: &submission.model,
                };
                provider.create_batch(input, &submission.token).await
            } else {
                let path = self.write_input(submission, provider)?;
                let input = BatchInput::Lines(&path);
                let created = provider.create_batch(input, &submission.token).await;
                discard(&path);
                created
            };
            match created {
                Ok(batch) => {
                    self.live(submission, &batch)?;
                    self.tell(&BatchEvent::Submitted {
                        batch: batch.id,
                        provider: submission.provider.clone(),
                        layers: submission.layers.clone(),
                        requests: submission.requests,
                    });
                    return Ok(());
                }
                Err(CreateError::Refused(error) | CreateError::NotSent(error)) => {
                    return self.give_up(submission, &error, "the batch was not created");
                }
                Err(CreateError::Unclear(error)) => {
                    self.tell(&BatchEvent::Unclear {
                        provider: submission.provider.clone(),
                        message: error.to_string(),
                    });
                    if self.adopt(submission, provider).await?
                        || submission.state != SubmissionState::Creating
                    {
                        return Ok(());
                    }
                    self.renew_token(submission)?;
                }
            }
        }
        // Stays `creating`: the next look searches again before it creates.
        self.tell(&BatchEvent::Trouble {
            message: format!(
                "{} create calls at {} had no clear reply",
                CREATES, submission.provider
            ),
        });
        Ok(())
    }

    /// Takes a new token for the next create call, so that no two calls share one.
    fn renew_token(&self, submission: &mut Submission) -> Result<(), BatchError> {
        submission.token = new_token()?;
        submission.state = SubmissionState::Uploaded;
        self.keep(submission)
    }

    /// Searches the provider's list for the batch of a lost reply; true when it was found and is live now.
    ///
    /// A list that cannot be read proves nothing: the submission then stays as it is.
    pub(super) async fn adopt(
        &mut self,
        submission: &mut Submission,
        provider: &Provider,
    ) -> Result<bool, BatchError> {
        if !provider.batch_traits().labelled {
            // Nothing in the list tells our batch from another: it may exist, so none is created.
            let message = "whether it was created is not known, and its batches carry no token";
            self.tell(&BatchEvent::Trouble {
                message: format!("batch at {}: {message}", submission.provider),
            });
            submission.note = Some(message.to_owned());
            self.keep(submission)?;
            return Ok(true);
        }
        let pauses = self
            .settings
            .look_again
            .get(&submission.provider)
            .cloned()
            .unwrap_or_default();
        for pause in std::iter::once(Duration::ZERO).chain(pauses) {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            match self.search(submission, provider).await {
                Ok(Some(batch)) => {
                    self.live(submission, &batch)?;
                    self.tell(&BatchEvent::Adopted {
                        batch: batch.id,
                        provider: submission.provider.clone(),
                        requests: submission.requests,
                    });
                    return Ok(true);
                }
                Ok(None) => {}
                Err(SearchError::Batch(error)) => return Err(error),
                Err(SearchError::Provider(error)) => {
                    self.tell(&BatchEvent::Trouble {
                        message: format!(
                            "cannot read the list of batches at {}: {error}",
                            submission.provider
                        ),
                    });
                    submission.note = Some("whether it was created is not known yet".to_owned());
                    self.keep(submission)?;
                    // Claims are kept, nothing is created: the next look asks again.
                    submission.state = SubmissionState::Creating;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn search(
        &self,
        submission: &Submission,
        provider: &Provider,
    ) -> Result<Option<BatchState>, SearchError> {
        let mut after: Option<String> = None;
        loop {
            let page = provider
                .list_batches(after.as_deref())
                .await
                .map_err(SearchError::Provider)?;
            for batch in &page.batches {
                if batch.token.as_deref() != Some(submission.token.as_str())
                    || batch.phase == Phase::Failed
                {
                    continue;
                }
                let known = self
                    .store
                    .knows_batch(&batch.id)
                    .map_err(|error| SearchError::Batch(error.into()))?;
                if !known {
                    return Ok(Some(batch.clone()));
                }
            }
            // The newest come first; clocks differ, but not by a day.
            let before_ours = |batch: &BatchState| {
                let created = batch.created.map(|created| created.0.saturating_add(DAY));
                created.is_some_and(|created| created < submission.opened.0)
            };
            if page.batches.iter().any(before_ours) {
                return Ok(None);
            }
            match page.next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(None),
            }
        }
    }

    fn live(&self, submission: &mut Submission, batch: &BatchState) -> Result<(), BatchError> {
        submission.batch = Some(batch.id.clone());
        submission.state = SubmissionState::Live;
        submission.status.clone_from(&batch.status_text);
        submission.note = None;
        self.keep(submission)
    }

    /// Frees the requests of a submission that was surely not created.
    fn give_up(
        &mut self,
        submission: &mut Submission,
        error: &ProviderError,
        what: &str,
    ) -> Result<(), BatchError> {
        let failure = error.to_failure();
        let message = format!("{what}: {}", failure.message);
        self.abandon(submission, &Failure { message, ..failure })
    }

    /// Ends a submission without rows and fails what it held.
    pub(super) fn abandon(
        &mut self,
        submission: &mut Submission,
        failure: &Failure,
    ) -> Result<(), BatchError> {
        let mut keys = Vec::new();
        self.store
            .each_open_request(submission.id, |open| -> Result<(), BatchError> {
                keys.push(open.key);
                Ok(())
            })?;
        submission.state = SubmissionState::Abandoned;
        submission.status = "abandoned".to_owned();
        submission.note = Some(failure.message.clone());
        submission.changed = self.clock.now();
        let note = AttemptNote {
            kind: failure.kind,
            message: failure.message.clone(),
        };
        self.store.write(|| -> Result<(), BatchError> {
            self.store.release(submission.id, &note)?;
            Ok(self.store.update_submission(submission)?)
        })?;
        self.tell(&BatchEvent::Abandoned {
            batch: submission.batch.clone(),
            message: failure.message.clone(),
        });
        for key in keys {
            self.bring(key, Outcome::Failed(failure.clone()));
        }
        Ok(())
    }
}

enum SearchError {
    Provider(ProviderError),
    Batch(BatchError),
}
