//! Why a component could not be got.

use std::time::Duration;

use synix_core::digest::Digest;
use synix_disk::DiskError;

/// A component that could not be got.
#[derive(Debug, thiserror::Error)]
#[error("cannot get the plugin {reference}")]
pub struct RegistryError {
    /// The reference as written.
    pub reference: String,
    /// Why.
    pub source: FetchFault,
}

impl RegistryError {
    /// Names the reference of a fault.
    pub fn new(reference: &str, source: FetchFault) -> Self {
        Self {
            reference: reference.to_owned(),
            source,
        }
    }
}

/// What went wrong on the way to a component.
#[derive(Debug, thiserror::Error)]
pub enum FetchFault {
    /// The network may not be asked, and the cache does not have it.
    #[error(
        "a replay opens no connection, and the cache has no file with its digest; `synix plugin fetch` gets it"
    )]
    NotCached,
    /// The network may not be asked, and nothing says which bytes are meant.
    #[error(
        "the lock file does not pin it, and this command asks no registry what it is; `synix plugin update` does"
    )]
    NotPinned,
    /// It comes from no server.
    #[error("it is no reference to a server")]
    NotRemote,
    /// The URL cannot be used.
    #[error("its URL cannot be used: {0}")]
    Url(String),
    /// No client could be made.
    #[error("cannot set up a connection")]
    Setup {
        /// What is wrong.
        source: reqwest::Error,
    },
    /// Nobody answers there.
    #[error("cannot connect to {host}")]
    Unreachable {
        /// Where.
        host: String,
        /// What the system said.
        source: reqwest::Error,
    },
    /// The reply broke off.
    #[error("the reply of {host} broke off")]
    Lost {
        /// Where.
        host: String,
        /// What was seen of it.
        source: reqwest::Error,
    },
    /// It took too long.
    #[error("it was not there after {} s", .after.as_secs())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// It is larger than allowed.
    #[error("it is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The server is not where plugins come from without the user's word.
    #[error(
        "{host} is {place}, and a plugin comes from there only with your word: `synix trust` shows what the project asks for"
    )]
    Near {
        /// The server.
        host: String,
        /// Where it is, in words.
        place: &'static str,
    },
    /// The server has no such thing.
    #[error(
        "{host} has no such plugin (404); check the address, and of an image the name and the tag"
    )]
    NotFound {
        /// Who answered.
        host: String,
    },
    /// The server wants another user.
    #[error(
        "{host} refuses access ({status}); for a registry, `docker login {host}` stores a password that is used"
    )]
    Denied {
        /// Who answered.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server refuses.
    #[error("{host} answers with the HTTP status {status}")]
    Status {
        /// Who answered.
        host: String,
        /// The status.
        status: u16,
    },
    /// The server sends us on to where we do not go.
    #[error("{host} redirects {rule}")]
    Redirect {
        /// Who answered.
        host: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The registry gives no token.
    #[error("the registry gives no token: {reason}")]
    Token {
        /// What it said.
        reason: String,
    },
    /// The registry's manifest is not that of a plugin.
    #[error("its manifest cannot be used: {0}")]
    Manifest(String),
    /// The bytes are not those that were asked for. What came instead is nobody's business: it may be a page of a server
    /// that only this machine can reach.
    #[error("what came has another digest, not sha256:{expected}; nothing was kept")]
    OtherDigest {
        /// The digest that was asked for.
        expected: Digest,
    },
    /// The cache cannot be written.
    #[error(
        "it has come and cannot be kept in the cache; SYNIX_CACHE_DIR can name a folder that can be written"
    )]
    Cache(#[from] DiskError),
}
