//! The rows of a batch's files: each is read on its own and loses no other.

use serde_json::Value;

use super::fault::{self, ErrorReply};
use super::outcome::{self, text_of};
use super::read_reply;
use crate::request::{Failure, FailureKind, Outcome, Usage, Wire};

/// One row of a batch's output or error file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which request it belongs to; `None` where the row does not say.
    pub custom_id: Option<String>,
    /// What became of that request.
    pub outcome: Result<Outcome, GarbledRow>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row that cannot be read ({reason}): {start:?}")]
pub struct GarbledRow {
    /// What is wrong with it.
    pub reason: String,
    /// How it starts.
    pub start: String,
}

/// Reads a row; whatever the line holds, the result is a row.
pub fn read_row(wire: Wire, line: &str) -> Row {
    let garbled = |reason: String| GarbledRow {
        reason,
        start: line.chars().take(120).collect(),
    };
    let row: Value = match serde_json::from_str(line) {
        Ok(row) => row,
        Err(error) => {
            return Row {
                custom_id: None,
                outcome: Err(garbled(error.to_string())),
            };
        }
    };
    let outcome = match wire {
        Wire::OpenAi => openai(&row),
        Wire::Anthropic => anthropic(&row),
    };
    let custom_id = row.get("custom_id").and_then(Value::as_str);
    Row {
        custom_id: custom_id.map(str::to_owned),
        outcome: outcome.ok_or_else(|| garbled("neither a result nor an error".to_owned())),
    }
}

/// A failure over HTTP has its error in the body; the row's own error is for requests that never ran.
fn openai(row: &Value) -> Option<Outcome> {
    if let Some(response) = row.get("response").filter(|response| response.is_object()) {
        let body = response.get("body").unwrap_or(&Value::Null);
        let status = response.get("status_code").and_then(status);
        let status = status.or_else(|| body.get("choices").map(|_| 200));
        return Some(match status {
            Some(200) => read_reply(Wire::OpenAi, body),
            Some(status) => Outcome::Failed(ErrorReply::of_row(status, body).to_failure()),
            None => outcome::lost("the row has no status"),
        });
    }
    let error = row.get("error").filter(|error| !outcome::is_blank(error))?;
    Some(match text_of(error, "code").as_str() {
        "batch_expired" | "batch_cancelled" | "batch_canceled" => {
            unasked(&text_of(error, "message"))
        }
        _ => Outcome::Failed(ErrorReply::of_row(0, row).to_failure()),
    })
}

/// The error of a row is an error reply, one level further in.
fn anthropic(row: &Value) -> Option<Outcome> {
    let result = row.get("result")?;
    match result.get("type")?.as_str()? {
        "succeeded" => {
            let message = result.get("message").unwrap_or(&Value::Null);
            Some(read_reply(Wire::Anthropic, message))
        }
        "errored" => {
            let error = result.get("error").unwrap_or(&Value::Null);
            Some(Outcome::Failed(ErrorReply::of_row(0, error).to_failure()))
        }
        "canceled" | "cancelled" => {
            Some(unasked("the batch was cancelled before this request ran"))
        }
        "expired" => Some(unasked("the batch expired before this request ran")),
        _ => None,
    }
}

fn unasked(message: &str) -> Outcome {
    Outcome::Failed(Failure {
        kind: FailureKind::Expired,
        message: fault::cut(message),
        passing: true,
        usage: Usage::default(),
    })
}

