//! Runs units of the plugin under check with a model whose every answer is known beforehand.

use std::error::Error;

use serde_json::{Map, Value};

use super::sample;
use crate::artifact::Artifact;
use crate::digest::Digest;
use crate::json;
use crate::plugin::{
    Call, Fault, Header, InvalidOutput, Limits, LogLine, Model, Plugin, PluginError, Refusal, Run,
    Shape, UnitSpec, Verdict,
};
use crate::request::{Answer, Ask, Ending, Usage};

/// White space that means nothing and moves everything in memory.
const PAD: usize = 5003;

/// What the model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Two lines that name the question, or JSON where the question asks for it.
    Plain,
    /// An object that fits the question's response format, else a small one.
    Json,
    /// Always this.
    Fixed(&'static str),
    /// So many bytes.
    Long(usize),
}

impl Style {
    fn text(self, ask: &Ask) -> String {
        let format = ask.response_format.as_ref().map(|schema| {
            // OpenAI's form wraps the schema.
            let schema = schema.pointer("/json_schema/schema").unwrap_or(schema);
            sample::value(schema).to_string()
        });
        match (self, format) {
            (Self::Fixed(text), _) => text.to_owned(),
            (Self::Long(bytes), _) => "An answer of many words. ".repeat(bytes / 25),
            (Self::Plain | Self::Json, Some(json)) => json,
            (Self::Plain, None) => {
                let question = Digest::of(format!("{ask:?}").as_bytes()).short();
                format!("First {question}\nSecond {question}")
            }
            (Self::Json, None) => r#"{"name": "sample", "items": ["one", "two"]}"#.to_owned(),
        }
    }
}

/// A model that answers the first rounds and notes every question.
pub(super) struct Script {
    style: Style,
    /// Rounds that it answers.
    known: usize,
    refusal: Option<Refusal>,
    pub(super) rounds: Vec<Vec<Ask>>,
}

impl Script {
    pub(super) const fn all(style: Style) -> Self {
        Self::first(style, usize::MAX)
    }

    pub(super) const fn first(style: Style, known: usize) -> Self {
        Self {
            style,
            known,
            refusal: None,
            rounds: Vec::new(),
        }
    }

    pub(super) fn refusing(refusal: Refusal) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::all(Style::Plain)
        }
    }
}

impl Model for Script {
    fn complete(&mut self, asked: Vec<Ask>) -> Verdict {
        let answer = |ask: &Ask| Answer {
            text: self.style.text(ask),
            ending: Ending::Complete,
            model: "scripted".to_owned(),
            usage: Usage::default(),
            details: Map::new(),
        };
        let verdict = match &self.refusal {
            Some(refusal) => Verdict::Refused(refusal.clone()),
            None if self.rounds.len() < self.known => {
                Verdict::Answered(asked.iter().map(answer).collect())
            }
            None => Verdict::Suspend,
        };
        self.rounds.push(asked);
        verdict
    }
}

/// What sort of failure a unit met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// It said so itself, with this code.
    Said(String),
    /// It asked a model without the right to.
    Grant,
    /// It crashed.
    Crash,
    /// It reached a limit.
    Limit,
    /// An output breaks a rule.
    Output,
    /// Two outputs have one label.
    Label,
    /// It divided its inputs wrongly.
    Split,
}

/// A failure of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) cause: Cause,
    /// What is wrong, with its causes.
    pub(super) words: String,
    /// The words of the plugin alone, where it said so itself.
    pub(super) message: String,
}

impl From<PluginError> for Broken {
    fn from(error: PluginError) -> Self {
        Self::of(&error.fault)
    }
}

impl Broken {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else ends a call is a crash"
    )]
    pub(super) fn of(fault: &Fault) -> Self {
        let mut words = fault.to_string();
        let mut cause: Option<&dyn Error> = fault.source();
        while let Some(error) = cause {
            words.push_str(&format!(": {error}"));
            cause = error.source();
        }
        let mut message = String::new();
        let cause = match fault {
            Fault::Transform {
                code,
                message: said,
            } => {
                said.clone_into(&mut message);
                Cause::Said(code.clone())
            }
            Fault::NotGranted => Cause::Grant,
            Fault::OutOfFuel { .. }
            | Fault::OutOfTime { .. }
            | Fault::OutOfMemory { .. }
            | Fault::OutputTooLarge { .. }
            | Fault::HostcallTooLarge { .. }
            | Fault::StackOverflow => Cause::Limit,
            Fault::InvalidOutput {
                source: InvalidOutput::DuplicateLabel(_),
                ..
            } => Cause::Label,
            Fault::InvalidOutput { .. } => Cause::Output,
            Fault::InvalidSplit(_) => Cause::Split,
            _ => Cause::Crash,
        };
        Self {
            cause,
            words,
            message,
        }
    }

    /// Tells whether the plugin said so itself, as it should.
    pub(super) const fn is_said(&self) -> bool {
        matches!(self.cause, Cause::Said(_))
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Done(Vec<Artifact>),
    Suspended,
    Broken(Broken),
}

