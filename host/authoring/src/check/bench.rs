//! Runs units of the plugin under check and says how each ended.

use std::cell::Cell;
use std::error::Error;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::report::{Deadline, Progress};
use super::script::Script;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::json;
use synix_core::request::Ask;
use synix_sandbox::{
    Call, Fault, Header, InvalidOutput, Limits, LogLine, Plugin, PluginError, Refusal, Run, Shape,
    UnitSpec,
};

/// White space that means nothing and moves everything in memory.
const PAD: usize = 5003;
/// What is kept of a plugin's message has at least so many bytes where it was cut.
const MESSAGE_BYTES: usize = 4096;
/// What a report shows of one failure.
const WORDS_BYTES: usize = 1024;

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
    /// A name of an output has a character that nobody can see, which came from what the unit was given.
    Unseen,
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
        let mut broken = Self::of(&error.fault);
        if let Some(refusal) = &error.refusal {
            let refusal = refusal.to_string();
            let rule = refusal.split_once(": ").map_or("", |(_, rule)| rule);
            if rule.is_empty() || !broken.words.contains(rule) {
                broken
                    .words
                    .push_str(&format!(" (its request was refused: {refusal})"));
            }
        }
        broken
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
            Fault::InvalidOutput {
                source: InvalidOutput::Name(name),
                ..
            } if name.is_unseen() => Cause::Unseen,
            Fault::InvalidOutput { .. } => Cause::Output,
            Fault::InvalidSplit(_) => Cause::Split,
            _ => Cause::Crash,
        };
        Self {
            cause,
            words: cut(words),
            message,
        }
    }

    /// Tells whether the plugin said so itself, as it should.
    pub(super) const fn is_said(&self) -> bool {
        matches!(self.cause, Cause::Said(_))
    }

    /// Tells whether it crashed.
    pub(super) const fn is_crash(&self) -> bool {
        matches!(self.cause, Cause::Crash)
    }

    /// Says what is wrong with the plugin's own words; `given` are the bytes of what it may have repeated.
    pub(super) fn misspoken(&self, given: usize) -> Option<&'static str> {
        let Cause::Said(code) = &self.cause else {
            return None;
        };
        // No text that a check hands over has any of these.
        let steers = |one: char| one.is_control() && !matches!(one, '\0' | '\t' | '\r' | '\n');
        if code.trim().is_empty() || self.message.trim().is_empty() {
            Some("it fails without a word of why")
        } else if self.message.chars().any(steers) {
            Some("its message has control characters, such as those that steer a terminal")
        } else if self.message.len() >= MESSAGE_BYTES && given < MESSAGE_BYTES {
            Some("its message is no sentence for people but thousands of characters")
        } else {
            None
        }
    }
}

/// Keeps the beginning of what a guest may have made long.
fn cut(mut words: String) -> String {
    if words.len() > WORDS_BYTES {
        words.truncate(words.floor_char_boundary(WORDS_BYTES));
        words.push('…');
    }
    words
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

impl Trial {
    /// Returns what it made, where it ended well.
    pub(super) fn outputs(&self) -> Option<&[Artifact]> {
        match &self.end {
            End::Done(outputs) => Some(outputs),
            End::Suspended | End::Broken(_) => None,
        }
    }
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
    /// What the model says in the ordinary way; empty: what the style says.
    pub(super) replies: Arc<[String]>,
    pub(super) deadline: Deadline,
    /// Is told of each run before it starts.
    pub(super) seen: &'a dyn Fn(Progress),
    pub(super) runs: Cell<u64>,
    /// What is being tried.
    pub(super) stage: Cell<&'static str>,
}

impl Bench<'_> {
    /// Says what is tried from now on.
    pub(super) fn enter(&self, stage: &'static str) {
        self.stage.set(stage);
        self.tell();
    }

    fn tell(&self) {
        (self.seen)(Progress {
            stage: self.stage.get(),
            runs: self.runs.get(),
        });
    }

    /// Counts a run; returns what it may use, or how it ends where the time of the check is over.
    fn start(&self) -> Result<Limits, Broken> {
        self.runs.set(self.runs.get() + 1);
        self.tell();
        let mut limits = self.limits.clone();
        match self.deadline.left() {
            Some(left) if left.is_zero() => Err(Broken {
                cause: Cause::Limit,
                words: "the time of the check is over".to_owned(),
                message: String::new(),
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

    /// Divides inputs into units as a build would.
    pub(super) fn jobs(
        &self,
        inputs: &[Artifact],
        config: &Map<String, Value>,
    ) -> Result<Vec<Job>, Broken> {
        let limits = self.start()?;
        let text = json::object(config.clone());
        let units = self.plugin.split(&headers(inputs), &text, &limits)?;
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
        self.run_with(job, &json::object(config_of(&job.unit, config)), model)
    }

    /// Runs one unit with `text` as its config.
    pub(super) fn run_with(&self, job: &Job, text: &str, mut model: Script) -> Trial {
        let limits = match self.start() {
            Ok(limits) => limits,
            Err(broken) => {
                return Trial {
                    rounds: Vec::new(),
                    end: End::Broken(broken),
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
            Ok(Run::Done { outputs, log }) => (End::Done(outputs), log),
            Ok(Run::Suspended) => (End::Suspended, Vec::new()),
            Err(mut error) => {
                let log = std::mem::take(&mut error.log);
                (End::Broken(error.into()), log)
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
pub(super) fn config_of(unit: &UnitSpec, config: &Map<String, Value>) -> Map<String, Value> {
    let mut config = config.clone();
    config.extend(unit.config.clone().unwrap_or_default());
    config
}

/// Returns the same config in other bytes: white space before it, its members backwards.
pub(super) fn config_otherwise(config: &Map<String, Value>) -> String {
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
