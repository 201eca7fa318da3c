//! Sends a message to a receiver, once, and says what its reply means by the rules of OTLP over HTTP.

use std::io::Write as _;
use std::sync::Once;
use std::time::{Duration, UNIX_EPOCH};

use prost::Message as _;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response as Reply, StatusCode};

use synix_core::clock::Clock;
use synix_core::loopback::is_loopback;

use crate::endpoint::Endpoint;
use crate::wire::Response;

/// The maximum size of a reply that is read, and of the part of its message that is shown.
const MAX_REPLY_BYTES: usize = 64 * 1024;
const MAX_MESSAGE_CHARACTERS: usize = 200;

/// What happened to a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Sent {
    /// The receiver took it, except for this many spans or points.
    Accepted { rejected: u64, reason: String },
    /// It may be sent again.
    Again {
        /// How long the receiver wants to be left alone, if it says so.
        after: Option<Duration>,
        /// Whether the receiver answered at all.
        is_answered: bool,
        reason: String,
    },
    /// It would be refused again.
    Refused { reason: String },
}

/// The connection to a receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    client: Client,
    pub(crate) endpoint: Endpoint,
}

impl Receiver {
    pub(crate) fn new(endpoint: Endpoint) -> Result<Self, reqwest::Error> {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // Fails only if the process has installed another one, which does as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = Client::builder()
            .user_agent(concat!("synix/", env!("CARGO_PKG_VERSION")))
            .default_headers(endpoint.headers.clone())
            .connect_timeout(endpoint.timeout)
            // Headers with keys go to the receiver that the user named and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if endpoint.url.host_str().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        if endpoint.url.scheme() == "http" {
            // Reading the certificates takes time, and nothing here needs them.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            client: builder.build()?,
            endpoint,
        })
    }

    /// Sends a message in at most this time.
    pub(crate) async fn send(&self, body: Vec<u8>, at_most: Duration) -> Sent {
        let media_type = if self.endpoint.is_json {
            "application/json"
        } else {
            "application/x-protobuf"
        };
        let mut request = self
            .client
            .post(self.endpoint.url.clone())
            .header(CONTENT_TYPE, media_type)
            .timeout(at_most.min(self.endpoint.timeout));
        request = match self.endpoint.is_compressed.then(|| compressed(&body)) {
            Some(Ok(small)) => request.header(CONTENT_ENCODING, "gzip").body(small),
            Some(Err(_)) | None => request.body(body),
        };
        match request.send().await {
            Ok(reply) => self.read(reply).await,
            Err(error) => Sent::Again {
                after: None,
                is_answered: false,
                reason: unreachable_reason(&error).to_owned(),
            },
        }
    }

    async fn read(&self, mut reply: Reply) -> Sent {
        let status = reply.status();
        let after = retry_after(reply.headers());
        let mut body = Vec::new();
        // A body that breaks off or never ends changes nothing about the status.
        while let Ok(Some(chunk)) = reply.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_REPLY_BYTES {
                break;
            }
        }
        if status.is_success() {
            return self.accepted(&body);
        }
        let reason = format!("it answered {status}");
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Sent::Again {
                after,
                is_answered: true,
                reason,
            },
            _ => Sent::Refused { reason },
        }
    }

    /// Reads how much of a message was taken. A reply that makes no sense means all of it, as its status says.
    fn accepted(&self, body: &[u8]) -> Sent {
        let partial = if self.endpoint.is_json {
            crate::json::partial_success(body)
        } else {
            Response::decode(body)
                .ok()
                .and_then(|response| response.partial_success)
        };
        let partial = partial.unwrap_or_default();
        Sent::Accepted {
            rejected: u64::try_from(partial.rejected).unwrap_or(0),
            reason: partial
                .error_message
                .chars()
                .take(MAX_MESSAGE_CHARACTERS)
                .collect(),
        }
    }
}

fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(body)?;
    encoder.finish()
}

/// Says why there is no reply. The error of the client would name the URL, which may have a credential.
fn unreachable_reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection to it broke"
    }
}

/// Reads how long to wait: a number of seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let now = UNIX_EPOCH + Duration::from_millis(Clock::Real.now().0);
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_number_or_a_date() {
        let after = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        for nonsense in ["soon", "-1", "1e9", ""] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
    }
}
