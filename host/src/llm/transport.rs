//! HTTP to one provider: connections, time limits, rate limits, sending again.
//!
//! Knows URLs, headers and JSON as such; what a body means is for the wire
//! formats.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::error::ProviderError;
use super::fault::{self, ErrorReply};
use super::notice::{Notice, Notices};
use super::pace::Pace;
use super::patience::Patience;
use super::wait;
use super::{Endpoint, HttpSettings, Secret};
use crate::clock::Clock;
use crate::crash;
use crate::pipeline::is_loopback;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A call that sends a file has the time limit of a call and what this rate needs.
const SLOWEST_BYTES_PER_SECOND: u64 = 100_000;

/// Longer JSON replies are refused; an answer of a million tokens is shorter.
const LONGEST_REPLY: usize = 64 << 20;

/// One JSON call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Below the base URL; each segment is escaped.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a Value>,
}

/// The reply to a JSON call.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) value: Value,
    /// When the provider wants to be asked again.
    pub(super) poll_after: Option<Duration>,
}

/// The way to one provider.
#[derive(Debug)]
pub(super) struct Transport {
    provider: String,
    base: Url,
    headers: HeaderMap,
    client: Client,
    key: Option<Secret>,
    http: HttpSettings,
    pace: Pace,
    notices: Notices,
    clock: Clock,
}

