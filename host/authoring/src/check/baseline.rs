//! Finds a config, inputs and answers with which ordinary units succeed.

use serde_json::{Map, Value};

use super::point::Point;
use super::runner::{CheckRunner, Job, Trial, TrialEnd};
use super::scripted_model::{AnswerStyle, ScriptedModel};
use super::{CheckOptions, point_of, sample, sample_inputs};
use synix_core::artifact::Artifact;

/// The most units per input. More of them are surely a mistake.
const MAX_UNITS_PER_INPUT: usize = 1000;

/// A config, inputs and answers, and the runs of their units. Other checks compare with these runs.
pub(super) struct Baseline {
    pub(super) config: Map<String, Value>,
    /// Whether the check generated the config.
    pub(super) is_generated: bool,
    pub(super) inputs: Vec<Artifact>,
    pub(super) style: AnswerStyle,
    pub(super) jobs: Vec<(Job, Trial)>,
}

impl Baseline {
    pub(super) fn is_successful(&self) -> bool {
        let succeeds = |(_, trial): &(Job, Trial)| matches!(trial.end, TrialEnd::Done(_));
        !self.jobs.is_empty() && self.jobs.iter().all(succeeds)
    }

    /// Returns 0 for success, 1 for a fault, and 2 if the plugin refuses: the config or the inputs may be unsuitable.
    fn rank(&self) -> u8 {
        let is_refused = |(_, trial): &(Job, Trial)| match &trial.end {
            TrialEnd::Failed(failure) => failure.is_reported(),
            TrialEnd::Done(_) | TrialEnd::Suspended => false,
        };
        match self.is_successful() {
            true => 0,
            false if self.jobs.iter().any(is_refused) => 2,
            false => 1,
        }
    }
}

/// Finds a config, inputs and an answer style with which ordinary units succeed.
///
/// Stops at the first crash. If the plugin refuses, it tries other combinations.
pub(super) fn find(
    runner: &CheckRunner<'_>,
    options: &CheckOptions,
) -> Result<Baseline, (Point, String)> {
    let schema = &runner.plugin.descriptor().config_schema;
    let configs = match &options.config {
        Some(config) => vec![config.clone()],
        None => sample::configs(schema),
    };
    if configs.is_empty() {
        let detail = "no valid config could be generated from the schema; pass one with --config";
        return Err((Point::OrdinaryUnits, detail.to_owned()));
    }
    let mut best: Option<Baseline> = None;
    let mut refusal = None;
    for config in configs {
        if best.as_ref().is_some_and(|baseline| baseline.rank() < 2) {
            break;
        }
        let sets = if options.inputs.is_empty() {
            sample_inputs::ordinary(&config)
        } else {
            vec![options.inputs.clone()]
        };
        for inputs in sets {
            if best.as_ref().is_some_and(|baseline| baseline.rank() < 2) {
                break;
            }
            let jobs = match runner.split(&inputs, &config) {
                Ok(jobs) if jobs.len() > MAX_UNITS_PER_INPUT * inputs.len() => {
                    let detail = format!(
                        "`split` makes {} units from {} inputs",
                        jobs.len(),
                        inputs.len()
                    );
                    return Err((Point::Split, detail));
                }
                Ok(jobs) => jobs,
                Err(failure) if failure.is_reported() => {
                    refusal.get_or_insert(failure.message);
                    continue;
                }
                Err(failure) => {
                    let detail = format!("`split` of ordinary inputs: {}", failure.message);
                    return Err((point_of(&failure, Point::Split), detail));
                }
            };
            let all = [
                AnswerStyle::Plain,
                AnswerStyle::Json,
                AnswerStyle::Fixed("1"),
                AnswerStyle::Fixed("yes"),
            ];
            // If the user gives the replies, only these are ordinary.
            let styles = if runner.replies.is_empty() {
                &all[..]
            } else {
                &all[..1]
            };
            for &style in styles {
                let baseline = Baseline {
                    jobs: run_units(runner, &jobs, &config, style),
                    config: config.clone(),
                    is_generated: options.config.is_none(),
                    inputs: inputs.clone(),
                    style,
                };
                let asks = baseline
                    .jobs
                    .iter()
                    .any(|(_, trial)| !trial.rounds.is_empty());
                let (rank, least) = (baseline.rank(), best.as_ref().map(Baseline::rank));
                if least.is_none_or(|least| rank < least) {
                    best = Some(baseline);
                }
                if rank < 2 || !asks {
                    break;
                }
            }
        }
    }
    best.ok_or_else(|| {
        let reason = refusal.unwrap_or_else(|| "there are no units".to_owned());
        let detail = format!(
            "no input is in a unit ({reason}); pass a --config and an --input that it accepts"
        );
        (Point::OrdinaryUnits, detail)
    })
}

/// Runs units until one crashes or breaks a rule. Continues after an error that the plugin returns.
pub(super) fn run_units(
    runner: &CheckRunner<'_>,
    jobs: &[Job],
    config: &Map<String, Value>,
    style: AnswerStyle,
) -> Vec<(Job, Trial)> {
    let mut trials = Vec::with_capacity(jobs.len());
    for job in jobs {
        let trial = runner.run(job, config, ScriptedModel::answering_all(style));
        let is_fatal = matches!(&trial.end, TrialEnd::Failed(failure) if !failure.is_reported());
        trials.push((job.clone(), trial));
        if is_fatal {
            break;
        }
    }
    trials
}
