//! The rows of a batch's files: each is read on its own and loses no other.

use serde_json::Value;

use super::fault::{self, ErrorReply};
use super::outcome::{self, text_of};
use super::{counted, hear, reading};
use synix_core::request::{Failure, FailureKind, Outcome, Usage, Wire};

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

impl GarbledRow {
    /// Returns the failure of the request that such a row belongs to. It was answered, so it was
    /// billed; one more try may bring the answer.
    pub fn to_failure(&self, place: &str) -> Failure {
        let Self { reason, start } = self;
        outcome::unusable(&format!("{place}: {reason}: {start:?}"), true)
    }
}

/// A line that is longer than any row: it is not taken in whole.
pub fn overlong_row(start: &[u8], most: usize) -> Row {
    garbled(start, format!("longer than {most} bytes"))
}

/// Reads the rows of a line, which is one but for servers that forget the line break.
///
/// Whatever the line holds, the result is a row, or none where it is empty.
pub fn read_rows(wire: Wire, line: &[u8]) -> Vec<Row> {
    let documents = match reading::documents(line) {
        Ok(documents) => documents,
        Err(reason) => return vec![garbled(line, reason)],
    };
    let rows = documents.into_iter().flat_map(|document| {
        if let Value::Array(rows) = document {
            // All rows as one list.
            return rows;
        }
        vec![document]
    });
    rows.map(|row| read_row(wire, &row, line)).collect()
}

fn read_row(wire: Wire, row: &Value, line: &[u8]) -> Row {
    let outcome = match wire {
        Wire::OpenAi => openai(row),
        Wire::Anthropic => anthropic(row),
    };
    let Some(outcome) = outcome else {
        return Row {
            custom_id: id_of(row),
            ..garbled(line, "neither a result nor an error".to_owned())
        };
    };
    Row {
        custom_id: id_of(row),
        outcome: Ok(outcome),
    }
}

fn id_of(row: &Value) -> Option<String> {
    let id = row.get("custom_id").and_then(Value::as_str);
    id.map(str::to_owned)
}

fn garbled(line: &[u8], reason: String) -> Row {
    let shown = String::from_utf8_lossy(&line[..line.len().min(4096)]);
    Row {
        custom_id: find_id(line),
        outcome: Err(GarbledRow {
            reason,
            start: fault::cut_to(&shown, 120),
        }),
    }
}

/// Looks for the id in a row that is no document.
fn find_id(line: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"custom_id\"";
    let at = line.windows(NAME.len()).position(|part| part == NAME)?;
    let rest = line[at + NAME.len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"")?;
    let id = rest.split(|byte| *byte == b'"').next()?;
    // Ours are plain; a damaged one is nobody's.
    let is_plain = id
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    let id = std::str::from_utf8(id).ok().filter(|_| is_plain)?;
    (id.len() < rest.len()).then(|| id.to_owned())
}

