//! The import `llm`: requests to a model.

use serde_json::{Map, Value};

use super::{State, Suspension, request};
use crate::descriptor::LLM;
use crate::engine_error::HostBug;
use crate::limits::Limits;
use crate::model::{Grants, ModelAccess, ModelResponse, Refusal};
use synix_contract::bindings::synix::plugin::llm as wit;
use synix_core::json;
use synix_core::request::{Answer, Ending, GuestRequest};

/// The access to a model in one call, with its limits.
pub(crate) struct Llm {
    access: ModelAccess,
    limit: u32,
    requests: u32,
    token_limit: Option<u64>,
    /// The tokens of all answers so far.
    tokens: u64,
    refusal: Option<Refusal>,
}

impl Llm {
    pub(crate) fn new(access: ModelAccess, limits: &Limits) -> Self {
        Self {
            access,
            limit: limits.requests,
            requests: 0,
            token_limit: limits.tokens,
            tokens: 0,
            refusal: None,
        }
    }

    /// Returns the model and the last refusal.
    pub(crate) fn into_parts(self) -> (ModelAccess, Option<Refusal>) {
        (self.access, self.refusal)
    }

    pub(super) fn count_requests(&mut self, count: usize) -> Result<(), Refusal> {
        let requests = u32::try_from(count)
            .ok()
            .and_then(|count| self.requests.checked_add(count));
        match requests {
            Some(requests) if requests <= self.limit => {
                self.requests = requests;
                Ok(())
            }
            _ => Err(Refusal::OverLimit(format!(
                "{} requests in one unit (`limits.requests`)",
                self.limit
            ))),
        }
    }

    pub(super) const fn grants(&self) -> Grants {
        self.access.grants()
    }

    /// Keeps a refusal for the message of the unit, even if the guest ignores it.
    pub(super) fn note_refusal(&mut self, refusal: &Refusal) {
        self.refusal = Some(refusal.clone());
    }

    /// Refuses a round that could exceed the token limit, as far as its requests show.
    fn check_token_limit(&self, requests: &[GuestRequest]) -> Result<(), Refusal> {
        let Some(limit) = self.token_limit else {
            return Ok(());
        };
        let max_tokens = |request: &GuestRequest| u64::from(request.max_tokens.unwrap_or(1));
        let wanted = requests.iter().map(max_tokens).fold(0, u64::saturating_add);
        if self.tokens.saturating_add(wanted) <= limit {
            return Ok(());
        }
        Err(Refusal::OverLimit(format!(
            "{limit} tokens in one unit; its answers used {} and this round needs up to {wanted} more",
            self.tokens
        )))
    }

    fn count_tokens(&mut self, answers: &[Answer]) {
        let used = answers.iter().map(Answer::counted_tokens);
        self.tokens = used.fold(self.tokens, u64::saturating_add);
    }
}

/// The guest uses a capability without a grant; unwinds the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("the capability {0} is not granted")]
pub(crate) struct NotGranted(pub(crate) &'static str);

/// Why a round has no answers.
pub(super) enum RoundError {
    Refused(Refusal),
    Unwind(wasmtime::Error),
}

impl From<Refusal> for RoundError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl State {
    fn complete_round(&mut self, requests: Vec<wit::Request>) -> Result<Vec<Answer>, RoundError> {
        self.count_round_bytes(requests.iter().map(request::size).sum())?;
        if !self.llm.grants().llm {
            return Err(RoundError::Unwind(NotGranted(LLM).into()));
        }
        self.llm.count_requests(requests.len())?;
        let requests = requests
            .into_iter()
            .map(request::check_request)
            .collect::<Result<Vec<_>, _>>()?;
        self.answer_round(requests)
    }

    /// Counts the bytes of a round, even if it is refused afterwards, because the host has copied them.
    pub(super) fn count_round_bytes(&mut self, bytes: usize) -> Result<(), RoundError> {
        self.meter
            .count_transfer(bytes)
            .map_err(|abort| RoundError::Unwind(abort.into()))?;
        self.meter.charge_bytes(bytes);
        Ok(())
    }

    /// Passes checked requests to the model.
    pub(super) fn answer_round(
        &mut self,
        requests: Vec<GuestRequest>,
    ) -> Result<Vec<Answer>, RoundError> {
        let count = requests.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        self.llm.check_token_limit(&requests)?;
        let Self { meter, llm, .. } = self;
        match meter.exclude_time(|| llm.access.complete(requests)) {
            ModelResponse::Answered(answers) if answers.len() == count => {
                llm.count_tokens(&answers);
                Ok(answers)
            }
            ModelResponse::Answered(_) => Err(RoundError::Unwind(
                HostBug("the number of answers differs from that of the requests").into(),
            )),
            ModelResponse::Suspend => Err(RoundError::Unwind(Suspension.into())),
            ModelResponse::Refused(refusal) => Err(RoundError::Refused(refusal)),
        }
    }

    fn return_to_guest<T>(
        &mut self,
        result: Result<T, RoundError>,
    ) -> wasmtime::Result<Result<T, wit::LlmError>> {
        match result {
            Ok(response) => Ok(Ok(response)),
            Err(RoundError::Unwind(error)) => Err(error),
            Err(RoundError::Refused(refusal)) => {
                self.llm.note_refusal(&refusal);
                Ok(Err(match refusal {
                    Refusal::NotGranted => wit::LlmError::NotGranted,
                    Refusal::UnknownRole(name) => wit::LlmError::UnknownRole(name),
                    Refusal::InvalidRequest(rule) => wit::LlmError::InvalidRequest(rule),
                    Refusal::OverLimit(limit) => wit::LlmError::OverLimit(limit),
                }))
            }
        }
    }
}

impl wit::Host for State {
    fn complete(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::LlmError>> {
        let answers = self.complete_round(vec![request]);
        let first = answers.and_then(|mut answers| {
            answers
                .pop()
                .map(response)
                .ok_or(RoundError::Unwind(HostBug("the answer is missing").into()))
        });
        self.return_to_guest(first)
    }

    fn complete_all(
        &mut self,
        requests: Vec<wit::Request>,
    ) -> wasmtime::Result<Result<Vec<wit::Response>, wit::LlmError>> {
        let answers = self.complete_round(requests);
        self.return_to_guest(answers.map(|answers| answers.into_iter().map(response).collect()))
    }
}

fn response(answer: Answer) -> wit::Response {
    wit::Response {
        text: answer.text,
        ending: match answer.ending {
            Ending::Complete => wit::Ending::Complete,
            Ending::Truncated => wit::Ending::Truncated,
        },
        model: answer.model,
        usage: wit::Usage {
            input_tokens: answer.usage.input_tokens,
            output_tokens: answer.usage.output_tokens,
        },
        details: details(answer.details),
    }
}

/// Returns the canonical text, so that it is the same whether the answer is new or comes from the store or a cassette.
pub(super) fn details(members: Map<String, Value>) -> String {
    let value = Value::Object(members);
    json::canonical(&value).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
mod tests;
