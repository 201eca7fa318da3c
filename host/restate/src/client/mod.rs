//! The client of a build: hands a chunk to the server and waits for its outcome.

mod failure;
mod service;

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use restate_sdk::ingress::{Client, ClientError, Request, RequestTarget};
use synix_core::digest::Digest;
use synix_units::{ContentError, Contents, EngineError, UnitEngine};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::MAX_MESSAGE;
use crate::http_client::{CallError, HttpClient};
use crate::service_names::{RUN, UNITS};
use failure::Failure;
pub(crate) use failure::reply_message;
pub use service::{ServiceClient, ServiceError};

/// How long one call waits. The next one has the same key, so it waits for the same run.
///
/// Shorter than the time after which proxies and address translators drop a silent connection.
const CALL_TIMEOUT: Duration = Duration::from_secs(50);

/// How a build reaches the server.
#[derive(Debug)]
pub struct EngineSettings {
    /// The URL of the ingress of the server.
    pub url: Url,
    /// How many chunks may run at the same time.
    pub concurrency: NonZero<usize>,
    /// What the build and its workers exchange beside chunks.
    pub contents: Contents,
    /// The URL of the store of contents, for messages.
    pub content_url: String,
}

/// A server that runs chunks on workers.
pub struct RestateEngine {
    name: String,
    contents: Contents,
    content_url: String,
    concurrency: NonZero<usize>,
    client: Client<HttpClient>,
    /// How often the server has reported a failure for the id of a chunk, which it would report again for the same key.
    failed: Mutex<HashMap<String, u64>>,
    /// Present until the engine is dropped.
    runtime: Option<Runtime>,
}

/// The server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEngine {
    /// The URL has another form.
    #[error(
        "the URL of an engine is http:// or https:// with a host, without a query, a user and a password"
    )]
    Url,
    /// The system refuses threads or the settings of TLS.
    #[error("cannot open connections to the engine")]
    System(#[source] Box<dyn Error + Send + Sync>),
}

impl RestateEngine {
    /// Creates an engine, which contacts nobody.
    pub fn new(settings: EngineSettings) -> Result<Self, InvalidEngine> {
        let (name, client) = ingress(&settings.url, CALL_TIMEOUT)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("synix-engine")
            .enable_all()
            .build()
            .map_err(|error| InvalidEngine::System(error.into()))?;
        Ok(Self {
            name,
            contents: settings.contents,
            content_url: settings.content_url,
            concurrency: settings.concurrency,
            client,
            failed: Mutex::default(),
            runtime: Some(runtime),
        })
    }

    /// Returns the idempotency key of a chunk.
    fn key(&self, id: &str) -> String {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match failed.get(id) {
            None => id.to_owned(),
            Some(count) => format!("{id}-{count}"),
        }
    }

    fn set_failed(&self, id: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed.entry(id.to_owned()).or_default() += 1;
    }

    fn set_done(&self, id: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.remove(id);
    }

    /// Waits for an operation of the store of contents, until `cancelled`.
    fn use_contents<T>(
        &self,
        operation: impl Future<Output = Result<T, ContentError>>,
        cancelled: &CancellationToken,
    ) -> Result<T, EngineError> {
        let Some(runtime) = &self.runtime else {
            return Err(EngineError::Cancelled);
        };
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => None,
                ended = operation => Some(ended),
            }
        });
        ended
            .ok_or(EngineError::Cancelled)?
            .map_err(|error| self.content_error(error))
    }

    fn content_error(&self, error: ContentError) -> EngineError {
        EngineError::Content {
            name: self.content_url.clone(),
            is_transient: error.is_transient(),
            source: Box::new(error),
        }
    }

    /// Calls the service until it replies.
    async fn call(&self, id: &str, chunk: Bytes) -> Result<Vec<u8>, Failure> {
        loop {
            let target = RequestTarget::service(UNITS, RUN);
            let request: Request<_, Bytes, Bytes> = self.client.request(target, chunk.clone());
            let called = request.idempotency_key(self.key(id)).call().await;
            match called.and_then(restate_sdk::ingress::CallResponse::into_body) {
                Ok(outcome) => return Ok(outcome.into()),
                Err(error) if is_still_running(&error) => {
                    tracing::debug!(id, "the chunk still runs");
                }
                Err(error) => return Err(Failure::of_units(&error)),
            }
        }
    }
}

/// Creates a client of the ingress of a server, which contacts nobody. Also returns the URL for messages.
fn ingress(url: &Url, timeout: Duration) -> Result<(String, Client<HttpClient>), InvalidEngine> {
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
        return Err(InvalidEngine::Url);
    }
    let name = url.as_str().trim_end_matches('/').to_owned();
    let http = HttpClient::new(timeout, MAX_MESSAGE)
        .map_err(|error| InvalidEngine::System(error.into()))?;
    let uri = name.parse().map_err(|_| InvalidEngine::Url)?;
    let client = Client::new(uri, http).map_err(|error| InvalidEngine::System(error.into()))?;
    Ok((name, client))
}

/// Returns whether a call reached the server and ended only because it waited too long.
fn is_still_running(error: &ClientError) -> bool {
    let ClientError::Transport { source } = error else {
        return false;
    };
    match source.downcast_ref() {
        Some(CallError::Http(http)) => http.is_timeout() && !http.is_connect(),
        Some(CallError::TooLarge(_)) | None => false,
    }
}

impl UnitEngine for RestateEngine {
    fn name(&self) -> &str {
        &self.name
    }

    fn concurrency(&self) -> NonZero<usize> {
        self.concurrency
    }

    fn provide(
        &self,
        digest: Digest,
        bytes: &[u8],
        cancelled: &CancellationToken,
    ) -> Result<(), EngineError> {
        self.use_contents(self.contents.provide(digest, bytes.to_vec()), cancelled)
    }

    fn fetch(
        &self,
        digest: Digest,
        max_bytes: u64,
        cancelled: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError> {
        self.use_contents(self.contents.fetch(digest, max_bytes), cancelled)
    }

    fn run(
        &self,
        id: &str,
        chunk: Vec<u8>,
        cancelled: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError> {
        let Some(runtime) = &self.runtime else {
            return Err(EngineError::Cancelled);
        };
        if chunk.len() > MAX_MESSAGE {
            return Err(Failure::chunk_too_large().into_error(&self.name));
        }
        let called = runtime.block_on(async {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => None,
                called = self.call(id, chunk.into()) => Some(called),
            }
        });
        match called {
            None => Err(EngineError::Cancelled),
            Some(Ok(outcome)) => {
                self.set_done(id);
                Ok(outcome)
            }
            Some(Err(failure)) => {
                if failure.is_recorded() {
                    self.set_failed(id);
                }
                Err(failure.into_error(&self.name))
            }
        }
    }
}

impl Drop for RestateEngine {
    fn drop(&mut self) {
        // To wait for its threads is an error on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for RestateEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestateEngine")
            .field("name", &self.name)
            .field("content_url", &self.content_url)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}