/// A failure over HTTP has its error in the body; the row's own error is for requests that never ran.
fn openai(row: &Value) -> Option<Outcome> {
    if let Some(response) = row.get("response").filter(|response| response.is_object()) {
        let body = response.get("body").unwrap_or(&Value::Null);
        let status = response.get("status_code").and_then(status);
        return Some(match status {
            Some(200..=299) => hear(Wire::OpenAi, body).into_outcome(),
            Some(status) => Outcome::Failed(ErrorReply::of_row(status, body).to_failure()),
            None if !outcome::is_blank(body) => hear(Wire::OpenAi, body).into_outcome(),
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
    match result.get("type")?.as_str()?.to_ascii_lowercase().as_str() {
        "succeeded" => {
            let message = result.get("message").unwrap_or(&Value::Null);
            Some(hear(Wire::Anthropic, message).into_outcome())
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
    u16::try_from(counted::number(value)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read_reply;
    use crate::testing::{answered, failure};
    use synix_test_edits as edits;

    fn only(wire: Wire, line: &str) -> Row {
        let mut rows = read_rows(wire, line.as_bytes());
        assert_eq!(rows.len(), 1, "{line}");
        rows.remove(0)
    }

    fn outcome(wire: Wire, line: &str) -> Outcome {
        let row = only(wire, line);
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
            r#"{"custom_id":"a","response":{},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":503,"body":{"error":{"message":"busy"}}}}"#,
            r#"{"custom_id":"a","error":{"code":"server_error","message":"lost"}}"#,
        ] {
            let (kind, passing, _) = openai_failure(line);
            assert_eq!((kind, passing), (FailureKind::Provider, true), "{line}");
        }
    }

    /// A4, X4: it was answered, so the answer was billed; another try is worth one more.
    #[test]
    fn a_row_whose_reply_cannot_be_used_says_so() {
        for line in [
            r#"{"custom_id":"a","response":{"status_code":200,"body":""},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":200,"body":{}},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":200},"error":null}"#,
            r#"{"custom_id":"a","response":{"status_code":200,"body":"<html><title>Oh</title>"}}"#,
        ] {
            let (kind, passing, _) = openai_failure(line);
            assert_eq!((kind, passing), (FailureKind::Unreadable, true), "{line}");
        }
    }

    /// A4, X4: a row that is no document still tells whose it is.
    #[test]
    fn an_undecodable_row_is_still_a_row() {
        let row = only(Wire::OpenAi, r#"{"custom_id":"a","respo"#);
        assert_eq!(row.custom_id.as_deref(), Some("a"));
        let garbled = row.outcome.unwrap_err();
        assert!(garbled.start.starts_with(r#"{"custom_id"#));
        assert!(garbled.reason.contains("the text ends"), "{garbled}");
        assert_eq!(only(Wire::OpenAi, r#"{"custom_id":"a"#).custom_id, None);
        assert_eq!(only(Wire::OpenAi, r#"{"custom_id": 7"#).custom_id, None);
    }

    /// X4: what is read of a sync reply is read of a row.
    #[test]
    fn an_odd_row_is_read() {
        let row = |text: &str, aside: &str| {
            format!(
                r#"{{"custom_id":"a","response":{{"status_code":200,"body":{{{aside}"choices":[{{"message":{{"content":"{text}"}},"finish_reason":"stop"}}]}}}},"error":null}}"#
            )
        };
        let deep = format!(r#""x":{}{},"#, "[".repeat(300), "]".repeat(300));
        for aside in ["", r#""x":-Infinity,"#, r#""x":1e999,"#, &deep] {
            let line = row("Hello", aside);
            for line in [
                line.clone(),
                format!("\u{feff}{line}"),
                format!("{line}\r"),
                format!("{line} data: [DONE]"),
            ] {
                assert_eq!(
                    answered(outcome(Wire::OpenAi, &line)).text,
                    "Hello",
                    "{line}"
                );
            }
        }
        let lone = row(r"Hel\ud83dlo", "");
        assert_eq!(answered(outcome(Wire::OpenAi, &lone)).text, "Hel\u{fffd}lo");
    }

    #[test]
    fn rows_without_a_line_break_between_them_are_two() {
        let row =
            |id: &str| format!(r#"{{"custom_id":"{id}","error":{{"code":"batch_expired"}}}}"#);
        for line in [
            format!("{}{}", row("a"), row("b")),
            format!("[{},{}]", row("a"), row("b")),
        ] {
            let rows = read_rows(Wire::OpenAi, line.as_bytes());
            let ids: Vec<_> = rows.iter().map(|row| row.custom_id.as_deref()).collect();
            assert_eq!(ids, [Some("a"), Some("b")]);
        }
    }

    /// A4
    #[test]
    fn a_row_that_says_nothing_keeps_its_id() {
        let row = only(
            Wire::OpenAi,
            r#"{"custom_id":"a","response":null,"error":null}"#,
        );
        assert_eq!(row.custom_id.as_deref(), Some("a"));
        assert!(row.outcome.is_err());
    }

    #[test]
    fn a_row_without_an_id_is_read() {
        let row = only(Wire::OpenAi, r#"{"error":{"code":"batch_expired"}}"#);
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
    const SEEDS: [&[u8]; 13] = [
        include_bytes!("../../../fuzz/seeds/rows/anthropic-answer"),
        include_bytes!("../../../fuzz/seeds/rows/anthropic-error"),
        include_bytes!("../../../fuzz/seeds/rows/anthropic-expired"),
        include_bytes!("../../../fuzz/seeds/rows/anthropic-stream"),
        include_bytes!("../../../fuzz/seeds/rows/body-anthropic"),
        include_bytes!("../../../fuzz/seeds/rows/body-openai"),
        include_bytes!("../../../fuzz/seeds/rows/body-proxy"),
        include_bytes!("../../../fuzz/seeds/rows/openai-answer"),
        include_bytes!("../../../fuzz/seeds/rows/openai-error"),
        include_bytes!("../../../fuzz/seeds/rows/openai-expired"),
        include_bytes!("../../../fuzz/seeds/rows/openai-odd"),
        include_bytes!("../../../fuzz/seeds/rows/openai-refused"),
        include_bytes!("../../../fuzz/seeds/rows/openai-stream"),
    ];

    /// Bytes that a message of a provider may have: cut after 1000 characters, with what is told beside it.
    const LONGEST: usize = 5000;

    #[test]
    fn every_seed_that_is_a_reply_is_read() {
        let stream = include_bytes!("../../../fuzz/seeds/rows/openai-stream");
        assert_eq!(
            answered(read_reply(Wire::OpenAi, &stream[1..])).text,
            "Hello"
        );
        let stream = include_bytes!("../../../fuzz/seeds/rows/anthropic-stream");
        assert_eq!(
            answered(read_reply(Wire::Anthropic, &stream[1..])).text,
            "Hello"
        );
        let odd = include_bytes!("../../../fuzz/seeds/rows/openai-odd");
        let row = read_rows(Wire::OpenAi, &odd[1..]).remove(0);
        let answer = answered(row.outcome.unwrap());
        assert_eq!(
            (answer.text.as_str(), answer.usage.input_tokens),
            ("Hello", 3)
        );
    }

    proptest! {
        #[test]
        fn a_changed_row_is_an_answer_or_a_failure_in_few_words(edits in edits::edits(), status in 0_u16..600) {
            for seed in SEEDS {
                let bytes = edits::changed(&seed[1..], &edits);
                for wire in [Wire::OpenAi, Wire::Anthropic] {
                    for row in read_rows(wire, &bytes) {
                        match row.outcome {
                            Ok(Outcome::Answered(answer)) => prop_assert!(!answer.text.is_empty()),
                            Ok(Outcome::Failed(failure)) => prop_assert!(failure.message.len() <= LONGEST),
                            Err(garbled) => prop_assert!(garbled.to_string().len() <= LONGEST),
                        }
                    }
                }
                for wire in [Wire::OpenAi, Wire::Anthropic] {
                    match read_reply(wire, &bytes) {
                        Outcome::Answered(answer) => prop_assert!(!answer.text.is_empty()),
                        Outcome::Failed(failure) => prop_assert!(failure.message.len() <= LONGEST),
                    }
                }
                let reply = ErrorReply::of_body(status, &bytes);
                prop_assert!(reply.to_failure().message.len() <= LONGEST);
            }
        }

        #[test]
        fn no_line_makes_the_reader_panic(line in "\\PC*") {
            for wire in [Wire::OpenAi, Wire::Anthropic] {
                let _ = read_rows(wire, line.as_bytes());
            }
        }
    }
}
