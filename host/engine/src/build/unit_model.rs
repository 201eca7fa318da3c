//! The model of a run: answers requests with known answers and checks them against the transcript.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::known_answers::KnownAnswers;
use super::layers::{ReadyTransform, Roles};
use super::recorder::UnitResult;
use super::unit::{RunEnd, RunOutcome, RunRequest, guest_failure};
use crate::pending::PendingRequest;
use synix_core::artifact::Artifact;
use synix_core::request::{
    Answer, Failure, FailureKind, GuestRequest, Part, Request, RequestKey, RequestKind, Usage,
    Wire, is_sampling_option,
};
use synix_prices::{WindowExcess, check_window};
use synix_sandbox::{LogLine, Model, ModelResponse, Refusal};

/// The state of the model of a run: it returns known answers and compares the requests with the transcript.
#[derive(Debug)]
pub(super) struct UnitModel {
    layer: usize,
    transform: Arc<ReadyTransform>,
    transcript: Vec<RequestKey>,
    roles: Arc<Roles>,
    /// The number of requests that were reported with their answers, when the run was held.
    first: usize,
    /// The further requests.
    requests: Vec<RunRequest>,
    extra_roles: BTreeSet<String>,
    /// Why the run must end, other than a missing answer.
    pub(super) stopped: Option<RunEnd>,
}

impl UnitModel {
    pub(super) fn new(
        layer: usize,
        transform: Arc<ReadyTransform>,
        transcript: Vec<RequestKey>,
        roles: Arc<Roles>,
    ) -> Self {
        Self {
            layer,
            transform,
            transcript,
            roles,
            first: 0,
            requests: Vec::new(),
            extra_roles: BTreeSet::new(),
            stopped: None,
        }
    }

    /// Returns the outcome of a run that is over.
    pub(super) fn into_outcome(self, unit: usize, end: RunEnd) -> RunOutcome {
        RunOutcome {
            unit,
            end,
            first: self.first,
            requests: self.requests,
            roles: self.extra_roles.into_iter().collect(),
        }
    }

    /// Returns the outcome of a run that is held until the last `waiting` requests are answered. It reports these again
    /// then, and no earlier ones.
    pub(super) fn report_suspended(&mut self, unit: usize, waiting: usize) -> RunOutcome {
        let first = self.first;
        let requests = std::mem::take(&mut self.requests);
        self.first += requests.len().saturating_sub(waiting);
        RunOutcome {
            unit,
            end: RunEnd::Suspended,
            first,
            requests,
            roles: self.extra_roles.iter().cloned().collect(),
        }
    }

    /// Returns the number of requests so far.
    fn count(&self) -> usize {
        self.first + self.requests.len()
    }