impl Transport {
    /// Opens no connection yet. `headers` go with every request.
    pub(super) fn open(endpoint: Endpoint, headers: HeaderMap) -> Result<Self, ProviderError> {
        let Endpoint {
            name,
            base_url,
            key,
            http,
            wire: _,
            batch_api: _,
        } = endpoint;
        let base = Url::parse(&base_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(base) = base else {
            return Err(ProviderError::BaseUrl {
                provider: name,
                url: base_url,
            });
        };
        let client =
            client(&base, &headers, Connections::Kept).map_err(|source| ProviderError::Setup {
                provider: name.clone(),
                source,
            })?;
        let notices = Notices::of(&name);
        Ok(Self {
            provider: name,
            base,
            headers,
            client,
            key,
            http,
            pace: Pace::telling(notices.clone()),
            notices,
            clock: Clock::Real,
        })
    }

    /// Returns the provider's name.
    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    /// Returns the time limit of one call.
    pub(super) fn timeout(&self) -> Duration {
        self.http.timeout
    }

    /// Returns the time limit of a call that sends a file of `length` bytes.
    pub(super) fn limit_for(&self, length: u64) -> Duration {
        self.http.timeout + Duration::from_secs(length / SLOWEST_BYTES_PER_SECOND)
    }

    /// Returns the patience of one request under the settings.
    pub(super) fn patience(&self) -> Patience {
        Patience::new(self.http.retries, self.http.backoff).telling(self.notices.clone())
    }

    /// Tells of waits from now on.
    pub(super) fn tell(&self, notices: UnboundedSender<Notice>) {
        self.notices.go_to(notices);
    }

    /// Makes a call, again as long as `patience` lasts.
    pub(super) async fn json(
        &self,
        call: &Call<'_>,
        patience: &mut Patience,
    ) -> Result<Reply, ProviderError> {
        loop {
            patience.sends += 1;
            match self.json_on(&self.client, call).await {
                Ok(reply) => return Ok(reply),
                Err(error) => patience.outlast(error).await?,
            }
        }
    }

    /// Makes a call that must not be sent twice.
    pub(super) async fn json_once(&self, call: &Call<'_>) -> Result<Reply, ProviderError> {
        self.json_on(&self.fresh_client()?, call).await
    }

    /// Starts a request that must not be sent twice.
    pub(super) fn request_once(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ProviderError> {
        Ok(self.fresh_client()?.request(method, self.url(path, &[])))
    }

    /// A kept connection may be dead already, and the loss of what is sent on
    /// it would leave the result unclear.
    fn fresh_client(&self) -> Result<Client, ProviderError> {
        client(&self.base, &self.headers, Connections::Fresh).map_err(|source| {
            ProviderError::Setup {
                provider: self.provider.clone(),
                source,
            }
        })
    }

    async fn json_on(&self, client: &Client, call: &Call<'_>) -> Result<Reply, ProviderError> {
        let mut request = client.request(call.method.clone(), self.url(call.path, call.query));
        if let Some(body) = call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        self.send_json(request, self.http.timeout).await
    }

    /// Sends a request whose reply is JSON, once.
    pub(super) async fn send_json(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Reply, ProviderError> {
        self.pace.admit().await;
        self.within(limit, async {
            let response = self.send(request).await?;
            let poll_after = wait::told(response.headers(), self.clock.now());
            let body = self.collect(response).await?;
            match serde_json::from_slice(&body) {
                Ok(value) => Ok(Reply { value, poll_after }),
                Err(_) => {
                    let shown = fault::cut(&self.redact(&String::from_utf8_lossy(&body)));
                    Err(self.unreadable(format!("not JSON: {shown:?}")))
                }
            }
        })
        .await
    }

    /// Starts a request that is not a JSON call.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.client.request(method, self.url(path, &[]))
    }

    /// Sends a request and returns as soon as a good reply begins.
    pub(super) async fn stream(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Response, ProviderError> {
        self.pace.admit().await;
        self.within(limit, self.send(request)).await
    }

    /// Returns the next piece of a reply, `None` at its end.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, ProviderError> {
        let next = async { response.chunk().await.map_err(|error| self.failed(error)) };
        self.within(self.http.timeout, next).await
    }

    /// Says that the provider accepted what was asked and its reply makes no sense.
    pub(super) fn unreadable(&self, reason: String) -> ProviderError {
        ProviderError::Unreadable {
            provider: self.provider.clone(),
            reason,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ProviderError> {
        crash::point();
        let response = request.send().await;
        crash::point();
        let response = response.map_err(|error| self.failed(error))?;
        self.heed(response.headers());
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // The status says enough where the words are lost.
        let body = self.collect(response).await.unwrap_or_default();
        let mut reply = ErrorReply::read(status, &headers, &body, self.clock.now());
        if let Some(target) = headers.get(LOCATION).filter(|_| status < 400) {
            // Following would hand the key to another server.
            reply.message = format!(
                "redirects to {}, which synix does not follow",
                String::from_utf8_lossy(target.as_bytes())
            );
        }
        reply.message = self.redact(&reply.message);
        self.slow_down(&reply);
        Err(ProviderError::Replied {
            provider: self.provider.clone(),
            reply: Box::new(reply),
        })
    }

    /// Reads a whole reply.
    async fn collect(&self, mut response: Response) -> Result<Vec<u8>, ProviderError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            body.extend_from_slice(chunk.as_ref());
            if body.len() > LONGEST_REPLY {
                return Err(self.unreadable(format!("longer than {LONGEST_REPLY} bytes")));
            }
        }
        Ok(body)
    }

    fn heed(&self, headers: &HeaderMap) {
        if !self.http.backoff.is_zero() {
            self.pace.heed(headers, self.clock.now());
        }
    }

    /// What holds for one request that came too early holds for all.
    fn slow_down(&self, reply: &ErrorReply) {
        let (_, passing) = reply.class();
        if !passing || self.http.backoff.is_zero() {
            return;
        }
        let wait = match reply.status {
            429 => reply.wait.unwrap_or(self.http.backoff),
            503 | 529 => reply.wait.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        self.pace.pause(wait);
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(ProviderError::TimedOut {
                provider: self.provider.clone(),
                after: limit,
            })
        })
    }

    fn failed(&self, error: reqwest::Error) -> ProviderError {
        let provider = self.provider.clone();
        let source = error.without_url();
        if source.is_connect() {
            let mut shown = self.base.clone();
            // A URL without a host has no place for these; ours has one.
            let _ = shown.set_username("");
            let _ = shown.set_password(None);
            ProviderError::Unreachable {
                provider,
                url: shown.to_string(),
                source,
            }
        } else if source.is_builder() {
            ProviderError::Setup { provider, source }
        } else {
            ProviderError::Lost { provider, source }
        }
    }

    fn redact(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.redact(text),
            None => text.to_owned(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    Kept,
    Fresh,
}

/// Makes a client that sends each request once and follows no redirect.
pub(super) fn client(
    base: &Url,
    headers: &HeaderMap,
    connections: Connections,
) -> Result<Client, reqwest::Error> {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Fails only where the process has chosen its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = Client::builder()
        .user_agent(concat!("synix/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never());
    if connections == Connections::Fresh {
        builder = builder.pool_max_idle_per_host(0);
    }
    if base.host_str().is_some_and(is_loopback) {
        builder = builder.no_proxy();
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::testing::{Server, provider_with, request, with_headers};
    use crate::request::Wire;

    async fn pauses_after(reply: Vec<u8>, backoff: Duration) -> bool {
        let server = Server::start(vec![reply]);
        let http = HttpSettings {
            retries: 0,
            backoff,
            timeout: Duration::from_secs(20),
        };
        let provider = provider_with(&server, Wire::OpenAi, http);
        provider.complete(&request(Wire::OpenAi, "Hi")).await;
        provider.transport.pace.not_before().is_some()
    }

    #[tokio::test]
    async fn too_many_requests_hold_back_every_other() {
        let wait = "retry-after: 60\r\n";
        let second = Duration::from_secs(1);
        assert!(pauses_after(with_headers(429, wait, "{}"), second).await);
        assert!(pauses_after(with_headers(529, wait, "{}"), second).await);
        assert!(!pauses_after(with_headers(500, "", "{}"), second).await);
    }

    #[tokio::test]
    async fn an_exhausted_limit_holds_back_every_other() {
        let limits = "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 1m0s\r\n";
        let reply = || with_headers(200, limits, "{}");
        assert!(pauses_after(reply(), Duration::from_secs(1)).await);
        assert!(!pauses_after(reply(), Duration::ZERO).await);
    }
}
