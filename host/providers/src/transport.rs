//! HTTP to one provider: connections, time limits, rate limits, sending again.
//!
//! Knows URLs, headers and JSON as such; what a body means is for the wire
//! formats.

use std::net::SocketAddr;
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_ENCODING, HeaderMap, LOCATION, TRANSFER_ENCODING};
use reqwest::{Client, Method, RequestBuilder, Response, Url, Version};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tracing::Instrument as _;

use super::error::ProviderError;
use super::fault::{self, ErrorReply};
use super::notice::{Notice, Notices};
use super::pace::Pace;
use super::patience::Patience;
use super::wait;
use super::{Endpoint, HttpSettings, Secret, coding, reach, reading, redirect};
use synix_core::clock::Clock;
use synix_core::crash;
use synix_core::loopback::is_loopback;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A call that sends a file has the time limit of a call and what this rate needs.
const SLOWEST_BYTES_PER_SECOND: u64 = 100_000;

/// Longer JSON replies are refused; an answer of a million tokens is shorter.
const LONGEST_REPLY: usize = 64 << 20;

/// A reply that brings nothing for so long is given up, whatever the settings say.
const LONGEST_SILENCE: Duration = Duration::from_secs(60 * 60);

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

/// A reply that came whole, as far as can be told.
#[derive(Debug)]
pub(super) struct Whole {
    headers: HeaderMap,
    /// Without its content coding; else why it is not to be had.
    pub(super) body: Result<Vec<u8>, String>,
    /// Whether the server said where it ends; else it may have broken off.
    pub(super) framed: bool,
}

