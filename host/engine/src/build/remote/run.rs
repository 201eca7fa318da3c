//! A unit that runs on other machines: its model, and the rounds that are answered so far.

use std::sync::Arc;

use super::error::UnitOutcomeError;
use super::rounds::RoundList;
use crate::build::backlog::{size_of_message, size_of_request};
use crate::build::handle::Location;
use crate::build::known_answers::KnownAnswers;
use crate::build::layers::{ReadyTransform, Roles};
use crate::build::unit::{Job, RunEnd, RunOutcome, guest_failure};
use crate::build::unit_model::UnitModel;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::request::{GuestRequest, RequestKey};
use synix_sandbox::{Level, LogLine, ModelResponse, UnitSpec, check_log, check_outputs};
use synix_units::{ObjectRef, UnitEnd, WireArtifact, WireLine, WireRequest};

/// The maximum length of the message of a failure, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// The approximate size of a held run apart from its texts.
const RUN_OVERHEAD: usize = 1 << 10;

/// A unit that runs on other machines.
#[derive(Debug)]
pub(super) struct RemoteRun {
    pub(super) unit: usize,
    pub(super) transform: Arc<ReadyTransform>,
    pub(super) spec: Arc<UnitSpec>,
    /// The location of each input's content, and its digest.
    pub(super) inputs: Vec<(Location, Digest)>,
    /// The list of inputs, if it is an object.
    pub(super) provided_inputs: Option<ObjectRef>,
    pub(super) rounds: RoundList,
    model: UnitModel,
    /// The round that the guest waits for.
    pending: Option<Vec<GuestRequest>>,
}

/// What follows from the answers that are known.
pub(super) enum Advance {
    /// The unit can go out.
    Ready(Box<RemoteRun>),
    /// It waits for answers, and reported its requests.
    Waits(Box<RemoteRun>, RunOutcome),
    /// It is over.
    Ended(RunOutcome),
}

impl RemoteRun {
    pub(super) fn new(job: Job, roles: &Arc<Roles>) -> Self {
        let Job {
            unit,
            layer,
            transform,
            spec,
            inputs,
            transcript,
        } = job;
        let model = UnitModel::new(layer, Arc::clone(&transform), transcript, Arc::clone(roles));
        Self {
            unit,
            transform,
            spec,
            inputs,
            provided_inputs: None,
            rounds: RoundList::default(),
            model,
            pending: None,
        }
    }

    /// Returns the position of its layer.
    pub(super) const fn layer(&self) -> usize {
        self.model.layer
    }

    /// Returns about how much memory it takes while it is held.
    pub(super) fn size(&self) -> usize {
        let pending = self.pending.iter().flatten();
        let messages = pending.flat_map(|request| &request.messages);
        let pending: usize = messages.map(size_of_message).sum();
        let unreported: usize = self.model.requests.iter().map(size_of_request).sum();
        let inputs = size_of_val(self.inputs.as_slice());
        let keys = self.model.count() * size_of::<RequestKey>();
        RUN_OVERHEAD + inputs + keys + self.rounds.size() + pending + unreported
    }

    /// Answers the round that the guest waits for, if its answers are known.
    pub(super) fn advance(mut self, known: &KnownAnswers) -> Advance {
        let Some(round) = self.pending.take() else {
            return Advance::Ready(Box::new(self));
        };
        let response = self.model.answer_round(known, round.clone());
        if !matches!(response, ModelResponse::Suspend) {
            self.rounds.push(&round, response);
            return Advance::Ready(Box::new(self));
        }
        if let Some(stopped) = self.model.stopped.take() {
            return Advance::Ended(self.into_outcome(stopped));
        }
        let outcome = self.model.report_suspended(self.unit);
        self.pending = Some(round);
        Advance::Waits(Box::new(self), outcome)
    }

    /// Applies how the run on the other machine ended; `None`: it waits for the answers to a round.
    pub(super) fn apply(
        &mut self,
        end: UnitEnd,
        known: &KnownAnswers,
    ) -> Result<Option<RunEnd>, UnitOutcomeError> {
        let transform = &self.transform;
        Ok(Some(match end {
            UnitEnd::Done { outputs, log } => {
                let outputs = outputs.into_iter().map(WireArtifact::into_output);
                let outputs = outputs.collect::<Result<Vec<Artifact>, _>>()?;
                let outputs = check_outputs(outputs, &transform.limits)?;
                let log = log.into_iter().map(log_line);
                let log = log.collect::<Result<Vec<LogLine>, _>>()?;
                check_log(&log)?;
                self.model.finish(known, outputs, log)
            }
            UnitEnd::Round { requests } => {
                let requests = requests.into_iter().map(WireRequest::into_request);
                let requests = requests.collect::<Result<Vec<GuestRequest>, _>>()?;
                let (grants, limits) = (transform.grants, &transform.limits);
                transform.plugin.check_round(&requests, grants, limits)?;
                self.pending = Some(requests);
                return Ok(None);
            }
            UnitEnd::Failed { message, transient } => {
                if message.len() > MAX_MESSAGE_BYTES {
                    return Err(UnitOutcomeError::Message(message.len()));
                }
                let mut failure = guest_failure(message);
                failure.transient = transient;
                RunEnd::Failed(failure)
            }
            UnitEnd::Diverged { round } => {
                let count = self.rounds.count();
                if round >= count {
                    return Err(UnitOutcomeError::Round { round, count });
                }
                RunEnd::Failed(guest_failure(format!(
                    "the plugin is not deterministic: its round {} of requests was another one in an earlier run",
                    round + 1
                )))
            }
            UnitEnd::NotRun => RunEnd::Postponed,
        }))
    }

    /// Returns the outcome of a run that is over.
    pub(super) fn into_outcome(self, end: RunEnd) -> RunOutcome {
        self.model.into_outcome(self.unit, end)
    }
}

fn log_line(line: WireLine) -> Result<LogLine, UnitOutcomeError> {
    const LEVELS: [Level; 5] = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
    ];
    let level = LEVELS
        .into_iter()
        .find(|level| level.to_string() == line.level);
    match level {
        Some(level) => Ok(LogLine {
            level,
            message: line.message,
        }),
        None => Err(UnitOutcomeError::Level(
            line.level.chars().take(80).collect(),
        )),
    }
}
