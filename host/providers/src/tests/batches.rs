//! Batches: creation, polling, cancellation, lists and limits.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::BATCH;
use crate::testing::{
    Server, provider, provider_of, provider_on, reply, request, status, with_headers,
};
use crate::{
    BatchInput, BatchState, CreateError, Endpoint, FileId, HttpSettings, Phase, Provider,
    ProviderError, Secret,
};
use synix_core::request::{BatchApi, Wire};

async fn create(replies: Vec<Vec<u8>>) -> (Result<BatchState, CreateError>, Server) {
    let server = Server::start(replies);
    let input = FileId("file-1".to_owned());
    (
        provider(&server)
            .create_batch(
                BatchInput::Uploaded {
                    kind: synix_core::request::RequestKind::Completion,
                    file: &input,
                    model: "m",
                },
                "token-1",
            )
            .await,
        server,
    )
}

#[tokio::test]
async fn a_batch_is_created_with_its_token() {
    let (state, server) = create(vec![reply(BATCH)]).await;
    assert_eq!(state.unwrap().phase, Phase::Waiting);
    let sent: Value = serde_json::from_slice(&server.received()[0].body).unwrap();
    let expected = serde_json::json!({
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"synix_token": "token-1"},
    });
    assert_eq!(sent, expected);
}

/// M1: there is no second send, whatever the result of the first one.
#[tokio::test]
async fn creating_is_never_repeated() {
    for first in [
        Vec::new(),
        status(500, ""),
        status(429, ""),
        reply("{"),
        reply("{}"),
    ] {
        let (state, server) = create(vec![first, reply(BATCH)]).await;
        assert!(state.is_err());
        assert_eq!(server.received().len(), 1);
    }
}

/// M1
#[tokio::test]
async fn a_lost_create_is_unclear() {
    for lost in [Vec::new(), status(504, ""), reply("{"), reply("{}")] {
        assert!(matches!(
            create(vec![lost]).await.0,
            Err(CreateError::Unclear(_))
        ));
    }
}

#[tokio::test]
async fn a_create_call_without_a_connection_is_not_sent() {
    assert!(matches!(
        create(Vec::new()).await.0,
        Err(CreateError::NotSent(_))
    ));
}

#[tokio::test]
async fn a_refused_create_call_is_certain() {
    let (state, _) = create(vec![status(400, r#"{"error":{"message":"no"}}"#)]).await;
    assert!(matches!(state, Err(CreateError::Refused(_))));
}

/// L4, L16: a lost reply, and a new batch that the provider does not show yet.
#[tokio::test]
async fn polling_continues_after_a_transient_error() {
    let polled = with_headers(200, "retry-after: 10\r\n", BATCH);
    let server = Server::start(vec![Vec::new(), status(404, "{}"), polled]);
    let state = provider(&server).poll_batch("batch/../1").await.unwrap();
    assert_eq!(state.poll_after, Some(Duration::from_secs(10)));
    // An id cannot change the path.
    assert!(
        server.received()[0]
            .head
            .starts_with("GET /v1/batches/batch%2F..%2F1 HTTP/1.1")
    );
}

#[tokio::test]
async fn a_batch_is_cancelled() {
    let server = Server::start(vec![reply(r#"{"id":"batch_1","status":"cancelling"}"#)]);
    let state = provider(&server).cancel_batch("batch_1").await.unwrap();
    assert_eq!(state.phase, Phase::Cancelling);
    assert!(
        server.received()[0]
            .head
            .starts_with("POST /v1/batches/batch_1/cancel HTTP/1.1")
    );
}

#[tokio::test]
async fn batches_are_listed_page_by_page() {
    let server = Server::start(vec![reply(r#"{"data":[]}"#), reply(r#"{"data":[]}"#)]);
    let provider = provider(&server);
    provider.list_batches(None).await.unwrap();
    provider.list_batches(Some("b&1")).await.unwrap();
    let heads: Vec<String> = server
        .received()
        .into_iter()
        .map(|seen| seen.head)
        .collect();
    assert!(heads[0].starts_with("GET /v1/batches?limit=100 HTTP/1.1"));
    assert!(heads[1].starts_with("GET /v1/batches?limit=100&after=b%261 HTTP/1.1"));
}

/// L11: the limits that each provider documents for one batch.
#[test]
fn every_batch_api_has_its_own_limits() {
    let server = Server::start(Vec::new());
    let limits = |provider: Provider| {
        let traits = provider.batch_traits();
        (traits.max_requests, traits.max_bytes / 1_000_000)
    };
    let of = |api| limits(provider_of(&server, api));
    assert_eq!(of(BatchApi::OpenAi), (50_000, 200));
    assert_eq!(of(BatchApi::Azure), (100_000, 200));
    assert_eq!(of(BatchApi::Groq), (50_000, 100));
    assert_eq!(of(BatchApi::Together), (50_000, 100));
    assert_eq!(of(BatchApi::Mistral), (1_000_000, 200));
    // A few bytes less than 256 MB, for the JSON around the lines.
    let anthropic = limits(provider_on(&server, Wire::Anthropic));
    assert_eq!(anthropic, (100_000, 255));
}

#[tokio::test]
async fn a_batch_input_of_the_wrong_form_is_not_sent() {
    let file = FileId("f".to_owned());
    for (wire, input) in [
        (Wire::OpenAi, BatchInput::Lines(Path::new("x"))),
        (
            Wire::Anthropic,
            BatchInput::Uploaded {
                kind: synix_core::request::RequestKind::Completion,
                file: &file,
                model: "m",
            },
        ),
    ] {
        let server = Server::start(Vec::new());
        let created = provider_on(&server, wire).create_batch(input, "t").await;
        assert!(matches!(
            created,
            Err(CreateError::NotSent(ProviderError::WrongInput { .. }))
        ));
    }
}

#[test]
fn an_invalid_endpoint_is_refused_at_once() {
    let endpoint = |base_url: &str, key: &str| Endpoint {
        name: "p".to_owned(),
        wire: Wire::OpenAi,
        batch_api: BatchApi::OpenAi,
        base_url: base_url.to_owned(),
        key: Some(Secret::new(key)),
        http: HttpSettings::default(),
    };
    for url in ["", "api.openai.com/v1", "ftp://example.com"] {
        let error = Provider::open(endpoint(url, "k")).unwrap_err();
        assert!(matches!(error, ProviderError::BaseUrl { .. }), "{url:?}");
    }
    let error = Provider::open(endpoint("http://127.0.0.1", "line\nbreak")).unwrap_err();
    assert!(matches!(error, ProviderError::Key { .. }));
}

#[test]
fn futures_are_send() {
    fn sendable<T: Send>(_: T) {}
    let server = Server::start(Vec::new());
    let provider = provider(&server);
    let request = request(Wire::OpenAi, "Hi");
    sendable(provider.complete(&request));
    sendable(provider.download(&FileId(String::new()), 1, Path::new("x")));
    sendable(provider.upload_batch(Path::new("x"), "x"));
    sendable(provider.create_batch(BatchInput::Lines(Path::new("x")), ""));
}
