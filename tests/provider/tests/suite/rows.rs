//! Rules that damage single rows of a batch. Findings A4.

use serde_json::{Value, json};
use synix_scripted_provider::{Reply as Scripted, Rule, Script};

use crate::client::{Reply, TestClient};

/// Runs `good` and `odd` in one batch, and returns the batch and its output.
fn output(reply: Scripted) -> (Value, Reply) {
    let client = TestClient::new(Script::new().rule(Rule::on("odd").reply(reply)));
    let ended = client.ended(&client.batch(&["odd", "good"]));
    let output = client.content(&ended["output_file_id"]);
    (ended, output)
}

fn ids(reply: Scripted) -> Vec<String> {
    output(reply)
        .1
        .rows()
        .iter()
        .map(|row| row["custom_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_missing_row_is_counted_but_absent() {
    let (ended, output) = output(Scripted::MissingRow);
    assert_eq!(ended["request_counts"]["completed"], 2);
    assert_eq!(output.rows().len(), 1);
}

#[test]
fn a_lost_reply_is_an_absent_row() {
    assert_eq!(ids(Scripted::LoseReply), ["good"]);
}

#[test]
fn a_refused_request_is_an_absent_row() {
    assert_eq!(ids(Scripted::Refuse), ["good"]);
}

#[test]
fn a_duplicate_row_comes_twice() {
    assert_eq!(ids(Scripted::DuplicateRow), ["odd", "odd", "good"]);
}

#[test]
fn an_unknown_row_has_an_id_that_was_not_sent() {
    let ids = ids(Scripted::UnknownRow);
    assert!(ids.len() == 3 && ids[1].starts_with("unknown-"), "{ids:?}");
}

#[test]
fn a_garbled_row_does_not_damage_other_rows() {
    let text = output(Scripted::Garbled).1.text();
    let whole: Vec<bool> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).is_ok())
        .collect();
    assert_eq!(whole, [false, true]);
}

#[test]
fn a_truncated_row_does_not_damage_other_rows() {
    let text = output(Scripted::Truncate { drop: 9 }).1.text();
    let whole: Vec<bool> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).is_ok())
        .collect();
    assert_eq!(whole, [false, true]);
}

#[test]
fn a_row_with_status_zero_counts_as_completed() {
    let (ended, output) = output(Scripted::StatusZero);
    assert_eq!(
        ended["request_counts"],
        json!({"total": 2, "completed": 2, "failed": 0})
    );
    assert_eq!(output.rows()[0]["response"]["status_code"], 0);
}

#[test]
fn an_empty_body_has_status_200() {
    let response = output(Scripted::EmptyBody).1.rows()[0]["response"].clone();
    assert_eq!(
        (&response["status_code"], &response["body"]),
        (&json!(200), &json!({}))
    );
}

#[test]
fn a_proxy_error_in_a_row_is_text() {
    let client = TestClient::new(Script::new().rule(Rule::any().reply(Scripted::Html502)));
    let ended = client.ended(&client.batch(&["a"]));
    let response = &client.content(&ended["error_file_id"]).rows()[0]["response"];
    assert!(response["status_code"] == 502 && response["body"].is_string());
}

#[test]
fn a_message_row_can_be_damaged_too() {
    let script = Script::new()
        .rule(Rule::on("twice").reply(Scripted::DuplicateRow))
        .rule(Rule::on("gone").reply(Scripted::MissingRow));
    let client = TestClient::new(script);
    let rows = client.message_rows(&client.message_batch(&["twice", "gone"]));
    let ids: Vec<&Value> = rows.iter().map(|row| &row["custom_id"]).collect();
    assert_eq!(ids, [&json!("twice"), &json!("twice")]);
}
