//! What the ledger says was executed, billed and delivered.

use std::io::Write as _;
use std::net::TcpStream;

use synix_scripted_provider::{
    BodyDigest, Endpoint, Fault, FaultKind, Mode, Pace, PriceClass, Reply as Scripted, Rule, Script,
};

use crate::bench::{Bench, body};

#[test]
fn a_single_call_is_billed_at_the_full_price_and_delivered() {
    let bench = Bench::new(Script::new().rule(Rule::any().text("one two three")));
    bench.chat("a b").unwrap();
    let ledger = bench.provider.ledger();
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
    let bench = Bench::new(Script::new());
    let batch = bench.batch(&["a"]);
    assert!(bench.provider.ledger().executed.is_empty());
    bench.ended(&batch);
    let ledger = bench.provider.ledger();
    assert_eq!(
        (&*ledger.executed[0].endpoint, ledger.executed[0].price),
        (batch.as_str(), PriceClass::Batch)
    );
    assert_eq!(ledger.executed[0].custom_id.as_deref(), Some("a"));
    assert_eq!(ledger.billed(PriceClass::Batch).0, 1);
}

#[test]
fn a_row_is_delivered_by_the_download_of_its_file() {
    let bench = Bench::new(Script::new());
    let ended = bench.ended(&bench.batch(&["a"]));
    assert_eq!(bench.provider.ledger().lost().count(), 1);
    bench.content(&ended["output_file_id"]);
    assert_eq!(bench.provider.ledger().lost().count(), 0);
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
    let bench = Bench::new(Script::new().fault(cut));
    let ended = bench.ended(&bench.batch(&["a"]));
    bench.content(&ended["output_file_id"]);
    assert_eq!(bench.provider.ledger().lost().count(), 1);
}

#[test]
fn a_lost_reply_is_billed_and_lost() {
    let bench = Bench::new(Script::new().rule(Rule::any().reply(Scripted::LoseReply)));
    assert!(bench.chat("a").is_none());
    let ledger = bench.provider.ledger();
    assert_eq!((ledger.executed.len(), ledger.lost().count()), (1, 1));
}

#[test]
fn a_fault_that_loses_a_reply_leaves_it_billed() {
    let bench = Bench::new(Script::new().fault(Fault::on(Endpoint::Chat, FaultKind::LoseReply)));
    assert!(bench.chat("a").is_none());
    assert_eq!(bench.provider.ledger().lost().count(), 1);
}

#[test]
fn a_refused_request_costs_nothing() {
    let bench = Bench::new(Script::new().rule(Rule::any().reply(Scripted::Refuse)));
    assert!(bench.chat("a").is_none());
    assert!(bench.provider.ledger().executed.is_empty());
}

#[test]
fn an_error_costs_nothing() {
    let bench = Bench::new(Script::new().rule(Rule::any().status(500)));
    bench.chat("a").unwrap();
    bench.ended(&bench.batch(&["a"]));
    assert!(bench.provider.ledger().executed.is_empty());
}

#[test]
fn a_failed_batch_is_not_pending() {
    let fail = FaultKind::FailValidation {
        code: "x".into(),
        message: String::new(),
        param: None,
        line: None,
    };
    let bench = Bench::new(Script::new().fault(Fault::on(Endpoint::BatchesCreate, fail)));
    bench.batch(&["a"]);
    assert!(bench.provider.ledger().pending.is_empty());
}

/// Findings M1: a batch that nobody polls is paid for all the same.
#[test]
fn a_body_in_two_live_batches_is_a_duplicate() {
    let bench = Bench::new(Script::new());
    let batches = [bench.batch(&["a"]), bench.batch(&["a", "b"])];
    let duplicates = bench.provider.ledger().duplicates();
    assert_eq!(duplicates.len(), 1);
    assert_eq!(duplicates[0].places, batches.map(Into::into));
}

#[test]
fn a_cancelled_batch_is_not_pending() {
    let bench = Bench::new(Script::new());
    let batch = bench.batch(&["a"]);
    bench.openai(
        "POST",
        &format!("/v1/batches/{batch}/cancel"),
        &serde_json::Value::Null,
    );
    assert!(bench.provider.ledger().pending.is_empty());
}

#[test]
fn a_missing_row_is_billed_and_lost() {
    let bench = Bench::new(Script::new().rule(Rule::on("gone").reply(Scripted::MissingRow)));
    let ended = bench.ended(&bench.batch(&["gone", "here"]));
    bench.content(&ended["output_file_id"]);
    let ledger = bench.provider.ledger();
    let lost: Vec<_> = ledger
        .lost()
        .map(|entry| entry.custom_id.as_deref())
        .collect();
    assert_eq!(lost, [Some("gone")]);
}

#[test]
fn batches_are_summed_up() {
    let bench = Bench::new(Script::new().batches(Pace::in_progress(5)));
    let batch = bench.batch(&["a", "b"]);
    bench.poll(&batch);
    let ledger = bench.provider.ledger();
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
    let bench =
        Bench::new(Script::new().fault(Fault::on(Endpoint::Chat, FaultKind::Refuse).once()));
    bench.chat("a");
    bench.chat("a");
    let ledger = bench.provider.ledger();
    assert_eq!(
        (
            ledger.calls(Endpoint::Chat),
            ledger.calls(Endpoint::Messages)
        ),
        (2, 0)
    );
    assert_eq!(ledger.max_concurrency, 1);
}

#[test]
fn a_client_that_leaves_before_the_reply_is_billed_and_lost() {
    let bench = Bench::new(Script::new().rule(Rule::on("slow").delay_ms(600_000).only(Mode::Sync)));
    let text = body("slow").to_string();
    let mut client = TcpStream::connect(bench.provider.address()).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(text.as_bytes()).unwrap();
    while bench.provider.ledger().executed.is_empty() {
        std::thread::yield_now();
    }
    drop(client);
    assert_eq!(bench.provider.ledger().lost().count(), 1);
}
