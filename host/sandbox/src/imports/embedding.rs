//! The import `embedding`: the vectors of texts.
//!
//! Its requests share the limits and the accounting of `llm`: a text is a request of the unit.

use super::State;
use super::llm::{self, NotGranted, RoundError};
use super::request::{check_role_name, is_blank_text};
use crate::descriptor::EMBED;
use crate::engine_error::HostBug;
use crate::model::Refusal;
use synix_contract::bindings::synix::plugin::embedding as wit;
use synix_core::request::{Answer, GuestRequest};

/// The maximum number of bytes of the texts of one round.
const ROUND_BYTES: usize = 16 << 20;

/// The bytes of a number in the memory of the guest.
const NUMBER_BYTES: usize = 4;

impl State {
    fn embed_round(
        &mut self,
        texts: Vec<String>,
        model: Option<String>,
    ) -> Result<Vec<wit::Vector>, RoundError> {
        let bytes = texts.iter().map(String::len).sum();
        self.count_round_bytes(bytes)?;
        if !self.llm.grants().embed {
            return Err(RoundError::Unwind(NotGranted(EMBED).into()));
        }
        self.llm.count_requests(texts.len())?;
        let model = check_texts(&texts, model)?;
        let requests = texts
            .iter()
            .map(|text| GuestRequest::embedding(text, model.clone()))
            .collect();
        let answers = self.answer_round(requests)?;
        let vectors = answers
            .into_iter()
            .zip(texts)
            .map(|(answer, text)| vector(answer, &text))
            .collect::<Result<Vec<_>, _>>()?;
        // The guest pays for what it receives, as for what it sends.
        let numbers: usize = vectors.iter().map(|vector| vector.values.len()).sum();
        self.meter.charge_bytes(numbers * NUMBER_BYTES);
        Ok(vectors)
    }
}

/// Checks the texts of a round, and the name of the model role.
pub(crate) fn check_texts(
    texts: &[impl AsRef<str>],
    model: Option<String>,
) -> Result<Option<String>, Refusal> {
    let bytes: usize = texts.iter().map(|text| text.as_ref().len()).sum();
    if bytes > ROUND_BYTES {
        return Err(Refusal::OverLimit(format!(
            "{bytes} bytes in one call of `embed`; {ROUND_BYTES} are allowed"
        )));
    }
    let model = model.map(check_role_name).transpose()?;
    if let Some(position) = texts.iter().position(|text| is_blank_text(text.as_ref())) {
        return Err(Refusal::InvalidRequest(format!(
            "text {} is empty or contains only white space, so it has no vector",
            position + 1
        )));
    }
    Ok(model)
}

/// The model checks each vector before it answers, so an invalid one is a bug of the host.
fn vector(mut answer: Answer, text: &str) -> Result<wit::Vector, RoundError> {
    let used_bytes = answer.take_used_bytes().unwrap_or(text.len() as u64);
    let values = answer.vector().map_err(|_| {
        RoundError::Unwind(HostBug("the answer to an embedding is not a vector").into())
    })?;
    Ok(wit::Vector {
        values: values.into_numbers(),
        model: answer.model,
        used_bytes,
        details: llm::details(answer.details),
    })
}

impl wit::Host for State {
    fn embed(
        &mut self,
        texts: Vec<String>,
        model: Option<String>,
    ) -> wasmtime::Result<Result<Vec<wit::Vector>, wit::EmbeddingError>> {
        match self.embed_round(texts, model) {
            Ok(vectors) => Ok(Ok(vectors)),
            Err(RoundError::Unwind(error)) => Err(error),
            Err(RoundError::Refused(refusal)) => {
                self.llm.note_refusal(&refusal);
                Ok(Err(match refusal {
                    Refusal::NotGranted => wit::EmbeddingError::NotGranted,
                    Refusal::UnknownRole(name) => wit::EmbeddingError::UnknownRole(name),
                    Refusal::InvalidRequest(rule) => wit::EmbeddingError::InvalidRequest(rule),
                    Refusal::OverLimit(limit) => wit::EmbeddingError::OverLimit(limit),
                }))
            }
        }
    }
}