/// The way to one provider.
#[derive(Debug)]
pub(super) struct Transport {
    provider: String,
    base: Url,
    headers: HeaderMap,
    /// Made when it is first used: what asks nobody needs no certificates.
    client: OnceLock<Client>,
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
        let notices = Notices::of(&name);
        Ok(Self {
            provider: name,
            base,
            headers,
            client: OnceLock::new(),
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
            let attempt = tracing::debug_span!("call", attempt = patience.sends);
            match self.json_on(self.client()?, call).instrument(attempt).await {
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
        self.made(client(&self.base, &self.headers, Connections::Fresh))
    }

    fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = self.made(client(&self.base, &self.headers, Connections::Kept))?;
        Ok(self.client.get_or_init(|| made))
    }

    #[cfg(test)]
    pub(super) fn has_client(&self) -> bool {
        self.client.get().is_some()
    }

    fn made(&self, made: Result<Client, Unmade>) -> Result<Client, ProviderError> {
        let provider = || self.provider.clone();
        made.map_err(|unmade| match unmade {
            Unmade::NoCertificates(source) => ProviderError::NoCertificates {
                provider: provider(),
                source,
            },
            Unmade::Other(source) => ProviderError::Setup {
                provider: provider(),
                source,
            },
        })
    }

    async fn json_on(&self, client: &Client, call: &Call<'_>) -> Result<Reply, ProviderError> {
        self.send_json(self.prepared(client, call), self.http.timeout)
            .await
    }

    /// Makes a call once, and returns its reply as it came.
    pub(super) async fn whole(&self, call: &Call<'_>) -> Result<Whole, ProviderError> {
        let request = self.prepared(self.client()?, call);
        self.send_whole(request, self.http.timeout).await
    }

    fn prepared(&self, client: &Client, call: &Call<'_>) -> RequestBuilder {
        let mut request = client.request(call.method.clone(), self.url(call.path, call.query));
        if let Some(body) = call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        request
    }

    /// Sends a request whose reply is JSON, once.
    pub(super) async fn send_json(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Reply, ProviderError> {
        let whole = self.send_whole(request, limit).await?;
        let poll_after = wait::told(&whole.headers, self.clock.now());
        match self.document(&whole) {
            Ok(value) => Ok(Reply { value, poll_after }),
            Err(reason) => Err(self.unreadable(reason)),
        }
    }

    /// Reads the document that a reply is, or says why it is none, without the key.
    pub(super) fn document(&self, whole: &Whole) -> Result<Value, String> {
        let body = whole.body.as_ref().map_err(String::clone)?;
        reading::document(body).map_err(|reason| {
            // Before it is cut: a part of a key is not known for one.
            let masked = self.redact(&String::from_utf8_lossy(body));
            reading::document(masked.as_bytes()).err().unwrap_or(reason)
        })
    }

    async fn send_whole(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Whole, ProviderError> {
        self.pace.admit().await;
        self.within(limit, async {
            let response = self.send(request).await?;
            let headers = response.headers().clone();
            let framed = is_framed(&response);
            let coding = coding_of(&headers);
            let body = match self.collect(response).await? {
                Some(body) => {
                    coding::plain(body, &coding, LONGEST_REPLY).map_err(|error| error.to_string())
                }
                None => Err(format!("more than {LONGEST_REPLY} bytes")),
            };
            Ok(Whole {
                headers,
                body,
                framed,
            })
        })
        .await
    }

    /// Takes an error that came with status 200 as if it had come with its own.
    pub(super) fn told(&self, reply: ErrorReply, whole: &Whole) -> ProviderError {
        let told = ErrorReply::read(reply.status, &whole.headers, b"", self.clock.now());
        let reply = ErrorReply {
            code: reply.code,
            message: self.redact(&reply.message),
            ..told
        };
        self.slow_down(&reply);
        ProviderError::Replied {
            provider: self.provider.clone(),
            reply: Box::new(reply),
        }
    }

    /// Starts a request that is not a JSON call.
    pub(super) fn request(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ProviderError> {
        Ok(self.client()?.request(method, self.url(path, &[])))
    }

    /// Asks for a file, and returns as soon as a good reply begins.
    ///
    /// A redirect is followed without the key, and only to where [`redirect::next`] allows.
    pub(super) async fn file(&self, path: &[&str]) -> Result<Response, ProviderError> {
        self.pace.admit().await;
        self.within(self.http.timeout, async {
            let mut url = self.url(path, &[]);
            let mut request = self.client()?.get(url.clone());
            for _ in 0..=redirect::MOST {
                let response = self.send_raw(request).await?;
                let status = response.status();
                let target = response
                    .headers()
                    .get(LOCATION)
                    .filter(|_| status.is_redirection());
                let Some(target) = target else {
                    return self.good(response).await;
                };
                let target = String::from_utf8_lossy(target.as_bytes()).into_owned();
                let refused = |rule: &'static str| ProviderError::Redirect {
                    provider: self.provider.clone(),
                    from: redirect::shown(&url),
                    to: fault::cut_to(&self.redact(&target), 200),
                    rule,
                };
                let next = redirect::next(&url, &target).map_err(refused)?;
                let addresses = redirect::addresses(&url, &next).await.map_err(refused)?;
                let plain = HeaderMap::new();
                let pinned = Connections::Pinned(&addresses);
                request = self.made(client(&next, &plain, pinned))?.get(next.clone());
                url = next;
            }
            Err(ProviderError::Redirect {
                provider: self.provider.clone(),
                from: redirect::shown(&self.base),
                to: redirect::shown(&url),
                rule: "after too many others",
            })
        })
        .await
    }

    /// Returns the next piece of a reply, `None` at its end.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, ProviderError> {
        let next = async { response.chunk().await.map_err(|error| self.failed(error)) };
        let silence = self.http.timeout.min(LONGEST_SILENCE);
        self.within(silence, next).await
    }

    /// Says that the provider accepted what was asked and its reply makes no sense.
    pub(super) fn unreadable(&self, reason: String) -> ProviderError {
        ProviderError::Unreadable {
            provider: self.provider.clone(),
            reason,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ProviderError> {
        let response = self.send_raw(request).await?;
        self.good(response).await
    }

    async fn send_raw(&self, request: RequestBuilder) -> Result<Response, ProviderError> {
        crash::point();
        let begun = Instant::now();
        let response = request.send().await;
        crash::point();
        let response = response.map_err(|error| self.failed(error));
        // Nothing of headers or bodies: they hold keys, and what people ask.
        let millis = begun.elapsed().as_millis();
        match &response {
            Ok(reply) => tracing::debug!(
                provider = self.provider,
                path = reply.url().path(),
                status = reply.status().as_u16(),
                millis,
                "reply"
            ),
            Err(error) => {
                tracing::debug!(provider = self.provider, millis, %error, "no reply");
            }
        }
        let response = response?;
        self.heed(response.headers());
        Ok(response)
    }

    /// Returns a reply that is good, else the error that it is.
    async fn good(&self, response: Response) -> Result<Response, ProviderError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // The status says enough where the words are lost.
        let body = self.collect(response).await.ok().flatten();
        let body = body.unwrap_or_default();
        let body = coding::plain(body, &coding_of(&headers), LONGEST_REPLY).unwrap_or_default();
        let mut reply = ErrorReply::read(status, &headers, &body, self.clock.now());
        if let Some(target) = headers.get(LOCATION).filter(|_| status < 400) {
            // Following would hand the key to another server.
            reply.message = format!(
                "redirects to {}, which synix does not follow",
                fault::cut_to(&String::from_utf8_lossy(target.as_bytes()), 200)
            );
        }
        reply.message = self.redact(&reply.message);
        self.slow_down(&reply);
        Err(ProviderError::Replied {
            provider: self.provider.clone(),
            reply: Box::new(reply),
        })
    }

    /// Reads a whole reply; `None` where it is too long.
    async fn collect(&self, mut response: Response) -> Result<Option<Vec<u8>>, ProviderError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            body.extend_from_slice(chunk.as_ref());
            if body.len() > LONGEST_REPLY {
                return Ok(None);
            }
        }
        Ok(Some(body))
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
                words: reach::words(&source),
                source,
            }
        } else if source.is_builder() {
            ProviderError::Setup { provider, source }
        } else {
            ProviderError::Lost { provider, source }
        }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.redact(text),
            None => text.to_owned(),
        }
    }
}

