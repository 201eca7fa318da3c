//! Several requests for embeddings in one call.

use serde_json::{Value, json};

use crate::Completion;
use crate::testing::{Server, embedding, expect_answer, expect_failure, provider, reply, status};
use synix_core::request::{FailureKind, Request};

const REFUSED: &str = r#"{"error":{"message":"too long","type":"invalid_request_error"}}"#;

fn requests(texts: &[&str]) -> Vec<Request> {
    texts.iter().map(|text| embedding(text, None)).collect()
}

/// A reply with a vector of one number for each text.
fn vectors(numbers: &[f32], tokens: u64) -> Vec<u8> {
    let data: Vec<Value> = numbers
        .iter()
        .map(|number| json!({"embedding": [number]}))
        .collect();
    reply(&json!({"data": data, "usage": {"prompt_tokens": tokens}}).to_string())
}

/// Sends texts to a server and returns the results and the inputs that it received.
async fn sent(replies: Vec<Vec<u8>>, texts: &[&str]) -> (Vec<Completion>, Vec<Value>) {
    let server = Server::start(replies);
    let results = provider(&server).embed(&requests(texts)).await;
    let input = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["input"].clone();
    let received = server.received();
    assert!(
        received
            .iter()
            .all(|one| one.head.starts_with("POST /v1/embeddings HTTP/1.1"))
    );
    let inputs = received.iter().map(|one| input(&one.body)).collect();
    (results, inputs)
}

#[tokio::test]
async fn texts_share_a_call_and_its_tokens() {
    let (results, inputs) = sent(vec![vectors(&[1.0, 2.0], 7)], &["ab", "abcd"]).await;
    assert_eq!(inputs, [json!(["ab", "abcd"])]);
    let answers: Vec<_> = results
        .into_iter()
        .map(|result| expect_answer(result.outcome))
        .collect();
    let tokens: Vec<u64> = answers.iter().map(|one| one.usage.input_tokens).collect();
    assert_eq!(tokens, [2, 5]);
    let first = |answer: &synix_core::request::Answer| answer.vector().unwrap().numbers()[0];
    assert_eq!((first(&answers[0]), first(&answers[1])), (1.0, 2.0));
}

/// A refused call costs nothing, and the text that is to blame fails alone.
#[tokio::test]
async fn a_refused_call_is_sent_again_in_halves() {
    let replies = vec![
        status(400, REFUSED),
        vectors(&[1.0], 1),
        status(400, REFUSED),
        status(400, REFUSED),
        vectors(&[3.0], 1),
    ];
    let (results, inputs) = sent(replies, &["a", "b", "c"]).await;
    assert_eq!(
        inputs,
        [
            json!(["a", "b", "c"]),
            json!("a"),
            json!(["b", "c"]),
            json!("b"),
            json!("c"),
        ]
    );
    let [first, second, third] = <[Completion; 3]>::try_from(results).unwrap();
    expect_answer(first.outcome);
    assert_eq!(expect_failure(second.outcome).kind, FailureKind::Invalid);
    expect_answer(third.outcome);
}

#[tokio::test]
async fn each_text_of_a_lost_reply_may_have_been_billed() {
    let replies = vec![
        Vec::new(),
        status(400, REFUSED),
        vectors(&[1.0], 1),
        vectors(&[2.0], 1),
    ];
    let (results, _) = sent(replies, &["a", "b"]).await;
    assert!(
        results.iter().all(|result| result.unclear == 1),
        "{results:?}"
    );
}

/// The tokens of a reply that cannot be used were counted once.
#[tokio::test]
async fn an_unusable_reply_fails_every_text_and_costs_once() {
    let (results, inputs) = sent(vec![vectors(&[1.0], 9)], &["a", "b"]).await;
    assert_eq!(inputs.len(), 1);
    let failures: Vec<_> = results
        .into_iter()
        .map(|result| expect_failure(result.outcome))
        .collect();
    assert!(
        failures
            .iter()
            .all(|one| one.kind == FailureKind::Unreadable)
    );
    let tokens: Vec<u64> = failures.iter().map(|one| one.usage.input_tokens).collect();
    assert_eq!(tokens, [9, 0]);
}
