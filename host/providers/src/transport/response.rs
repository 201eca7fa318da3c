//! Receives replies: status, redirects, body, time limits, and the errors that they become.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_ENCODING, HeaderMap, LOCATION, TRANSFER_ENCODING};
use reqwest::{RequestBuilder, Response, Version};

use super::client::{Connections, create_client};
use super::{FullReply, MAX_REPLY_BYTES, Transport};
use crate::error::ProviderError;
use crate::error_reply::{ErrorReply, OVERLOADED};
use crate::{content_encoding, excerpt, redirect};
use synix_core::crash;
use synix_network::{AddressSetting, connection_advice};

/// The longest time without a byte of a reply, even if the settings allow more.
const MAX_SILENCE: Duration = Duration::from_secs(60 * 60);

impl Transport {
    /// Sends a request once and reads its reply to the end.
    pub(super) async fn send_for_full_reply(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<FullReply, ProviderError> {
        self.limiter.wait_for_turn().await;
        self.with_time_limit(limit, async {
            let response = self.send(request).await?;
            let headers = response.headers().clone();
            let is_framed = is_framed(&response);
            let encoding = content_encoding_header(&headers);
            let body = match self.read_body(response).await? {
                Some(body) => content_encoding::decode(body, &encoding, MAX_REPLY_BYTES)
                    .map_err(|error| error.to_string()),
                None => Err(format!("more than {MAX_REPLY_BYTES} bytes")),
            };
            Ok(FullReply {
                headers,
                body,
                is_framed,
            })
        })
        .await
    }

    /// Requests a file, and returns as soon as a successful reply begins.
    ///
    /// Follows redirects without the key, and only to servers that [`redirect::resolve`] allows.
    pub(crate) async fn get_file(&self, path: &[&str]) -> Result<Response, ProviderError> {
        self.limiter.wait_for_turn().await;
        self.with_time_limit(self.http.timeout, async {
            let mut url = self.url(path, &[]);
            let mut request = self.client()?.get(url.clone());
            for _ in 0..=redirect::MAX_REDIRECTS {
                let response = self.send_raw(request).await?;
                let status = response.status();
                let target = response
                    .headers()
                    .get(LOCATION)
                    .filter(|_| status.is_redirection());
                let Some(target) = target else {
                    return self.check_status(response).await;
                };
                let target = String::from_utf8_lossy(target.as_bytes()).into_owned();
                let refused = |rule: &'static str| ProviderError::Redirect {
                    provider: self.provider.clone(),
                    from: redirect::origin(&url),
                    to: excerpt::truncate(&self.redact(&target), 200),
                    rule,
                };
                let next = redirect::resolve(&url, &target).map_err(refused)?;
                let addresses = redirect::look_up(&url, &next).await.map_err(refused)?;
                let no_headers = HeaderMap::new();
                let pinned = Connections::Pinned(&addresses);
                let client = self.name_provider(create_client(&next, &no_headers, pinned))?;
                request = client.get(next.clone());
                url = next;
            }
            Err(ProviderError::Redirect {
                provider: self.provider.clone(),
                from: redirect::origin(&self.base),
                to: redirect::origin(&url),
                rule: "after too many redirects",
            })
        })
        .await
    }

    /// Returns the next chunk of a reply, `None` at its end.
    pub(crate) async fn next_chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, ProviderError> {
        let next = async {
            response
                .chunk()
                .await
                .map_err(|error| self.connection_error(error))
        };
        let silence = self.http.timeout.min(MAX_SILENCE);
        self.with_time_limit(silence, next).await
    }

    /// Makes the error for a successful reply that cannot be read.
    pub(crate) fn unreadable(&self, reason: String) -> ProviderError {
        ProviderError::Unreadable {
            provider: self.provider.clone(),
            reason,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ProviderError> {
        let response = self.send_raw(request).await?;
        self.check_status(response).await
    }

    async fn send_raw(&self, request: RequestBuilder) -> Result<Response, ProviderError> {
        crash::point();
        let begun = Instant::now();
        let response = request.send().await;
        crash::point();
        let response = response.map_err(|error| self.connection_error(error));
        // Headers and bodies are not logged: they contain keys and prompts.
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
        self.observe_headers(response.headers());
        Ok(response)
    }

    /// Returns a successful reply; turns any other one into its error.
    async fn check_status(&self, response: Response) -> Result<Response, ProviderError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // If the message is lost, the status is enough.
        let body = self.read_body(response).await.ok().flatten();
        let body = body.unwrap_or_default();
        let body =
            content_encoding::decode(body, &content_encoding_header(&headers), MAX_REPLY_BYTES)
                .unwrap_or_default();
        let mut reply = ErrorReply::from_response(status, &headers, &body, self.clock.now());
        if let Some(target) = headers.get(LOCATION).filter(|_| status < 400) {
            // Following it would send the key to another server.
            reply.message = format!(
                "redirects to {}, which synix does not follow",
                excerpt::truncate(&String::from_utf8_lossy(target.as_bytes()), 200)
            );
        }
        reply.message = self.redact(&reply.message);
        self.pause_after(&reply);
        Err(ProviderError::Replied {
            provider: self.provider.clone(),
            reply: Box::new(reply),
        })
    }

    /// Reads a body to its end; `None` if it is too long.
    async fn read_body(&self, mut response: Response) -> Result<Option<Vec<u8>>, ProviderError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.next_chunk(&mut response).await? {
            body.extend_from_slice(chunk.as_ref());
            if body.len() > MAX_REPLY_BYTES {
                return Ok(None);
            }
        }
        Ok(Some(body))
    }

    fn observe_headers(&self, headers: &HeaderMap) {
        if !self.http.backoff.is_zero() {
            self.limiter.observe_headers(headers, self.clock.now());
        }
    }

    /// Delays all requests if one was sent too early.
    pub(super) fn pause_after(&self, reply: &ErrorReply) {
        let (_, is_transient) = reply.classify();
        if !is_transient || self.http.backoff.is_zero() {
            return;
        }
        let wait = match reply.status {
            429 => reply.wait.unwrap_or(self.http.backoff),
            503 | OVERLOADED => reply.wait.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        self.limiter.pause(wait);
    }

    async fn with_time_limit<T>(
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

    fn connection_error(&self, error: reqwest::Error) -> ProviderError {
        let provider = self.provider.clone();
        let source = error.without_url();
        if source.is_connect() {
            let mut shown = self.base.clone();
            // This fails only for a URL without a host; ours has one.
            let _ = shown.set_username("");
            let _ = shown.set_password(None);
            ProviderError::Unreachable {
                provider,
                url: shown.to_string(),
                advice: connection_advice(&source, AddressSetting::BaseUrl),
                source,
            }
        } else if source.is_builder() {
            ProviderError::Setup { provider, source }
        } else {
            ProviderError::Lost { provider, source }
        }
    }
}

/// Returns whether the HTTP client notices if the reply is cut off.
pub(crate) fn is_framed(response: &Response) -> bool {
    let headers = response.headers();
    response.version() >= Version::HTTP_2
        || response.content_length().is_some()
        || headers.contains_key(TRANSFER_ENCODING)
}

/// Returns the content encodings that the headers of a reply name, separated by commas.
pub(crate) fn content_encoding_header(headers: &HeaderMap) -> String {
    let all = headers.get_all(CONTENT_ENCODING).into_iter();
    let named: Vec<_> = all
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    named.join(",")
}
