//! What can go wrong between synix and a provider, and what follows from it.

use std::error::Error;
use std::time::Duration;

use super::fault::ErrorReply;
use super::wait::LONGEST_WAIT;
use synix_core::request::{Failure, FailureKind, Usage};
use synix_disk::DiskError;

/// Why a provider did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The base URL of the endpoint cannot be used.
    #[error("provider {provider}: {url:?} is not an http or https URL")]
    BaseUrl {
        /// Which provider.
        provider: String,
        /// What was given.
        url: String,
    },
    /// The key cannot stand in a header.
    #[error("provider {provider}: the key has characters that HTTP cannot carry")]
    Key {
        /// Which provider.
        provider: String,
    },
    /// The HTTP client or a request could not be made.
    #[error("provider {provider}: cannot prepare the request")]
    Setup {
        /// Which provider.
        provider: String,
        /// What the client said.
        source: reqwest::Error,
    },
    /// This machine has no certificates by which servers could be told from others.
    #[error(
        "provider {provider}: this system has no CA certificates, which https needs: install its package ca-certificates, or name a file of them in SSL_CERT_FILE"
    )]
    NoCertificates {
        /// Which provider.
        provider: String,
        /// What the client said.
        source: reqwest::Error,
    },
    /// A file is elsewhere, where synix does not go.
    #[error("provider {provider}: {from} redirects to {to}, {rule}")]
    Redirect {
        /// Which provider.
        provider: String,
        /// The server that redirects.
        from: String,
        /// Where to.
        to: String,
        /// Why it is not followed.
        rule: &'static str,
    },
    /// A file has more bytes than its rows can need, or than this machine can keep.
    #[error(
        "provider {provider}: file {file} has more than {most} bytes, the most that is taken for {why}"
    )]
    TooLarge {
        /// Which provider.
        provider: String,
        /// Which file.
        file: String,
        /// The bound.
        most: u64,
        /// What bounds it.
        why: &'static str,
    },
    /// A file took longer than any file may.
    #[error("provider {provider}: file {file} did not arrive within {} hours", .after.as_secs() / 3600)]
    TooSlow {
        /// Which provider.
        provider: String,
        /// Which file.
        file: String,
        /// How long was waited.
        after: Duration,
    },
    /// A file came in a content coding that cannot be taken off.
    #[error("provider {provider}: file {file} came as {reason}")]
    Coded {
        /// Which provider.
        provider: String,
        /// Which file.
        file: String,
        /// The coding, and what is wrong with it.
        reason: String,
    },
    /// No connection; nothing was sent.
    #[error("cannot reach provider {provider} at {url}{}", .words.map_or_else(String::new, |words| format!(": {words}")))]
    Unreachable {
        /// Which provider.
        provider: String,
        /// Its base URL.
        url: String,
        /// What there is to say beyond the cause.
        words: Option<&'static str>,
        /// What the client said.
        source: reqwest::Error,
    },
    /// The connection ended before the whole reply was there.
    #[error("provider {provider}: the reply was lost")]
    Lost {
        /// Which provider.
        provider: String,
        /// What the client said.
        source: reqwest::Error,
    },
    /// The reply did not come in time.
    #[error("provider {provider} did not reply within {} s", .after.as_secs_f64())]
    TimedOut {
        /// Which provider.
        provider: String,
        /// How long was waited.
        after: Duration,
    },
    /// The provider replied with an error.
    #[error("provider {provider}: {reply}")]
    Replied {
        /// Which provider.
        provider: String,
        /// What it said.
        reply: Box<ErrorReply>,
    },
    /// The provider accepted the request and its reply makes no sense.
    #[error("provider {provider}: unreadable reply: {reason}")]
    Unreadable {
        /// Which provider.
        provider: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The list of batches proves nothing about what is not in it.
    #[error("provider {provider}: the list of batches cannot be read to its end: {reason}")]
    EndlessList {
        /// Which provider.
        provider: String,
        /// What is wrong with the list.
        reason: String,
    },
    /// A file kept arriving with fewer bytes than the provider says it has.
    #[error("provider {provider}: file {file} has {expected} bytes, but only {received} arrived")]
    Short {
        /// Which provider.
        provider: String,
        /// Which file.
        file: String,
        /// Its size.
        expected: u64,
        /// What arrived last.
        received: u64,
    },
    /// A file may be incomplete, and was different each time it was fetched.
    #[error("provider {provider}: file {file} may be incomplete")]
    Doubtful {
        /// Which provider.
        provider: String,
        /// Which file.
        file: String,
    },
    /// The provider takes the requests of a batch in another way.
    #[error("provider {provider} takes the requests of a batch {taken}")]
    WrongInput {
        /// Which provider.
        provider: String,
        /// How it takes them.
        taken: &'static str,
    },
    /// A file of ours could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// After a wait of our choice.
    Backoff,
    /// After the wait that the provider asked for.
    After(Duration),
}

impl ProviderError {
    /// Returns whether the same request may be sent again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::Short { .. }
            | Self::Doubtful { .. }
            | Self::Coded { .. } => Retry::Backoff,
            Self::Replied { reply, .. } => {
                let (_, passing) = reply.class();
                match reply.wait {
                    _ if !passing || reply.should_retry == Some(false) => Retry::Never,
                    Some(wait) if wait > LONGEST_WAIT => Retry::Never,
                    Some(wait) if !wait.is_zero() => Retry::After(wait),
                    Some(_) | None => Retry::Backoff,
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
            | Self::Disk(_) => Retry::Never,
        }
    }

