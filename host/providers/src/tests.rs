//! A provider against a server that follows a script.

use std::error::Error;

use super::testing::{
    KEY, Server, answered, failure, provider, provider_of, provider_on, reply, request, status,
    with_headers,
};
use super::*;
use synix_core::request::FailureKind;

const HELLO: &str =
    r#"{"model":"m","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;
const BATCH: &str = r#"{"id":"batch_1","status":"validating"}"#;

async fn completed(replies: Vec<Vec<u8>>) -> Completion {
    let server = Server::start(replies);
    provider(&server)
        .complete(&request(Wire::OpenAi, "Hi"))
        .await
}

#[tokio::test]
async fn a_question_is_sent_with_key_and_body() {
    let server = Server::start(vec![reply(HELLO)]);
    let request = request(Wire::OpenAi, "Hi");
    let completion = provider(&server).complete(&request).await;
    assert_eq!(answered(completion.outcome).text, "Hello");
    let seen = server.seen().remove(0);
    assert!(seen.head.starts_with("POST /v1/chat/completions HTTP/1.1"));
    assert!(seen.head.contains(&format!("authorization: Bearer {KEY}")));
    // A9: what goes out is what `body` says.
    assert_eq!(
        serde_json::from_slice::<Value>(&seen.body).unwrap(),
        body(&request)
    );
}

#[tokio::test]
async fn anthropic_gets_its_own_headers_and_path() {
    let message = r#"{"content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn"}"#;
    let server = Server::start(vec![reply(message)]);
    let provider = provider_on(&server, Wire::Anthropic);
    let completion = provider.complete(&request(Wire::Anthropic, "Hi")).await;
    assert_eq!(answered(completion.outcome).text, "Hello");
    let head = server.seen().remove(0).head;
    assert!(head.starts_with("POST /v1/messages HTTP/1.1"));
    assert!(head.contains(&format!("x-api-key: {KEY}")));
    assert!(head.contains("anthropic-version: 2023-06-01"));
}

#[tokio::test]
async fn azure_gets_its_key_in_a_header_of_its_own() {
    let server = Server::start(vec![reply(HELLO)]);
    let provider = provider_of(&server, BatchApi::Azure);
    provider.complete(&request(Wire::OpenAi, "Hi")).await;
    let head = server.seen().remove(0).head;
    assert!(head.contains(&format!("api-key: {KEY}")), "{head}");
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn passing_errors_are_outlasted() {
    let replies = vec![
        status(529, "<html>"),
        with_headers(429, "retry-after: 1\r\n", ""),
        reply(HELLO),
    ];
    let completion = completed(replies).await;
    assert_eq!((completion.sends, completion.unclear), (3, 0));
    assert_eq!(answered(completion.outcome).text, "Hello");
}

#[tokio::test]
async fn patience_ends() {
    let completion = completed((0..3).map(|_| status(503, "")).collect()).await;
    assert_eq!(completion.sends, 3);
    let failure = failure(completion.outcome);
    assert_eq!(
        (failure.kind, failure.passing),
        (FailureKind::Provider, true)
    );
}

/// X8: without a connection nothing was sent; a server that fails was reached.
#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_told_from_one_that_fails() {
    let gone = completed(Vec::new()).await;
    assert_eq!((gone.sends, gone.unclear, gone.unreachable), (3, 0, true));
    let failing = completed((0..3).map(|_| status(503, "")).collect()).await;
    assert!(!failing.unreachable);
    // It fails, and then it is gone.
    let going = completed(vec![status(503, "")]).await;
    assert_eq!((going.sends, going.unreachable), (3, true));
}

/// L18
#[tokio::test]
async fn want_of_money_is_not_asked_again() {
    let body =
        r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let completion = completed(vec![status(429, body)]).await;
    assert_eq!(completion.sends, 1);
    assert_eq!(failure(completion.outcome).kind, FailureKind::Quota);
}

#[tokio::test]
async fn a_wait_of_minutes_is_not_sat_out() {
    let completion = completed(vec![with_headers(429, "retry-after: 121\r\n", "")]).await;
    assert_eq!(completion.sends, 1);
    assert!(failure(completion.outcome).passing);
}

#[tokio::test]
async fn a_lost_reply_is_counted_as_unclear() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec();
    let completion = completed(vec![Vec::new(), half, reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (3, 2));
}

/// A server may fail after it has done the work.
#[tokio::test]
async fn a_failure_of_the_server_is_unclear() {
    let replies = vec![status(500, ""), status(503, ""), reply(HELLO)];
    let completion = completed(replies).await;
    assert_eq!((completion.sends, completion.unclear), (3, 2));
}

