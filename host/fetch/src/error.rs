//! Errors of fetching a component.

use std::time::Duration;

use synix_core::digest::Digest;
use synix_disk::DiskError;

/// A component could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch the plugin {reference}")]
pub struct FetchError {
    /// The reference as written.
    pub reference: String,
    /// The reason.
    pub source: FetchErrorKind,
}

impl FetchError {
    /// Combines a reason with the reference.
    pub fn new(reference: &str, source: FetchErrorKind) -> Self {
        Self {
            reference: reference.to_owned(),
            source,
        }
    }
}

/// The reason why a component could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchErrorKind {
    /// The command does not use the network, and the component is not in the cache.
    #[error(
        "a replay opens no connection, and the plugin is not in the cache; run `synix plugin fetch` to download it"
    )]
    NotCached,
    /// The command does not query registries, and the reference is not pinned.
    #[error(
        "the lock file does not pin it, and this command does not query registries; run `synix plugin update` to pin it"
    )]
    NotPinned,
    /// The reference is a name or a path.
    #[error("the reference does not name a server")]
    NotRemote,
    /// The URL is invalid.
    #[error("its URL is invalid: {0}")]
    Url(String),
    /// The HTTP client could not be created.
    #[error("cannot set up a connection")]
    Setup {
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// The connection failed.
    #[error("cannot connect to {host}{}", .advice.map_or_else(String::new, |advice| format!(": {advice}")))]
    Unreachable {
        /// The server.
        host: String,
        /// How the user can fix it, if the cause does not tell.
        advice: Option<&'static str>,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// The connection was lost during the reply.
    #[error("the connection to {host} was lost during the reply")]
    Lost {
        /// The server.
        host: String,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// The download took too long.
    #[error("the download took longer than {} seconds", .limit.as_secs())]
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The component is too large.
    #[error("it is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The server has a local address, which needs the user's permission.
    #[error(
        "{host} is {place}, and synix fetches a plugin from there only with your permission; `synix trust` shows what the project asks for"
    )]
    NotPublic {
        /// The server.
        host: String,
        /// The kind of its address.
        place: &'static str,
    },
    /// The server does not have the plugin.
    #[error(
        "{host} does not have this plugin (404); check the URL, or the name and tag of the image"
    )]
    NotFound {
        /// The server.
        host: String,
    },
    /// The server requires other credentials.
    #[error(
        "{host} denies access ({status}); for a registry, run `docker login {host}` to store a password that synix uses"
    )]
    Denied {
        /// The server.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server returned another HTTP status.
    #[error("{host} returned HTTP status {status}")]
    Status {
        /// The server.
        host: String,
        /// The status.
        status: u16,
    },
    /// The server redirected the request in a way that is not allowed.
    #[error("{host} redirects {rule}")]
    Redirect {
        /// The server.
        host: String,
        /// What is not allowed.
        rule: &'static str,
    },
    /// The registry issued no token.
    #[error("the registry issued no token: {reason}")]
    Token {
        /// What went wrong.
        reason: String,
    },
    /// The manifest in the registry is not that of a plugin.
    #[error("its manifest is unusable: {0}")]
    Manifest(String),
    /// The downloaded bytes have a different digest. The message does not contain it, because the bytes may come from a
    /// server that only this machine can reach.
    #[error("the downloaded bytes do not have the digest sha256:{expected}; nothing was kept")]
    OtherDigest {
        /// The expected digest.
        expected: Digest,
    },
    /// The cache is not writable.
    #[error(
        "the plugin was downloaded but cannot be written to the cache; set SYNIX_CACHE_DIR to a writable folder"
    )]
    Cache(#[from] DiskError),
}
