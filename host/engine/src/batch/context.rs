//! What the parts of the batch machine share: the state, the providers and the settings.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::BatchError;
use super::{BatchEvent, BatchSettings};
use synix_core::clock::Clock;
use synix_providers::{BatchState, FileId, Provider};
use synix_store::{BuildId, Store, Submission};

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
}