/// X3: a reply that came whole is not asked for again; perhaps it was billed.
#[tokio::test]
async fn a_whole_reply_that_cannot_be_used_fails_once() {
    for (body, reason) in [
        (
            "<html><title>Log in</title>",
            "an HTML page titled \"Log in\"",
        ),
        ("", "an empty reply"),
        ("{}", "it has no body"),
        ("data: {\"x\":1}\n\n", "an event stream without an answer"),
        ("{\"choices\":[", "broken JSON (the text ends at byte 12)"),
    ] {
        let completion = completed(vec![reply(body), reply(HELLO)]).await;
        assert_eq!((completion.sends, completion.unclear), (1, 1), "{body}");
        let failure = failure(completion.outcome);
        assert_eq!(
            (failure.kind, failure.passing),
            (FailureKind::Unreadable, false)
        );
        assert!(failure.message.contains(reason), "{}", failure.message);
    }
}

/// X3: what does not say where it ends may have broken off.
#[tokio::test]
async fn an_unreadable_reply_of_unknown_length_is_lost() {
    let unframed = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"choices\":[".to_vec();
    let completion = completed(vec![unframed, reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 1));
    assert_eq!(answered(completion.outcome).text, "Hello");
}

/// X3
#[tokio::test]
async fn a_compressed_reply_is_read() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(HELLO.as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"
    );
    let completion = completed(vec![[head.as_bytes(), &body].concat()]).await;
    assert_eq!(answered(completion.outcome).text, "Hello");
    let cut = &body[..length - 4];
    let head = head.replace(&length.to_string(), &cut.len().to_string());
    let completion = completed(vec![[head.as_bytes(), cut].concat(), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (1, 1));
    let failure = failure(completion.outcome);
    assert!(
        failure.message.contains("gzip that does not decode"),
        "{}",
        failure.message
    );
}

fn ended(reason: &str) -> Vec<u8> {
    reply(&format!(
        r#"{{"choices":[{{"message":{{"content":"Hel"}},"finish_reason":"{reason}"}}],"usage":{{"prompt_tokens":3,"completion_tokens":2}}}}"#
    ))
}

/// X5: each of them is billed.
#[tokio::test]
async fn an_unknown_ending_is_asked_again_once() {
    let completion = completed(vec![ended("tired"), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 0));
    assert_eq!(completion.billed.len(), 1);
    assert_eq!(completion.billed[0].usage.input_tokens, 3);
    assert_eq!(answered(completion.outcome).text, "Hello");
    let completion = completed(vec![ended("tired"), ended("bored"), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.billed.len()), (2, 1));
    let failure = failure(completion.outcome);
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.ends_with("bored"), "{}", failure.message);
}