    pub(super) fn finish(
        &self,
        known: &KnownAnswers,
        outputs: Vec<Artifact>,
        log: Vec<LogLine>,
    ) -> RunEnd {
        if let Some(expected) = self.transcript.get(self.count()) {
            let failure = self.divergence_failure(known, *expected, "made no further request");
            return RunEnd::Failed(failure);
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
        RunEnd::Done(UnitResult {
            outputs: with_digests,
            log,
        })
    }

    /// Resolves a request and looks up its answer; `Err` is what the guest receives.
    fn answer(
        &mut self,
        known: &KnownAnswers,
        request: GuestRequest,
    ) -> Result<Option<Answer>, Refusal> {
        if let Some(role) = request
            .model
            .clone()
            .filter(|role| *role != self.transform.role)
        {
            self.extra_roles.insert(role);
        }
        let role_name = request.model.clone();
        let role_name = role_name.as_ref().unwrap_or(&self.transform.role);
        let Some(role) = self.roles.0.get(role_name) else {
            return Err(Refusal::UnknownRole(role_name.clone()));
        };
        let target = Arc::clone(&role.target);
        let asked_bytes = embedded_bytes(&request);
        let request = role.resolve(request, &self.transform.revision);
        if request.kind.is_embedding() {
            check_embedding(&request, role_name)?;
        }
        self.check_options(&request)?;
        let key = request
            .key()
            .map_err(|error| Refusal::InvalidRequest(error.to_string()))?;
        if let Some(expected) = self.transcript.get(self.count())
            && *expected != key
        {
            let now = format!("now requests {} ({})", key.0.short(), excerpt(&request));
            let failure = self.divergence_failure(known, *expected, &now);
            self.stopped = Some(RunEnd::Failed(failure));
            return Ok(None);
        }
        let answer = match known.answer(key, self.transform.accept_truncated) {
            Ok(answer) => answer,
            Err(error) => {
                self.stopped = Some(RunEnd::Fatal(Box::new(error.into())));
                None
            }
        };
        let answer = match answer.map(|answer| check_answer(answer, &request, asked_bytes)) {
            Some(Ok(answer)) => Some(answer),
            Some(Err(failure)) => {
                self.stopped = Some(RunEnd::Failed(failure));
                return Ok(None);
            }
            None => None,
        };
        // A known answer is proof that the request fits, whatever the table or the pipeline file says.
        if answer.is_none()
            && self.stopped.is_none()
            && !request.kind.is_embedding()
            && let Err(excess) = check_window(&request, role_name, role.context_window)
        {
            self.stopped = Some(RunEnd::Failed(window_failure(&excess, &request)));
            return Ok(None);
        }
        let pending = PendingRequest {
            key,
            kind: request.kind,
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

    fn divergence_failure(&self, known: &KnownAnswers, expected: RequestKey, now: &str) -> Failure {
        let before = known
            .request(expected)
            .map_or_else(String::new, |request| format!(" ({})", excerpt(&request)));
        guest_failure(format!(
            "the plugin is not deterministic: request {} was {}{before} in an earlier run, and it {now}",
            self.count() + 1,
            expected.0.short(),
        ))
    }

    /// Answers a round if all its answers are known.
    pub(super) fn answer_round(
        &mut self,
        known: &KnownAnswers,
        requests: Vec<GuestRequest>,
    ) -> ModelResponse {
        let mut answers = Vec::with_capacity(requests.len());
        let before = self.requests.len();
        let is_embedding = requests.iter().any(|request| request.is_embedding);
        for request in requests {
            match self.answer(known, request) {
                Ok(answer) => answers.push(answer),
                Err(refusal) => {
                    // The guest gets no answer in this round, so none of its requests is sent.
                    self.requests.truncate(before);
                    return ModelResponse::Refused(refusal);
                }
            }
            if self.stopped.is_some() {
                return ModelResponse::Suspend;
            }
        }
        let Some(answers) = answers.into_iter().collect::<Option<Vec<_>>>() else {
            return ModelResponse::Suspend;
        };
        if is_embedding && let Some(failure) = unequal_vectors(&answers) {
            self.stopped = Some(RunEnd::Failed(failure));
            return ModelResponse::Suspend;
        }
        ModelResponse::Answered(answers)
    }
}

/// The model of a run on the thread that knows the answers.
pub(super) struct InlineModel {
    pub(super) model: UnitModel,
    pub(super) known: KnownAnswers,
}

impl Model for InlineModel {
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        self.model.answer_round(&self.known, requests)
    }
}

/// Returns the length of the text of a request for an embedding.
fn embedded_bytes(request: &GuestRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let bytes = parts.map(|part| match part {
        Part::Text(text) => text.len(),
        Part::Image { .. } => 0,
    });
    if request.is_embedding { bytes.sum() } else { 0 }
}

/// Refuses a request for an embedding that no provider can answer.
pub(super) fn check_embedding(request: &Request, role: &str) -> Result<(), Refusal> {
    if request.wire == Wire::Anthropic {
        return Err(Refusal::InvalidRequest(format!(
            "Anthropic has no embeddings; give [models.{role}] a provider that has them, such as `openai`, or name another role"
        )));
    }
    if request.text().is_empty() {
        return Err(Refusal::InvalidRequest(format!(
            "`models.{role}.context_window` is too small for any text"
        )));
    }
    Ok(())
}

/// Checks the known answer to a request: that to an embedding must be a vector, whoever wrote it into a cassette.
pub(super) fn check_answer(
    mut answer: Answer,
    request: &Request,
    asked_bytes: usize,
) -> Result<Answer, Failure> {
    let RequestKind::Embedding { dimensions } = request.kind else {
        return Ok(answer);
    };
    let vector = answer.vector();
    vector
        .and_then(|vector| vector.check_dimensions(dimensions))
        .map_err(|invalid| unreadable(&format!("{invalid} (request {})", excerpt(request))))?;
    let sent = request.text().len();
    if sent < asked_bytes {
        answer.note_used_bytes(sent as u64);
    }
    Ok(answer)
}

/// Returns a failure if the vectors of a round differ in length: nobody could compare them.
fn unequal_vectors(answers: &[Answer]) -> Option<Failure> {
    // The texts of answers are base64, so vectors of one length have texts of one length.
    let first = answers.first()?.text.len();
    let other = answers.iter().find(|answer| answer.text.len() != first)?;
    let length = |answer: &Answer| answer.vector().map_or(0, |vector| vector.numbers().len());
    Some(unreadable(&format!(
        "the model delivered vectors of {} and of {} dimensions; it was changed, so set another `revision` in the layer to request all of them again",
        length(answers.first()?),
        length(other),
    )))
}

fn unreadable(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Unreadable,
        message: message.to_owned(),
        transient: false,
        usage: Usage::default(),
    }
}

fn window_failure(excess: &WindowExcess, request: &Request) -> Failure {
    Failure {
        kind: FailureKind::Invalid,
        message: format!("{excess} (request {})", excerpt(request)),
        transient: false,
        usage: Usage::default(),
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
