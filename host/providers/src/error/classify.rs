//! What follows from an error: a retry, an unclear send, a failure.

use std::error::Error;
use std::time::Duration;

use super::ProviderError;
use crate::error_reply::OVERLOADED;
use crate::retry::MAX_WAIT;
use synix_core::request::{Failure, FailureKind, Usage};

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAdvice {
    /// No: it would fail again.
    Never,
    /// Yes, after a back-off.
    Backoff,
    /// Yes, after the wait that the provider asked for.
    After(Duration),
}

impl ProviderError {
    /// Returns whether the same request may be sent again.
    pub fn retry(&self) -> RetryAdvice {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::Truncated { .. }
            | Self::Inconsistent { .. }
            | Self::Undecodable { .. } => RetryAdvice::Backoff,
            Self::Replied { reply, .. } => {
                let (_, is_transient) = reply.classify();
                match reply.wait {
                    _ if !is_transient || reply.should_retry == Some(false) => RetryAdvice::Never,
                    Some(wait) if wait > MAX_WAIT => RetryAdvice::Never,
                    Some(wait) if !wait.is_zero() => RetryAdvice::After(wait),
                    Some(_) | None => RetryAdvice::Backoff,
                }
            }
            Self::BaseUrl { .. }
            | Self::Key { .. }
            | Self::Setup { .. }
            | Self::NoCertificates { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::TooSlow { .. }
            | Self::EndlessList { .. }
            | Self::WrongInput { .. }
            | Self::Disk(_) => RetryAdvice::Never,
        }
    }

    /// Returns whether the provider may have processed and billed the request.
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::TimedOut { .. } | Self::Unreadable { .. } => true,
            // A server may fail after the work is done, and a gateway does not know.
            Self::Replied { reply, .. } => {
                matches!(reply.status, 500..=599) && reply.status != OVERLOADED
            }
            Self::BaseUrl { .. }
            | Self::Key { .. }
            | Self::Setup { .. }
            | Self::NoCertificates { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::TooSlow { .. }
            | Self::Undecodable { .. }
            | Self::EndlessList { .. }
            | Self::Unreachable { .. }
            | Self::Truncated { .. }
            | Self::Inconsistent { .. }
            | Self::WrongInput { .. }
            | Self::Disk(_) => false,
        }
    }

    /// Returns whether there was no connection to the provider, so that nothing was sent.
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Returns whether the provider replied that the object does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Replied { reply, .. } if reply.status == 404)
    }

    /// Returns the failure of a request that ended with this error.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Replied { reply, .. } => reply.to_failure(),
            Self::Key { .. } => self.failure(FailureKind::Auth, false),
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::Truncated { .. }
            | Self::Inconsistent { .. }
            | Self::Undecodable { .. }
            | Self::EndlessList { .. } => self.failure(FailureKind::Provider, true),
            Self::BaseUrl { .. }
            | Self::Setup { .. }
            | Self::NoCertificates { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::TooSlow { .. }
            | Self::WrongInput { .. }
            | Self::Disk(_) => self.failure(FailureKind::Provider, false),
        }
    }

    fn failure(&self, kind: FailureKind, is_transient: bool) -> Failure {
        let mut message = self.to_string();
        if let Some(cause) = root_cause(self) {
            // After advice, the cause is in brackets: it helps those who run the server.
            message = if matches!(
                self,
                Self::Unreachable {
                    advice: Some(_),
                    ..
                }
            ) {
                format!("{message} ({cause})")
            } else {
                format!("{message}: {cause}")
            };
        }
        Failure {
            kind,
            message,
            transient: is_transient,
            usage: Usage::default(),
        }
    }
}

/// Returns the innermost cause; those in between are the layers of the HTTP client.
fn root_cause(error: &dyn Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Some(cause.to_string())
}
