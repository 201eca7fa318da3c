//! The units of a transform, for the checks on configs.

use serde_json::{Map, Value};

use super::Baseline;
use super::config::ConfigSubject;
use super::failure::UnitFailure;
use super::runner::{CheckRunner, Job, TrialEnd};
use super::scripted_model::ScriptedModel;

/// Runs units with other configs than that of the baseline.
pub(super) struct UnitConfigs<'a> {
    pub(super) runner: &'a CheckRunner<'a>,
    pub(super) baseline: &'a Baseline,
}

impl ConfigSubject for UnitConfigs<'_> {
    fn schema(&self) -> &Value {
        &self.runner.plugin.descriptor().config_schema
    }

    fn config(&self) -> &Map<String, Value> {
        &self.baseline.config
    }

    /// Runs the first unit.
    fn try_config(&self, config: &Map<String, Value>) -> Result<(), UnitFailure> {
        let jobs = self.runner.split(&self.baseline.inputs, config)?;
        let Some(job) = jobs.first() else {
            return Ok(());
        };
        let model = ScriptedModel::answering_all(self.baseline.style);
        match self.runner.run(job, config, model).end {
            TrialEnd::Failed(failure) => Err(failure),
            TrialEnd::Done(_) | TrialEnd::Suspended => Ok(()),
        }
    }

    fn observe(&self, config: &Map<String, Value>) -> Result<Vec<String>, UnitFailure> {
        let jobs = self.runner.split(&self.baseline.inputs, config)?;
        let run = |job: Job| {
            let model = ScriptedModel::answering_all(self.baseline.style);
            let trial = self.runner.run(&job, config, model);
            format!("{:?}", (job.unit, trial.rounds, trial.end))
        };
        Ok(jobs.into_iter().map(run).collect())
    }
}
