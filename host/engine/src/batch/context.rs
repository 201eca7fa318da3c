//! What the parts of the batch machine share: the state, the providers and the settings.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::BatchEvent;
use super::error::BatchError;
use super::throttle::target_of;
use crate::pending::Target;
use synix_core::clock::Clock;
use synix_core::request::{RequestKey, RequestKind};
use synix_providers::{BatchState, FileId, Provider};
use synix_store::{BuildId, RequestId, RetrySelection, Store, Submission};

/// What a command needs to drive batches.
pub struct BatchContext<'a> {
    /// The state of the project.
    pub store: &'a Store,
    /// The build of the command, whose lock it holds.
    pub build: BuildId,
    /// The providers of the pipeline, by name.
    pub providers: &'a BTreeMap<String, Arc<Provider>>,
    /// How batches are driven.
    pub settings: BatchSettings,
    /// The clock.
    pub clock: &'a Clock,
    /// Receives every batch event.
    pub observer: &'a dyn Fn(&BatchEvent),
}

impl fmt::Debug for BatchContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchContext")
            .field("build", &self.build)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl BatchContext<'_> {
    pub(super) fn report(&self, event: &BatchEvent) {
        (self.observer)(event);
    }

    pub(super) fn provider(&self, name: &str) -> Option<Arc<Provider>> {
        self.providers.get(name).map(Arc::clone)
    }

    /// Returns the name of a layer by its position.
    pub(super) fn layer_name(&self, position: usize) -> &str {
        self.settings
            .layers
            .get(position)
            .map_or("", String::as_str)
    }

    /// Returns the path of a submission's input file.
    pub(super) fn input_file(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        Ok(self.store.batch_file(&submission.token, ".jsonl")?)
    }

    /// Returns the paths of a submission's output and error file.
    pub(super) fn row_files(&self, submission: &Submission) -> Result<[PathBuf; 2], BatchError> {
        let path = |ending| self.store.batch_file(&submission.token, ending);
        Ok([path("-output.jsonl")?, path("-error.jsonl")?])
    }

    /// Returns the path of the file for a submission's unreadable rows.
    pub(super) fn unreadable_rows(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        Ok(self
            .store
            .batch_file(&submission.token, "-unreadable.jsonl")?)
    }

    /// Returns the files of an ended batch, each with its path on this machine.
    pub(super) fn downloads(
        &self,
        submission: &Submission,
        batch: &BatchState,
    ) -> Result<Vec<(FileId, PathBuf)>, BatchError> {
        let [output, error] = self.row_files(submission)?;
        let offered = [(&batch.output_file, output), (&batch.error_file, error)];
        Ok(offered
            .into_iter()
            .filter_map(|(file, path)| Some((file.clone()?, path)))
            .collect())
    }

    /// Creates the files that a batch does not have, so that a fetched batch always has both.
    pub(super) fn complete_rows(&self, submission: &Submission) -> Result<(), BatchError> {
        for path in self.row_files(submission)? {
            if !path.exists() {
                synix_disk::replace_private(&path, b"")?;
            }
        }
        Ok(())
    }

    pub(super) fn discard_input(&self, submission: &Submission) -> Result<(), BatchError> {
        synix_disk::discard(&self.input_file(submission)?);
        Ok(())
    }

    pub(super) fn discard_rows(&self, submission: &Submission) -> Result<(), BatchError> {
        for path in self.row_files(submission)? {
            synix_disk::discard(&path);
        }
        Ok(())
    }

    /// Returns the line of a request.
    pub(super) fn line(
        &self,
        target: &Target,
        request: RequestId,
        key: &RequestKey,
    ) -> Result<String, BatchError> {
        let request = self.store.request(request)?;
        let provider = self.providers.get(&target.provider);
        Ok(provider.map_or_else(String::new, |provider| provider.batch_line(&request, key)))
    }

    /// Returns what the requests of a submission ask for. All of them are of one kind, and the store has each request, so
    /// the submission itself does not repeat it.
    pub(super) fn kind_of(&self, submission: &Submission) -> Result<RequestKind, BatchError> {
        let mut first = None;
        self.store
            .for_each_open_request(submission.id, |open| -> Result<(), BatchError> {
                first.get_or_insert(open.request);
                Ok(())
            })?;
        first.map_or(Ok(RequestKind::Completion), |request| {
            Ok(self.store.request(request)?.kind)
        })
    }

    /// Writes the input file of a submission, and returns its path.
    pub(super) fn write_input(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        let path = self.input_file(submission)?;
        let target = target_of(submission);
        let failed = |source| BatchError::File {
            path: path.clone(),
            source,
        };
        let mut file = BufWriter::new(synix_disk::create_private(&path)?);
        self.store
            .for_each_open_request(submission.id, |open| -> Result<(), BatchError> {
                let line = self.line(&target, open.request, &open.key)?;
                writeln!(file, "{line}").map_err(failed)
            })?;
        file.flush().map_err(failed)?;
        Ok(path)
    }
}

/// The user's decision on a batch whose create reply was lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LostCreatePolicy {
    /// Ask the user.
    #[default]
    Ask,
    /// The batch with this id is the lost one.
    Adopt(String),
    /// The batch does not exist: create it again.
    CreateAgain,
}

/// How batches are driven.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// The pauses before each further search for a batch whose create reply was lost, by provider.
    pub search_pauses: HashMap<String, Vec<Duration>>,
    /// The maximum number of batches for a request in one command.
    pub attempts: u32,
    /// Names of the layers by position, for people.
    pub layers: Vec<String>,
    /// The pause between two polls of a batch; `None`: each batch is polled once.
    pub interval: Option<Duration>,
    /// The maximum number of requests in a batch, by provider, if it is lower than the provider's own limit.
    pub batch_requests: HashMap<String, u32>,
    /// The maximum number of input tokens in flight, by provider.
    pub enqueued_tokens: HashMap<String, u64>,
    /// How long a batch may take before its unanswered requests are sent by sync calls.
    pub sync_after: Option<Duration>,
    /// What to do about a lost create reply.
    pub lost_create: LostCreatePolicy,
    /// The failed requests that are sent again although they were billed.
    pub retry: RetrySelection,
}
