//! A config, inputs and answers with which ordinary units end well: given, or found by trying.

use serde_json::{Map, Value};

use super::bench::{Bench, End, Job, Trial};
use super::report::Point;
use super::script::{Script, Style};
use super::{Setup, inputs, point_of, sample};
use synix_core::artifact::Artifact;

/// Units that one input may make; a pipeline with more of them was not meant.
const UNITS_OF_AN_INPUT: usize = 1000;

/// A config and inputs with which units end well, and how they did.
pub(super) struct Case {
    pub(super) config: Map<String, Value>,
    /// Whether the config was made up.
    pub(super) made_up: bool,
    pub(super) inputs: Vec<Artifact>,
    pub(super) style: Style,
    pub(super) jobs: Vec<(Job, Trial)>,
}

impl Case {
    pub(super) fn is_well(&self) -> bool {
        let well = |(_, trial): &(Job, Trial)| matches!(trial.end, End::Done(_));
        !self.jobs.is_empty() && self.jobs.iter().all(well)
    }

    /// Returns how bad it is: what the plugin itself turns down may only be unsuitable.
    fn rank(&self) -> u8 {
        let turned_down = |(_, trial): &(Job, Trial)| match &trial.end {
            End::Broken(broken) => broken.is_said(),
            End::Done(_) | End::Suspended => false,
        };
        match self.is_well() {
            true => 0,
            false if self.jobs.iter().any(turned_down) => 2,
            false => 1,
        }
    }
}

/// Finds a config, inputs and a style of answers with which ordinary units end well.
///
/// A crash is taken at once; what the plugin turns down is tried otherwise.
pub(super) fn find(bench: &Bench<'_>, setup: &Setup) -> Result<Case, (Point, String)> {
    let schema = &bench.plugin.descriptor().config_schema;
    let configs = match &setup.config {
        Some(config) => vec![config.clone()],
        None => sample::configs(schema),
    };
    if configs.is_empty() {
        let detail = "no config that fits the schema could be made up: give one with --config";
        return Err((Point::OrdinaryUnits, detail.to_owned()));
    }
    let mut best: Option<Case> = None;
    let mut turned_down = None;
    for config in configs {
        if best.as_ref().is_some_and(|case| case.rank() < 2) {
            break;
        }
        let sets = if setup.inputs.is_empty() {
            inputs::ordinary(&config)
        } else {
            vec![setup.inputs.clone()]
        };
        for inputs in sets {
            if best.as_ref().is_some_and(|case| case.rank() < 2) {
                break;
            }
            let jobs = match bench.jobs(&inputs, &config) {
                Ok(jobs) if jobs.len() > UNITS_OF_AN_INPUT * inputs.len() => {
                    let detail = format!(
                        "`split` makes {} units of {} inputs",
                        jobs.len(),
                        inputs.len()
                    );
                    return Err((Point::Split, detail));
                }
                Ok(jobs) => jobs,
                Err(broken) if broken.is_said() => {
                    turned_down.get_or_insert(broken.words);
                    continue;
                }
                Err(broken) => {
                    let detail = format!("`split` of ordinary inputs: {}", broken.words);
                    return Err((point_of(&broken, Point::Split), detail));
                }
            };
            let all = [
                Style::Plain,
                Style::Json,
                Style::Fixed("1"),
                Style::Fixed("yes"),
            ];
            // Where the user says what is answered, nothing else is ordinary.
            let styles = if bench.replies.is_empty() {
                &all[..]
            } else {
                &all[..1]
            };
            for &style in styles {
                let case = Case {
                    jobs: trials(bench, &jobs, &config, style),
                    config: config.clone(),
                    made_up: setup.config.is_none(),
                    inputs: inputs.clone(),
                    style,
                };
                let asks = case.jobs.iter().any(|(_, trial)| !trial.rounds.is_empty());
                let (rank, least) = (case.rank(), best.as_ref().map(Case::rank));
                if least.is_none_or(|least| rank < least) {
                    best = Some(case);
                }
                if rank < 2 || !asks {
                    break;
                }
            }
        }
    }
    best.ok_or_else(|| {
        let words = turned_down.unwrap_or_else(|| "there are no units".to_owned());
        let detail = format!(
            "no input gets into a unit ({words}): pass a --config and an --input that it accepts"
        );
        (Point::OrdinaryUnits, detail)
    })
}

/// Runs units until one fails in another way than in its own words.
pub(super) fn trials(
    bench: &Bench<'_>,
    jobs: &[Job],
    config: &Map<String, Value>,
    style: Style,
) -> Vec<(Job, Trial)> {
    let mut trials = Vec::with_capacity(jobs.len());
    for job in jobs {
        let trial = bench.run(job, config, Script::all(style));
        let is_fatal = matches!(&trial.end, End::Broken(broken) if !broken.is_said());
        trials.push((job.clone(), trial));
        if is_fatal {
            break;
        }
    }
    trials
}