/// Returns whether a reply that ends too early is noticed below us.
pub(super) fn is_framed(response: &Response) -> bool {
    let headers = response.headers();
    response.version() >= Version::HTTP_2
        || response.content_length().is_some()
        || headers.contains_key(TRANSFER_ENCODING)
}

/// Returns what the headers say of a reply's content coding.
pub(super) fn coding_of(headers: &HeaderMap) -> String {
    let all = headers.get_all(CONTENT_ENCODING).into_iter();
    let named: Vec<_> = all
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    named.join(",")
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections<'a> {
    Kept,
    Fresh,
    /// Fresh ones, to these addresses of the host where any are given.
    Pinned(&'a [SocketAddr]),
}

/// Why there is no client.
#[derive(Debug)]
pub(super) enum Unmade {
    /// This machine has no certificates to tell servers by.
    NoCertificates(reqwest::Error),
    Other(reqwest::Error),
}

impl Unmade {
    pub(super) fn into_source(self) -> reqwest::Error {
        match self {
            Self::NoCertificates(source) | Self::Other(source) => source,
        }
    }
}

/// Makes a client that sends each request once and follows no redirect.
pub(super) fn client(
    base: &Url,
    headers: &HeaderMap,
    connections: Connections<'_>,
) -> Result<Client, Unmade> {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Fails only where the process has chosen its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = || {
        let mut builder = Client::builder()
            .user_agent(concat!("synix/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if connections != Connections::Kept {
            builder = builder.pool_max_idle_per_host(0);
        }
        if let (Connections::Pinned(addresses @ [_, ..]), Some(host)) =
            (connections, base.host_str())
        {
            builder = builder.resolve_to_addrs(host, addresses);
        }
        if base.host_str().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        builder
    };
    let error = match builder().build() {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    // Without certificates of the system nothing can be built; what needs none is built so.
    match builder().tls_certs_only([]).build() {
        Ok(client) if base.scheme() == "http" => Ok(client),
        Ok(_) => Err(Unmade::NoCertificates(error)),
        Err(_) => Err(Unmade::Other(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, provider_with, request, with_headers};
    use synix_core::request::Wire;

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
