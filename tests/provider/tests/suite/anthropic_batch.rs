//! Message batches as a client of Anthropic sees them.

use serde_json::{Value, json};
use synix_scripted_provider::{Endpoint, Fault, FaultKind, Pace, Rule, Script};

use crate::client::{Reply, TestClient, members};

fn create_error(requests: &Value) -> String {
    let reply = TestClient::new(Script::new()).anthropic(
        "POST",
        "/v1/messages/batches",
        &json!({ "requests": requests }),
    );
    assert_eq!(reply.error(), (400, "invalid_request_error".into()));
    reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn get(client: &TestClient, batch: &str) -> Reply {
    client.anthropic(
        "GET",
        &format!("/v1/messages/batches/{batch}"),
        &Value::Null,
    )
}

#[test]
fn a_live_batch_has_the_members_of_the_real_one() {
    let client = TestClient::new(Script::new().batches(Pace {
        retry_after: 10,
        ..Pace::default()
    }));
    let reply = get(&client, &client.message_batch(&["a"]));
    let batch = reply.json();
    let expected = [
        "archived_at",
        "cancel_initiated_at",
        "created_at",
        "ended_at",
        "expires_at",
        "id",
        "processing_status",
        "request_counts",
        "results_url",
        "type",
    ];
    assert_eq!(members(&batch), expected);
    assert_eq!(
        (&batch["processing_status"], &batch["results_url"]),
        (&json!("in_progress"), &Value::Null)
    );
    assert_eq!(
        batch["request_counts"],
        json!({"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0})
    );
    assert_eq!(reply.header("retry-after"), Some("10"));
}

#[test]
fn an_ended_batch_names_its_results() {
    let client = TestClient::new(Script::new().batches(Pace {
        retry_after: 10,
        ..Pace::default()
    }));
    let batch = client.message_batch(&["a"]);
    get(&client, &batch);
    let reply = get(&client, &batch);
    let url = format!(
        "{}/v1/messages/batches/{batch}/results",
        client.provider.anthropic_url()
    );
    assert_eq!(
        (
            &reply.json()["processing_status"],
            &reply.json()["results_url"]
        ),
        (&json!("ended"), &json!(url))
    );
    assert_eq!(reply.header("retry-after"), None);
}

#[test]
fn results_before_the_end_are_a_404() {
    let client = TestClient::new(Script::new());
    let batch = client.message_batch(&["a"]);
    let reply = client.anthropic(
        "GET",
        &format!("/v1/messages/batches/{batch}/results"),
        &Value::Null,
    );
    assert_eq!(reply.error(), (404, "not_found_error".into()));
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with("has no available results.")
    );
}

#[test]
fn a_success_row_holds_the_message_at_the_batch_tier() {
    let client = TestClient::new(Script::new());
    let rows = client.message_rows(&client.message_batch(&["a"]));
    assert_eq!(members(&rows[0]), ["custom_id", "result"]);
    assert_eq!(rows[0]["result"]["type"], "succeeded");
    assert_eq!(
        rows[0]["result"]["message"]["usage"]["service_tier"],
        "batch"
    );
}

#[test]
fn the_error_type_of_a_failed_row_is_nested() {
    let client = TestClient::new(Script::new().rule(Rule::any().status(529)));
    let result = client.message_rows(&client.message_batch(&["a"]))[0]["result"].clone();
    assert_eq!(
        (&result["type"], &result["error"]["type"]),
        (&json!("errored"), &json!("error"))
    );
    assert_eq!(result["error"]["error"]["type"], "overloaded_error");
    assert_eq!(members(&result["error"]), ["error", "request_id", "type"]);
}

#[test]
fn invalid_params_fail_only_when_their_row_runs() {
    let client = TestClient::new(Script::new());
    let requests = json!([{"custom_id": "a", "params": {"model": "m", "max_tokens": 5}}]);
    let created = client.anthropic(
        "POST",
        "/v1/messages/batches",
        &json!({ "requests": requests }),
    );
    assert_eq!(created.status, 200);
    let rows = client.message_rows(&crate::client::id(&created));
    assert_eq!(
        rows[0]["result"]["error"]["error"]["message"],
        "messages: Field required"
    );
}

#[test]
fn create_refuses_what_the_real_api_refuses() {
    let params = json!({});
    assert_eq!(
        create_error(&json!([])),
        "requests: List should have at least 1 item after validation, not 0"
    );
    assert_eq!(
        create_error(&json!([{ "params": params }])),
        "requests.0.custom_id: Field required"
    );
    let long = "x".repeat(65);
    assert_eq!(
        create_error(&json!([{"custom_id": long, "params": params}])),
        "requests.0.custom_id: String should have at most 64 characters"
    );
    assert_eq!(
        create_error(&json!([{"custom_id": "a b", "params": params}])),
        "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"
    );
    assert_eq!(
        create_error(
            &json!([{"custom_id": "dup", "params": params}, {"custom_id": "dup", "params": params}])
        ),
        "requests: custom_id's must be unique within a batch. Duplicate custom_id found: dup"
    );
}

#[test]
fn canceling_is_spelt_the_american_way() {
    let client = TestClient::new(Script::new());
    let batch = client.message_batch(&["a"]);
    let cancel = client
        .anthropic(
            "POST",
            &format!("/v1/messages/batches/{batch}/cancel"),
            &Value::Null,
        )
        .json();
    assert_eq!(cancel["processing_status"], "canceling");
    assert!(cancel["cancel_initiated_at"].is_string());
    assert_eq!(
        client.message_rows(&batch)[0],
        json!({"custom_id": "a", "result": {"type": "canceled"}})
    );
}

#[test]
fn an_expired_batch_ends_with_expired_rows() {
    let expire = Fault::on(
        Endpoint::MessageBatchesCreate,
        FaultKind::ExpireAfter { rows: 1 },
    );
    let client = TestClient::new(Script::new().fault(expire));
    let rows = client.message_rows(&client.message_batch(&["a", "b"]));
    assert_eq!(
        rows[1],
        json!({"custom_id": "b", "result": {"type": "expired"}})
    );
}

#[test]
fn only_an_ended_batch_can_be_deleted() {
    let client = TestClient::new(Script::new());
    let batch = client.message_batch(&["a"]);
    let path = format!("/v1/messages/batches/{batch}");
    assert_eq!(client.anthropic("DELETE", &path, &Value::Null).status, 400);
    client.message_rows(&batch);
    let deleted = client.anthropic("DELETE", &path, &Value::Null).json();
    assert_eq!(
        deleted,
        json!({"id": batch, "type": "message_batch_deleted"})
    );
    assert_eq!(get(&client, &batch).status, 404);
}

#[test]
fn a_list_goes_both_ways() {
    let client = TestClient::new(Script::new());
    let (one, two, three) = (
        client.message_batch(&["a"]),
        client.message_batch(&["b"]),
        client.message_batch(&["c"]),
    );
    let list = |query: &str| {
        client
            .anthropic(
                "GET",
                &format!("/v1/messages/batches?{query}"),
                &Value::Null,
            )
            .json()
    };
    assert_eq!(
        members(&list("")),
        ["data", "first_id", "has_more", "last_id"]
    );
    assert_eq!(
        list(&format!("after_id={two}"))["data"][0]["id"],
        json!(one)
    );
    let before = list(&format!("before_id={one}&limit=1"));
    assert_eq!(
        (&before["data"][0]["id"], &before["has_more"]),
        (&json!(two), &json!(true))
    );
    assert_eq!(list("limit=1")["first_id"], json!(three));
}
