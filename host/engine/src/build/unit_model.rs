//! The model of a run: answers requests with known answers and checks them against the transcript.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::known_answers::KnownAnswers;
use super::layers::{ReadyTransform, Roles};
use super::recorder::UnitResult;
use super::unit::{RunEnd, RunOutcome, RunRequest, guest_failure};
use super::unit_embeddings::{check_embedding, embedded_bytes, unequal_vectors};
use super::unit_question::Question;
use crate::pending::PendingRequest;
use synix_core::artifact::Artifact;
use synix_core::request::{
    Answer, Failure, GuestRequest, Part, Request, RequestKey, Usage, is_sampling_option,
};
use synix_sandbox::{LogLine, ModelResponse, Refusal};

/// The state of the model of a run: it returns known answers and compares the requests with the transcript.
#[derive(Debug)]
pub(super) struct UnitModel {
    pub(super) layer: usize,
    pub(super) transform: Arc<ReadyTransform>,
    transcript: Vec<RequestKey>,
    roles: Arc<Roles>,
    /// The number of requests that were reported with their answers, when the run was held.
    first: usize,
    /// How many of them are repairs.
    first_repairs: usize,
    /// The further requests.
    pub(super) requests: Vec<RunRequest>,
    /// The position in `requests` at which the current round begins.
    round: usize,
    /// The tokens of the answers to earlier rounds.
    pub(super) tokens: u64,
    /// The repairs that only `--retry-failed` would send.
    pub(super) unasked: Vec<PendingRequest<Arc<Request>>>,
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
            first_repairs: 0,
            requests: Vec::new(),
            round: 0,
            tokens: 0,
            unasked: Vec::new(),
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
            repairs: self.first_repairs + repairs_in(&self.requests),
            requests: self.requests,
            unasked: self.unasked,
            roles: self.extra_roles.into_iter().collect(),
        }
    }

    /// Returns the outcome of a run that is held until its current round is answered. It reports the requests of this
    /// round again then, and no earlier ones.
    pub(super) fn report_suspended(&mut self, unit: usize) -> RunOutcome {
        let (first, repairs) = (self.first, self.first_repairs + repairs_in(&self.requests));
        let requests = std::mem::take(&mut self.requests);
        self.first += self.round;
        self.first_repairs += repairs_in(&requests[..self.round]);
        RunOutcome {
            unit,
            end: RunEnd::Suspended,
            first,
            requests,
            repairs,
            unasked: Vec::new(),
            roles: self.extra_roles.iter().cloned().collect(),
        }
    }

    /// Returns the number of requests so far.
    pub(super) fn count(&self) -> usize {
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

    /// Resolves a request of the guest and looks up its answer; `Err` is what the guest receives, and `None`: the run is
    /// stopped.
    fn ask(
        &mut self,
        known: &KnownAnswers,
        request: GuestRequest,
    ) -> Result<Option<Question>, Refusal> {
        if let Some(role) = request
            .model
            .clone()
            .filter(|role| *role != self.transform.role)
        {
            self.extra_roles.insert(role);
        }
        let role_name = request.model.clone();
        let role_name = role_name.unwrap_or_else(|| self.transform.role.clone());
        let roles = Arc::clone(&self.roles);
        let Some(role) = roles.0.get(&role_name) else {
            return Err(Refusal::UnknownRole(role_name));
        };
        let asked_bytes = embedded_bytes(&request);
        // The sandbox counts in the same way: it does not know the limit of a role.
        let max_tokens = u64::from(request.max_tokens.unwrap_or(1));
        let request = role.resolve(request, &self.transform.revision);
        if request.kind.is_embedding() {
            check_embedding(&request, &role_name)?;
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
        let Some(format) = self.format_of(known, &request) else {
            return Ok(None);
        };
        let mut question = Question {
            key,
            request: Arc::new(request),
            role: role_name,
            target: Arc::clone(&role.target),
            window: role.context_window,
            asked_bytes,
            max_tokens,
            format,
            repairs: 0,
            answer: None,
            is_done: false,
            usage: Usage::default(),
            tokens: 0,
        };
        Ok(self.look_up(known, &mut question).then_some(question))
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

    /// Answers a round if all its answers are known, and fit.
    pub(super) fn answer_round(
        &mut self,
        known: &KnownAnswers,
        requests: Vec<GuestRequest>,
    ) -> ModelResponse {
        self.round = self.requests.len();
        // The sandbox counts the requests of the guest, and no repairs.
        if self.count() + requests.len() > self.request_limit() {
            return ModelResponse::Refused(Refusal::OverLimit(format!(
                "{} requests in one unit (`limits.requests`), with those that repaired an answer",
                self.request_limit()
            )));
        }
        let mut questions = Vec::with_capacity(requests.len());
        let is_embedding = requests.iter().any(|request| request.is_embedding);
        for request in requests {
            match self.ask(known, request) {
                Ok(Some(question)) => questions.push(question),
                Ok(None) => return ModelResponse::Suspend,
                Err(refusal) => {
                    // The guest gets no answer in this round, so none of its requests is sent.
                    self.requests.truncate(self.round);
                    return ModelResponse::Refused(refusal);
                }
            }
        }
        if !self.settle(known, &mut questions) {
            return ModelResponse::Suspend;
        }
        self.tokens = questions.iter().fold(self.tokens, |sum, question| {
            sum.saturating_add(question.tokens)
        });
        let answers: Vec<Answer> = questions
            .into_iter()
            .filter_map(|question| question.answer)
            .collect();
        if is_embedding && let Some(failure) = unequal_vectors(&answers) {
            self.stopped = Some(RunEnd::Failed(failure));
            return ModelResponse::Suspend;
        }
        ModelResponse::Answered(answers)
    }
}

fn repairs_in(requests: &[RunRequest]) -> usize {
    let repairs = requests.iter();
    repairs
        .filter(|(pending, _)| pending.repairs.number > 0)
        .count()
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
