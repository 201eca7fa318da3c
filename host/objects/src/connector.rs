//! The HTTP client of buckets: that of the other crates, so that there is one TLS library.

use std::sync::Once;
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};
use reqwest::Client;

/// The time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time of a request with its reply. A lease must outlive a few of them.
const TIMEOUT: Duration = Duration::from_secs(7);

#[derive(Debug)]
pub(crate) struct Connector {
    /// Whether the store is on this machine, to which no proxy leads.
    is_local: bool,
}

impl Connector {
    pub(crate) const fn new(is_local: bool) -> Self {
        Self { is_local }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // Fails only if the process has installed another one, which does as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = Client::builder()
            .user_agent(concat!("synix/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect would carry a signature to another server.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if self.is_local {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| object_store::Error::Generic {
                store: "HTTP client",
                source: Box::new(error),
            })?;
        Ok(HttpClient::new(client))
    }
}
