//! The ordinary files of a reader, for the checks on configs.

use serde_json::{Map, Value};

use super::baseline::Baseline;
use super::runner::ReaderRunner;
use crate::check::config::ConfigSubject;
use crate::check::failure::{FailureCause, UnitFailure};

/// Reads ordinary files with other configs than that of the baseline.
pub(super) struct FileConfigs<'a> {
    pub(super) runner: &'a ReaderRunner<'a>,
    pub(super) baseline: &'a Baseline,
}

impl ConfigSubject for FileConfigs<'_> {
    fn schema(&self) -> &Value {
        &self.runner.reader.descriptor().config_schema
    }

    fn config(&self) -> &Map<String, Value> {
        &self.baseline.config
    }

    /// Reads the first file.
    fn try_config(&self, config: &Map<String, Value>) -> Result<(), UnitFailure> {
        let Some((file, usual)) = self.baseline.files.first() else {
            return Ok(());
        };
        match self.runner.read(file, config).failure {
            // The config is not why the reader refuses a file of another format.
            None => Ok(()),
            failure if failure == usual.failure => Ok(()),
            Some(failure) if failure.cause == FailureCause::NothingRead => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    fn observe(&self, config: &Map<String, Value>) -> Result<Vec<String>, UnitFailure> {
        let read = |(file, _): &(_, _)| {
            let trial = self.runner.read(file, config);
            format!("{:?}", (trial.artifacts, trial.skipped, trial.failure))
        };
        Ok(self.baseline.files.iter().map(read).collect())
    }
}
