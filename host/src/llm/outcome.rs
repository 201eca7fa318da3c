//! When a reply is an answer: one rule for every wire format.
//!
//! A wire format reads its reply into [`Said`]; [`judge`] decides.

use serde_json::{Map, Value};

use crate::request::{Answer, Ending, Failure, FailureKind, Outcome, Usage};

/// What a model said, whatever the format.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) end: End,
    pub(super) model: String,
    pub(super) usage: Usage,
    pub(super) details: Map<String, Value>,
}

/// Why the model stopped.
#[derive(Debug)]
pub(super) enum End {
    /// It was done.
    Complete,
    /// It reached a token limit.
    Truncated,
    /// It declined, in these words.
    Refused(String),
    /// A filter cut it off.
    Filtered,
    /// It wants something before it goes on.
    Waits(&'static str),
    /// A reason that synix does not know.
    Unknown(String),
}

/// Decides what became of a request that the provider replied to.
pub(super) fn judge(said: Said) -> Outcome {
    let Said {
        text,
        end,
        model,
        usage,
        details,
    } = said;
    let fail = |kind, message: &str| failed(kind, message, usage);
    let empty = text.trim().is_empty();
    let ending = match end {
        End::Refused(words) if words.trim().is_empty() => {
            return fail(FailureKind::Refused, "the model declined");
        }
        End::Refused(words) => return fail(FailureKind::Refused, &words),
        End::Filtered => {
            return fail(
                FailureKind::Filtered,
                "the provider's filter held the answer back",
            );
        }
        End::Unknown(reason) => {
            let message = format!("the answer ended for an unknown reason: {reason}");
            return Outcome::Failed(Failure {
                kind: FailureKind::Provider,
                message,
                passing: true,
                usage,
            });
        }
        End::Waits(what) => return fail(FailureKind::Empty, what),
        End::Truncated if empty => {
            let message = "the token limit was reached before there was any text";
            return fail(FailureKind::Truncated, message);
        }
        End::Complete if empty => return fail(FailureKind::Empty, "the answer has no text"),
        End::Truncated => Ending::Truncated,
        End::Complete => Ending::Complete,
    };
    Outcome::Answered(Answer {
        text,
        ending,
        model,
        usage,
        details,
    })
}

/// Makes the outcome of a reply that would be the same again.
pub(super) fn failed(kind: FailureKind, message: &str, usage: Usage) -> Outcome {
    Outcome::Failed(Failure {
        kind,
        message: message.to_owned(),
        passing: false,
        usage,
    })
}

/// Makes the outcome of a reply that the provider lost or mangled.
pub(super) fn lost(message: &str) -> Outcome {
    Outcome::Failed(Failure {
        kind: FailureKind::Provider,
        message: message.to_owned(),
        passing: true,
        usage: Usage::default(),
    })
}

/// Returns the count at `path`, 0 where there is none.
pub(super) fn count(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

/// Returns the text of a member, empty where there is none.
pub(super) fn text_of(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Returns whether a reply says nothing at all.
pub(super) fn is_blank(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