fn status(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::llm::testing::{answered, failure};
    use crate::mangle;

    fn outcome(wire: Wire, line: &str) -> Outcome {
        let row = read_row(wire, line);
        assert_eq!(row.custom_id.as_deref(), Some("a"));
        row.outcome.unwrap()
    }

    fn openai_failure(line: &str) -> (FailureKind, bool, String) {
        let failure = failure(outcome(Wire::OpenAi, line));
        (failure.kind, failure.passing, failure.message)
    }

    #[test]
    fn a_good_row_is_an_answer() {
        let line = r#"{"id":"batch_req_1","custom_id":"a","response":{"status_code":200,"request_id":"r","body":{"model":"m","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}},"error":null}"#;
        assert_eq!(answered(outcome(Wire::OpenAi, line)).text, "Hello");
    }

    /// A2: the reason is in the body while the row's own error is null.
    #[test]
    fn a_failure_over_http_is_read_from_the_body() {
        let line = r#"{"custom_id":"a","response":{"status_code":400,"request_id":"r","body":{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}},"error":null}"#;
        let expected = "too long (HTTP 400, context_length_exceeded)".to_owned();
        assert_eq!(
            openai_failure(line),
            (FailureKind::Invalid, false, expected)
        );
    }

    #[test]
    fn a_row_that_never_ran_is_asked_again() {
        for code in ["batch_expired", "batch_cancelled"] {
            let line = format!(
                r#"{{"custom_id":"a","response":null,"error":{{"code":"{code}","message":"Not run."}}}}"#
            );
            let expected = (FailureKind::Expired, true, "Not run.".to_owned());
            assert_eq!(openai_failure(&line), expected);
        }
    }

    /// Together leaves the response out, Mistral the request's id.
    #[test]
    fn rows_of_compatible_servers_are_read() {
        let together =
            r#"{"id":"r","custom_id":"a","error":{"code":"invalid_request_error","message":"no"}}"#;
        let expected = "no (invalid_request_error)".to_owned();
        assert_eq!(
            openai_failure(together),
            (FailureKind::Invalid, false, expected)
        );
        let mistral = r#"{"id":"r","custom_id":"a","response":{"status_code":200,"body":{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}},"error":null}"#;
        assert_eq!(answered(outcome(Wire::OpenAi, mistral)).text, "Hello");
    }

    /// A4: shapes that providers gave rows which they lost.
    #[test]
    fn a_row_that_the_provider_lost_is_asked_again() {
        for line in [
            r#"{"custom_id":"a","response":{"status_code":0,"body":null},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":200,"body":""},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":200,"body":{}},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":200},"error":null}"#,
            r#"{"custom_id":"a","response":{},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":503,"body":{"error":{"message":"busy"}}}}"#,
            r#"{"custom_id":"a","error":{"code":"server_error","message":"lost"}}"#,
        ] {
            let (kind, passing, _) = openai_failure(line);
            assert_eq!((kind, passing), (FailureKind::Provider, true), "{line}");
        }
    }

    /// A4
    #[test]
    fn an_undecodable_row_is_still_a_row() {
        let row = read_row(Wire::OpenAi, r#"{"custom_id":"a","respo"#);
        assert_eq!(row.custom_id, None);
        assert!(row.outcome.unwrap_err().start.starts_with(r#"{"custom_id"#));
    }

    /// A4
    #[test]
    fn a_row_that_says_nothing_keeps_its_id() {
        let row = read_row(
            Wire::OpenAi,
            r#"{"custom_id":"a","response":null,"error":null}"#,
        );
        assert_eq!(row.custom_id.as_deref(), Some("a"));
        assert!(row.outcome.is_err());
    }

    #[test]
    fn a_row_without_an_id_is_read() {
        let row = read_row(Wire::OpenAi, r#"{"error":{"code":"batch_expired"}}"#);
        assert_eq!((row.custom_id, row.outcome.is_ok()), (None, true));
    }

    #[test]
    fn a_message_is_an_answer() {
        let line = r#"{"custom_id":"a","result":{"type":"succeeded","message":{"model":"m","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":11,"output_tokens":36}}}}"#;
        assert_eq!(answered(outcome(Wire::Anthropic, line)).text, "Hello");
    }

    #[test]
    fn an_errored_message_is_read_two_levels_in() {
        let errored = |kind: &str| {
            let line = format!(
                r#"{{"custom_id":"a","result":{{"type":"errored","error":{{"type":"error","error":{{"type":"{kind}","message":"m"}},"request_id":null}}}}}}"#
            );
            let failure = failure(outcome(Wire::Anthropic, &line));
            (failure.kind, failure.passing)
        };
        assert_eq!(errored("not_found_error"), (FailureKind::Invalid, false));
        assert_eq!(
            errored("invalid_request_error"),
            (FailureKind::Invalid, false)
        );
        assert_eq!(errored("authentication_error"), (FailureKind::Auth, false));
        assert_eq!(errored("billing_error"), (FailureKind::Quota, false));
        for passing in [
            "api_error",
            "overloaded_error",
            "rate_limit_error",
            "timeout_error",
        ] {
            assert_eq!(errored(passing), (FailureKind::Provider, true), "{passing}");
        }
    }

    #[test]
    fn a_message_that_never_ran_is_asked_again() {
        for kind in ["canceled", "expired"] {
            let line = format!(r#"{{"custom_id":"a","result":{{"type":"{kind}"}}}}"#);
            let failure = failure(outcome(Wire::Anthropic, &line));
            assert_eq!(
                (failure.kind, failure.passing),
                (FailureKind::Expired, true)
            );
        }
    }

    /// The seeds of the fuzz target; the first byte says which format it is.
    const SEEDS: [&str; 10] = [
        include_str!("../../../fuzz/seeds/rows/anthropic-answer"),
        include_str!("../../../fuzz/seeds/rows/anthropic-error"),
        include_str!("../../../fuzz/seeds/rows/anthropic-expired"),
        include_str!("../../../fuzz/seeds/rows/body-anthropic"),
        include_str!("../../../fuzz/seeds/rows/body-openai"),
        include_str!("../../../fuzz/seeds/rows/body-proxy"),
        include_str!("../../../fuzz/seeds/rows/openai-answer"),
        include_str!("../../../fuzz/seeds/rows/openai-error"),
        include_str!("../../../fuzz/seeds/rows/openai-expired"),
        include_str!("../../../fuzz/seeds/rows/openai-refused"),
    ];

    /// Bytes that a message of a provider may have: cut after 1000 characters, with what is told beside it.
    const LONGEST: usize = 5000;

    proptest! {
        #[test]
        fn a_changed_row_is_an_answer_or_a_failure_in_few_words(edits in mangle::edits(), status in 0_u16..600) {
            for seed in SEEDS {
                let bytes = mangle::changed(&seed.as_bytes()[1..], &edits);
                let text = String::from_utf8_lossy(&bytes);
                for wire in [Wire::OpenAi, Wire::Anthropic] {
                    match read_row(wire, &text).outcome {
                        Ok(Outcome::Answered(answer)) => prop_assert!(!answer.text.is_empty()),
                        Ok(Outcome::Failed(failure)) => prop_assert!(failure.message.len() <= LONGEST),
                        Err(garbled) => prop_assert!(garbled.start.len() <= LONGEST),
                    }
                }
                let reply = ErrorReply::of_body(status, &bytes);
                prop_assert!(reply.to_failure().message.len() <= LONGEST);
            }
        }

        #[test]
        fn no_line_makes_the_reader_panic(line in "\\PC*") {
            let _ = (read_row(Wire::OpenAi, &line), read_row(Wire::Anthropic, &line));
        }
    }
}
