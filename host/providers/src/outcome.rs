//! Which replies are answers: one rule for every wire format.
//!
//! A wire format parses its reply into a [`ModelReply`], and [`classify`] decides.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::error_reply::ErrorReply;
use super::finish_reason::FinishReason;
use super::{excerpt, reply_json, usage};
use synix_core::request::{self, Answer, Failure, FailureKind, Outcome, Usage};

/// The members of a reply, in any wire format.
#[derive(Debug)]
pub(super) struct ModelReply {
    pub(super) text: String,
    /// The text of a refusal.
    pub(super) refusal: Option<String>,
    pub(super) finish_reason: FinishReason,
    pub(super) model: String,
    pub(super) usage: Usage,
    pub(super) details: Map<String, Value>,
}

/// What a complete reply contains.
#[derive(Debug)]
pub(super) enum ParsedReply {
    /// An answer, or a failure that a retry would repeat.
    Final(Outcome),
    /// An error instead of an answer; `usage` is what was billed for it.
    Error {
        reply: Box<ErrorReply>,
        usage: Usage,
    },
    /// It was billed and ended for a reason that synix does not know: worth one retry.
    UnknownEnding(Failure),
    /// It cannot be used, for this reason. It may have been billed.
    Unusable(String),
}

impl ParsedReply {
    /// Returns the outcome of the request if the reply is a row of a batch.
    pub(super) fn into_outcome(self) -> Outcome {
        match self {
            Self::Final(outcome) => outcome,
            Self::Error { reply, usage } => Outcome::Failed(Failure {
                usage,
                ..reply.to_failure()
            }),
            Self::UnknownEnding(failure) => Outcome::Failed(failure),
            Self::Unusable(reason) => Outcome::Failed(unusable_failure(&reason, true)),
        }
    }
}

/// Decides whether a reply is an answer.
pub(super) fn classify(reply: ModelReply) -> ParsedReply {
    let ModelReply {
        text,
        refusal,
        finish_reason,
        model,
        usage,
        details,
    } = reply;
    let fail = |kind, message: &str| ParsedReply::Final(final_failure(kind, message, usage));
    let is_empty = text.trim().is_empty();
    let refused = |text: &str| match text.trim() {
        "" => fail(FailureKind::Refused, "the model declined"),
        text => fail(FailureKind::Refused, &excerpt::truncate_message(text)),
    };
    if let Some(refusal) = refusal {
        return refused(&refusal);
    }
    let ending = match finish_reason {
        FinishReason::Refused => return refused(&text),
        FinishReason::Filtered => {
            return fail(
                FailureKind::Filtered,
                "the provider's filter removed the answer",
            );
        }
        FinishReason::Unknown(reason) => {
            return ParsedReply::UnknownEnding(Failure {
                kind: FailureKind::Unreadable,
                message: format!("the answer ended for an unknown reason: {reason}"),
                transient: true,
                usage,
            });
        }
        FinishReason::Error => {
            let reply = ErrorReply::from_json(0, &Value::Null);
            return ParsedReply::Error {
                reply: Box::new(ErrorReply {
                    message: "the provider reports that the answer ended with an error".to_owned(),
                    ..reply
                }),
                usage: billed_usage(usage),
            };
        }
        FinishReason::AwaitsInput(reason) => return fail(FailureKind::Empty, reason),
        FinishReason::Truncated if is_empty => {
            let message = "the token limit was reached before there was any text";
            return fail(FailureKind::Truncated, message);
        }
        FinishReason::Complete if is_empty => {
            return fail(FailureKind::Empty, "the answer has no text");
        }
        FinishReason::Truncated => request::Ending::Truncated,
        FinishReason::Complete => request::Ending::Complete,
    };
    ParsedReply::Final(Outcome::Answered(Answer {
        text,
        ending,
        model,
        usage,
        details,
    }))
}

/// Returns the usage that was billed for an error: none, unless the provider reports it.
pub(super) fn billed_usage(usage: Usage) -> Usage {
    if usage.uncounted {
        Usage::default()
    } else {
        usage
    }
}

/// Makes a failure that a retry would repeat.
fn final_failure(kind: FailureKind, message: &str, usage: Usage) -> Outcome {
    Outcome::Failed(Failure {
        kind,
        message: message.to_owned(),
        transient: false,
        usage,
    })
}

/// Makes the failure of a complete reply that cannot be used.
pub(super) fn unusable_failure(reason: &str, is_transient: bool) -> Failure {
    Failure {
        kind: FailureKind::Unreadable,
        message: excerpt::truncate_message(&format!("the reply cannot be used: {reason}")),
        transient: is_transient,
        usage: Usage::default(),
    }
}

/// Returns the document of a reply. Some servers put it into a string or a list of one.
pub(super) fn unwrap_document(body: &Value) -> Result<Cow<'_, Value>, String> {
    match body {
        Value::String(text) if text.trim().is_empty() => Err(NO_BODY.to_owned()),
        Value::String(text) => {
            let document = reply_json::parse_text(text)?;
            if document.is_string() {
                return Err("a string instead of an object".to_owned());
            }
            Ok(Cow::Owned(document))
        }
        Value::Array(items) => match items.as_slice() {
            [only @ Value::Object(_)] => Ok(Cow::Borrowed(only)),
            _ => Err(NO_BODY.to_owned()),
        },
        Value::Null => Err(NO_BODY.to_owned()),
        Value::Object(members) if members.is_empty() => Err(NO_BODY.to_owned()),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) => Ok(Cow::Borrowed(body)),
    }
}

const NO_BODY: &str = "it has no body";

/// Makes the outcome of a reply that the provider lost.
pub(super) fn lost_outcome(message: &str) -> Outcome {
    Outcome::Failed(Failure {
        kind: FailureKind::Provider,
        message: message.to_owned(),
        transient: true,
        usage: Usage::default(),
    })
}

/// Returns the count at `path`, 0 if there is none.
pub(super) fn count_at(value: &Value, path: &str) -> u64 {
    value
        .pointer(path)
        .and_then(usage::parse_count)
        .unwrap_or(0)
}

/// Returns the string in a member, empty if there is none.
pub(super) fn text_member(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Returns whether a value is null or empty.
pub(super) fn is_blank(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