/// A run with all that was seen of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub(super) rounds: Vec<Vec<Ask>>,
    pub(super) end: End,
    pub(super) fuel: u64,
    pub(super) log: Vec<LogLine>,
    pub(super) refusal: Option<Refusal>,
}

/// A unit with its inputs.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) unit: UnitSpec,
    pub(super) inputs: Vec<(Artifact, Digest)>,
}

/// Where the plugin under check runs.
pub(super) struct Bench<'a> {
    pub(super) plugin: &'a Plugin,
    pub(super) limits: Limits,
}

impl Bench<'_> {
    pub(super) fn is_per_input(&self) -> bool {
        self.plugin.descriptor().shape == Shape::PerInput
    }

    /// Divides inputs into units as a build would.
    pub(super) fn jobs(
        &self,
        inputs: &[Artifact],
        config: &Map<String, Value>,
    ) -> Result<Vec<Job>, Broken> {
        let units = self.plugin.split(
            &headers(inputs),
            &json::object(config.clone()),
            &self.limits,
        )?;
        let digested: Vec<(Artifact, Digest)> = inputs.iter().filter_map(digested).collect();
        let job = |unit: UnitSpec| {
            let taken = unit.inputs.iter();
            let taken = taken.filter_map(|&at| digested.get(usize::try_from(at).ok()?));
            Job {
                inputs: taken.cloned().collect(),
                unit,
            }
        };
        Ok(units.into_iter().map(job).collect())
    }

    pub(super) fn run(&self, job: &Job, config: &Map<String, Value>, model: Script) -> Trial {
        self.run_with(job, &config_text(&job.unit, config), model)
    }

    /// Runs one unit with `text` as its config.
    pub(super) fn run_with(&self, job: &Job, text: &str, mut model: Script) -> Trial {
        let measured = self
            .plugin
            .execute_measured(&self.call(job, text), &mut model);
        let (end, log) = match measured.run {
            Ok(Run::Done { outputs, log }) => (End::Done(outputs), log),
            Ok(Run::Suspended) => (End::Suspended, Vec::new()),
            Err(mut error) => {
                let log = std::mem::take(&mut error.log);
                (End::Broken(error.into()), log)
            }
        };
        Trial {
            rounds: model.rounds,
            end,
            fuel: measured.fuel,
            log,
            refusal: measured.refusal,
        }
    }

    pub(super) const fn call<'c>(&'c self, job: &'c Job, config: &'c str) -> Call<'c> {
        Call {
            unit: &job.unit,
            inputs: job.inputs.as_slice(),
            config,
            limits: &self.limits,
            grants_llm: true,
        }
    }
}

/// Returns the layer's config with the unit's additions.
pub(super) fn config_text(unit: &UnitSpec, config: &Map<String, Value>) -> String {
    let mut config = config.clone();
    config.extend(unit.config.clone().unwrap_or_default());
    json::object(config)
}

/// Returns the same config in other bytes: white space before it, its members backwards.
pub(super) fn config_otherwise(unit: &UnitSpec, config: &Map<String, Value>) -> String {
    let mut config = config.clone();
    config.extend(unit.config.clone().unwrap_or_default());
    let members: Vec<String> = config
        .iter()
        .rev()
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    format!("{}{{{}}}", " ".repeat(PAD), members.join(","))
}

/// Returns what `split` sees of inputs.
pub(super) fn headers(inputs: &[Artifact]) -> Vec<Header> {
    let header = |(artifact, digest): (Artifact, Digest)| Header {
        label: artifact.label,
        kind: artifact.kind,
        digest,
        metadata: artifact.metadata,
    };
    inputs.iter().filter_map(digested).map(header).collect()
}

/// Pairs an artifact with its digest; `None` where its metadata hold a number that has no canonical form.
pub(super) fn digested(artifact: &Artifact) -> Option<(Artifact, Digest)> {
    Some((artifact.clone(), artifact.digest().ok()?))
}
