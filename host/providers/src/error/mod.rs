//! The errors of a provider's client, and whether to retry after them.

mod classify;
mod create;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::error_reply::ErrorReply;
use synix_disk::DiskError;

pub use classify::RetryAdvice;
pub use create::CreateError;

/// Why a call to a provider failed.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the message of each variant explains its fields"
)]
pub enum ProviderError {
    /// The base URL of the endpoint is not valid.
    #[error("provider {provider}: the base URL {url:?} is not an http or https URL")]
    BaseUrl { provider: String, url: String },
    /// The key is not a valid header value.
    #[error("provider {provider}: the key has characters that are not allowed in an HTTP header")]
    Key { provider: String },
    /// The HTTP client or a request could not be created.
    #[error("provider {provider}: cannot prepare the request")]
    Setup {
        provider: String,
        source: reqwest::Error,
    },
    /// This machine has no CA certificates.
    #[error(
        "provider {provider}: this system has no CA certificates, which https needs: install its package \
        ca-certificates, or set SSL_CERT_FILE to a file of them"
    )]
    NoCertificates {
        provider: String,
        source: reqwest::Error,
    },
    /// A file is on a server that synix does not follow redirects to.
    #[error("provider {provider}: {from} redirects to {to}, {rule}")]
    Redirect {
        provider: String,
        from: String,
        to: String,
        rule: &'static str,
    },
    /// A file has more bytes than its rows can need, or than this machine can store.
    #[error(
        "provider {provider}: file {file} has more than {max_bytes} bytes, the maximum for {limited_by}"
    )]
    TooLarge {
        provider: String,
        file: String,
        max_bytes: u64,
        limited_by: &'static str,
    },
    /// A file took longer than the time limit of a download.
    #[error("provider {provider}: file {file} did not arrive within {} hours", .after.as_secs() / 3600)]
    TooSlow {
        provider: String,
        file: String,
        after: Duration,
    },
    /// A file has a content encoding that cannot be decoded.
    #[error("provider {provider}: file {file} came as {reason}")]
    Undecodable {
        provider: String,
        file: String,
        reason: String,
    },
    /// There was no connection; nothing was sent.
    #[error("cannot reach provider {provider} at {url}{}", .advice.map_or_else(String::new, |advice| format!(": {advice}")))]
    Unreachable {
        provider: String,
        url: String,
        advice: Option<&'static str>,
        source: reqwest::Error,
    },
    /// The connection ended before the complete reply arrived.
    #[error("provider {provider}: the connection ended before the reply was complete")]
    Lost {
        provider: String,
        source: reqwest::Error,
    },
    /// The reply did not arrive in time.
    #[error("provider {provider} did not reply within {} s", .after.as_secs_f64())]
    TimedOut { provider: String, after: Duration },
    /// The provider replied with an error.
    #[error("provider {provider}: {reply}")]
    Replied {
        provider: String,
        reply: Box<ErrorReply>,
    },
    /// The provider accepted the request, but its reply cannot be read.
    #[error("provider {provider}: unreadable reply: {reason}")]
    Unreadable { provider: String, reason: String },
    /// The list of batches has no certain end, so a batch that is not in it may exist.
    #[error("provider {provider}: the list of batches cannot be read to its end: {reason}")]
    EndlessList { provider: String, reason: String },
    /// A file repeatedly arrived with fewer bytes than the provider reports.
    #[error("provider {provider}: file {file} has {expected} bytes, but only {received} arrived")]
    Truncated {
        provider: String,
        file: String,
        expected: u64,
        received: u64,
    },
    /// A file was different each time it was fetched, or ended within a row each time.
    #[error("provider {provider}: file {file} may be incomplete")]
    Inconsistent { provider: String, file: String },
    /// The provider expects the requests of a batch in another form.
    #[error("provider {provider} expects the requests of a batch {expected}")]
    WrongInput {
        provider: String,
        expected: &'static str,
    },
    /// A local file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
