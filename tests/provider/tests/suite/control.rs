//! The control calls, and the command.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use synix_scripted_provider::{Ledger, Script};

use crate::client::TestClient;

fn control(client: &TestClient, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let reply = client
        .raw(method, path, "", body.to_string().as_bytes())
        .unwrap();
    (reply.status, reply.json())
}

#[test]
fn a_script_can_be_posted() {
    let client = TestClient::new(Script::new());
    let script = json!({"rules": [{"contains": "alice", "reply": {"text": "hi"}}]});
    assert_eq!(
        control(&client, "POST", "/__script", &script),
        (200, json!({"ok": true}))
    );
    let reply = client.chat("about alice").unwrap();
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "hi");
}

#[test]
fn a_script_with_an_unknown_member_is_refused() {
    let client = TestClient::new(Script::new());
    let (status, reply) = control(&client, "POST", "/__script", &json!({"rulez": []}));
    assert_eq!(status, 400);
    assert!(
        reply["error"]
            .as_str()
            .unwrap()
            .contains("unknown field `rulez`"),
        "{reply}"
    );
}

#[test]
fn a_script_with_a_misplaced_fault_is_refused() {
    let client = TestClient::new(Script::new());
    let script =
        json!({"faults": [{"endpoint": "chat", "fault": {"hide_newest": {"batches": 1}}}]});
    assert_eq!(
        control(&client, "POST", "/__script", &script).1,
        json!({"error": "chat cannot show the fault `hide_newest`"})
    );
}

#[test]
fn the_ledger_over_http_is_the_ledger() {
    let client = TestClient::new(Script::new());
    client.chat("a").unwrap();
    client.chat("a").unwrap();
    let (_, reply) = control(&client, "GET", "/__ledger", &Value::Null);
    assert_eq!(reply["duplicates"][0]["places"], json!(["chat", "chat"]));
    assert_eq!(
        serde_json::from_value::<Ledger>(reply).unwrap(),
        client.provider.ledger()
    );
}

#[test]
fn the_calls_can_be_read_without_the_ledger() {
    let client = TestClient::new(Script::new());
    client.chat("a").unwrap();
    assert_eq!(
        control(&client, "GET", "/__calls", &Value::Null).1["calls"]["chat"],
        1
    );
}

#[test]
fn batches_can_be_finished() {
    let client =
        TestClient::new(Script::new().batches(synix_scripted_provider::Pace::in_progress(99)));
    let batch = client.batch(&["a"]);
    control(&client, "POST", "/__finish", &Value::Null);
    assert_eq!(client.poll(&batch)["status"], "completed");
}

#[test]
fn a_reset_forgets_everything() {
    let client = TestClient::new(Script::new().key("k"));
    client.batch(&["a"]);
    client.chat("a").unwrap();
    control(&client, "POST", "/__reset", &Value::Null);
    let ledger = client.provider.ledger();
    assert!(ledger.executed.is_empty() && ledger.batches.is_empty());
    assert_eq!(client.get("/v1/files").json()["data"], json!([]));
    assert_eq!(
        control(&client, "GET", "/__script", &Value::Null).1,
        serde_json::to_value(Script::new()).unwrap()
    );
}

#[test]
fn every_example_in_the_readme_is_a_script() {
    let readme = include_str!("../../README.md");
    let examples: Vec<&str> = readme
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        let script: Script =
            serde_json::from_str(example).unwrap_or_else(|broken| panic!("{broken} in\n{example}"));
        script.check().unwrap();
    }
}

#[test]
fn the_command_prints_its_urls_on_one_line() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scripted-provider"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (openai, anthropic) = line
        .trim()
        .strip_prefix("openai=")
        .and_then(|rest| rest.split_once(" anthropic="))
        .unwrap();
    assert_eq!(openai, format!("{anthropic}/v1"));
}

#[test]
fn a_stopped_server_cannot_be_reached() {
    let client = TestClient::new(Script::new());
    let address = client.provider.address();
    drop(client);
    assert!(std::net::TcpStream::connect(address).is_err());
}
