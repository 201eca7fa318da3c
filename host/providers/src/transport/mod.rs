//! HTTP to one provider: connections, time limits, rate limits, retries.
//!
//! This module handles URLs, headers and JSON syntax. The wire formats
//! interpret the bodies.

mod client;
mod response;

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tracing::Instrument as _;

use super::error::ProviderError;
use super::error_reply::ErrorReply;
use super::rate_limiter::RateLimiter;
use super::retry::RetryState;
use super::wait_notice::{NoticeSender, WaitNotice};
use super::{Endpoint, HttpSettings, Secret, rate_limit_headers, reply_json};
use synix_core::clock::Clock;

pub(super) use client::{Connections, create_client};
pub(super) use response::{content_encoding_header, is_framed};

use client::ClientError;

/// The time limit of a call that sends a file grows with the file, at this rate.
const MIN_BYTES_PER_SECOND: u64 = 100_000;

/// The longest JSON reply that is accepted. An answer of a million tokens is shorter.
const MAX_REPLY_BYTES: usize = 64 << 20;

/// One JSON call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The segments below the base URL; each one is escaped.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a Value>,
}

/// The reply to a JSON call.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) value: Value,
    /// How long the provider asks to wait before the next poll.
    pub(super) poll_after: Option<Duration>,
}

/// A reply whose body has been read to its end.
#[derive(Debug)]
pub(super) struct FullReply {
    headers: HeaderMap,
    /// The decoded body, or why it cannot be used.
    pub(super) body: Result<Vec<u8>, String>,
    /// Whether the server announced where the reply ends. If not, the reply may be cut off.
    pub(super) is_framed: bool,
}

/// The HTTP connection to one provider.
#[derive(Debug)]
pub(super) struct Transport {
    provider: String,
    base: Url,
    headers: HeaderMap,
    /// Created on first use: a command that sends nothing needs no CA certificates.
    client: OnceLock<Client>,
    key: Option<Secret>,
    http: HttpSettings,
    limiter: RateLimiter,
    notices: NoticeSender,
    clock: Clock,
}

impl Transport {
    /// Opens no connection yet. Every request carries `headers`.
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
        let notices = NoticeSender::new(&name);
        Ok(Self {
            provider: name,
            base,
            headers,
            client: OnceLock::new(),
            key,
            http,
            limiter: RateLimiter::with_notices(notices.clone()),
            notices,
            clock: Clock::Real,
        })
    }

    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    /// Returns the time limit of a call that sends a file of `length` bytes.
    pub(super) fn timeout_for(&self, length: u64) -> Duration {
        self.http.timeout + Duration::from_secs(length / MIN_BYTES_PER_SECOND)
    }

    /// Returns the retry state of a new request.
    pub(super) fn retry_state(&self) -> RetryState {
        RetryState::new(self.http.retries, self.http.backoff).with_notices(self.notices.clone())
    }

    pub(super) fn report_waits_to(&self, notices: UnboundedSender<WaitNotice>) {
        self.notices.connect(notices);
    }

    /// Makes a call, and again after errors as far as `retry` allows.
    pub(super) async fn call(
        &self,
        call: &Call<'_>,
        retry: &mut RetryState,
    ) -> Result<Reply, ProviderError> {
        loop {
            retry.sends += 1;
            let attempt = tracing::debug_span!("call", attempt = retry.sends);
            match self.call_on(self.client()?, call).instrument(attempt).await {
                Ok(reply) => return Ok(reply),
                Err(error) => retry.back_off(error).await?,
            }
        }
    }

    /// Makes a call that must not be sent twice.
    pub(super) async fn call_once(&self, call: &Call<'_>) -> Result<Reply, ProviderError> {
        self.call_on(&self.fresh_client()?, call).await
    }

    /// Starts a request that must not be sent twice.
    pub(super) fn request_once(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ProviderError> {
        Ok(self.fresh_client()?.request(method, self.url(path, &[])))
    }

    /// Creates a client with new connections: a kept connection may be dead already, and a request
    /// that is lost on it would leave the result unclear.
    fn fresh_client(&self) -> Result<Client, ProviderError> {
        self.name_provider(create_client(&self.base, &self.headers, Connections::Fresh))
    }

    fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let created = create_client(&self.base, &self.headers, Connections::Kept);
        let created = self.name_provider(created)?;
        Ok(self.client.get_or_init(|| created))
    }

    #[cfg(test)]
    pub(super) fn has_client(&self) -> bool {
        self.client.get().is_some()
    }

    /// Adds the name of the provider to an error.
    fn name_provider(&self, created: Result<Client, ClientError>) -> Result<Client, ProviderError> {
        let provider = || self.provider.clone();
        created.map_err(|error| match error {
            ClientError::NoCertificates(source) => ProviderError::NoCertificates {
                provider: provider(),
                source,
            },
            ClientError::Other(source) => ProviderError::Setup {
                provider: provider(),
                source,
            },
        })
    }

    async fn call_on(&self, client: &Client, call: &Call<'_>) -> Result<Reply, ProviderError> {
        self.send_json(self.build_request(client, call), self.http.timeout)
            .await
    }

    /// Makes a call once, and returns its reply without parsing it.
    pub(super) async fn send_call(&self, call: &Call<'_>) -> Result<FullReply, ProviderError> {
        let request = self.build_request(self.client()?, call);
        self.send_for_full_reply(request, self.http.timeout).await
    }

    fn build_request(&self, client: &Client, call: &Call<'_>) -> RequestBuilder {
        let mut request = client.request(call.method.clone(), self.url(call.path, call.query));
        if let Some(body) = call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        request
    }

    /// Sends a request once and parses the JSON of its reply.
    pub(super) async fn send_json(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Reply, ProviderError> {
        let reply = self.send_for_full_reply(request, limit).await?;
        let poll_after = rate_limit_headers::retry_after(&reply.headers, self.clock.now());
        match self.parse_document(&reply) {
            Ok(value) => Ok(Reply { value, poll_after }),
            Err(reason) => Err(self.unreadable(reason)),
        }
    }

    /// Parses the JSON of a reply, or says without the key why it cannot.
    pub(super) fn parse_document(&self, reply: &FullReply) -> Result<Value, String> {
        let body = reply.body.as_ref().map_err(String::clone)?;
        reply_json::parse(body).map_err(|reason| {
            // Mask before the excerpt is cut, because a part of the key would not be recognized.
            let masked = self.redact(&String::from_utf8_lossy(body));
            reply_json::parse(masked.as_bytes()).err().unwrap_or(reason)
        })
    }

    /// Makes the error of a reply with status 200 that contains an error.
    pub(super) fn error_with_status_200(
        &self,
        error: ErrorReply,
        reply: &FullReply,
    ) -> ProviderError {
        let from_headers =
            ErrorReply::from_response(error.status, &reply.headers, b"", self.clock.now());
        let reply = ErrorReply {
            code: error.code,
            message: self.redact(&error.message),
            ..from_headers
        };
        self.pause_after(&reply);
        ProviderError::Replied {
            provider: self.provider.clone(),
            reply: Box::new(reply),
        }
    }

    /// Starts a request that is not a [`Call`].
    pub(super) fn request(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ProviderError> {
        Ok(self.client()?.request(method, self.url(path, &[])))
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

    pub(super) fn redact(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.redact(text),
            None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
