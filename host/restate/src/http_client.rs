//! The HTTP client for the server: no redirects, bounded replies.

use std::error::Error;
use std::fmt;
use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Client;
use restate_sdk::ingress::RequestExecutor;

/// The time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a silent connection is trusted. A server that lost its power closes no connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An HTTP client whose replies have at most `max_bytes`.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: Client,
    max_bytes: usize,
}

/// The reply is too large.
#[derive(Debug)]
pub(crate) struct ReplyTooLarge(usize);

impl fmt::Display for ReplyTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reply has more than {} bytes", self.0)
    }
}

impl Error for ReplyTooLarge {}

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    TooLarge(#[from] ReplyTooLarge),
}

impl HttpClient {
    /// Creates a client. `timeout` is that of a call with its reply.
    pub(crate) fn new(timeout: Duration, max_bytes: usize) -> Result<Self, reqwest::Error> {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // Fails only if the process has installed another one, which does as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = Client::builder()
            .user_agent(concat!("synix/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .tcp_keepalive(KEEP_ALIVE)
            // A redirect would carry units to another server.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client, max_bytes })
    }
}

impl RequestExecutor for HttpClient {
    type Error = CallError;

    async fn execute(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Self::Error> {
        let mut response = self.client.execute(request.try_into()?).await?;
        let mut reply = http::Response::new(Bytes::new());
        *reply.status_mut() = response.status();
        *reply.headers_mut() = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await? {
            if part.len() > self.max_bytes.saturating_sub(body.len()) {
                return Err(ReplyTooLarge(self.max_bytes).into());
            }
            body.extend_from_slice(&part);
        }
        *reply.body_mut() = body.freeze();
        Ok(reply)
    }
}
