use serde_json::json;

use super::*;
use crate::script::Script;

const ENDPOINT: &str = "/v1/chat/completions";

fn line(custom_id: &str, body: &Value) -> String {
    json!({"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}).to_string()
}

fn good(custom_id: &str) -> String {
    line(
        custom_id,
        &json!({"model": "m", "messages": [{"role": "user", "content": "one two"}]}),
    )
}

fn errors(lines: &[String]) -> Invalid {
    let script_state = ScriptState::new(Script::new().model("m").model("n"));
    validate(&Bytes::from(lines.join("\n")), ENDPOINT, &script_state).unwrap_err()
}

fn code_param_line(lines: &[String]) -> (String, Option<String>, Option<u64>) {
    let invalid = errors(lines);
    (invalid.code, invalid.param, invalid.line)
}

#[test]
fn a_line_that_is_not_json_is_named() {
    let found = code_param_line(&[good("a"), "{".into()]);
    assert_eq!(found, ("invalid_json_line".into(), None, Some(2)));
}

#[test]
fn a_byte_order_mark_makes_line_one_unparseable() {
    assert_eq!(
        errors(&[format!("\u{feff}{}", good("a"))]).message,
        "This line is not parseable as valid JSON."
    );
}

#[test]
fn a_repeated_custom_id_is_refused() {
    let found = code_param_line(&[good("a"), good("a")]);
    assert_eq!(
        found,
        (
            "duplicate_custom_id".into(),
            Some("custom_id".into()),
            Some(2)
        )
    );
}

#[test]
fn a_second_model_is_refused() {
    let found = code_param_line(&[good("a"), line("b", &json!({"model": "n", "messages": []}))]);
    assert_eq!(
        found,
        (
            "mismatched_model".into(),
            Some("body.model".into()),
            Some(2)
        )
    );
}

#[test]
fn missing_members_are_named() {
    let found = code_param_line(&[line("a", &json!({"model": "m"}))]);
    assert_eq!(
        found,
        (
            "missing_required_parameter".into(),
            Some("body.messages".into()),
            Some(1)
        )
    );
}

#[test]
fn an_unknown_model_is_refused() {
    let found = code_param_line(&[line("a", &json!({"model": "x", "messages": []}))]);
    assert_eq!(
        found,
        ("model_not_found".into(), Some("body.model".into()), Some(1))
    );
}

#[test]
fn a_stream_is_refused() {
    let found = code_param_line(&[line(
        "a",
        &json!({"model": "m", "messages": [], "stream": true}),
    )]);
    assert_eq!(
        found,
        (
            "streaming_unsupported".into(),
            Some("body.stream".into()),
            Some(1)
        )
    );
}

#[test]
fn a_limit_is_written_with_commas() {
    let message = Invalid::too_many_tokens("m", 2_000_000).message;
    assert!(
        message.contains("Limit: 2,000,000 enqueued tokens."),
        "{message}"
    );
}