/// X8: an error with status 200 is an error like any other.
#[tokio::test]
async fn passing_errors_within_a_good_reply_are_outlasted() {
    let slow = reply(r#"{"error":{"code":429,"message":"slow down"}}"#);
    let completion = completed(vec![slow.clone(), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 0));
    assert!(completion.billed.is_empty());
    assert_eq!(answered(completion.outcome).text, "Hello");
    let completion = completed(vec![slow.clone(), slow.clone(), slow]).await;
    assert_eq!(completion.sends, 3);
    let failed = failure(completion.outcome);
    assert_eq!(
        (failed.kind, failed.message.as_str()),
        (FailureKind::Provider, "slow down (HTTP 429)")
    );
    let wrong = reply(r#"{"error":{"code":400,"message":"no such option"}}"#);
    let completion = completed(vec![wrong]).await;
    assert_eq!(completion.sends, 1);
    assert_eq!(failure(completion.outcome).kind, FailureKind::Invalid);
}

/// X8: what was billed is on record; what may have been is unclear.
#[tokio::test]
async fn an_ending_in_an_error_is_outlasted_and_counted() {
    let completion = completed(vec![ended("error"), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 0));
    assert_eq!(completion.billed[0].usage.output_tokens, 2);
    let gone = reply(r#"{"error":{"code":"502","message":"upstream went away"}}"#);
    let completion = completed(vec![gone, reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 1));
}

/// X6: a provider that is not asked needs nothing of this machine.
#[tokio::test]
async fn a_client_is_made_when_it_is_first_used() {
    let server = Server::start(vec![reply(HELLO)]);
    let provider = provider(&server);
    assert!(!provider.transport.has_client());
    provider.complete(&request(Wire::OpenAi, "Hi")).await;
    assert!(provider.transport.has_client());
}

#[tokio::test]
async fn a_server_that_is_not_there_costs_nothing() {
    let completion = completed(Vec::new()).await;
    assert_eq!((completion.sends, completion.unclear), (3, 0));
    let failure = failure(completion.outcome);
    assert!(
        failure
            .message
            .starts_with("cannot reach provider openai at http://127.0.0.1:")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = with_headers(301, "location: http://example.com/v1\r\n", "");
    let failure = failure(completed(vec![moved]).await.outcome);
    assert!(
        failure.message.contains("http://example.com/v1"),
        "{}",
        failure.message
    );
    assert!(!failure.passing);
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_masked() {
    let body = format!(r#"{{"error":{{"message":"bad key {KEY}","code":"invalid_api_key"}}}}"#);
    let failure = failure(completed(vec![status(401, &body)]).await.outcome);
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Auth, "bad key *** (HTTP 401, invalid_api_key)")
    );
}

#[tokio::test]
async fn no_debug_text_and_no_error_shows_the_key() {
    let server = Server::start(vec![Vec::new(), reply(KEY)]);
    let provider = provider(&server);
    let mut shown = format!("{provider:?}");
    for _ in 0..3 {
        let error = provider
            .create_batch(
                BatchInput::Uploaded {
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

async fn create(replies: Vec<Vec<u8>>) -> (Result<BatchState, CreateError>, Server) {
    let server = Server::start(replies);
    let input = FileId("file-1".to_owned());
    (
        provider(&server)
            .create_batch(
                BatchInput::Uploaded {
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
    let sent: Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
    let expected = serde_json::json!({
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"synix_token": "token-1"},
    });
    assert_eq!(sent, expected);
}

/// M1: whatever the first send came to, there is no second.
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
        assert_eq!(server.seen().len(), 1);
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
async fn a_create_that_never_left_is_not_sent() {
    assert!(matches!(
        create(Vec::new()).await.0,
        Err(CreateError::NotSent(_))
    ));
}

#[tokio::test]
async fn a_refused_create_is_known_to_be_refused() {
    let (state, _) = create(vec![status(400, r#"{"error":{"message":"no"}}"#)]).await;
    assert!(matches!(state, Err(CreateError::Refused(_))));
}

/// L4, L16: neither an error on the way nor a batch that is not seen yet ends the polling.
#[tokio::test]
async fn polling_goes_on_after_an_error() {
    let polled = with_headers(200, "retry-after: 10\r\n", BATCH);
    let server = Server::start(vec![Vec::new(), status(404, "{}"), polled]);
    let state = provider(&server).poll_batch("batch/../1").await.unwrap();
    assert_eq!(state.poll_after, Some(Duration::from_secs(10)));
    // An id is data and cannot choose the path.
    assert!(
        server.seen()[0]
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
        server.seen()[0]
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
    let heads: Vec<String> = server.seen().into_iter().map(|seen| seen.head).collect();
    assert!(heads[0].starts_with("GET /v1/batches?limit=100 HTTP/1.1"));
    assert!(heads[1].starts_with("GET /v1/batches?limit=100&after=b%261 HTTP/1.1"));
}

/// L11: the limits that each provider documents for one batch.
#[test]
fn every_batch_api_has_its_own_limits() {
    let server = Server::start(Vec::new());
    let limits = |provider: Provider| {
        let traits = provider.batch_traits();
        (traits.most_requests, traits.most_bytes / 1_000_000)
    };
    let of = |api| limits(provider_of(&server, api));
    assert_eq!(of(BatchApi::OpenAi), (50_000, 200));
    assert_eq!(of(BatchApi::Azure), (100_000, 200));
    assert_eq!(of(BatchApi::Groq), (50_000, 100));
    assert_eq!(of(BatchApi::Together), (50_000, 100));
    assert_eq!(of(BatchApi::Mistral), (1_000_000, 200));
    // A few bytes less than 256 MB: the create call puts them around the lines.
    let anthropic = limits(provider_on(&server, Wire::Anthropic));
    assert_eq!(anthropic, (100_000, 255));
}

#[tokio::test]
async fn requests_that_come_the_wrong_way_are_not_sent() {
    let file = FileId("f".to_owned());
    for (wire, input) in [
        (Wire::OpenAi, BatchInput::Lines(Path::new("x"))),
        (
            Wire::Anthropic,
            BatchInput::Uploaded {
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
fn an_endpoint_that_cannot_work_is_refused_at_once() {
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
fn requests_can_run_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    let server = Server::start(Vec::new());
    let provider = provider(&server);
    let request = request(Wire::OpenAi, "Hi");
    sendable(provider.complete(&request));
    sendable(provider.download(&FileId(String::new()), 1, Path::new("x")));
    sendable(provider.upload_batch(Path::new("x"), "x"));
    sendable(provider.create_batch(BatchInput::Lines(Path::new("x")), ""));
}
