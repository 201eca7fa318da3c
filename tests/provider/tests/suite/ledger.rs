//! What the ledger records as executed, billed and delivered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use synix_scripted_provider::{
    BodyDigest, Endpoint, Fault, FaultKind, Mode, Pace, PriceClass, Reply as Scripted, Rule, Script,
};

use crate::client::{TestClient, body};

#[test]
fn a_sync_call_is_billed_at_the_full_price_and_delivered() {
    let client = TestClient::new(Script::new().rule(Rule::any().text("one two three")));
    client.chat("a b").unwrap();
    let ledger = client.provider.ledger();
    let entry = &ledger.executed[0];
    assert_eq!(
        (&*entry.endpoint, &entry.custom_id, &*entry.model),
        ("chat", &None, "gpt-4o-mini")
    );
    assert_eq!(
        (entry.input_tokens, entry.output_tokens, entry.price),
        (2, 3, PriceClass::Sync)
    );
    assert_eq!(entry.body, BodyDigest::of(&body("a b")));
    assert!(entry.delivered);
}

#[test]
fn a_row_is_billed_at_the_batch_price_once_it_has_run() {
    let client = TestClient::new(Script::new());
    let batch = client.batch(&["a"]);
    assert!(client.provider.ledger().executed.is_empty());
    client.ended(&batch);
    let ledger = client.provider.ledger();
    assert_eq!(
        (&*ledger.executed[0].endpoint, ledger.executed[0].price),
        (batch.as_str(), PriceClass::Batch)
    );
    assert_eq!(ledger.executed[0].custom_id.as_deref(), Some("a"));
    assert_eq!(ledger.billed(PriceClass::Batch).0, 1);
}

#[test]
fn a_row_is_delivered_by_the_download_of_its_file() {
    let client = TestClient::new(Script::new());
    let ended = client.ended(&client.batch(&["a"]));
    assert_eq!(client.provider.ledger().lost().count(), 1);
    client.content(&ended["output_file_id"]);
    assert_eq!(client.provider.ledger().lost().count(), 0);
}

#[test]
fn a_truncated_download_delivers_nothing() {
    let cut = Fault::on(
        Endpoint::FilesContent,
        FaultKind::Truncate {
            drop: 1,
            hidden: true,
        },
    );
    let client = TestClient::new(Script::new().fault(cut));
    let ended = client.ended(&client.batch(&["a"]));
    client.content(&ended["output_file_id"]);
    assert_eq!(client.provider.ledger().lost().count(), 1);
}

#[test]
fn a_lost_reply_is_billed_and_lost() {
    let client = TestClient::new(Script::new().rule(Rule::any().reply(Scripted::LoseReply)));
    assert!(client.chat("a").is_none());
    let ledger = client.provider.ledger();
    assert_eq!((ledger.executed.len(), ledger.lost().count()), (1, 1));
}

#[test]
fn a_fault_that_loses_a_reply_leaves_it_billed() {
    let client =
        TestClient::new(Script::new().fault(Fault::on(Endpoint::Chat, FaultKind::LoseReply)));
    assert!(client.chat("a").is_none());
    assert_eq!(client.provider.ledger().lost().count(), 1);
}

#[test]
fn a_refused_request_costs_nothing() {
    let client = TestClient::new(Script::new().rule(Rule::any().reply(Scripted::Refuse)));
    assert!(client.chat("a").is_none());
    assert!(client.provider.ledger().executed.is_empty());
}

#[test]
fn an_error_costs_nothing() {
    let client = TestClient::new(Script::new().rule(Rule::any().status(500)));
    client.chat("a").unwrap();
    client.ended(&client.batch(&["a"]));
    assert!(client.provider.ledger().executed.is_empty());
}

#[test]
fn a_failed_batch_is_not_pending() {
    let fail = FaultKind::FailValidation {
        code: "x".into(),
        message: String::new(),
        param: None,
        line: None,
    };
    let client = TestClient::new(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fail)));
    client.batch(&["a"]);
    assert!(client.provider.ledger().pending.is_empty());
}

/// M1: a batch that is never polled is billed, too.
#[test]
fn a_body_in_two_live_batches_is_a_duplicate() {
    let client = TestClient::new(Script::new());
    let batches = [client.batch(&["a"]), client.batch(&["a", "b"])];
    let duplicates = client.provider.ledger().duplicates();
    assert_eq!(duplicates.len(), 1);
    assert_eq!(duplicates[0].places, batches.map(Into::into));
}

#[test]
fn a_cancelled_batch_is_not_pending() {
    let client = TestClient::new(Script::new());
    let batch = client.batch(&["a"]);
    client.openai(
        "POST",
        &format!("/v1/batches/{batch}/cancel"),
        &serde_json::Value::Null,
    );
    assert!(client.provider.ledger().pending.is_empty());
}

#[test]
fn a_missing_row_is_billed_and_lost() {
    let client = TestClient::new(Script::new().rule(Rule::on("gone").reply(Scripted::MissingRow)));
    let ended = client.ended(&client.batch(&["gone", "here"]));
    client.content(&ended["output_file_id"]);
    let ledger = client.provider.ledger();
    let lost: Vec<_> = ledger
        .lost()
        .map(|entry| entry.custom_id.as_deref())
        .collect();
    assert_eq!(lost, [Some("gone")]);
}

#[test]
fn the_ledger_summarizes_batches() {
    let client = TestClient::new(Script::new().batches(Pace::in_progress(5)));
    let batch = client.batch(&["a", "b"]);
    client.poll(&batch);
    let ledger = client.provider.ledger();
    let summary = &ledger.batches[0];
    assert_eq!(
        (
            &*summary.id,
            summary.status.as_str(),
            summary.rows,
            summary.polls
        ),
        (batch.as_str(), "in_progress", 2, 1)
    );
}

#[test]
fn calls_are_counted_per_endpoint() {
    let client =
        TestClient::new(Script::new().fault(Fault::on(Endpoint::Chat, FaultKind::Refuse).once()));
    client.chat("a");
    client.chat("a");
    let ledger = client.provider.ledger();
    assert_eq!(
        (
            ledger.calls(Endpoint::Chat),
            ledger.calls(Endpoint::Messages)
        ),
        (2, 0)
    );
    assert_eq!(ledger.max_concurrency, 1);
}

/// Sends a question on a connection of its own and returns it before the reply.
fn ask(client: &TestClient, text: &str) -> TcpStream {
    let text = body(text).to_string();
    let mut stream = TcpStream::connect(client.provider.address()).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer k\r\n\
         content-length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    while client.provider.ledger().executed.is_empty() {
        std::thread::yield_now();
    }
    stream
}

#[test]
fn a_client_that_leaves_before_the_reply_is_billed_and_lost() {
    let client = TestClient::new(Script::new().rule(Rule::on("slow").held().only(Mode::Sync)));
    drop(ask(&client, "slow"));
    assert_eq!(client.provider.ledger().lost().count(), 1);
}

#[test]
fn a_held_reply_is_sent_when_another_script_is_set() {
    let client = TestClient::new(Script::new().rule(Rule::on("slow").held()));
    let mut slow = ask(&client, "slow");
    client.chat("quick").unwrap();
    let delivered = || {
        let executed = client.provider.ledger().executed;
        let delivered: Vec<bool> = executed.iter().map(|entry| entry.delivered).collect();
        delivered
    };
    assert_eq!(delivered(), [false, true]);
    client.provider.script(Script::new());
    let mut reply = String::new();
    slow.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert_eq!(delivered(), [true, true]);
}
