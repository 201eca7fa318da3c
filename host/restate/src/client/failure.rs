//! What a reply of the server means for a call that has no result.

use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use restate_sdk::ingress::ClientError;
use serde::Deserialize;
use synix_core::causes::with_causes;
use synix_units::EngineError;

use crate::endpoint::REFUSED;
use crate::http_client::CallError;

/// The characters of a message that are shown.
const MAX_MESSAGE: usize = 500;

/// Why a call has no result.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// The status of the reply; `None` without one.
    pub(super) status: Option<StatusCode>,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody knows whether the call runs: the next one has the same key.
    Unanswered,
    /// The server keeps this failure under the key of the call.
    Failed,
    /// The same call would be refused again.
    Refused,
}

/// What to say if the server knows nobody who could answer.
const NO_WORKER: &str = "it knows no worker; run `synix worker` with --register";
const NO_SERVICE: &str = "it knows no service; run `synix service` with --register";

/// What a message says.
#[derive(Debug)]
struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Reason {}

impl Failure {
    /// The server would close the connection without a reply.
    pub(super) fn chunk_too_large() -> Self {
        Self {
            kind: Kind::Refused,
            status: None,
            reason: Reason("the chunk is larger than a message may be".to_owned()),
        }
    }

    /// Returns whether the server would reply to the same key with the same failure.
    pub(super) fn is_recorded(&self) -> bool {
        self.kind != Kind::Unanswered
    }

    pub(super) fn into_error(self, name: &str) -> EngineError {
        let name = name.to_owned();
        let source = Box::new(self.reason);
        match self.kind {
            Kind::Unanswered | Kind::Failed => EngineError::Unavailable { name, source },
            Kind::Refused => EngineError::Refused { name, source },
        }
    }

    /// Returns what the user is told.
    pub(super) fn into_reason(self) -> String {
        self.reason.0
    }

    /// Reads the failure of a chunk.
    pub(super) fn of_units(error: &ClientError) -> Self {
        Self::of(error, NO_WORKER)
    }

    /// Reads the failure of a call to a service. What the service itself says is complete: it is a document.
    pub(super) fn of_service(error: &ClientError) -> Self {
        let mut failure = Self::of(error, NO_SERVICE);
        if let Some(reply) = error.response()
            && reply.status().as_u16() == REFUSED
        {
            failure.reason = Reason(message_of(reply.body()));
        }
        failure
    }

    fn of(error: &ClientError, nobody: &str) -> Self {
        if let Some(reply) = error.response() {
            let message = reply_message(reply.body());
            return Self {
                kind: kind_of(reply.status()),
                status: Some(reply.status()),
                reason: Reason(described(reply.status(), &message, nobody)),
            };
        }
        let kind = match error {
            ClientError::Transport { source } => match source.downcast_ref() {
                Some(CallError::TooLarge(_)) => Kind::Refused,
                Some(CallError::Http(_)) | None => Kind::Unanswered,
            },
            ClientError::Request { .. }
            | ClientError::Serialization { .. }
            | ClientError::InvalidRequest { .. }
            | ClientError::Protocol { .. }
            | ClientError::Status { .. }
            | ClientError::PayloadDecode { .. } => Kind::Refused,
        };
        Self {
            kind,
            status: None,
            reason: Reason(innermost(error)),
        }
    }
}

/// Returns the causes behind the words of the library, which repeat themselves.
fn innermost(error: &ClientError) -> String {
    match error {
        // The URL is in the message already.
        ClientError::Transport { source } => match source.downcast_ref() {
            Some(CallError::Http(http)) => without_url(http),
            Some(CallError::TooLarge(_)) | None => with_causes(source.as_ref()),
        },
        ClientError::Request { source } | ClientError::Serialization { source } => {
            with_causes(source.as_ref())
        }
        ClientError::InvalidRequest { .. }
        | ClientError::Protocol { .. }
        | ClientError::Status { .. }
        | ClientError::PayloadDecode { .. } => error.to_string(),
    }
}

/// Returns the causes of an error of HTTP, without the outermost one: it says that a request to a URL failed.
fn without_url(error: &reqwest::Error) -> String {
    error
        .source()
        .map_or_else(|| "no reply".to_owned(), with_causes)
}

fn kind_of(status: StatusCode) -> Kind {
    match status {
        // A proxy in front of a server that is away.
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Kind::Unanswered
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Kind::Unanswered,
        // The server knows no worker yet.
        StatusCode::NOT_FOUND => Kind::Unanswered,
        status if status.is_server_error() => Kind::Failed,
        _ => Kind::Refused,
    }
}

fn described(status: StatusCode, message: &str, nobody: &str) -> String {
    if status == StatusCode::NOT_FOUND {
        return format!("{nobody} (HTTP 404: {message})");
    }
    if status.as_u16() == REFUSED {
        return message.to_owned();
    }
    if status == StatusCode::OK {
        return format!("the reply is not one of Restate: {message}");
    }
    format!("HTTP {}: {message}", status.as_u16())
}

/// Returns the beginning of what the server says in the body of an error.
pub(crate) fn reply_message(body: &Bytes) -> String {
    let text = message_of(body);
    let mut characters = text.trim().chars();
    let mut shown: String = characters.by_ref().take(MAX_MESSAGE).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    if shown.is_empty() {
        shown.push_str("no message");
    }
    shown
}

fn message_of(body: &Bytes) -> String {
    #[derive(Deserialize)]
    struct ErrorBody {
        message: String,
    }
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => body.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}
