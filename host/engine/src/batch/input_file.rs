//! The lines of a batch: one for each request.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use super::throttle::target_of;
use super::{BatchContext, BatchError};
use crate::pending::Target;
use synix_core::request::RequestKey;
use synix_store::{RequestId, Submission};

impl BatchContext<'_> {
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
