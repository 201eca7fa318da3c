//! The rows and files of an ended batch as a client of OpenAI sees them.

use serde_json::{Value, json};
use synix_scripted_provider::{FaultKind, Pace, Rule, Script};

use crate::client::{TestClient, members};
use crate::openai_batch::created_with;

#[test]
fn a_success_row_holds_the_completion() {
    let client = TestClient::new(Script::new());
    let ended = client.ended(&client.batch(&["a", "b"]));
    assert_eq!(ended["error_file_id"], Value::Null);
    let rows = client.content(&ended["output_file_id"]).rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(members(&rows[0]), ["custom_id", "error", "id", "response"]);
    assert_eq!(
        members(&rows[0]["response"]),
        ["body", "request_id", "status_code"]
    );
    assert_eq!(rows[0]["error"], Value::Null);
    assert_eq!(
        rows[0]["response"]["body"],
        client.chat("a").unwrap().json()
    );
}

#[test]
fn usage_is_the_sum_of_the_rows() {
    let client = TestClient::new(Script::new());
    let ended = client.ended(&client.batch(&["a", "b c"]));
    assert_eq!(ended["usage"]["input_tokens"], 3);
    assert_eq!(
        ended["usage"]["output_tokens_details"]["reasoning_tokens"],
        0
    );
}

/// Findings A2.
#[test]
fn a_row_that_failed_has_a_null_error_and_the_reason_in_its_body() {
    let client = TestClient::new(Script::new().rule(Rule::on("bad").status(400)));
    let ended = client.ended(&client.batch(&["good", "bad"]));
    assert_eq!(ended["status"], "completed");
    assert_eq!(
        ended["request_counts"],
        json!({"total": 2, "completed": 1, "failed": 1})
    );
    let row = &client.content(&ended["error_file_id"]).rows()[0];
    assert_eq!(
        (&row["custom_id"], &row["error"]),
        (&json!("bad"), &Value::Null)
    );
    assert_eq!(row["response"]["status_code"], 400);
    assert_eq!(
        row["response"]["body"]["error"]["type"],
        "invalid_request_error"
    );
}

/// Findings A3.
#[test]
fn a_completed_batch_without_success_has_no_output_file() {
    let client = TestClient::new(Script::new().rule(Rule::any().status(500)));
    let ended = client.ended(&client.batch(&["a"]));
    assert_eq!(
        (&ended["status"], &ended["output_file_id"]),
        (&json!("completed"), &Value::Null)
    );
    assert!(ended["error_file_id"].is_string());
}

/// Findings A3.
#[test]
fn a_missing_error_file_can_be_an_empty_id() {
    let client = created_with(FaultKind::EmptyErrorFileId);
    assert_eq!(client.ended(&client.batch(&["a"]))["error_file_id"], "");
}

/// Findings A3.
#[test]
fn a_missing_error_file_can_be_an_empty_file() {
    let client = created_with(FaultKind::ZeroByteErrorFile);
    let ended = client.ended(&client.batch(&["a"]));
    assert_eq!(client.content(&ended["error_file_id"]).body, b"");
}

/// Findings A3.
#[test]
fn the_output_file_can_come_late() {
    let client = created_with(FaultKind::OutputLate { polls: 2 });
    let batch = client.batch(&["a"]);
    let late: Vec<bool> = [
        client.ended(&batch),
        client.poll(&batch),
        client.poll(&batch),
    ]
    .iter()
    .map(|poll| poll["status"] == "completed" && poll["output_file_id"].is_null())
    .collect();
    assert_eq!(late, [true, true, false]);
}

#[test]
fn counts_can_be_absent() {
    let client = created_with(FaultKind::NoCounts);
    assert!(
        client
            .poll(&client.batch(&["a"]))
            .get("request_counts")
            .is_none()
    );
}

/// Findings M6.
#[test]
fn an_expired_batch_delivers_finished_rows_and_names_the_others() {
    let client = created_with(FaultKind::ExpireAfter { rows: 1 });
    let ended = client.ended(&client.batch(&["a", "b"]));
    assert_eq!(ended["status"], "expired");
    assert!(ended["expired_at"].is_u64());
    assert_eq!(
        client.content(&ended["output_file_id"]).rows()[0]["custom_id"],
        "a"
    );
    let row = &client.content(&ended["error_file_id"]).rows()[0];
    assert_eq!(
        (&row["custom_id"], &row["response"]),
        (&json!("b"), &Value::Null)
    );
    assert_eq!(
        row["error"],
        json!({
            "code": "batch_expired",
            "message": "This request could not be executed before the completion window expired.",
        })
    );
}

#[test]
fn a_cancelled_batch_names_the_rows_that_never_ran() {
    let client = TestClient::new(Script::new().batches(Pace {
        cancelling: 1,
        ..Pace::in_progress(2)
    }));
    let batch = client.batch(&["a", "b"]);
    client.poll(&batch);
    client.poll(&batch);
    let cancel = client.openai("POST", &format!("/v1/batches/{batch}/cancel"), &Value::Null);
    assert_eq!(cancel.json()["status"], "cancelling");
    assert_eq!(client.poll(&batch)["status"], "cancelling");
    let ended = client.poll(&batch);
    assert_eq!(ended["status"], "cancelled");
    assert_eq!(
        client.content(&ended["output_file_id"]).rows()[0]["custom_id"],
        "a"
    );
    let row = &client.content(&ended["error_file_id"]).rows()[0];
    assert_eq!(
        row["error"]["message"],
        "This request was not executed because the batch was cancelled."
    );
}

#[test]
fn a_batch_can_be_cancelled_by_the_provider() {
    let client = created_with(FaultKind::CancelAfter { rows: 0 });
    assert_eq!(client.ended(&client.batch(&["a"]))["status"], "cancelled");
}
