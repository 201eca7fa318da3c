//! The import `llm`: questions to a model.

use serde_json::{Map, Value};

use super::{State, Suspension, request};
use crate::json;
use crate::plugin::bindings::synix::plugin::llm as wit;
use crate::plugin::error::HostMistake;
use crate::plugin::lend::Lent;
use crate::plugin::model::{Refusal, Verdict};
use crate::request::{Answer, Ending};

/// The right to ask a model, in one call.
pub(in crate::plugin) struct Llm {
    /// `None`: not granted.
    model: Option<Lent>,
    limit: u32,
    asked: u32,
    refusal: Option<Refusal>,
}

impl Llm {
    pub(in crate::plugin) fn new(model: Option<Lent>, limit: u32) -> Self {
        Self {
            model,
            limit,
            asked: 0,
            refusal: None,
        }
    }

    /// Returns the last refusal that the guest got.
    pub(in crate::plugin) fn into_refusal(self) -> Option<Refusal> {
        self.refusal
    }

    fn count(&mut self, requests: usize) -> Result<(), Refusal> {
        let asked = u32::try_from(requests)
            .ok()
            .and_then(|requests| self.asked.checked_add(requests));
        match asked {
            Some(asked) if asked <= self.limit => {
                self.asked = asked;
                Ok(())
            }
            _ => Err(Refusal::OverLimit(format!(
                "{} requests in one unit",
                self.limit
            ))),
        }
    }
}

/// How a round ends without answers.
enum Stop {
    Refused(Refusal),
    Unwind(wasmtime::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl State {
    fn ask(&mut self, requests: Vec<wit::Request>) -> Result<Vec<Answer>, Stop> {
        // Counted before anything else: also what is refused was copied.
        let bytes = requests.iter().map(request::size).sum();
        self.meter
            .hand_over(bytes)
            .map_err(|breach| Stop::Unwind(breach.into()))?;
        let model = self.llm.model.clone().ok_or(Refusal::NotGranted)?;
        self.llm.count(requests.len())?;
        let asked = requests
            .into_iter()
            .map(request::admit)
            .collect::<Result<Vec<_>, _>>()?;
        let count = asked.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let mistake = |what| Err(Stop::Unwind(HostMistake(what).into()));
        match self.meter.pause(|| model.complete(asked)) {
            Some(Verdict::Answered(answers)) if answers.len() == count => Ok(answers),
            Some(Verdict::Answered(_)) => mistake("there is not one answer for each request"),
            Some(Verdict::Suspend) => Err(Stop::Unwind(Suspension.into())),
            Some(Verdict::Refused(refusal)) => Err(Stop::Refused(refusal)),
            None => mistake("the model is in use by another call"),
        }
    }

    fn respond<T>(
        &mut self,
        result: Result<T, Stop>,
    ) -> wasmtime::Result<Result<T, wit::LlmError>> {
        match result {
            Ok(response) => Ok(Ok(response)),
            Err(Stop::Unwind(error)) => Err(error),
            Err(Stop::Refused(refusal)) => {
                self.llm.refusal = Some(refusal.clone());
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
        let answers = self.ask(vec![request]);
        let first = answers.and_then(|mut answers| {
            answers
                .pop()
                .map(response)
                .ok_or(Stop::Unwind(HostMistake("the answer is missing").into()))
        });
        self.respond(first)
    }

    fn complete_all(
        &mut self,
        requests: Vec<wit::Request>,
    ) -> wasmtime::Result<Result<Vec<wit::Response>, wit::LlmError>> {
        let answers = self.ask(requests);
        self.respond(answers.map(|answers| answers.into_iter().map(response).collect()))
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

/// Writes the same text whether the answer is new or comes from a store or cassette.
fn details(members: Map<String, Value>) -> String {
    let value = Value::Object(members);
    json::canonical(&value).unwrap_or_else(|_| value.to_string())
}
