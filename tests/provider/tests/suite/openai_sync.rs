//! `POST /v1/chat/completions`.

use serde_json::{Value, json};
use synix_scripted_provider::{
    Endpoint, Fault, FaultKind, Reply as Scripted, Rule, Script, StatusReply, ToolCall,
};

use crate::client::{TestClient, body, members};

fn choice(reply: Scripted) -> Value {
    let client = TestClient::new(Script::new().rule(Rule::any().reply(reply)));
    client.chat("hello").unwrap().json()["choices"][0].clone()
}

#[test]
fn a_completion_has_the_members_of_the_real_api() {
    let completion = TestClient::new(Script::new())
        .chat("tell me")
        .unwrap()
        .json();
    let expected = [
        "choices",
        "created",
        "id",
        "model",
        "object",
        "service_tier",
        "system_fingerprint",
        "usage",
    ];
    assert_eq!(members(&completion), expected);
    assert_eq!(completion["object"], "chat.completion");
    assert_eq!(completion["model"], "gpt-4o-mini-2024-07-18");
    let choice = &completion["choices"][0];
    assert_eq!(
        members(choice),
        ["finish_reason", "index", "logprobs", "message"]
    );
    assert_eq!(
        members(&choice["message"]),
        ["annotations", "content", "refusal", "role"]
    );
    assert_eq!(choice["message"]["refusal"], Value::Null);
    assert_eq!(completion["usage"]["prompt_tokens"], 2);
    assert_eq!(
        completion["usage"]["prompt_tokens_details"]["cached_tokens"],
        0
    );
    assert_eq!(
        completion["usage"]["completion_tokens_details"]["reasoning_tokens"],
        0
    );
}

#[test]
fn the_same_request_gets_the_same_bytes_from_any_server() {
    let one = TestClient::new(Script::new()).chat("tell me").unwrap().body;
    let two = TestClient::new(Script::new()).chat("tell me").unwrap().body;
    assert_eq!(one, two);
}

#[test]
fn replies_carry_the_usual_headers() {
    let reply = TestClient::new(Script::new()).chat("x").unwrap();
    assert_eq!(reply.header("x-ratelimit-reset-requests"), Some("6ms"));
    assert!(
        reply
            .header("x-request-id")
            .is_some_and(|id| id.starts_with("req_"))
    );
}

#[test]
fn a_request_can_ask_for_several_choices() {
    let mut body = body("x");
    body["n"] = json!(3);
    let reply = TestClient::new(Script::new()).openai("POST", "/v1/chat/completions", &body);
    assert_eq!(reply.json()["choices"].as_array().unwrap().len(), 3);
}

#[test]
fn a_scripted_finish_reason_keeps_its_text() {
    let choice = choice(Scripted::Finish {
        reason: "length".into(),
        text: Some("and then".into()),
    });
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("length"), &json!("and then"))
    );
}

#[test]
fn a_refusal_has_null_content() {
    let choice = choice(Scripted::Refusal("I cannot".into()));
    assert_eq!(choice["message"]["content"], Value::Null);
    assert_eq!(choice["message"]["refusal"], "I cannot");
    assert_eq!(choice["finish_reason"], "stop");
}

#[test]
fn empty_choices_are_an_empty_list() {
    assert_eq!(choice(Scripted::EmptyChoices), Value::Null);
}

#[test]
fn null_content_is_null() {
    assert_eq!(
        choice(Scripted::NullContent)["message"]["content"],
        Value::Null
    );
}

#[test]
fn tool_calls_carry_their_arguments_as_text() {
    let call = ToolCall {
        name: "find".into(),
        arguments: "{\"q\":1}".into(),
    };
    let choice = choice(Scripted::ToolCalls(vec![call]));
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"],
        json!({"name": "find", "arguments": "{\"q\":1}"})
    );
}

#[test]
fn a_missing_key_is_a_401_without_code() {
    let reply = TestClient::new(Script::new())
        .raw("POST", "/v1/chat/completions", "", b"{}")
        .unwrap();
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status, &error["code"], &error["type"]),
        (401, &Value::Null, &json!("invalid_request_error"))
    );
}

#[test]
fn a_wrong_key_is_invalid_api_key() {
    let client = TestClient::new(Script::new().key("other"));
    assert_eq!(
        client.chat("x").unwrap().error(),
        (401, "invalid_api_key".into())
    );
}

#[test]
fn an_unknown_model_is_a_404() {
    let client = TestClient::new(Script::new().model("gpt-5"));
    assert_eq!(
        client.chat("x").unwrap().error(),
        (404, "model_not_found".into())
    );
}

#[test]
fn missing_messages_are_named() {
    let reply = TestClient::new(Script::new()).openai(
        "POST",
        "/v1/chat/completions",
        &json!({"model": "m"}),
    );
    assert_eq!(reply.json()["error"]["param"], "messages");
}

#[test]
fn a_scripted_status_can_carry_headers() {
    let status = StatusReply::new(429).header("retry-after", "3");
    let client =
        TestClient::new(Script::new().rule(Rule::any().reply(Scripted::Status(status)).times(1)));
    let reply = client.chat("x").unwrap();
    assert_eq!(reply.header("retry-after"), Some("3"));
    assert_eq!(reply.error(), (429, "rate_limit_exceeded".into()));
    assert_eq!(client.chat("x").unwrap().status, 200);
}

/// Findings L18.
#[test]
fn exhausted_quota_is_a_429_with_its_own_code() {
    let status = Scripted::Status(StatusReply::insufficient_quota());
    let client = TestClient::new(Script::new().rule(Rule::any().reply(status)));
    assert_eq!(
        client.chat("x").unwrap().error(),
        (429, "insufficient_quota".into())
    );
}

#[test]
fn a_proxy_error_is_html() {
    let client = TestClient::new(Script::new().rule(Rule::any().reply(Scripted::Html502)));
    let reply = client.chat("x").unwrap();
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (502, Some("text/html"))
    );
}

#[test]
fn a_garbled_reply_is_not_json() {
    let client = TestClient::new(Script::new().rule(Rule::any().reply(Scripted::Garbled)));
    assert!(serde_json::from_slice::<Value>(&client.chat("x").unwrap().body).is_err());
}

#[test]
fn a_truncated_reply_is_shorter_than_its_announced_length() {
    let client =
        TestClient::new(Script::new().rule(Rule::any().reply(Scripted::Truncate { drop: 5 })));
    let reply = client.chat("x").unwrap();
    let length: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert_eq!(length, reply.body.len() + 5);
}

#[test]
fn an_unknown_path_is_an_invalid_url() {
    let reply = TestClient::new(Script::new()).get("/v1/nothing");
    assert_eq!(
        reply.json()["error"]["message"],
        "Invalid URL (GET /v1/nothing)"
    );
}

#[test]
fn an_html_body_can_be_scripted_for_an_endpoint() {
    let page = StatusReply::new(503).body(json!("<html>busy</html>"));
    let client =
        TestClient::new(Script::new().fault(Fault::on(Endpoint::Chat, FaultKind::Status(page))));
    assert_eq!(client.chat("x").unwrap().text(), "<html>busy</html>");
}
