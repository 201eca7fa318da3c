//! Runs a unit once, with its transcript and the known answers.
//!
//! A run gets the known answers and stops at the first request without one. Its
//! requests are compared with the transcript of earlier runs: a difference
//! means that the plugin is not deterministic, and fails the unit (I9).

use std::sync::Arc;

use super::BuildError;
use super::handle::Location;
use super::held_runs::{self, GuestThread, HeldRuns};
use super::known_answers::KnownAnswers;
use super::layers::{ReadyTransform, Roles};
use super::recorder::UnitResult;
use super::unit_model::UnitModel;
use crate::pending::PendingRequest;
use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Failure, FailureKind, GuestRequest, Request, RequestKey, Usage};
use synix_sandbox::{Call, Execution, Model, ModelResponse, PluginError, Run, UnitSpec};

/// A unit to run.
#[derive(Debug)]
pub(super) struct Job {
    /// The unit's position in the scheduler.
    pub(super) unit: usize,
    /// The position of its layer.
    pub(super) layer: usize,
    pub(super) transform: Arc<ReadyTransform>,
    pub(super) spec: Arc<UnitSpec>,
    /// The location of each input's content, and its digest.
    pub(super) inputs: Vec<(Location, Digest)>,
    /// The requests of earlier runs, in order.
    pub(super) transcript: Vec<RequestKey>,
}

/// A request of a run, with the answer that the run found; `None`: the unit waits for it.
pub(super) type RunRequest = (PendingRequest<Arc<Request>>, Option<Answer>);

/// The outcome of a run.
#[derive(Debug)]
pub(super) struct RunOutcome {
    pub(super) unit: usize,
    pub(super) end: RunEnd,
    /// The number of earlier requests that a suspended run of the unit reported with their answers.
    pub(super) first: usize,
    /// The further requests, in order.
    pub(super) requests: Vec<RunRequest>,
    /// How many of all its requests are repairs.
    pub(super) repairs: usize,
    /// The repairs that only `--retry-failed` would send. Its last answers do not fit, and the unit failed.
    pub(super) unasked: Vec<PendingRequest<Arc<Request>>>,
    /// The model roles that it used beside its layer's role.
    pub(super) roles: Vec<String>,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum RunEnd {
    Done(UnitResult),
    /// It waits for answers to its requests.
    Suspended,
    Failed(Failure),
    /// It was not started, and can be run at any time.
    Postponed,
    /// The build was interrupted; the unit counts as not run.
    Interrupted,
    /// The state or a source could not be read, so the build ends.
    Fatal(Box<BuildError>),
}

/// Returns the failure of a unit because of its plugin.
pub(super) fn guest_failure(message: String) -> Failure {
    Failure {
        kind: FailureKind::Guest,
        message,
        transient: false,
        usage: Usage::default(),
    }
}

/// A call of a unit with everything that it needs, so that it can run on any thread.
#[derive(Debug)]
pub(super) struct OwnedCall {
    transform: Arc<ReadyTransform>,
    spec: Arc<UnitSpec>,
    inputs: Vec<(Artifact, Digest)>,
    /// The layer's config with the additions of the unit; `None`: there are none.
    config: Option<String>,
}

impl OwnedCall {
    fn new(
        transform: &Arc<ReadyTransform>,
        spec: Arc<UnitSpec>,
        inputs: Vec<(Artifact, Digest)>,
    ) -> Self {
        let config = spec.merged_config(&transform.config);
        Self {
            transform: Arc::clone(transform),
            spec,
            inputs,
            config,
        }
    }

    pub(super) fn execute<M: Model>(&self, model: M) -> Execution<M> {
        let transform = &self.transform;
        let call = Call {
            unit: &self.spec,
            inputs: &self.inputs,
            config: self.config.as_deref().unwrap_or(&transform.config_text),
            limits: &transform.limits,
            grants: transform.grants,
        };
        transform.plugin.execute(&call, model)
    }
}

/// The model of a run on the thread that knows the answers.
struct InlineModel {
    model: UnitModel,
    known: KnownAnswers,
}

impl Model for InlineModel {
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        self.model.answer_round(&self.known, requests)
    }
}

/// Runs a unit once, or continues its held run; returns `known`, which the run owns in the meantime.
pub(super) fn run_unit(
    job: Job,
    roles: &Arc<Roles>,
    known: KnownAnswers,
    held: &HeldRuns,
) -> (RunOutcome, KnownAnswers) {
    let Job {
        unit,
        layer,
        transform,
        spec,
        inputs,
        transcript,
    } = job;
    if let Some(run) = held.take(unit) {
        return (run.resume(unit, &known, held), known);
    }
    let is_held = transcript.len() >= held_runs::MIN_REQUESTS;
    let model = UnitModel::new(layer, Arc::clone(&transform), transcript, Arc::clone(roles));
    let inputs = match read_inputs(&inputs, &known) {
        Ok(inputs) => inputs,
        Err(error) => {
            let end = RunEnd::Fatal(Box::new(error));
            return (model.into_outcome(unit, end), known);
        }
    };
    let call = Arc::new(OwnedCall::new(&transform, spec, inputs));
    if is_held && let Ok(guest) = GuestThread::start(&call) {
        return (held_runs::run(unit, guest, model, &known, held), known);
    }
    let executed = call.execute(InlineModel { model, known });
    let InlineModel { mut model, known } = executed.model;
    let end = run_end(&mut model, &known, executed.run);
    (model.into_outcome(unit, end), known)
}

/// Returns how a run ended, whose guest ended like this.
pub(super) fn run_end(
    model: &mut UnitModel,
    known: &KnownAnswers,
    run: Result<Run, PluginError>,
) -> RunEnd {
    match (model.stopped.take(), run) {
        (Some(stopped), _) => stopped,
        (None, Ok(Run::Suspended)) => RunEnd::Suspended,
        (None, Ok(Run::Done { outputs, log })) => model.finish(known, outputs, log),
        (None, Err(error)) if error.is_interrupted() => RunEnd::Interrupted,
        (None, Err(error)) => {
            let mut failure = guest_failure(with_causes(&error));
            failure.transient = error.is_transient();
            RunEnd::Failed(failure)
        }
    }
}

fn read_inputs(
    inputs: &[(Location, Digest)],
    known: &KnownAnswers,
) -> Result<Vec<(Artifact, Digest)>, BuildError> {
    inputs
        .iter()
        .map(|(location, digest)| Ok((read_input(location, *digest, known)?, *digest)))
        .collect()
}

/// Reads an input from where its content is.
pub(super) fn read_input(
    location: &Location,
    digest: Digest,
    known: &KnownAnswers,
) -> Result<Artifact, BuildError> {
    Ok(match location {
        Location::Stored(id) => known.artifact(*id)?,
        Location::File(file) => file.read(digest)?,
        Location::Spooled(spool, range) => {
            spool.artifact(*range).map_err(BuildError::spool_damaged)?
        }
        Location::Memory(artifact) => artifact.as_ref().clone(),
    })
}
