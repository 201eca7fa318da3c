//! Runs a unit once, with its transcript and the known answers.
//!
//! A run gets the known answers and stops at the first request without one. Its
//! requests are compared with the transcript of earlier runs: a difference
//! means that the plugin is not deterministic, and fails the unit (I9).
//!

use std::collections::BTreeSet;
use std::sync::Arc;

use super::BuildError;
use super::handle::Location;
use super::known_answers::KnownAnswers;
use super::layers::{ReadyTransform, Roles};
use crate::pending::PendingRequest;
use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_core::json;
use synix_core::request::{
    Answer, Failure, FailureKind, GuestRequest, Part, Request, RequestKey, Usage,
    is_sampling_option,
};
use synix_sandbox::{Call, LogLine, Model, ModelResponse, Refusal, Run, UnitSpec};

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
    Done {
        outputs: Vec<(Artifact, Digest)>,
        log: Vec<LogLine>,
    },
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
                Location::Memory(artifact) => artifact.as_ref().clone(),
            };
            Ok((artifact, *digest))
        })
        .collect()
}

/// The model of a run: it returns known answers and compares the requests with the transcript.
struct UnitModel {
    layer: usize,
    transform: Arc<ReadyTransform>,
    transcript: Vec<RequestKey>,
    roles: Arc<Roles>,
    known: KnownAnswers,
    requests: Vec<RunRequest>,
    extra_roles: BTreeSet<String>,
    /// Why the run must end, other than a missing answer.
    stopped: Option<RunEnd>,
}

impl UnitModel {
    fn finish(&self, outputs: Vec<Artifact>, log: Vec<LogLine>) -> RunEnd {
        if let Some(expected) = self.transcript.get(self.requests.len()) {
            return RunEnd::Failed(self.divergence_failure(*expected, "made no further request"));
        }
        let mut with_digests = Vec::with_capacity(outputs.len());
        for output in outputs {
            match output.digest() {
                Ok(digest) => with_digests.push((output, digest)),
                Err(error) => {
                    return RunEnd::Failed(guest_failure(format!(
                        "metadata of {}: {error}",
                        output.label
                    )));
                }
            }
        }
        RunEnd::Done {
            outputs: with_digests,
            log,
        }
    }

    /// Resolves a request and looks up its answer; `Err` is what the guest receives.
    fn answer(&mut self, request: GuestRequest) -> Result<Option<Answer>, Refusal> {
        if let Some(role) = request
            .model
            .clone()
            .filter(|role| *role != self.transform.role)
        {
            self.extra_roles.insert(role);
        }
        let role = request.model.as_ref().unwrap_or(&self.transform.role);
        let Some(role) = self.roles.0.get(role) else {
            return Err(Refusal::UnknownRole(role.clone()));
        };
        let target = Arc::clone(&role.target);
        let request = role.resolve(request, &self.transform.revision);
        self.check_options(&request)?;
        let key = request
            .key()
            .map_err(|error| Refusal::InvalidRequest(error.to_string()))?;
        if let Some(expected) = self.transcript.get(self.requests.len())
            && *expected != key
        {
            let now = format!("now requests {} ({})", key.0.short(), excerpt(&request));
            self.stopped = Some(RunEnd::Failed(self.divergence_failure(*expected, &now)));
            return Ok(None);
        }
        let answer = match self.known.answer(key, self.transform.accept_truncated) {
            Ok(answer) => answer,
            Err(error) => {
                self.stopped = Some(RunEnd::Fatal(Box::new(error.into())));
                None
            }
        };
        let pending = PendingRequest {
            key,
            request: Arc::new(request),
            layer: self.layer,
            accept_truncated: self.transform.accept_truncated,
            target,
        };
        self.requests.push((pending, answer.clone()));
        Ok(answer)
    }

    /// Refuses a member of `options` that is not a sampling option, unless the layer allows it.
    fn check_options(&self, request: &Request) -> Result<(), Refusal> {
        let transform = &self.transform;
        let Some(allowed) = &transform.options_allowed else {
            return Ok(());
        };
        let reaches_further =
            |name: &&String| !is_sampling_option(request.wire, name) && !allowed.contains(*name);
        let Some(name) = request.options.keys().find(reaches_further) else {
            return Ok(());
        };
        let name: String = name.chars().take(80).collect();
        Err(Refusal::InvalidRequest(format!(
            "the option {name:?} is not a sampling option; to let the plugin set it, add `options_allowed = [{name:?}]` to [layers.{}]",
            transform.layer
        )))
    }

    fn divergence_failure(&self, expected: RequestKey, now: &str) -> Failure {
        let before = self
            .known
            .request(expected)
            .map_or_else(String::new, |request| format!(" ({})", excerpt(&request)));
        guest_failure(format!(
            "the plugin is not deterministic: request {} was {}{before} in an earlier run, and it {now}",
            self.requests.len() + 1,
            expected.0.short(),
        ))
    }
}

impl Model for UnitModel {
    fn complete(&mut self, requests: Vec<GuestRequest>) -> Verdict {
        let mut answers = Vec::with_capacity(requests.len());
        let before = self.requests.len();
        for request in requests {
            match self.answer(request) {
                Ok(answer) => answers.push(answer),
                Err(refusal) => {
                    // The guest gets no answer in this round, so none of its requests is sent.
                    self.requests.truncate(before);
                    return Verdict::Refused(refusal);
                }
            }
            if self.stopped.is_some() {
                return ModelResponse::Suspend;
            }
        }
        answers
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map_or(ModelResponse::Suspend, ModelResponse::Answered)
    }
}

/// Returns the start of the last message's text, to identify a request.
pub(super) fn excerpt(request: &Request) -> String {
    let last = request
        .messages
        .iter()
        .rev()
        .flat_map(|message| &message.parts);
    let text = last
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image { .. } => None,
        })
        .next()
        .unwrap_or_default();
    let mut excerpt: String = text
        .chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(60).is_some() {
        excerpt.push('…');
    }
    format!("{}: {excerpt:?}", request.model)
}
