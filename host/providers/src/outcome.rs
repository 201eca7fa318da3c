//! When a reply is an answer: one rule for every wire format.
//!
//! A wire format reads its reply into [`Said`]; [`judge`] decides.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::ending::Ending;
use super::fault::{self, ErrorReply};
use super::{counted, reading};
use synix_core::request::{self, Answer, Failure, FailureKind, Outcome, Usage};

/// What a model said, whatever the format.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) text: String,
    /// The words in which it declined.
    pub(super) refusal: Option<String>,
    pub(super) ending: Ending,
    pub(super) model: String,
    pub(super) usage: Usage,
    pub(super) details: Map<String, Value>,
}

/// What came of a whole reply.
#[derive(Debug)]
pub(super) enum Heard {
    /// An answer, or a failure that would be the same again.
    Settled(Outcome),
    /// An error in the place of an answer, billed as far as its usage says so.
    Error {
        /// What the provider said.
        reply: Box<ErrorReply>,
        /// What it counted all the same.
        usage: Usage,
    },
    /// It was billed and ended for a reason that synix does not know: worth one more try.
    Puzzling(Failure),
    /// It cannot be used, for this reason; perhaps it was billed.
    Unusable(String),
}

impl Heard {
    /// Returns what became of the request, where the reply was a row of a batch.
    pub(super) fn into_outcome(self) -> Outcome {
        match self {
            Self::Settled(outcome) => outcome,
            Self::Error { reply, usage } => Outcome::Failed(Failure {
                usage,
                ..reply.to_failure()
            }),
            Self::Puzzling(failure) => Outcome::Failed(failure),
            Self::Unusable(reason) => Outcome::Failed(unusable(&reason, true)),
        }
    }
}

/// Decides what became of a request that the provider replied to.
pub(super) fn judge(said: Said) -> Heard {
    let Said {
        text,
        refusal,
        ending,
        model,
        usage,
        details,
    } = said;
    let fail = |kind, message: &str| Heard::Settled(failed(kind, message, usage));
    let empty = text.trim().is_empty();
    let declined = |words: &str| match words.trim() {
        "" => fail(FailureKind::Refused, "the model declined"),
        words => fail(FailureKind::Refused, &fault::cut(words)),
    };
    if let Some(words) = refusal {
        return declined(&words);
    }
    let ending = match ending {
        Ending::Refused => return declined(&text),
        Ending::Filtered => {
            return fail(
                FailureKind::Filtered,
                "the provider's filter held the answer back",
            );
        }
        Ending::Unknown(reason) => {
            return Heard::Puzzling(Failure {
                kind: FailureKind::Unreadable,
                message: format!("the answer ended for an unknown reason: {reason}"),
                passing: true,
                usage,
            });
        }
        Ending::Error => {
            let reply = ErrorReply::of_row(0, &Value::Null);
            return Heard::Error {
                reply: Box::new(ErrorReply {
                    message: "the provider says that the answer ended in an error".to_owned(),
                    ..reply
                }),
                usage: billed(usage),
            };
        }
        Ending::Waits(what) => return fail(FailureKind::Empty, what),
        Ending::Truncated if empty => {
            let message = "the token limit was reached before there was any text";
            return fail(FailureKind::Truncated, message);
        }
        Ending::Complete if empty => return fail(FailureKind::Empty, "the answer has no text"),
        Ending::Truncated => request::Ending::Truncated,
        Ending::Complete => request::Ending::Complete,
    };
    Heard::Settled(Outcome::Answered(Answer {
        text,
        ending,
        model,
        usage,
        details,
    }))
}

/// Returns what an error was billed: what is not told of an error is nothing.
pub(super) fn billed(usage: Usage) -> Usage {
    if usage.uncounted {
        Usage::default()
    } else {
        usage
    }
}

/// Makes the outcome of a reply that would be the same again.
fn failed(kind: FailureKind, message: &str, usage: Usage) -> Outcome {
    Outcome::Failed(Failure {
        kind,
        message: message.to_owned(),
        passing: false,
        usage,
    })
}

/// Makes the failure of a reply that came whole and cannot be used.
pub(super) fn unusable(reason: &str, passing: bool) -> Failure {
    Failure {
        kind: FailureKind::Unreadable,
        message: fault::cut(&format!("the reply cannot be used: {reason}")),
        passing,
        usage: Usage::default(),
    }
}

/// Returns the document of a reply, which some servers write into a text or a list of one.
pub(super) fn unwrapped(body: &Value) -> Result<Cow<'_, Value>, String> {
    match body {
        Value::String(text) if text.trim().is_empty() => Err(NO_BODY.to_owned()),
        Value::String(text) => {
            let document = reading::within(text)?;
            if document.is_string() {
                return Err("a text in the place of a reply".to_owned());
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
    value.pointer(path).and_then(counted::number).unwrap_or(0)
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
