//! One request to a model, with its retries.

use reqwest::Method;
use serde_json::Value;
use tracing::Instrument as _;

use super::outcome::{self, ParsedReply};
use super::provider::Provider;
use super::retry::RetryState;
use super::transport::Call;
use super::{anthropic, body, openai, reply_json};
use synix_core::request::{Failure, Outcome, Request, RequestKind, Usage, Wire};

/// The result of a request, after its retries.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The answer or the failure.
    pub outcome: Outcome,
    /// The number of sends whose reply was lost or unusable; each may have been billed.
    pub unclear: u32,
    /// The failures of earlier sends that were billed without an answer.
    pub billed: Vec<Failure>,
    /// The number of sends.
    pub sends: u32,
    /// Whether the last send had no connection to the provider, so that nothing was sent.
    pub unreachable: bool,
}

impl Provider {
    /// Sends a request now, and again after transient errors.
    pub async fn complete(&self, request: &Request) -> Completion {
        let body = body(request);
        let parse = |document: &Value| parse_reply(self.wire, request.kind, document);
        self.send(self.path(request.kind), &body, parse).await
    }

    /// Returns the path of requests of this kind below the base URL.
    pub(super) const fn path(&self, kind: RequestKind) -> &'static [&'static str] {
        match (kind, self.wire) {
            (RequestKind::Embedding { .. }, _) => openai::EMBED,
            (RequestKind::Completion, Wire::OpenAi) => openai::COMPLETE,
            (RequestKind::Completion, Wire::Anthropic) => anthropic::COMPLETE,
        }
    }

    /// Sends a body, and again after transient errors.
    pub(super) async fn send(
        &self,
        path: &[&str],
        body: &Value,
        parse: impl FnMut(&Value) -> ParsedReply,
    ) -> Completion {
        let call = Call {
            method: Method::POST,
            path,
            query: &[],
            body: Some(body),
        };
        let mut retry = self.transport.retry_state();
        let mut billed = Vec::new();
        let outcome = self
            .send_until_final(&call, &mut retry, &mut billed, parse)
            .await;
        Completion {
            outcome: self.redact_outcome(outcome),
            unclear: retry.unclear,
            billed,
            sends: retry.sends,
            unreachable: retry.unreachable,
        }
    }

    /// Sends a call until its outcome is final: again after transient errors, and once more if the
    /// reply ended for an unknown reason. A complete reply that cannot be read is final, because
    /// the next one would be billed as well.
    async fn send_until_final(
        &self,
        call: &Call<'_>,
        retry: &mut RetryState,
        billed: &mut Vec<Failure>,
        mut parse: impl FnMut(&Value) -> ParsedReply,
    ) -> Outcome {
        let mut had_unknown_ending = false;
        loop {
            retry.sends += 1;
            let attempt = tracing::debug_span!("call", attempt = retry.sends);
            let reply = match self.transport.send_call(call).instrument(attempt).await {
                Ok(reply) => reply,
                Err(error) => match retry.back_off(error).await {
                    Ok(()) => continue,
                    Err(error) => return Outcome::Failed(error.to_failure()),
                },
            };
            let parsed = match self.transport.parse_document(&reply) {
                Ok(document) => parse(&document),
                Err(reason) => ParsedReply::Unusable(reason),
            };
            match parsed {
                ParsedReply::Final(outcome) => return outcome,
                ParsedReply::Error {
                    reply: error,
                    usage,
                } => {
                    let error = self.transport.error_with_status_200(*error, &reply);
                    let failure = Failure {
                        usage,
                        ..error.to_failure()
                    };
                    let was_billed = usage != Usage::default();
                    // The provider counted the tokens, so the cost is known and not unclear.
                    let retried = if was_billed {
                        retry.back_off_uncounted(error).await
                    } else {
                        retry.back_off(error).await
                    };
                    match retried {
                        Ok(()) if was_billed => billed.push(failure),
                        Ok(()) => {}
                        Err(_) => return Outcome::Failed(failure),
                    }
                }
                ParsedReply::UnknownEnding(failure)
                    if !had_unknown_ending && retry.has_retries_left() =>
                {
                    had_unknown_ending = true;
                    billed.push(failure);
                }
                ParsedReply::UnknownEnding(failure) => return Outcome::Failed(failure),
                ParsedReply::Unusable(reason) if reply.is_framed => {
                    retry.unclear += 1;
                    return Outcome::Failed(outcome::unusable_failure(&reason, false));
                }
                // The server did not announce an end, so the reply may be cut off.
                ParsedReply::Unusable(reason) => {
                    let error = self.transport.unreadable(reason);
                    if let Err(error) = retry.back_off(error).await {
                        return Outcome::Failed(error.to_failure());
                    }
                }
            }
        }
    }

    /// Masks the key in messages that came from the provider.
    pub(super) fn redact_outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Failed(failure) => Outcome::Failed(Failure {
                message: self.transport.redact(&failure.message),
                ..failure
            }),
            answered @ Outcome::Answered(_) => answered,
        }
    }
}

/// Parses the body of a reply with status 200, from a single call or a batch.
pub(super) fn parse_reply(wire: Wire, kind: RequestKind, body: &Value) -> ParsedReply {
    match (kind, wire) {
        (RequestKind::Embedding { dimensions }, _) => openai::parse_embedding(body, dimensions),
        (RequestKind::Completion, Wire::OpenAi) => openai::parse(body),
        (RequestKind::Completion, Wire::Anthropic) => anthropic::parse(body),
    }
}

/// Parses the bytes of a complete reply with status 200.
pub fn read_reply(wire: Wire, kind: RequestKind, body: &[u8]) -> Outcome {
    let parsed = match reply_json::parse(body) {
        Ok(document) => parse_reply(wire, kind, &document),
        Err(reason) => ParsedReply::Unusable(reason),
    };
    parsed.into_outcome()
}
