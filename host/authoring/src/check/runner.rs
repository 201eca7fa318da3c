//! Runs units of the plugin under check and observes each run.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::failure::{FailureCause, UnitFailure};
use super::progress::Progress;
use super::report::Deadline;
use super::scripted_model::ScriptedModel;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::json;
use synix_core::request::GuestRequest;
use synix_sandbox::{Call, Header, Limits, LogLine, Plugin, Refusal, Run, Shape, UnitSpec};

/// The length of white space that changes no value but moves all that follows in memory.
const PADDING: usize = 5003;
/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TrialEnd {
    Done(Vec<Artifact>),
    Suspended,
    Failed(UnitFailure),
}

/// A run of one unit, as the check observed it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub(super) rounds: Vec<Vec<GuestRequest>>,
    pub(super) end: TrialEnd,
    pub(super) fuel: u64,
    pub(super) log: Vec<LogLine>,
    pub(super) refusal: Option<Refusal>,
}

impl Trial {
    /// Returns the outputs, if the run succeeded.
    pub(super) fn outputs(&self) -> Option<&[Artifact]> {
        match &self.end {
            TrialEnd::Done(outputs) => Some(outputs),
            TrialEnd::Suspended | TrialEnd::Failed(_) => None,
        }
    }
}

/// A unit with its inputs.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) unit: UnitSpec,
    pub(super) inputs: Vec<(Artifact, Digest)>,
}

/// Runs the plugin under check.
pub(super) struct CheckRunner<'a> {
    pub(super) plugin: &'a Plugin,
    pub(super) limits: Limits,
    /// The replies to ordinary questions. If empty, the answer style decides.
    pub(super) replies: Arc<[String]>,
    pub(super) deadline: Deadline,
    pub(super) progress: Progress<'a>,
}

impl CheckRunner<'_> {
    /// Counts a run and returns its limits, or its failure if the time of the check is over.
    fn start_run(&self) -> Result<Limits, UnitFailure> {
        self.progress.count_run();
        let mut limits = self.limits.clone();
        match self.deadline.remaining() {
            Some(left) if left.is_zero() => Err(UnitFailure {
                cause: FailureCause::Limit,
                message: "the time limit of the check is reached".to_owned(),
                plugin_message: String::new(),
            }),
            Some(left) => {
                limits.wall = limits.wall.min(left);
                Ok(limits)
            }
            None => Ok(limits),
        }
    }

    pub(super) fn is_per_input(&self) -> bool {
        self.plugin.descriptor().shape == Shape::PerInput
    }

    /// Divides inputs into units, as a build does.
    pub(super) fn split(
        &self,
        inputs: &[Artifact],
        config: &Map<String, Value>,
    ) -> Result<Vec<Job>, UnitFailure> {
        let limits = self.start_run()?;
        let text = json::canonical_object(config.clone());
        let units = self.plugin.split(&headers(inputs), &text, &limits)?;
        let digested: Vec<(Artifact, Digest)> = inputs.iter().filter_map(with_digest).collect();
        let job = |unit: UnitSpec| {
            let positions = unit.inputs.iter();
            let inputs = positions.filter_map(|&at| digested.get(usize::try_from(at).ok()?));
            Job {
                inputs: inputs.cloned().collect(),
                unit,
            }
        };
        Ok(units.into_iter().map(job).collect())
    }

    pub(super) fn run(
        &self,
        job: &Job,
        config: &Map<String, Value>,
        model: ScriptedModel,
    ) -> Trial {
        self.run_with(
            job,
            &json::canonical_object(config_of(&job.unit, config)),
            model,
        )
    }

    /// Runs one unit with this text as its config.
    pub(super) fn run_with(&self, job: &Job, text: &str, mut model: ScriptedModel) -> Trial {
        let limits = match self.start_run() {
            Ok(limits) => limits,
            Err(failure) => {
                return Trial {
                    rounds: Vec::new(),
                    end: TrialEnd::Failed(failure),
                    fuel: 0,
                    log: Vec::new(),
                    refusal: None,
                };
            }
        };
        model.replies = Arc::clone(&self.replies);
        let call = Call {
            limits: &limits,
            ..self.call(job, text)
        };
        let executed = self.plugin.execute(&call, model);
        let (end, log) = match executed.run {
            Ok(Run::Done { outputs, log }) => (TrialEnd::Done(outputs), log),
            Ok(Run::Suspended) => (TrialEnd::Suspended, Vec::new()),
            Err(mut error) => {
                let log = std::mem::take(&mut error.log);
                (TrialEnd::Failed(error.into()), log)
            }
        };
        Trial {
            rounds: executed.model.rounds,
            end,
            fuel: executed.fuel,
            log,
            refusal: executed.refusal,
        }
    }

    /// Makes the call of one unit.
    pub(super) const fn call<'c>(&'c self, job: &'c Job, config: &'c str) -> Call<'c> {
        Call {
            unit: &job.unit,
            inputs: job.inputs.as_slice(),
            config,
            limits: &self.limits,
            grants: synix_sandbox::Grants::ALL,
        }
    }
}

/// Merges the config of the layer with the additions of the unit.
pub(super) fn config_of(unit: &UnitSpec, config: &Map<String, Value>) -> Map<String, Value> {
    let mut config = config.clone();
    config.extend(unit.config.clone().unwrap_or_default());
    config
}

/// Returns the same config in other bytes: with leading white space and its members in reverse order.
pub(super) fn reformat_config(config: &Map<String, Value>) -> String {
    let members: Vec<String> = config
        .iter()
        .rev()
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    format!("{}{{{}}}", " ".repeat(PADDING), members.join(","))
}

/// Returns the headers of inputs, which `split` receives.
pub(super) fn headers(inputs: &[Artifact]) -> Vec<Header> {
    let header = |(artifact, digest): (Artifact, Digest)| Header {
        label: artifact.label,
        kind: artifact.kind,
        digest,
        metadata: artifact.metadata,
    };
    inputs.iter().filter_map(with_digest).map(header).collect()
}

/// Pairs an artifact with its digest; `None` if its metadata have a number without a canonical form.
pub(super) fn with_digest(artifact: &Artifact) -> Option<(Artifact, Digest)> {
    Some((artifact.clone(), artifact.digest().ok()?))
}
