//! Runs a unit once, with its transcript and the known answers.
//!
//! A run gets the known answers and stops at the first request without one. Its
//! requests are compared with the transcript of earlier runs: a difference
//! means that the plugin is not deterministic, and fails the unit (I9).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::BuildError;
use super::handle::Location;
use super::known_answers::KnownAnswers;
use super::layers::{ReadyTransform, Roles};
use super::recorder::UnitResult;
use super::unit_model::UnitModel;
use crate::pending::PendingRequest;
use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::json;
use synix_core::request::{Answer, Failure, FailureKind, Request, RequestKey, Usage};
use synix_sandbox::{Call, Run, UnitSpec};

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
    /// All its requests, in order.
    pub(super) requests: Vec<RunRequest>,
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

/// Runs a unit once; returns `known`, which the run owns in the meantime.
pub(super) fn run_unit(
    job: Job,
    roles: &Arc<Roles>,
    known: KnownAnswers,
) -> (RunOutcome, KnownAnswers) {
    let Job {
        unit,
        layer,
        transform,
        spec,
        inputs,
        transcript,
    } = job;
    let outcome = |end| RunOutcome {
        unit,
        end,
        requests: Vec::new(),
        roles: Vec::new(),
    };
    let inputs = match read_inputs(&inputs, &known) {
        Ok(inputs) => inputs,
        Err(error) => return (outcome(RunEnd::Fatal(Box::new(error))), known),
    };
    let own_config = spec.config.as_ref().map(|additions| {
        let mut config = transform.config.clone();
        config.extend(additions.clone());
        json::canonical_object(config)
    });
    let call = Call {
        unit: &spec,
        inputs: &inputs,
        config: own_config.as_deref().unwrap_or(&transform.config_text),
        limits: &transform.limits,
        grants_llm: transform.grants_llm,
    };
    let model = UnitModel {
        layer,
        transform: Arc::clone(&transform),
        transcript,
        roles: Arc::clone(roles),
        known,
        requests: Vec::new(),
        extra_roles: BTreeSet::new(),
        stopped: None,
    };
    let executed = transform.plugin.execute(&call, model);
    let mut model = executed.model;
    let end = match (model.stopped.take(), executed.run) {
        (Some(stopped), _) => stopped,
        (None, Ok(Run::Suspended)) => RunEnd::Suspended,
        (None, Ok(Run::Done { outputs, log })) => model.finish(outputs, log),
        (None, Err(error)) if error.is_interrupted() => RunEnd::Interrupted,
        (None, Err(error)) => {
            let mut failure = guest_failure(with_causes(&error));
            failure.transient = error.is_transient();
            RunEnd::Failed(failure)
        }
    };
    let outcome = RunOutcome {
        requests: model.requests,
        roles: model.extra_roles.into_iter().collect(),
        ..outcome(end)
    };
    (outcome, model.known)
}

fn read_inputs(
    inputs: &[(Location, Digest)],
    known: &KnownAnswers,
) -> Result<Vec<(Artifact, Digest)>, BuildError> {
    inputs
        .iter()
        .map(|(location, digest)| {
            let artifact = match location {
                Location::Stored(id) => known.artifact(*id)?,
                Location::File(file) => file.read(*digest)?,
                Location::Spooled(spool, range) => {
                    spool.artifact(*range).map_err(BuildError::spool_damaged)?
                }
                Location::Memory(artifact) => artifact.as_ref().clone(),
            };
            Ok((artifact, *digest))
        })
        .collect()
}
