//! Faults at endpoints, whatever the request.

use serde_json::{Value, json};
use synix_scripted_provider::{Endpoint, Fault, FaultKind, Script, StatusReply};

use crate::client::{TestClient, id};

fn client(fault: Fault) -> TestClient {
    TestClient::new(Script::new().fault(fault))
}

/// Findings M1.
#[test]
fn a_lost_create_leaves_a_batch_that_can_be_found() {
    let client = client(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once());
    let file = client.upload(&["a"]);
    assert!(client.create(&file).is_none());
    let found = &client.get("/v1/batches").json()["data"][0];
    assert_eq!(
        (&found["input_file_id"], &found["metadata"]["token"]),
        (&json!(file), &json!("t-1"))
    );
}

#[test]
fn a_refused_create_leaves_nothing() {
    let client = client(Fault::on(Endpoint::BatchesCreate, FaultKind::Refuse).once());
    let file = client.upload(&["a"]);
    assert!(client.create(&file).is_none());
    assert_eq!(client.get("/v1/batches").json()["data"], json!([]));
}

#[test]
fn an_error_status_may_come_after_the_effect() {
    let status = FaultKind::Status(StatusReply::new(502).body(json!("<html>")).executed());
    let client = client(Fault::on(Endpoint::BatchesCreate, status).once());
    assert_eq!(client.create(&client.upload(&["a"])).unwrap().status, 502);
    assert_eq!(
        client.get("/v1/batches").json()["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_error_status_usually_comes_instead_of_the_effect() {
    let status = FaultKind::Status(StatusReply::new(429).header("retry-after", "7"));
    let client = client(Fault::on(Endpoint::BatchesCreate, status).once());
    assert_eq!(
        client
            .create(&client.upload(&["a"]))
            .unwrap()
            .header("retry-after"),
        Some("7")
    );
    assert_eq!(client.get("/v1/batches").json()["data"], json!([]));
}

/// Findings L16.
#[test]
fn a_batch_can_return_404_once() {
    let client = client(Fault::on(Endpoint::BatchesRetrieve, FaultKind::NotFound).once());
    let path = format!("/v1/batches/{}", client.batch(&["a"]));
    assert_eq!(
        [client.get(&path).status, client.get(&path).status],
        [404, 200]
    );
}

/// Findings L16.
#[test]
fn a_message_batch_can_return_404_once() {
    let client = client(Fault::on(Endpoint::MessageBatchesRetrieve, FaultKind::NotFound).once());
    let path = format!("/v1/messages/batches/{}", client.message_batch(&["a"]));
    let mut statuses = (0..2).map(|_| client.anthropic("GET", &path, &Value::Null).status);
    assert_eq!((statuses.next(), statuses.next()), (Some(404), Some(200)));
}

/// Findings A5.
#[test]
fn a_download_can_break_off() {
    let client = client(
        Fault::on(
            Endpoint::FilesContent,
            FaultKind::Truncate {
                drop: 7,
                hidden: false,
            },
        )
        .once(),
    );
    let ended = client.ended(&client.batch(&["a", "b"]));
    let (cut, whole) = (
        client.content(&ended["output_file_id"]),
        client.content(&ended["output_file_id"]),
    );
    assert_eq!(cut.body.len() + 7, whole.body.len());
    assert_eq!(cut.header("content-length"), whole.header("content-length"));
}

/// Findings A5.
#[test]
fn a_truncated_download_can_look_complete() {
    let client = client(
        Fault::on(
            Endpoint::FilesContent,
            FaultKind::Truncate {
                drop: 7,
                hidden: true,
            },
        )
        .once(),
    );
    let ended = client.ended(&client.batch(&["a"]));
    let cut = client.content(&ended["output_file_id"]);
    assert_eq!(
        cut.header("content-length"),
        Some(cut.body.len().to_string().as_str())
    );
    let file = client
        .get(&format!(
            "/v1/files/{}",
            ended["output_file_id"].as_str().unwrap()
        ))
        .json();
    assert_eq!(file["bytes"], cut.body.len() + 7);
}

/// Findings M1.
#[test]
fn a_list_can_lag_behind() {
    let client =
        client(Fault::on(Endpoint::BatchesList, FaultKind::HideNewest { batches: 1 }).times(2));
    let (older, _) = (client.batch(&["a"]), client.batch(&["b"]));
    let first: Vec<Value> = (0..3)
        .map(|_| client.get("/v1/batches").json()["first_id"].clone())
        .collect();
    assert_eq!((&first[0], &first[1]), (&json!(older), &json!(older)));
    assert_ne!(first[2], json!(older));
}

#[test]
fn the_nth_call_can_fail_alone() {
    let client = client(Fault::on(Endpoint::Chat, FaultKind::Status(StatusReply::new(500))).nth(2));
    let statuses: Vec<u16> = (0..3).map(|_| client.chat("x").unwrap().status).collect();
    assert_eq!(statuses, [200, 500, 200]);
}

#[test]
fn an_upload_reply_can_be_lost() {
    let client = client(Fault::on(Endpoint::FilesUpload, FaultKind::LoseReply).once());
    let headers = "authorization: Bearer k\r\ncontent-type: multipart/form-data; boundary=b\r\n";
    let form = b"--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"t.jsonl\"\r\n\r\n{}\r\n--b--\r\n";
    assert!(client.raw("POST", "/v1/files", headers, form).is_none());
    assert_eq!(
        client.get("/v1/files?purpose=batch").json()["data"][0]["filename"],
        "t.jsonl"
    );
}

#[test]
fn a_delayed_reply_arrives() {
    let client = client(Fault::on(
        Endpoint::Chat,
        FaultKind::Delay {
            ms: 1,
            executed: true,
        },
    ));
    assert_eq!(client.chat("x").unwrap().status, 200);
}

#[test]
fn a_bad_key_is_refused_despite_a_fault() {
    let client = client(Fault::on(Endpoint::BatchesCreate, FaultKind::NoCounts));
    assert_eq!(
        client.raw("POST", "/v1/batches", "", b"{}").unwrap().status,
        401
    );
}

#[test]
fn one_create_call_can_have_two_faults() {
    let script = Script::new()
        .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once())
        .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::ExpireAfter { rows: 0 }).once());
    let client = TestClient::new(script);
    assert!(client.create(&client.upload(&["a"])).is_none());
    let batch = client.get("/v1/batches").json()["first_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.ended(&batch)["status"], "expired");
    let second = id(&client.create(&client.upload(&["a"])).unwrap());
    assert_eq!(client.ended(&second)["status"], "completed");
}
