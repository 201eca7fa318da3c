//! The import `llm`: questions to a model.

use serde_json::{Map, Value};

use super::{State, Suspension, request};
use crate::error::HostMistake;
use crate::limits::Limits;
use crate::model::{ModelAccess, Refusal, Verdict};
use synix_contract::bindings::synix::plugin::llm as wit;
use synix_core::json;
use synix_core::request::{Answer, Ending, GuestRequest};

/// The right to ask a model, in one call.
pub(crate) struct Llm {
    access: ModelAccess,
    limit: u32,
    asked: u32,
    token_limit: Option<u64>,
    /// Of the answers it got.
    tokens: u64,
    refusal: Option<Refusal>,
}

impl Llm {
    pub(crate) fn new(access: ModelAccess, limits: &Limits) -> Self {
        Self {
            access,
            limit: limits.requests,
            asked: 0,
            token_limit: limits.tokens,
            tokens: 0,
            refusal: None,
        }
    }

    /// Returns the model, and the last refusal that the guest got.
    pub(crate) fn into_parts(self) -> (ModelAccess, Option<Refusal>) {
        (self.access, self.refusal)
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
                "{} requests in one unit (`limits.requests`)",
                self.limit
            ))),
        }
    }
}

impl Llm {
    /// Refuses a round that could end beyond the limit of tokens, as far as that is known before it is asked.
    fn admit_tokens(&self, asked: &[GuestRequest]) -> Result<(), Refusal> {
        let Some(limit) = self.token_limit else {
            return Ok(());
        };
        let at_least_one = |ask: &GuestRequest| u64::from(ask.max_tokens.unwrap_or(1));
        let wanted = asked.iter().map(at_least_one).fold(0, u64::saturating_add);
        if self.tokens.saturating_add(wanted) <= limit {
            return Ok(());
        }
        Err(Refusal::OverLimit(format!(
            "{limit} tokens in one unit; its answers took {} and this asks for up to {wanted} more",
            self.tokens
        )))
    }

    fn count_tokens(&mut self, answers: &[Answer]) {
        for Answer { usage, text, .. } in answers {
            // No token is shorter than a byte: what nobody counted is rather taken for too much.
            let output = if usage.uncounted {
                usage.output_tokens.max(text.len() as u64)
            } else {
                usage.output_tokens
            };
            let taken = usage.input_tokens.saturating_add(output);
            self.tokens = self.tokens.saturating_add(taken);
        }
    }
}

/// The guest asks a model without the right to; unwinds it as an error.
#[derive(Debug, thiserror::Error)]
#[error("the capability llm is not granted")]
pub(crate) struct NotGranted;

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
        self.meter.charge_bytes(bytes);
        if !self.llm.access.is_granted() {
            return Err(Stop::Unwind(NotGranted.into()));
        }
        self.llm.count(requests.len())?;
        let asked = requests
            .into_iter()
            .map(request::admit)
            .collect::<Result<Vec<_>, _>>()?;
        let count = asked.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        self.llm.admit_tokens(&asked)?;
        let Self { meter, llm, .. } = self;
        match meter.pause(|| llm.access.complete(asked)) {
            Verdict::Answered(answers) if answers.len() == count => {
                llm.count_tokens(&answers);
                Ok(answers)
            }
            Verdict::Answered(_) => Err(Stop::Unwind(
                HostMistake("there is not one answer for each request").into(),
            )),
            Verdict::Suspend => Err(Stop::Unwind(Suspension.into())),
            Verdict::Refused(refusal) => Err(Stop::Refused(refusal)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use synix_core::request::Usage;

    fn asks(most: &[Option<u32>]) -> Vec<GuestRequest> {
        let ask = |max_tokens: &Option<u32>| GuestRequest {
            max_tokens: *max_tokens,
            ..GuestRequest::user("q")
        };
        most.iter().map(ask).collect()
    }

    fn limited(requests: u32, tokens: Option<u64>) -> Llm {
        let limits = Limits {
            requests,
            tokens,
            ..Limits::default()
        };
        Llm::new(ModelAccess::none(), &limits)
    }

    #[test]
    fn a_round_counts_with_the_longest_answers_it_allows() {
        let llm = limited(1, Some(10));
        for fits in [
            &[Some(10)][..],
            &[Some(4), Some(6)],
            &[None; 10],
            &[Some(9), None],
        ] {
            assert_eq!(llm.admit_tokens(&asks(fits)), Ok(()), "{fits:?}");
        }
        for over in [
            &[Some(11)][..],
            &[Some(4), Some(7)],
            &[None; 11],
            &[Some(10), None],
            &[Some(u32::MAX), Some(u32::MAX)],
        ] {
            assert!(
                matches!(llm.admit_tokens(&asks(over)), Err(Refusal::OverLimit(_))),
                "{over:?}"
            );
        }
        let most = asks(&[Some(u32::MAX)]);
        assert_eq!(limited(1, None).admit_tokens(&most), Ok(()));
    }

    #[test]
    fn tokens_of_questions_and_answers_count_over_all_rounds() {
        let mut llm = limited(1, Some(10));
        let answer = Answer {
            text: "x".to_owned(),
            ending: Ending::Complete,
            model: "m".to_owned(),
            usage: Usage {
                input_tokens: 3,
                output_tokens: 1,
                ..Usage::default()
            },
            details: Map::new(),
        };
        llm.count_tokens(&[answer.clone(), answer]);
        assert_eq!(llm.admit_tokens(&asks(&[Some(2)])), Ok(()));
        assert!(llm.admit_tokens(&asks(&[Some(3)])).is_err());
    }

    #[test]
    fn an_answer_whose_tokens_nobody_counted_counts_by_its_length() {
        let mut llm = limited(1, Some(10));
        let answer = Answer {
            text: "eight by".to_owned(),
            ending: Ending::Complete,
            model: "m".to_owned(),
            usage: Usage {
                uncounted: true,
                ..Usage::default()
            },
            details: Map::new(),
        };
        llm.count_tokens(&[answer]);
        assert_eq!(llm.admit_tokens(&asks(&[Some(2)])), Ok(()));
        assert!(llm.admit_tokens(&asks(&[Some(3)])).is_err());
    }

    #[test]
    fn requests_count_over_all_rounds_and_the_last_that_is_allowed_is() {
        let mut llm = limited(5, None);
        assert_eq!((llm.count(2), llm.count(3)), (Ok(()), Ok(())));
        assert!(matches!(
            llm.count(1),
            Err(Refusal::OverLimit(text)) if text.contains("5 requests in one unit")
        ));
        assert!(limited(5, None).count(6).is_err());
        assert!(limited(u32::MAX, None).count(usize::MAX).is_err());
    }
}
