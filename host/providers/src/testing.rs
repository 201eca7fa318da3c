//! Helpers of the tests: requests, and a server that sends scripted replies.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Endpoint, HttpSettings, Provider, Secret};
use synix_core::request::BatchApi;
use synix_core::request::{
    Answer, Failure, Message, Outcome, Part, Request, RequestKind, Role, Wire,
};

/// The key, which must never be printed.
pub(super) const KEY: &str = "sk-never-to-be-received";

pub(super) fn request(wire: Wire, text: &str) -> Request {
    let model = match wire {
        Wire::OpenAi => "gpt-4o-mini",
        Wire::Anthropic => "claude-haiku-4-5",
    };
    Request {
        kind: RequestKind::Completion,
        wire,
        provider: wire.name().to_owned(),
        model: model.to_owned(),
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::Text(text.to_owned())],
        }],
        max_tokens: Some(100),
        temperature: None,
        stop: Vec::new(),
        response_format: None,
        options: serde_json::Map::new(),
        sample: 0,
        revision: String::new(),
    }
}

/// A request for the embedding of a text.
pub(super) fn embedding(text: &str, dimensions: Option<u32>) -> Request {
    Request {
        kind: RequestKind::Embedding { dimensions },
        model: "text-embedding-3-small".to_owned(),
        max_tokens: None,
        ..request(Wire::OpenAi, text)
    }
}

#[track_caller]
pub(super) fn expect_answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed(failure) => panic!("{failure:?}"),
    }
}

#[track_caller]
pub(super) fn expect_failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Answered(answer) => panic!("{answer:?}"),
    }
}

pub(super) fn reply(body: &str) -> Vec<u8> {
    status(200, body)
}

pub(super) fn status(status: u16, body: &str) -> Vec<u8> {
    with_headers(status, "", body)
}

/// A reply with additional headers, each ending with `\r\n`.
pub(super) fn with_headers(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// A request as the server received it.
#[derive(Debug, Clone)]
pub(super) struct ReceivedRequest {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// Sends one scripted reply per connection, then refuses connections.
#[derive(Debug)]
pub(super) struct Server {
    address: String,
    received: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl Server {
    /// An empty reply closes the connection.
    pub(super) fn start(replies: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let received = Arc::new(Mutex::new(Vec::new()));
        if replies.is_empty() {
            // Close it now, not in a thread that may run after the first request.
            drop(listener);
            return Self { address, received };
        }
        let log = Arc::clone(&received);
        thread::spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                log.lock().unwrap().push(request);
                let _ = stream.write_all(&reply);
            }
        });
        Self { address, received }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn received(&self) -> Vec<ReceivedRequest> {
        self.received.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut TcpStream) -> ReceivedRequest {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return ReceivedRequest {
                    head: head.to_owned(),
                    body: body.as_bytes().to_vec(),
                };
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => panic!("incomplete request: {:?}", String::from_utf8_lossy(&bytes)),
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

const FAST_RETRIES: HttpSettings = HttpSettings {
    retries: 2,
    backoff: Duration::ZERO,
    timeout: Duration::from_secs(20),
};

/// A provider on `server` that never waits and sends three times.
pub(super) fn provider(server: &Server) -> Provider {
    provider_on(server, Wire::OpenAi)
}

pub(super) fn provider_on(server: &Server, wire: Wire) -> Provider {
    provider_with(server, wire, FAST_RETRIES)
}

/// The same with this batch API in OpenAI's format.
pub(super) fn provider_of(server: &Server, batch_api: BatchApi) -> Provider {
    Provider::open(Endpoint {
        batch_api,
        ..endpoint(server, Wire::OpenAi, FAST_RETRIES)
    })
    .unwrap()
}

pub(super) fn provider_with(server: &Server, wire: Wire, http: HttpSettings) -> Provider {
    Provider::open(endpoint(server, wire, http)).unwrap()
}

fn endpoint(server: &Server, wire: Wire, http: HttpSettings) -> Endpoint {
    let path = match wire {
        Wire::OpenAi => "/v1",
        Wire::Anthropic => "",
    };
    Endpoint {
        name: wire.name().to_owned(),
        wire,
        batch_api: BatchApi::OpenAi,
        base_url: format!("http://{}{path}", server.address),
        key: Some(Secret::new(KEY)),
        http,
    }
}
