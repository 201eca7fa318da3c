use super::*;
use crate::testing::{expect_answer, expect_failure};

fn only(wire: Wire, line: &str) -> Row {
    let mut rows = read_rows(
        wire,
        synix_core::request::RequestKind::Completion,
        line.as_bytes(),
    );
    assert_eq!(rows.len(), 1, "{line}");
    rows.remove(0)
}

fn outcome(wire: Wire, line: &str) -> Outcome {
    let row = only(wire, line);
    assert_eq!(row.custom_id.as_deref(), Some("a"));
    row.outcome.unwrap()
}

fn openai_failure(line: &str) -> (FailureKind, bool, String) {
    let failure = expect_failure(outcome(Wire::OpenAi, line));
    (failure.kind, failure.transient, failure.message)
}

#[test]
fn a_good_row_is_an_answer() {
    let line = r#"{"id":"batch_req_1","custom_id":"a","response":{"status_code":200,"request_id":"r","body":{"model":"m","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}},"error":null}"#;
    assert_eq!(expect_answer(outcome(Wire::OpenAi, line)).text, "Hello");
}

/// A2: the reason is in the body while the row's own error is null.
#[test]
fn the_error_of_an_http_status_is_in_the_body() {
    let line = r#"{"custom_id":"a","response":{"status_code":400,"request_id":"r","body":{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}},"error":null}"#;
    let expected = "too long (HTTP 400, context_length_exceeded)".to_owned();
    assert_eq!(
        openai_failure(line),
        (FailureKind::Invalid, false, expected)
    );
}

#[test]
fn a_request_that_did_not_run_is_transient() {
    for code in ["batch_expired", "batch_cancelled"] {
        let line = format!(
            r#"{{"custom_id":"a","response":null,"error":{{"code":"{code}","message":"Not run."}}}}"#
        );
        let expected = (FailureKind::Expired, true, "Not run.".to_owned());
        assert_eq!(openai_failure(&line), expected);
    }
}

/// Together omits the response, Mistral the id of the request.
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
    assert_eq!(expect_answer(outcome(Wire::OpenAi, mistral)).text, "Hello");
}

/// A4: forms of rows that providers lost.
#[test]
fn a_row_that_the_provider_lost_is_transient() {
    for line in [
        r#"{"custom_id":"a","response":{"status_code":0,"body":null},"error":null}"#,
        r#"{"custom_id":"a","response":{},"error":null}"#,
        r#"{"custom_id":"a","response":{"status_code":503,"body":{"error":{"message":"busy"}}}}"#,
        r#"{"custom_id":"a","error":{"code":"server_error","message":"lost"}}"#,
    ] {
        let (kind, transient, _) = openai_failure(line);
        assert_eq!((kind, transient), (FailureKind::Provider, true), "{line}");
    }
}

/// A4, X4: the request was answered and so billed; a retry may succeed.
#[test]
fn a_row_with_an_unusable_reply_is_unreadable() {
    for line in [
        r#"{"custom_id":"a","response":{"status_code":200,"body":""},"error":null}"#,
        r#"{"custom_id":"a","response":{"status_code":200,"body":{}},"error":null}"#,
        r#"{"custom_id":"a","response":{"status_code":200},"error":null}"#,
        r#"{"custom_id":"a","response":{"status_code":200,"body":"<html><title>Oh</title>"}}"#,
    ] {
        let (kind, transient, _) = openai_failure(line);
        assert_eq!((kind, transient), (FailureKind::Unreadable, true), "{line}");
    }
}

/// A4, X4: the id is found in a row that cannot be parsed.
#[test]
fn an_unparsable_row_keeps_its_id() {
    let row = only(Wire::OpenAi, r#"{"custom_id":"a","respo"#);
    assert_eq!(row.custom_id.as_deref(), Some("a"));
    let unreadable = row.outcome.unwrap_err();
    assert!(unreadable.start.starts_with(r#"{"custom_id"#));
    assert!(unreadable.reason.contains("the text ends"), "{unreadable}");
    assert_eq!(only(Wire::OpenAi, r#"{"custom_id":"a"#).custom_id, None);
    assert_eq!(only(Wire::OpenAi, r#"{"custom_id": 7"#).custom_id, None);
}

/// X4: rows are parsed as leniently as replies to single calls.
#[test]
fn a_row_is_read_in_every_tolerated_form() {
    let row = |text: &str, extra: &str| {
        format!(
            r#"{{"custom_id":"a","response":{{"status_code":200,"body":{{{extra}"choices":[{{"message":{{"content":"{text}"}},"finish_reason":"stop"}}]}}}},"error":null}}"#
        )
    };
    let deep = format!(r#""x":{}{},"#, "[".repeat(300), "]".repeat(300));
    for extra in ["", r#""x":-Infinity,"#, r#""x":1e999,"#, &deep] {
        let line = row("Hello", extra);
        for line in [
            line.clone(),
            format!("\u{feff}{line}"),
            format!("{line}\r"),
            format!("{line} data: [DONE]"),
        ] {
            assert_eq!(
                expect_answer(outcome(Wire::OpenAi, &line)).text,
                "Hello",
                "{line}"
            );
        }
    }
    let lone = row(r"Hel\ud83dlo", "");
    assert_eq!(
        expect_answer(outcome(Wire::OpenAi, &lone)).text,
        "Hel\u{fffd}lo"
    );
}

#[test]
fn rows_without_a_line_break_between_them_are_separated() {
    let row = |id: &str| format!(r#"{{"custom_id":"{id}","error":{{"code":"batch_expired"}}}}"#);
    for line in [
        format!("{}{}", row("a"), row("b")),
        format!("[{},{}]", row("a"), row("b")),
    ] {
        let rows = read_rows(
            Wire::OpenAi,
            synix_core::request::RequestKind::Completion,
            line.as_bytes(),
        );
        let ids: Vec<_> = rows.iter().map(|row| row.custom_id.as_deref()).collect();
        assert_eq!(ids, [Some("a"), Some("b")]);
    }
}

/// A4
#[test]
fn an_empty_row_keeps_its_id() {
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
    assert_eq!(expect_answer(outcome(Wire::Anthropic, line)).text, "Hello");
}

#[test]
fn an_errored_message_has_a_nested_error() {
    let errored = |kind: &str| {
        let line = format!(
            r#"{{"custom_id":"a","result":{{"type":"errored","error":{{"type":"error","error":{{"type":"{kind}","message":"m"}},"request_id":null}}}}}}"#
        );
        let failure = expect_failure(outcome(Wire::Anthropic, &line));
        (failure.kind, failure.transient)
    };
    assert_eq!(errored("not_found_error"), (FailureKind::Invalid, false));
    assert_eq!(
        errored("invalid_request_error"),
        (FailureKind::Invalid, false)
    );
    assert_eq!(errored("authentication_error"), (FailureKind::Auth, false));
    assert_eq!(errored("billing_error"), (FailureKind::Quota, false));
    for kind in [
        "api_error",
        "overloaded_error",
        "rate_limit_error",
        "timeout_error",
    ] {
        assert_eq!(errored(kind), (FailureKind::Provider, true), "{kind}");
    }
}

#[test]
fn a_message_that_did_not_run_is_transient() {
    for kind in ["canceled", "expired"] {
        let line = format!(r#"{{"custom_id":"a","result":{{"type":"{kind}"}}}}"#);
        let failure = expect_failure(outcome(Wire::Anthropic, &line));
        assert_eq!(
            (failure.kind, failure.transient),
            (FailureKind::Expired, true)
        );
    }
}
