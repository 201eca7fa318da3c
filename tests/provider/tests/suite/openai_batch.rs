//! Batches as a client of OpenAI sees them.

use serde_json::{Value, json};
use synix_scripted_provider::{Endpoint, Fault, FaultKind, Pace, Script};

use crate::client::{TestClient, id, line, members};

pub(crate) fn created_with(fault: FaultKind) -> TestClient {
    TestClient::new(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fault)))
}

fn validation_error(client: &TestClient, file: &str) -> Value {
    let created = client.create(file).unwrap();
    assert_eq!(
        (created.status, &created.json()["status"]),
        (200, &json!("validating"))
    );
    let polled = client.poll(&id(&created));
    assert_eq!(polled["status"], "failed");
    assert_eq!(
        polled["request_counts"],
        json!({"total": 0, "completed": 0, "failed": 0})
    );
    polled["errors"]["data"][0].clone()
}

#[test]
fn a_batch_has_the_members_of_the_real_api() {
    let client = TestClient::new(Script::new());
    let batch = client.create(&client.upload(&["a"])).unwrap().json();
    let expected = [
        "cancelled_at",
        "cancelling_at",
        "completed_at",
        "completion_window",
        "created_at",
        "endpoint",
        "error_file_id",
        "errors",
        "expired_at",
        "expires_at",
        "failed_at",
        "finalizing_at",
        "id",
        "in_progress_at",
        "input_file_id",
        "metadata",
        "model",
        "object",
        "output_file_id",
        "request_counts",
        "status",
        "usage",
    ];
    assert_eq!(members(&batch), expected);
    assert_eq!(batch["metadata"], json!({"token": "t-1"}));
    assert_eq!(
        batch["expires_at"].as_u64().unwrap() - batch["created_at"].as_u64().unwrap(),
        86_400
    );
}

#[test]
fn a_batch_is_in_progress_at_the_first_poll_and_completed_at_the_second() {
    let client = TestClient::new(Script::new());
    let batch = client.batch(&["a"]);
    assert_eq!(client.poll(&batch)["status"], "in_progress");
    assert_eq!(client.poll(&batch)["status"], "completed");
}

#[test]
fn each_state_can_be_shown_for_some_polls() {
    let pace = Pace {
        validating: 1,
        in_progress: 2,
        finalizing: 1,
        ..Pace::default()
    };
    let client = TestClient::new(Script::new().batches(pace));
    let batch = client.batch(&["a", "b"]);
    let polls: Vec<Value> = (0..5).map(|_| client.poll(&batch)).collect();
    let states: Vec<&str> = polls
        .iter()
        .map(|poll| poll["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        [
            "validating",
            "in_progress",
            "in_progress",
            "finalizing",
            "completed"
        ]
    );
    assert_eq!(
        polls[2]["request_counts"],
        json!({"total": 2, "completed": 1, "failed": 0})
    );
}

#[test]
fn a_bad_line_fails_the_batch_only_through_polling() {
    let client = TestClient::new(Script::new());
    let file = id(&client.upload_as("in.jsonl", &format!("{}\nnot json\n", line("a"))));
    let expected = json!({"code": "invalid_json_line", "message": "This line is not parseable as valid JSON.", "param": null, "line": 2});
    assert_eq!(validation_error(&client, &file), expected);
}

#[test]
fn an_unknown_input_file_fails_the_batch_only_through_polling() {
    let error = validation_error(&TestClient::new(Script::new()), "file-x");
    assert_eq!(
        (&error["code"], &error["param"], &error["line"]),
        (&json!("invalid_request"), &json!("file_id"), &Value::Null)
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("Cannot find file file-x, or organization")
    );
}

#[test]
fn a_validation_failure_can_be_scripted() {
    let kind = FaultKind::FailValidation {
        code: "billing_hard_limit_reached".into(),
        message: "no".into(),
        param: None,
        line: Some(7),
    };
    let client = created_with(kind);
    let error = validation_error(&client, &client.upload(&["a"]));
    assert_eq!(
        error,
        json!({"code": "billing_hard_limit_reached", "message": "no", "param": null, "line": 7})
    );
}

/// Findings L11.
#[test]
fn too_many_waiting_tokens_fail_the_batch_until_others_have_ended() {
    let client = TestClient::new(Script::new().enqueued_token_limit(3));
    let (first, file) = (client.batch(&["one two"]), client.upload(&["three four"]));
    let error = validation_error(&client, &file);
    assert_eq!(error["code"], "token_limit_exceeded");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("Limit: 3 enqueued tokens.")
    );
    client.ended(&first);
    assert_eq!(
        client.poll(&id(&client.create(&file).unwrap()))["status"],
        "in_progress"
    );
}

#[test]
fn batches_are_listed_newest_first() {
    let client = TestClient::new(Script::new());
    let (one, two) = (client.batch(&["a"]), client.batch(&["b"]));
    let list = client.get("/v1/batches?limit=1").json();
    assert_eq!(
        members(&list),
        ["data", "first_id", "has_more", "last_id", "object"]
    );
    assert_eq!(
        (&list["first_id"], &list["has_more"]),
        (&json!(two), &json!(true))
    );
    let rest = client.get(&format!("/v1/batches?after={two}")).json();
    assert_eq!(
        (&rest["data"][0]["id"], &rest["has_more"]),
        (&json!(one), &json!(false))
    );
}

#[test]
fn listing_does_not_count_as_a_poll() {
    let client = TestClient::new(Script::new());
    let batch = client.batch(&["a"]);
    client.get("/v1/batches");
    client.get("/v1/batches");
    assert_eq!(client.poll(&batch)["status"], "in_progress");
}

#[test]
fn metadata_values_must_be_strings() {
    let client = TestClient::new(Script::new());
    let body = json!({"input_file_id": "f", "endpoint": "/v1/chat/completions", "completion_window": "24h", "metadata": {"n": 1}});
    assert_eq!(client.openai("POST", "/v1/batches", &body).status, 400);
}

#[test]
fn batches_and_files_survive_a_change_of_script() {
    let client = TestClient::new(Script::new().batches(Pace::in_progress(9)));
    let batch = client.batch(&["a"]);
    client.provider.script(Script::new());
    client.poll(&batch);
    assert_eq!(client.poll(&batch)["status"], "in_progress");
    assert_eq!(client.ended(&batch)["status"], "completed");
}

#[test]
fn polls_do_not_speed_up_a_batch_with_a_latency() {
    let pace = Pace {
        latency_ms: Some([600_000, 700_000]),
        ..Pace::default()
    };
    let client = TestClient::new(Script::new().batches(pace));
    let batch = client.batch(&["a"]);
    let states: Vec<Value> = (0..3)
        .map(|_| client.poll(&batch)["status"].clone())
        .collect();
    assert_eq!(states, ["in_progress", "in_progress", "in_progress"]);
}

#[test]
fn a_batch_over_the_row_limit_fails() {
    let client = TestClient::new(Script::new().batch_row_limit(1));
    let error = validation_error(&client, &client.upload(&["a", "b"]));
    assert_eq!(error["code"], "too_many_tasks");
}
