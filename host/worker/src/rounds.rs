//! The model of a unit on a worker: it repeats the answers that the chunk has, and ends the run at the first further round.

use std::vec;

use synix_core::digest::Digest;
use synix_core::request::GuestRequest;
use synix_sandbox::{Model, ModelResponse, Refusal};
use synix_units::{AnsweredRound, DocumentError, RoundResponse, Rounds, WireAnswer, round_digest};

use crate::error::WorkerError;
use crate::objects::ObjectReader;

/// The answered rounds of a unit, and what its run added to them.
#[derive(Debug)]
pub(crate) struct KnownRounds {
    rounds: vec::IntoIter<(Digest, ModelResponse)>,
    count: usize,
    /// The requests of the first further round.
    pub(crate) asked: Option<Vec<GuestRequest>>,
    /// The number of the round that differs from the one that the chunk has.
    pub(crate) diverged: Option<usize>,
}

impl KnownRounds {
    /// Reads the rounds of a unit.
    pub(crate) fn read(rounds: Vec<Rounds>, objects: &ObjectReader) -> Result<Self, WorkerError> {
        let mut read = Vec::with_capacity(rounds.len());
        for rounds in rounds {
            match rounds {
                Rounds::Round(round) => read.push(response(round)?),
                Rounds::Object(object) => {
                    let bytes = objects.get(object)?;
                    let list: Vec<AnsweredRound> =
                        serde_json::from_slice(&bytes).map_err(|source| DocumentError::Syntax {
                            what: "a list of rounds",
                            source,
                        })?;
                    for round in list {
                        read.push(response(round)?);
                    }
                }
            }
        }
        Ok(Self {
            count: read.len(),
            rounds: read.into_iter(),
            asked: None,
            diverged: None,
        })
    }

    /// Returns the number of the first round that the run did not come to, if it is over.
    pub(crate) fn next_unused(&self) -> Option<usize> {
        (self.rounds.len() > 0).then(|| self.count - self.rounds.len())
    }
}

impl Model for KnownRounds {
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        let number = self.count - self.rounds.len();
        match self.rounds.next() {
            Some((digest, response)) if digest == round_digest(&requests) => response,
            Some(_) => {
                self.diverged = Some(number);
                ModelResponse::Suspend
            }
            None => {
                self.asked = Some(requests);
                ModelResponse::Suspend
            }
        }
    }
}

fn response(round: AnsweredRound) -> Result<(Digest, ModelResponse), DocumentError> {
    let response = match round.response {
        RoundResponse::Answers(answers) => {
            let answers = answers.into_iter().map(WireAnswer::into_answer);
            ModelResponse::Answered(answers.collect::<Result<_, _>>()?)
        }
        RoundResponse::UnknownRole(role) => ModelResponse::Refused(Refusal::UnknownRole(role)),
        RoundResponse::InvalidRequest(rule) => {
            ModelResponse::Refused(Refusal::InvalidRequest(rule))
        }
        RoundResponse::OverLimit(limit) => ModelResponse::Refused(Refusal::OverLimit(limit)),
        RoundResponse::NotGranted => ModelResponse::Refused(Refusal::NotGranted),
    };
    Ok((round.requests, response))
}