    /// Returns whether the provider may have done, and billed, what was asked.
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::TimedOut { .. } | Self::Unreadable { .. } => true,
            // A server may fail after it has done the work, and a gateway does not know; 529 is a refusal.
            Self::Replied { reply, .. } => matches!(reply.status, 500..=599) && reply.status != 529,
            Self::BaseUrl { .. }
            | Self::Key { .. }
            | Self::Setup { .. }
            | Self::NoCertificates { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. }
            | Self::TooSlow { .. }
            | Self::Coded { .. }
            | Self::EndlessList { .. }
            | Self::Unreachable { .. }
            | Self::Short { .. }
            | Self::Doubtful { .. }
            | Self::WrongInput { .. }
            | Self::Disk(_) => false,
        }
    }

    /// Returns whether there was no connection to the provider, so that nothing was sent.
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Returns whether the provider says that what was named does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Replied { reply, .. } if reply.status == 404)
    }

    /// Returns the failure of a request that met this error.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Replied { reply, .. } => reply.to_failure(),
            Self::Key { .. } => self.failure(FailureKind::Auth, false),
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::Short { .. }
            | Self::Doubtful { .. }
            | Self::Coded { .. }
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

    fn failure(&self, kind: FailureKind, passing: bool) -> Failure {
        let mut message = self.to_string();
        if let Some(cause) = first_cause(self) {
            // In brackets behind words of ours: whoever runs the server may know it by these.
            message = if matches!(self, Self::Unreachable { words: Some(_), .. }) {
                format!("{message} ({cause})")
            } else {
                format!("{message}: {cause}")
            };
        }
        Failure {
            kind,
            message,
            passing,
            usage: Usage::default(),
        }
    }
}

/// Returns the innermost source; the layers of an HTTP client in between say nothing.
fn first_cause(error: &dyn Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Some(cause.to_string())
}

/// Why a batch was not, or may not have been, created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// It may exist: look for its token in the provider's list.
    #[error("it is unclear whether the batch was created")]
    Unclear(#[source] ProviderError),
    /// The provider refused; it does not exist.
    #[error("the batch was refused")]
    Refused(#[source] ProviderError),
    /// Nothing reached the provider; it does not exist.
    #[error("the batch was not sent")]
    NotSent(#[source] ProviderError),
}

impl From<ProviderError> for CreateError {
    fn from(error: ProviderError) -> Self {
        match &error {
            ProviderError::Replied { reply, .. } => match reply.status {
                // A timeout at a gateway says nothing about the server behind it.
                408 => Self::Unclear(error),
                300..=499 => Self::Refused(error),
                _ => Self::Unclear(error),
            },
            ProviderError::Lost { .. }
            | ProviderError::TimedOut { .. }
            | ProviderError::Unreadable { .. } => Self::Unclear(error),
            ProviderError::BaseUrl { .. }
            | ProviderError::Key { .. }
            | ProviderError::Setup { .. }
            | ProviderError::NoCertificates { .. }
            | ProviderError::Redirect { .. }
            | ProviderError::TooLarge { .. }
            | ProviderError::TooSlow { .. }
            | ProviderError::Coded { .. }
            | ProviderError::EndlessList { .. }
            | ProviderError::Unreachable { .. }
            | ProviderError::Short { .. }
            | ProviderError::Doubtful { .. }
            | ProviderError::WrongInput { .. }
            | ProviderError::Disk(_) => Self::NotSent(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replied(status: u16, code: &str, wait: Option<Duration>) -> ProviderError {
        let body = json!({"error": {"code": code, "message": "m"}});
        ProviderError::Replied {
            provider: "p".to_owned(),
            reply: Box::new(ErrorReply {
                wait,
                ..ErrorReply::of_row(status, &body)
            }),
        }
    }

    #[test]
    fn only_passing_errors_are_retried() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert_eq!(
                replied(status, "x", None).retry(),
                Retry::Backoff,
                "{status}"
            );
        }
        for status in [301, 400, 401, 402, 403, 404, 413, 422] {
            assert_eq!(replied(status, "x", None).retry(), Retry::Never, "{status}");
        }
    }

    /// L18
    #[test]
    fn an_empty_account_is_never_asked_again() {
        let wait = Some(Duration::from_secs(1));
        let error = replied(429, "insufficient_quota", wait);
        assert_eq!(error.retry(), Retry::Never);
    }

    #[test]
    fn a_wait_is_obeyed_up_to_two_minutes() {
        let asked = |seconds| replied(429, "x", Some(Duration::from_secs(seconds))).retry();
        assert_eq!(asked(0), Retry::Backoff);
        assert_eq!(asked(120), Retry::After(Duration::from_secs(120)));
        assert_eq!(asked(121), Retry::Never);
    }

    #[test]
    fn a_provider_that_says_not_to_retry_is_obeyed() {
        let reply = ErrorReply {
            should_retry: Some(false),
            ..ErrorReply::of_row(503, &json!({}))
        };
        let error = ProviderError::Replied {
            provider: "p".to_owned(),
            reply: Box::new(reply),
        };
        assert_eq!(error.retry(), Retry::Never);
    }

    /// M1: only an error that proves the absence of a batch is taken for one.
    #[test]
    fn a_create_is_refused_only_by_a_reply_that_proves_it() {
        for status in [400, 401, 403, 404, 409, 413, 429] {
            let error = CreateError::from(replied(status, "x", None));
            assert!(matches!(error, CreateError::Refused(_)), "{status}");
        }
        for status in [408, 500, 502, 503, 504, 529] {
            let error = CreateError::from(replied(status, "x", None));
            assert!(matches!(error, CreateError::Unclear(_)), "{status}");
        }
    }
}
