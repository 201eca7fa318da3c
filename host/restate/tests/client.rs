//! What the replies of a server mean for a build.

#![allow(clippy::unwrap_used, reason = "what a test does not expect ends it")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use synix_core::causes::with_causes;
use synix_core::digest::Digest;
use synix_restate::{EngineSettings, InvalidEngine, RestateEngine, ServiceClient, ServiceError};
use synix_shared::MemoryObjects;
use synix_units::{Contents, EngineError, UnitEngine as _};
use tokio_util::sync::CancellationToken;

/// A call that the server received.
#[derive(Debug, Clone)]
struct Call {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A server that replies as it is told, and then never again.
struct Server {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start(replies: &[(u16, &str)]) -> Self {
        let replies = replies.iter().map(|(status, body)| {
            let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
            let reply = Response::builder().status(*status);
            reply.header("x-restate-id", "inv_1").body(body).unwrap()
        });
        let replies: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(replies.collect()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let address = listener.local_addr().unwrap();
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let received = Arc::clone(&calls);
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (received, replies) = (Arc::clone(&received), Arc::clone(&replies));
                let service = service_fn(move |request: hyper::Request<_>| {
                    let (received, replies) = (Arc::clone(&received), Arc::clone(&replies));
                    async move {
                        let (head, body): (_, hyper::body::Incoming) = request.into_parts();
                        let call = Call {
                            path: head.uri.path().to_owned(),
                            headers: head.headers,
                            body: body.collect().await.unwrap().to_bytes(),
                        };
                        received.lock().unwrap().push(call);
                        let reply = replies.lock().unwrap().pop_front();
                        match reply {
                            Some(reply) => Ok::<_, Infallible>(reply),
                            None => std::future::pending().await,
                        }
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            address,
            calls,
            _runtime: runtime,
        }
    }

    fn engine(&self) -> RestateEngine {
        engine(&format!("http://{}", self.address)).unwrap()
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    fn keys(&self) -> Vec<String> {
        let key = |call: Call| call.headers["idempotency-key"].to_str().unwrap().to_owned();
        self.calls().into_iter().map(key).collect()
    }
}

fn engine(url: &str) -> Result<RestateEngine, InvalidEngine> {
    RestateEngine::new(EngineSettings {
        url: url.parse().unwrap(),
        concurrency: NonZero::<usize>::MIN,
        contents: Contents::new(Arc::new(MemoryObjects::default()), "default"),
        content_url: "memory".to_owned(),
    })
}

fn run(engine: &RestateEngine) -> Result<Vec<u8>, EngineError> {
    engine.run("chunk-1", b"a chunk".to_vec(), &CancellationToken::new())
}

#[test]
fn a_chunk_is_called_under_its_id() {
    let server = Server::start(&[(200, "an outcome")]);
    assert_eq!(run(&server.engine()).unwrap(), b"an outcome");
    let [call] = &server.calls()[..] else {
        panic!()
    };
    assert_eq!(call.path, "/restate/call/synix.Units/run");
    assert_eq!(call.body, "a chunk");
    assert_eq!(server.keys(), ["chunk-1"]);
}

/// The server keeps a failure for the key, so the next call needs another one. An unanswered call keeps its key.
#[test]
fn only_a_failure_that_the_server_keeps_changes_the_key() {
    let failed = (500, r#"{"message":"the worker is away"}"#);
    let server = Server::start(&[
        failed,
        (503, "no server"),
        failed,
        (200, "done"),
        (200, "x"),
    ]);
    let engine = server.engine();
    for reason in ["the worker is away", "no server", "the worker is away"] {
        let error = run(&engine).unwrap_err();
        assert!(
            matches!(error, EngineError::Unavailable { .. }),
            "{error:?}"
        );
        assert!(with_causes(&error).contains(reason), "{error:?}");
    }
    assert_eq!(run(&engine).unwrap(), b"done");
    assert_eq!(run(&engine).unwrap(), b"x");
    let keys = ["chunk-1", "chunk-1-1", "chunk-1-1", "chunk-1-2", "chunk-1"];
    assert_eq!(server.keys(), keys);
}

#[test]
fn a_refusal_is_an_error_and_an_absent_worker_is_not() {
    for (status, is_refused) in [
        (400, true),
        (401, true),
        (403, true),
        (404, false),
        (413, true),
        (422, true),
        (429, false),
        (502, false),
        (302, true),
        (204, true),
    ] {
        let server = Server::start(&[(status, r#"{"message":"so it is"}"#)]);
        let error = run(&server.engine()).unwrap_err();
        assert_eq!(error.is_transient(), !is_refused, "{status}: {error:?}");
    }
}

/// The texts of a server are shown to users, so they are short.
#[test]
fn a_long_message_of_a_server_is_cut() {
    let server = Server::start(&[(500, &"long ".repeat(10_000))]);
    let error = run(&server.engine()).unwrap_err();
    assert!(with_causes(&error).len() < 700);
}

#[test]
fn a_reply_that_is_too_large_is_refused() {
    let large = "x".repeat((32 << 20) + 1);
    let server = Server::start(&[(200, &large)]);
    let error = run(&server.engine()).unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }), "{error:?}");
    let called = server
        .engine()
        .run("large", large.into(), &CancellationToken::new());
    assert!(matches!(called, Err(EngineError::Refused { .. })));
    assert_eq!(server.calls().len(), 1, "the chunk was not sent");
}

#[test]
fn a_cancelled_call_ends() {
    let server = Server::start(&[]);
    let engine = server.engine();
    let cancelled = CancellationToken::new();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| engine.run("chunk-1", Vec::new(), &cancelled));
        while server.calls().is_empty() {
            std::thread::yield_now();
        }
        cancelled.cancel();
        assert!(matches!(call.join().unwrap(), Err(EngineError::Cancelled)));
    });
}

#[test]
fn a_server_that_is_away_is_unavailable() {
    let engine = engine("http://127.0.0.1:9/").unwrap();
    let error = run(&engine).unwrap_err();
    assert!(error.is_transient());
    assert_eq!(error.url(), Some("http://127.0.0.1:9"));
    // The URL is said once.
    assert_eq!(
        with_causes(&error).matches("127.0.0.1").count(),
        1,
        "{error:?}"
    );
}

#[test]
fn contents_go_to_the_store() {
    let engine = engine("http://127.0.0.1:9").unwrap();
    let digest = Digest::of(b"contents");
    let never = CancellationToken::new();
    engine.provide(digest, b"contents", &never).unwrap();
    engine.provide(digest, b"contents", &never).unwrap();
    assert_eq!(engine.fetch(digest, 100, &never).unwrap(), b"contents");
    let missing = engine
        .fetch(Digest::of(b"others"), 100, &never)
        .unwrap_err();
    assert!(!missing.is_transient());
    assert_eq!(missing.url(), Some("memory"));
}

#[test]
fn a_url_with_a_credential_is_refused() {
    for url in [
        "http://user:secret@host",
        "ftp://host",
        "http://host/?a=b",
        "http://host/#a",
        "file:///folder",
    ] {
        let error = engine(url).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

/// A build drops its engine where it pleases.
#[test]
fn an_engine_can_be_dropped_in_a_runtime() {
    let engine = engine("http://127.0.0.1:9").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async move { drop(engine) });
}

fn service(server: &Server) -> ServiceClient {
    ServiceClient::new(&format!("http://{}", server.address).parse().unwrap()).unwrap()
}

/// A client is told what the service said, all of it, and what the server said otherwise.
#[test]
fn replies_to_calls_of_a_service_are_told_apart() {
    let refusal = "x".repeat(2000);
    let refused = format!("{{\"code\": 422, \"message\": \"{refusal}\"}}");
    let server = Server::start(&[
        (200, ""),
        (422, &refused),
        (410, "{\"message\": \"the server knows no such job\"}"),
        (404, "{\"message\": \"service 'synix.Builds' not found\"}"),
        (500, "{\"message\": \"the service is stopping\"}"),
        (200, "\"{}\""),
    ]);
    let client = service(&server);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        client
            .submit("notes/job-1", "{\"schema\":1}")
            .await
            .unwrap();
        match client.submit("notes/job-1", "{}").await {
            Err(ServiceError::Refused(text)) => assert_eq!(text, refusal),
            other => panic!("{other:?}"),
        }
        let unknown = client.report("notes/job-2").await;
        assert!(
            matches!(unknown, Err(ServiceError::Unknown { .. })),
            "{unknown:?}"
        );
        for expected in ["it knows no service", "the service is stopping"] {
            match client.ask("{}").await {
                Err(ServiceError::Unavailable { reason, .. }) => {
                    assert!(reason.contains(expected), "{reason}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(client.ask("{}").await.unwrap(), "{}");
    });
    let calls = server.calls();
    assert_eq!(
        calls[0].path,
        "/restate/call/synix.Job/notes%2Fjob-1/submit"
    );
    assert_eq!(calls[0].headers["idempotency-key"], "notes/job-1");
    assert_eq!(calls[0].body, Bytes::from_static(b"\"{\\\"schema\\\":1}\""));
    assert_eq!(calls[5].path, "/restate/call/synix.Builds/ask");
}
