use serde_json::json;

use super::*;

fn read(status: u16, body: &str) -> ErrorReply {
    ErrorReply::from_response(status, &HeaderMap::new(), body.as_bytes(), Timestamp(0))
}

fn class(status: u16, code: &str) -> (FailureKind, bool) {
    ErrorReply::from_json(status, &json!({"error": {"code": code, "message": "m"}})).classify()
}

#[test]
fn the_status_decides_the_kind() {
    for status in [400, 404, 413, 422] {
        assert_eq!(
            class(status, "x"),
            (FailureKind::Invalid, false),
            "{status}"
        );
    }
    for status in [401, 403] {
        assert_eq!(class(status, "x"), (FailureKind::Auth, false), "{status}");
    }
    for status in [0, 408, 409, 429, 500, 502, 503, 504, 529] {
        assert_eq!(
            class(status, "x"),
            (FailureKind::Provider, true),
            "{status}"
        );
    }
}

/// L18: a 429 because the account has no credit is not a rate limit.
#[test]
fn an_account_without_credit_is_not_transient() {
    assert_eq!(
        class(429, "insufficient_quota"),
        (FailureKind::Quota, false)
    );
    assert_eq!(class(402, "x"), (FailureKind::Quota, false));
    assert_eq!(
        class(403, "not_available_for_plan"),
        (FailureKind::Quota, false)
    );
    let low = json!({"type": "error", "error": {"type": "invalid_request_error",
        "message": "Your credit balance is too low to access the API."}});
    assert_eq!(
        ErrorReply::from_json(400, &low).classify(),
        (FailureKind::Quota, false)
    );
}

#[test]
fn a_filtered_prompt_is_not_reported_as_invalid() {
    assert_eq!(class(400, "content_filter"), (FailureKind::Filtered, false));
}

#[test]
fn both_wire_formats_are_read() {
    let openai = read(
        404,
        r#"{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
    );
    assert_eq!(
        openai.to_string(),
        "no such model (HTTP 404, model_not_found)"
    );
    let anthropic = read(
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
    );
    assert_eq!(
        anthropic.to_string(),
        "Overloaded (HTTP 529, overloaded_error)"
    );
}

#[test]
fn bodies_of_other_shapes_are_described() {
    assert_eq!(
        read(502, "<html><head><title> Bad Gateway</title></head></html>").message,
        "an HTML page titled \"Bad Gateway\""
    );
    assert_eq!(read(503, "<!DOCTYPE html>…").message, "an HTML page");
    assert_eq!(read(500, "").to_string(), "no message (HTTP 500)");
    assert_eq!(read(500, "{}").to_string(), "no message (HTTP 500)");
    assert_eq!(read(500, "upstream\n down").message, "upstream down");
    assert_eq!(read(400, r#"{"error":"bad"}"#).message, "bad");
    assert_eq!(read(400, r#"{"detail":"bad"}"#).message, "bad");
    assert_eq!(read(400, r#"[1]"#).message, "[1]");
}

#[test]
fn a_long_message_is_truncated() {
    assert_eq!(read(500, &"é".repeat(5000)).message.chars().count(), 1001);
}

#[test]
fn a_request_id_is_shown() {
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", "req_7".parse().unwrap());
    let reply = ErrorReply::from_response(500, &headers, b"", Timestamp(0));
    assert_eq!(reply.to_string(), "no message (HTTP 500, request req_7)");
}
