//! Runs one unit for a plugin's author, and records its questions, answers, outputs, log and fuel.

mod error;
mod inputs;
mod record;
mod replies;

use std::sync::mpsc;
use std::thread;

use serde_json::{Map, Value};

use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::json;
use synix_sandbox::{Call, Header, Limits, Plugin, Run, UnitSpec};

pub use error::UnitRunError;
pub use inputs::{prepare_config, read_inputs};
pub use record::{Exchange, RunOutput, RunRecord, RunStatus};
pub(crate) use record::{level_and_text, run_output};
pub use replies::Replies;
use replies::ReplyModel;

/// What [`run_unit`] runs.
#[derive(Debug)]
pub struct UnitRun<'a> {
    /// The config, with the texts of the files that it names.
    pub config: &'a Map<String, Value>,
    /// The inputs of all units.
    pub inputs: &'a [Artifact],
    /// The key of the unit; `None` for the only unit that the inputs make.
    pub key: Option<&'a str>,
    /// The answers of the model.
    pub replies: &'a Replies,
}

/// Runs a unit of a plugin. Calls `on_question` for each question.
pub fn run_unit(
    plugin: &Plugin,
    run: &UnitRun<'_>,
    on_question: &mut dyn FnMut(usize, &Exchange),
) -> Result<RunRecord, UnitRunError> {
    let &UnitRun {
        config,
        inputs,
        key,
        replies,
    } = run;
    let limits = Limits::default();
    let mut digested = Vec::new();
    for artifact in inputs {
        digested.push((artifact.clone(), artifact.digest()?));
    }
    let text = json::canonical_object(config.clone());
    let units = plugin
        .split(&headers(&digested), &text, &limits)
        .map_err(|error| UnitRunError::Split(Box::new(error)))?;
    let unit = choose(units, key)?;
    let own: Vec<(Artifact, Digest)> = unit
        .inputs
        .iter()
        .filter_map(|&position| digested.get(usize::try_from(position).ok()?).cloned())
        .collect();
    let mut merged = config.clone();
    merged.extend(unit.config.clone().unwrap_or_default());
    let text = json::canonical_object(merged);
    let call = Call {
        unit: &unit,
        inputs: &own,
        config: &text,
        limits: &limits,
        grants: synix_sandbox::Grants::ALL,
    };
    let (sender, exchanges) = mpsc::channel();
    let model = ReplyModel::new(replies.clone(), sender);
    let mut requests = Vec::new();
    let executed = thread::scope(|scope| {
        // On another thread, so that a run that does not end shows how far it came.
        let run = scope.spawn(|| {
            let executed = plugin.execute(&call, model);
            (executed.run, executed.fuel)
        });
        for exchange in exchanges {
            on_question(requests.len(), &exchange);
            requests.push(exchange);
        }
        run.join()
    });
    let (run, fuel) = executed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let (status, outputs, log, error) = match run {
        Ok(Run::Done { outputs, log }) => (RunStatus::Done, outputs, log, None),
        Ok(Run::Suspended) => (RunStatus::Waiting, Vec::new(), Vec::new(), None),
        Err(mut error) => {
            let log = std::mem::take(&mut error.log);
            (
                RunStatus::Failed,
                Vec::new(),
                log,
                Some(with_causes(&error)),
            )
        }
    };
    Ok(RunRecord {
        plugin: plugin.descriptor().name.clone(),
        unit: unit.key.to_string(),
        status,
        requests,
        outputs: outputs.into_iter().map(run_output).collect(),
        log: log.into_iter().map(level_and_text).collect(),
        fuel,
        error,
    })
}

fn choose(units: Vec<UnitSpec>, key: Option<&str>) -> Result<UnitSpec, UnitRunError> {
    let known: Vec<String> = units.iter().map(|unit| unit.key.to_string()).collect();
    let count = units.len();
    let mut fitting = units
        .into_iter()
        .filter(|unit| key.is_none_or(|key| unit.key.as_str() == key));
    match (fitting.next(), key) {
        (Some(unit), Some(_)) => Ok(unit),
        (Some(unit), None) if count == 1 => Ok(unit),
        (Some(_), None) => Err(UnitRunError::Several(known)),
        (None, key) => Err(UnitRunError::NoUnit {
            key: key.unwrap_or_default().to_owned(),
            known,
        }),
    }
}

fn headers(inputs: &[(Artifact, Digest)]) -> Vec<Header> {
    let header = |(artifact, digest): &(Artifact, Digest)| Header {
        label: artifact.label.clone(),
        kind: artifact.kind.clone(),
        digest: *digest,
        metadata: artifact.metadata.clone(),
    };
    inputs.iter().map(header).collect()
}
