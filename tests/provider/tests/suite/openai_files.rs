//! Files as a client of OpenAI sees them.

use serde_json::{Value, json};
use synix_scripted_provider::Script;

use crate::client::{TestClient, members};

#[test]
fn a_file_has_the_members_of_the_real_api() {
    let client = TestClient::new(Script::new());
    let file = client.upload_as("in.jsonl", "{}\n").json();
    let expected = [
        "bytes",
        "created_at",
        "expires_at",
        "filename",
        "id",
        "object",
        "purpose",
        "status",
        "status_details",
    ];
    assert_eq!(members(&file), expected);
    assert_eq!(
        (&file["bytes"], &file["status"]),
        (&json!(3), &json!("processed"))
    );
    assert_eq!(
        client
            .get(&format!("/v1/files/{}", file["id"].as_str().unwrap()))
            .json(),
        file
    );
}

#[test]
fn a_file_that_is_not_jsonl_is_refused() {
    let reply = TestClient::new(Script::new()).upload_as("in.txt", "{}");
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json()["error"]["message"],
        "Invalid file format for Batch API. Must be .jsonl"
    );
}

#[test]
fn files_are_listed_by_purpose_in_either_order() {
    let client = TestClient::new(Script::new());
    let (one, two) = (client.upload(&["a"]), client.upload(&["b"]));
    let list = client
        .get("/v1/files?purpose=batch&order=asc&limit=1")
        .json();
    assert_eq!(
        (&list["data"][0]["id"], &list["has_more"]),
        (&json!(one), &json!(true))
    );
    let rest = client
        .get(&format!("/v1/files?purpose=batch&order=asc&after={one}"))
        .json();
    assert_eq!(
        (&rest["first_id"], &rest["has_more"]),
        (&json!(two), &json!(false))
    );
    assert_eq!(
        client.get("/v1/files?purpose=batch_output").json()["data"],
        json!([])
    );
}

#[test]
fn a_deleted_file_is_gone() {
    let client = TestClient::new(Script::new());
    let file = client.upload(&["a"]);
    let path = format!("/v1/files/{file}");
    assert_eq!(
        client.openai("DELETE", &path, &Value::Null).json()["deleted"],
        true
    );
    let reply = client.get(&format!("{path}/content"));
    assert_eq!(
        (reply.status, &reply.json()["error"]["message"]),
        (404, &json!(format!("No such File object: {file}")))
    );
}
