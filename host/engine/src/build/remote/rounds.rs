//! The rounds of a unit that are answered, as they travel.

use super::Stop;
use super::calls::Provide;
use synix_core::request::GuestRequest;
use synix_sandbox::{ModelResponse, Refusal};
use synix_units::{AnsweredRound, ObjectRef, RoundResponse, Rounds, WireAnswer, round_digest};

/// The size of the rounds in a chunk from which on they become an object. Each answer sends all rounds again.
const MAX_ROUNDS_BYTES: usize = 256 << 10;

/// The approximate size of an answer apart from its texts.
const ANSWER_OVERHEAD: usize = 256;

/// The answered rounds of a unit.
#[derive(Debug, Default)]
pub(super) struct RoundList {
    /// The first rounds.
    objects: Vec<ObjectRef>,
    /// The number of rounds in the objects.
    in_objects: usize,
    /// The further rounds.
    rounds: Vec<AnsweredRound>,
    /// Their size.
    bytes: usize,
}

impl RoundList {
    /// Adds a round with its response, which is not [`ModelResponse::Suspend`].
    pub(super) fn push(&mut self, requests: &[GuestRequest], response: ModelResponse) {
        let response = match response {
            ModelResponse::Answered(answers) => {
                RoundResponse::Answers(answers.into_iter().map(WireAnswer::of).collect())
            }
            ModelResponse::Refused(refusal) => match refusal {
                Refusal::UnknownRole(role) => RoundResponse::UnknownRole(role),
                Refusal::InvalidRequest(rule) => RoundResponse::InvalidRequest(rule),
                Refusal::OverLimit(limit) => RoundResponse::OverLimit(limit),
                Refusal::NotGranted => RoundResponse::NotGranted,
            },
            ModelResponse::Suspend => return,
        };
        self.bytes += size_of_response(&response);
        self.rounds.push(AnsweredRound {
            requests: round_digest(requests),
            response,
        });
    }

    /// Returns the number of rounds.
    pub(super) const fn count(&self) -> usize {
        self.in_objects + self.rounds.len()
    }

    /// Returns about how much memory they take.
    pub(super) const fn size(&self) -> usize {
        self.bytes + self.objects.len() * size_of::<ObjectRef>()
    }

    /// Returns the rounds for a chunk. If many of them are not in an object, `provide` gets one with these.
    pub(super) fn as_sent(&mut self, provide: Provide<'_>) -> Result<Vec<Rounds>, Stop> {
        if self.bytes > MAX_ROUNDS_BYTES {
            // It has no map with other keys than texts.
            let list = serde_json::to_vec(&self.rounds).unwrap_or_default();
            let object = ObjectRef::to(&list);
            provide(object, &list)?;
            self.objects.push(object);
            self.in_objects += self.rounds.len();
            self.rounds.clear();
            self.bytes = 0;
        }
        let objects = self.objects.iter().copied().map(Rounds::Object);
        let rounds = self.rounds.iter().cloned().map(Rounds::Round);
        Ok(objects.chain(rounds).collect())
    }
}

fn size_of_response(response: &RoundResponse) -> usize {
    ANSWER_OVERHEAD
        + match response {
            RoundResponse::Answers(answers) => answers.iter().map(size_of_answer).sum(),
            RoundResponse::UnknownRole(text)
            | RoundResponse::InvalidRequest(text)
            | RoundResponse::OverLimit(text) => text.len(),
            RoundResponse::NotGranted => 0,
        }
}

fn size_of_answer(answer: &WireAnswer) -> usize {
    ANSWER_OVERHEAD + answer.text.len() + answer.model.len() + answer.details.len()
}
