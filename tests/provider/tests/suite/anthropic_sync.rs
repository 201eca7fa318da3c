//! Messages as a client of Anthropic sees them.

use serde_json::json;
use synix_scripted_provider::{Reply as Scripted, Rule, Script, ToolCall};

use crate::client::{Reply, TestClient, members, message};

fn answered(script: Script) -> Reply {
    TestClient::new(script).anthropic("POST", "/v1/messages", &message("tell me"))
}

#[test]
fn a_message_has_the_members_of_the_real_api() {
    let message = answered(Script::new()).json();
    assert_eq!(
        members(&message),
        [
            "content",
            "id",
            "model",
            "role",
            "stop_reason",
            "stop_sequence",
            "type",
            "usage"
        ]
    );
    assert_eq!(
        (&message["stop_reason"], &message["model"]),
        (&json!("end_turn"), &json!("claude-haiku-4-5-20251001"))
    );
    assert_eq!(members(&message["content"][0]), ["text", "type"]);
    assert_eq!(message["usage"]["cache_read_input_tokens"], 0);
}

#[test]
fn a_stop_reason_is_anthropics_term() {
    let reply = Scripted::Finish {
        reason: "length".into(),
        text: None,
    };
    assert_eq!(
        answered(Script::new().rule(Rule::any().reply(reply))).json()["stop_reason"],
        "max_tokens"
    );
}

#[test]
fn a_refusal_has_no_content() {
    let message =
        answered(Script::new().rule(Rule::any().reply(Scripted::Refusal("no".into())))).json();
    assert_eq!(
        (&message["stop_reason"], &message["content"]),
        (&json!("refusal"), &json!([]))
    );
}

#[test]
fn tool_use_carries_its_input_as_an_object() {
    let call = ToolCall {
        name: "find".into(),
        arguments: "{\"q\":1}".into(),
    };
    let message =
        answered(Script::new().rule(Rule::any().reply(Scripted::ToolCalls(vec![call])))).json();
    assert_eq!(
        (&message["stop_reason"], &message["content"][0]["input"]),
        (&json!("tool_use"), &json!({"q": 1}))
    );
}

#[test]
fn a_missing_version_is_a_400() {
    let reply = TestClient::new(Script::new())
        .raw("POST", "/v1/messages", "x-api-key: k\r\n", b"{}")
        .unwrap();
    assert_eq!(reply.error(), (400, "invalid_request_error".into()));
}

#[test]
fn a_wrong_key_is_an_authentication_error() {
    let reply = answered(Script::new().key("other"));
    assert_eq!(reply.error(), (401, "authentication_error".into()));
    assert_eq!(members(&reply.json()), ["error", "request_id", "type"]);
}

#[test]
fn an_overload_has_status_529() {
    assert_eq!(
        answered(Script::new().rule(Rule::any().status(529))).error(),
        (529, "overloaded_error".into())
    );
}

#[test]
fn an_unknown_model_is_named() {
    assert_eq!(
        answered(Script::new().model("m")).json()["error"]["message"],
        "model: claude-haiku-4-5"
    );
}

#[test]
fn a_structured_answer_fits_its_schema() {
    let mut body = message("x");
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}});
    body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    let reply = TestClient::new(Script::new()).anthropic("POST", "/v1/messages", &body);
    assert_eq!(reply.json()["content"][0]["text"], r#"{"ok":true}"#);
}
