//! Single calls and their retries.

use std::error::Error;

use serde_json::Value;

use crate::testing::{
    KEY, Server, expect_answer, expect_failure, provider, provider_of, provider_on, reply, request,
    status, with_headers,
};
use crate::{BatchInput, Completion, FileId, body};
use synix_core::request::{BatchApi, FailureKind, Wire};

pub(super) const HELLO: &str =
    r#"{"model":"m","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;

pub(super) async fn completed(replies: Vec<Vec<u8>>) -> Completion {
    let server = Server::start(replies);
    provider(&server)
        .complete(&request(Wire::OpenAi, "Hi"))
        .await
}

#[tokio::test]
async fn a_request_has_the_key_and_the_body() {
    let server = Server::start(vec![reply(HELLO)]);
    let request = request(Wire::OpenAi, "Hi");
    let completion = provider(&server).complete(&request).await;
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
    let received = server.received().remove(0);
    assert!(
        received
            .head
            .starts_with("POST /v1/chat/completions HTTP/1.1")
    );
    assert!(
        received
            .head
            .contains(&format!("authorization: Bearer {KEY}"))
    );
    // A9
    assert_eq!(
        serde_json::from_slice::<Value>(&received.body).unwrap(),
        body(&request)
    );
}

#[tokio::test]
async fn anthropic_gets_its_own_headers_and_path() {
    let message = r#"{"content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn"}"#;
    let server = Server::start(vec![reply(message)]);
    let provider = provider_on(&server, Wire::Anthropic);
    let completion = provider.complete(&request(Wire::Anthropic, "Hi")).await;
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
    let head = server.received().remove(0).head;
    assert!(head.starts_with("POST /v1/messages HTTP/1.1"));
    assert!(head.contains(&format!("x-api-key: {KEY}")));
    assert!(head.contains("anthropic-version: 2023-06-01"));
}

#[tokio::test]
async fn azure_gets_its_key_in_a_header_of_its_own() {
    let server = Server::start(vec![reply(HELLO)]);
    let provider = provider_of(&server, BatchApi::Azure);
    provider.complete(&request(Wire::OpenAi, "Hi")).await;
    let head = server.received().remove(0).head;
    assert!(head.contains(&format!("api-key: {KEY}")), "{head}");
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn transient_errors_are_retried() {
    let replies = vec![
        status(529, "<html>"),
        with_headers(429, "retry-after: 1\r\n", ""),
        reply(HELLO),
    ];
    let completion = completed(replies).await;
    assert_eq!((completion.sends, completion.unclear), (3, 0));
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
}

#[tokio::test]
async fn retries_are_limited() {
    let completion = completed((0..3).map(|_| status(503, "")).collect()).await;
    assert_eq!(completion.sends, 3);
    let failure = expect_failure(completion.outcome);
    assert_eq!(
        (failure.kind, failure.transient),
        (FailureKind::Provider, true)
    );
}

/// X8: without a connection nothing was sent.
#[tokio::test]
async fn an_unreachable_provider_is_distinguished_from_one_that_fails() {
    let unreachable = completed(Vec::new()).await;
    assert_eq!(
        (
            unreachable.sends,
            unreachable.unclear,
            unreachable.unreachable
        ),
        (3, 0, true)
    );
    let failing = completed((0..3).map(|_| status(503, "")).collect()).await;
    assert!(!failing.unreachable);
    // It fails once and is unreachable after that.
    let going = completed(vec![status(503, "")]).await;
    assert_eq!((going.sends, going.unreachable), (3, true));
}

/// L18
#[tokio::test]
async fn an_account_without_credit_is_not_retried() {
    let body =
        r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let completion = completed(vec![status(429, body)]).await;
    assert_eq!(completion.sends, 1);
    assert_eq!(expect_failure(completion.outcome).kind, FailureKind::Quota);
}

#[tokio::test]
async fn a_request_is_not_retried_after_a_wait_of_minutes() {
    let completion = completed(vec![with_headers(429, "retry-after: 121\r\n", "")]).await;
    assert_eq!(completion.sends, 1);
    assert!(expect_failure(completion.outcome).transient);
}

#[tokio::test]
async fn a_lost_reply_is_counted_as_unclear() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec();
    let completion = completed(vec![Vec::new(), half, reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (3, 2));
}

/// A server may fail after it has done the work.
#[tokio::test]
async fn a_server_error_is_unclear() {
    let replies = vec![status(500, ""), status(503, ""), reply(HELLO)];
    let completion = completed(replies).await;
    assert_eq!((completion.sends, completion.unclear), (3, 2));
}

/// X6: without a call, no CA certificates are needed.
#[tokio::test]
async fn the_http_client_is_created_on_first_use() {
    let server = Server::start(vec![reply(HELLO)]);
    let provider = provider(&server);
    assert!(!provider.transport.has_client());
    provider.complete(&request(Wire::OpenAi, "Hi")).await;
    assert!(provider.transport.has_client());
}

#[tokio::test]
async fn an_unreachable_server_costs_nothing() {
    let completion = completed(Vec::new()).await;
    assert_eq!((completion.sends, completion.unclear), (3, 0));
    let failure = expect_failure(completion.outcome);
    assert!(
        failure
            .message
            .starts_with("cannot reach provider openai at http://127.0.0.1:")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = with_headers(301, "location: http://example.com/v1\r\n", "");
    let failure = expect_failure(completed(vec![moved]).await.outcome);
    assert!(
        failure.message.contains("http://example.com/v1"),
        "{}",
        failure.message
    );
    assert!(!failure.transient);
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_masked() {
    let body = format!(r#"{{"error":{{"message":"bad key {KEY}","code":"invalid_api_key"}}}}"#);
    let failure = expect_failure(completed(vec![status(401, &body)]).await.outcome);
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Auth, "bad key *** (HTTP 401, invalid_api_key)")
    );
}

#[tokio::test]
async fn neither_debug_output_nor_errors_contain_the_key() {
    let server = Server::start(vec![Vec::new(), reply(KEY)]);
    let provider = provider(&server);
    let mut shown = format!("{provider:?}");
    for _ in 0..3 {
        let error = provider
            .create_batch(
                BatchInput::Uploaded {
                    kind: synix_core::request::RequestKind::Completion,
                    file: &FileId("f".to_owned()),
                    model: "m",
                },
                "t",
            )
            .await
            .unwrap_err();
        shown.push_str(&format!("{error:?}"));
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            shown.push_str(&error.to_string());
            cause = error.source();
        }
    }
    assert!(!shown.contains(KEY), "{shown}");
}
