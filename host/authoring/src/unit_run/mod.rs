//! Runs one unit for a plugin's author, and records its questions, answers, outputs, log and fuel.

mod error;
mod inputs;

use std::sync::mpsc;
use std::thread;

use serde::Serialize;
use serde_json::{Map, Value};

use synix_core::artifact::{Artifact, Content};
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::json;
use synix_core::request::{Answer, Ending, GuestRequest, Message, Usage};
use synix_sandbox::{Call, Header, Limits, LogLine, Model, ModelResponse, Plugin, Run, UnitSpec};

pub use error::UnitRunError;
pub use inputs::{prepare_config, read_inputs};

/// The model's answers, which the author gives.
#[derive(Debug, Clone)]
pub enum Replies {
    /// No answers: the run is suspended at the first question.
    None,
    /// The same answer to every question.
    Always(String),
    /// These answers in order. The run is suspended after the last one.
    InOrder(Vec<String>),
}

impl Replies {
    fn get(&self, position: usize) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Always(text) => Some(text),
            Self::InOrder(texts) => texts.get(position).map(String::as_str),
        }
    }
}

/// A question and its answer.
#[derive(Debug, Serialize)]
pub struct Exchange {
    /// The messages of the question.
    pub messages: Vec<Message>,
    /// The maximum length of the answer in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The sampling temperature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The stop sequences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// The JSON Schema of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Value>,
    /// The model role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The number of the sample.
    #[serde(skip_serializing_if = "is_zero")]
    pub sample: u32,
    /// Options to merge into the provider's request.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// The answer; `None` if there is none.
    pub answer: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An output, without its bytes if it is not text.
#[derive(Debug, Serialize)]
pub struct RunOutput {
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its media type; `None` for text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The text; `None` for bytes.
    pub content: Option<String>,
    /// Its size in bytes.
    pub bytes: usize,
    /// Its metadata.
    pub metadata: Map<String, Value>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// The unit is done.
    Done,
    /// The unit waits for an answer.
    Waiting,
    /// The unit failed.
    Failed,
}

/// The record of a run.
#[derive(Debug, Serialize)]
pub struct RunRecord {
    /// The name of the plugin.
    pub plugin: String,
    /// The key of the unit.
    pub unit: String,
    /// How it ended.
    pub status: RunStatus,
    /// The questions, in the order in which the unit asked them.
    pub requests: Vec<Exchange>,
    /// The outputs.
    pub outputs: Vec<RunOutput>,
    /// The log lines: level and text.
    pub log: Vec<(String, String)>,
    /// The fuel that it used, roughly the number of instructions.
    pub fuel: u64,
    /// The error, if it failed.
    pub error: Option<String>,
}

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
        grants_llm: true,
    };
    let (sender, exchanges) = mpsc::channel();
    let model = ReplyModel {
        replies: replies.clone(),
        count: 0,
        sender,
    };
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

fn run_output(artifact: Artifact) -> RunOutput {
    RunOutput {
        label: artifact.label.to_string(),
        kind: artifact.kind.to_string(),
        media_type: artifact.content.media_type().map(str::to_owned),
        bytes: artifact.content.as_bytes().len(),
        content: match artifact.content {
            Content::Text(text) => Some(text),
            Content::Bytes { .. } => None,
        },
        metadata: artifact.metadata.into_iter().collect(),
    }
}

fn level_and_text(line: LogLine) -> (String, String) {
    (line.level.to_string(), line.message)
}

/// A model that gives the author's replies.
struct ReplyModel {
    replies: Replies,
    /// The number of questions so far.
    count: usize,
    sender: mpsc::Sender<Exchange>,
}

impl Model for ReplyModel {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        let mut answers = Vec::with_capacity(asked.len());
        let count = asked.len();
        for ask in asked {
            let answer = self.replies.get(self.count).map(str::to_owned);
            answers.extend(answer.clone().map(|text| Answer {
                text,
                ending: Ending::Complete,
                model: "scripted".to_owned(),
                usage: Usage::default(),
                details: Map::new(),
            }));
            let exchange = Exchange {
                messages: ask.messages,
                max_tokens: ask.max_tokens,
                temperature: ask.temperature,
                stop: ask.stop,
                response_format: ask.response_format,
                model: ask.model,
                sample: ask.sample,
                options: ask.options,
                answer,
            };
            self.count += 1;
            // The receiver lives until the run has ended.
            let _ = self.sender.send(exchange);
        }
        if answers.len() == count {
            ModelResponse::Answered(answers)
        } else {
            ModelResponse::Suspend
        }
    }
}
