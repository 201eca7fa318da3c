use serde_json::json;

use super::*;

fn executed(text: &str, place: &str) -> Executed {
    Executed {
        sequence: 0,
        endpoint: place.into(),
        custom_id: None,
        body: BodyDigest::of(&json!(text)),
        model: "m".into(),
        input_tokens: 3,
        output_tokens: 2,
        price: PriceClass::Sync,
        delivered: false,
    }
}

#[test]
fn a_body_in_a_live_batch_counts_as_a_duplicate() {
    let ledger = Ledger {
        executed: vec![executed("a", "chat"), executed("b", "chat")],
        pending: vec![Pending {
            batch: "batch_1".into(),
            custom_id: "x".into(),
            body: BodyDigest::of(&json!("a")),
        }],
        ..Ledger::default()
    };
    let duplicates = ledger.duplicates();
    assert_eq!(duplicates.len(), 1);
    assert_eq!(duplicates[0].places, ["chat".into(), "batch_1".into()]);
}

#[test]
fn only_the_executions_of_a_receipt_are_delivered() {
    let recorder = LedgerRecorder::new();
    recorder.record(executed("a", "chat"));
    let second = recorder.record(executed("b", "chat"));
    recorder.deliver(&Receipt::One(second));
    let delivered: Vec<bool> = recorder
        .executed()
        .iter()
        .map(|entry| entry.delivered)
        .collect();
    assert_eq!(delivered, [false, true]);
}

#[test]
fn the_maximum_number_of_open_completions_is_recorded() {
    let recorder = LedgerRecorder::new();
    let first = recorder.open();
    drop(recorder.open());
    drop(first);
    drop(recorder.open());
    assert_eq!(recorder.max_concurrency(), 2);
}
