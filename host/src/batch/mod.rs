//! Batches: from recorded requests to rows, safely.
//!
//! Creating a batch spends money and cannot be repeated, so each submission is
//! a small state machine whose every step is a committed row:
//!
//! ```text
//! claimed ──> uploaded ──> creating ──> live ──> ended ──> settled
//!    │            │            │          │
//!    └────────────┴────────────┴──────────┴──> abandoned
//! ```
//!
//! | state | on disk before | a process that finds it |
//! | --- | --- | --- |
//! | claimed | requests and a token | uploads |
//! | uploaded | the input file's id | goes on to creating |
//! | creating | the token of this very create call | looks for a batch that carries the token; adopts it, or takes it as not created and creates under a new token |
//! | live | the batch's id | polls |
//! | ended | | takes the rows |
//! | settled | every row | nothing |
//! | abandoned | why | nothing: its requests are free again |
//!
//! Only the process that holds the lock of the submission's build, or finds it
//! free, takes the steps up to live: a create call is never made twice for one
//! claim. Polling and taking rows is open to everyone; a row is taken once
//! because its attempt is closed in the same transaction.

mod cancel;
mod create;
mod event;
mod input;
mod rows;
mod settle;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::disk::DiskError;
use crate::llm::{Provider, ProviderError};
use crate::request::{Failure, FailureKind, Outcome, RequestKey, Usage};
use crate::store::{BuildId, RequestId, Store, StoreError, Submission, SubmissionState};

pub use event::BatchEvent;

/// Why batches could not be driven. What one batch or row suffers is no such error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file on its way to or from a provider could not be written or read.
    #[error("cannot use the batch file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The provider does not let us see a batch of ours; asking again would not help.
    #[error("cannot look at batch {batch}, which goes on: {error}; resume when the key is right")]
    Refused {
        /// The batch.
        batch: String,
        /// What the provider said.
        error: ProviderError,
    },
    /// No randomness for a token.
    #[error("the system gives no random numbers for a submission's token")]
    NoToken,
}

/// A request for a batch.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Its key.
    pub key: RequestKey,
    /// Its number in the store.
    pub request: RequestId,
    /// The position of the layer that asked first.
    pub layer: usize,
    /// Whether an answer cut at its token limit will do.
    pub accept_truncated: bool,
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
}

/// How batches are driven.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// Pauses before each further look for a batch whose create reply was lost, by provider.
    pub look_again: HashMap<String, Vec<Duration>>,
    /// How often a request is put into a batch in one command, at most.
    pub attempts: u32,
    /// Names of the layers by position, for people.
    pub layers: Vec<String>,
}

/// The batches of a project, as one command drives them.
pub struct Batches<'a> {
    store: &'a Store,
    build: BuildId,
    providers: &'a std::collections::BTreeMap<String, Arc<Provider>>,
    settings: BatchSettings,
    clock: &'a Clock,
    observer: &'a dyn Fn(&BatchEvent),
    queue: Vec<Queued>,
    /// Requests this command waits for, with how often each was put into a batch.
    wanted: HashMap<RequestKey, (Queued, u32)>,
    settled: Vec<(RequestKey, Outcome)>,
    next_look: Option<Duration>,
}

impl<'a> Batches<'a> {
    /// Opens the batches of `store` for one command.
    pub fn new(
        store: &'a Store,
        build: BuildId,
        providers: &'a std::collections::BTreeMap<String, Arc<Provider>>,
        settings: BatchSettings,
        clock: &'a Clock,
        observer: &'a dyn Fn(&BatchEvent),
    ) -> Self {
        Self {
            store,
            build,
            providers,
            settings,
            clock,
            observer,
            queue: Vec::new(),
            wanted: HashMap::new(),
            settled: Vec::new(),
            next_look: None,
        }
    }

    /// Takes a request for the next batch.
    pub fn queue(&mut self, queued: Queued) {
        self.wanted.insert(queued.key, (queued.clone(), 0));
        self.queue.push(queued);
    }

    /// Says whether requests of this command wait in a batch.
    pub fn is_waiting(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Returns the provider's hint on when to look next.
    pub const fn next_look(&self) -> Option<Duration> {
        self.next_look
    }

    /// Returns what has settled since the last call.
    pub fn take_settled(&mut self) -> Vec<(RequestKey, Outcome)> {
        std::mem::take(&mut self.settled)
    }

    /// Looks at every submission of the project once: goes on with what was interrupted, polls, takes rows.
    pub async fn look(&mut self) -> Result<(), BatchError> {
        self.next_look = None;
        for submission in self.store.unsettled_submissions()? {
            self.advance(submission).await?;
        }
        self.claim_again()
    }

    async fn advance(&mut self, mut submission: Submission) -> Result<(), BatchError> {
        let Some(provider) = self.providers.get(&submission.provider).map(Arc::clone) else {
            self.tell(&BatchEvent::NoProvider {
                submission: submission.id.0,
                provider: submission.provider.clone(),
            });
            return Ok(());
        };
        let ours = submission.build == self.build;
        let lock = if ours || submission.state >= SubmissionState::Live {
            None
        } else {
            match self.store.lock_build(submission.build)? {
                Some(lock) => Some(lock),
                // Its own process is at it.
                None => return Ok(()),
            }
        };
        if lock.is_some() {
            // It may have moved on between the list and the lock.
            match self.store.submission(submission.id)? {
                Some(current) => submission = current,
                None => return Ok(()),
            }
        }
        if submission.state < SubmissionState::Live {
            let build = self.store.build(submission.build)?;
            if build.is_some_and(|build| build.cancelled) {
                // It could not be cancelled with the rest; sending it now would spend money on it.
                return self.cancel_one(submission, &provider).await;
            }
            self.bring_to_life(&mut submission, &provider).await?;
        }
        drop(lock);
        if matches!(
            submission.state,
            SubmissionState::Live | SubmissionState::Ended
        ) {
            self.poll(&mut submission, &provider).await?;
        }
        Ok(())
    }

    fn tell(&self, event: &BatchEvent) {
        (self.observer)(event);
    }

    fn keep(&self, submission: &mut Submission) -> Result<(), BatchError> {
        submission.changed = self.clock.now();
        self.store
            .write(|| self.store.update_submission(submission))
            .map_err(BatchError::Store)
    }
}

fn failure(kind: FailureKind, message: impl Into<String>, passing: bool) -> Failure {
    Failure {
        kind,
        message: message.into(),
        passing,
        usage: Usage::default(),
    }
}
