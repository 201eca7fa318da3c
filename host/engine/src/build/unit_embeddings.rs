//! Checks requests for embeddings and the vectors that answer them.

use super::unit_model::excerpt;
use synix_core::request::{
    Answer, Failure, FailureKind, GuestRequest, Part, Request, RequestKind, Usage, Wire,
};
use synix_sandbox::Refusal;

/// Returns the length of the text of a request for an embedding.
pub(super) fn embedded_bytes(request: &GuestRequest) -> usize {
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
pub(super) fn unequal_vectors(answers: &[Answer]) -> Option<Failure> {
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
