//! Parses the rows of a batch's files. One unreadable row does not affect the others.

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::completion::parse_reply;
use super::error_reply::ErrorReply;
use super::outcome::{self, text_member};
use super::{excerpt, reply_json, usage};
use synix_core::request::{Failure, FailureKind, Outcome, RequestKind, Usage, Wire};

/// One row of a batch's output or error file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The `custom_id` of its request; `None` if the row has none.
    pub custom_id: Option<String>,
    /// The outcome of the request, or why the row cannot be read.
    pub outcome: Result<Outcome, UnreadableRow>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row that cannot be read ({reason}): {start:?}")]
pub struct UnreadableRow {
    /// Why it cannot be read.
    pub reason: String,
    /// The first characters of the line.
    pub start: String,
}

impl UnreadableRow {
    /// Returns the failure of the request of this row. It was answered and so billed; a retry may
    /// succeed.
    pub fn to_failure(&self, place: &str) -> Failure {
        let Self { reason, start } = self;
        outcome::unusable_failure(&format!("{place}: {reason}: {start:?}"), true)
    }
}

/// Makes the row of a line that is longer than `max_bytes`, from its start.
pub fn overlong_row(start: &[u8], max_bytes: usize) -> Row {
    unreadable_row(start, format!("longer than {max_bytes} bytes"))
}

/// Parses the rows of a line, of a batch whose requests have this kind: one, unless a server omitted a line break.
///
/// An unreadable line is an unreadable row. An empty line has no row.
pub fn read_rows(wire: Wire, kind: RequestKind, line: &[u8]) -> Vec<Row> {
    let documents = match reply_json::parse_all(line) {
        Ok(documents) => documents,
        Err(reason) => return vec![unreadable_row(line, reason)],
    };
    let rows = documents.into_iter().flat_map(|document| {
        if let Value::Array(rows) = document {
            return rows;
        }
        vec![document]
    });
    rows.map(|row| parse_row(wire, kind, &row, line)).collect()
}

fn parse_row(wire: Wire, kind: RequestKind, row: &Value, line: &[u8]) -> Row {
    let outcome = match wire {
        Wire::OpenAi => openai_outcome(kind, row),
        Wire::Anthropic => anthropic_outcome(row),
    };
    let Some(outcome) = outcome else {
        return Row {
            custom_id: read_id(row),
            ..unreadable_row(line, "neither a result nor an error".to_owned())
        };
    };
    Row {
        custom_id: read_id(row),
        outcome: Ok(outcome),
    }
}

fn read_id(row: &Value) -> Option<String> {
    let id = row.get("custom_id").and_then(Value::as_str);
    id.map(str::to_owned)
}

fn unreadable_row(line: &[u8], reason: String) -> Row {
    let shown = String::from_utf8_lossy(&line[..line.len().min(4096)]);
    Row {
        custom_id: find_id(line),
        outcome: Err(UnreadableRow {
            reason,
            start: excerpt::truncate(&shown, 120),
        }),
    }
}

/// Finds the id in a row that cannot be parsed.
fn find_id(line: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"custom_id\"";
    let at = line.windows(NAME.len()).position(|part| part == NAME)?;
    let rest = line[at + NAME.len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"")?;
    let id = rest.split(|byte| *byte == b'"').next()?;
    // Our ids have only these characters; another id is damaged.
    let is_plain = id
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    let id = std::str::from_utf8(id).ok().filter(|_| is_plain)?;
    (id.len() < rest.len()).then(|| id.to_owned())
}

/// The error of an HTTP status is in the body. The error of the row itself is for requests that did not run.
fn openai_outcome(kind: RequestKind, row: &Value) -> Option<Outcome> {
    if let Some(response) = row.get("response").filter(|response| response.is_object()) {
        let body = response.get("body").unwrap_or(&Value::Null);
        let status = response.get("status_code").and_then(parse_status);
        return Some(match status {
            Some(200..=299) => parse_reply(Wire::OpenAi, kind, body).into_outcome(),
            Some(status) => Outcome::Failed(ErrorReply::from_json(status, body).to_failure()),
            None if !outcome::is_blank(body) => {
                parse_reply(Wire::OpenAi, kind, body).into_outcome()
            }
            None => outcome::lost_outcome("the row has no status"),
        });
    }
    let error = row.get("error").filter(|error| !outcome::is_blank(error))?;
    Some(match text_member(error, "code").as_str() {
        "batch_expired" | "batch_cancelled" | "batch_canceled" => {
            not_run_outcome(&text_member(error, "message"))
        }
        _ => Outcome::Failed(ErrorReply::from_json(0, row).to_failure()),
    })
}

/// The member `error` contains a complete error reply.
fn anthropic_outcome(row: &Value) -> Option<Outcome> {
    let result = row.get("result")?;
    match result.get("type")?.as_str()?.to_ascii_lowercase().as_str() {
        "succeeded" => {
            let message = result.get("message").unwrap_or(&Value::Null);
            Some(parse_reply(Wire::Anthropic, RequestKind::Completion, message).into_outcome())
        }
        "errored" => {
            let error = result.get("error").unwrap_or(&Value::Null);
            Some(Outcome::Failed(
                ErrorReply::from_json(0, error).to_failure(),
            ))
        }
        "canceled" | "cancelled" => Some(not_run_outcome(
            "the batch was cancelled before this request ran",
        )),
        "expired" => Some(not_run_outcome("the batch expired before this request ran")),
        _ => None,
    }
}

fn not_run_outcome(message: &str) -> Outcome {
    Outcome::Failed(Failure {
        kind: FailureKind::Expired,
        message: excerpt::truncate_message(message),
        transient: true,
        usage: Usage::default(),
    })
}

fn parse_status(value: &Value) -> Option<u16> {
    u16::try_from(usage::parse_count(value)?).ok()
}
