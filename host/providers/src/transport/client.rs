//! The HTTP clients of a provider.

use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};

use synix_core::loopback::is_loopback;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections<'a> {
    /// Connections that are kept for later requests.
    Kept,
    /// A new connection for each request.
    Fresh,
    /// New connections, to these addresses of the host unless there are none.
    Pinned(&'a [SocketAddr]),
}

/// Why a client could not be created.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// This machine has no CA certificates.
    NoCertificates(reqwest::Error),
    Other(reqwest::Error),
}

impl ClientError {
    pub(crate) fn into_source(self) -> reqwest::Error {
        match self {
            Self::NoCertificates(source) | Self::Other(source) => source,
        }
    }
}

/// Creates a client that sends each request once and follows no redirect.
pub(crate) fn create_client(
    base: &Url,
    headers: &HeaderMap,
    connections: Connections<'_>,
) -> Result<Client, ClientError> {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Fails only if the process has installed another one, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let is_local = base.host_str().is_some_and(is_loopback);
    let builder = || {
        let mut builder = Client::builder()
            .user_agent(concat!("synix/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if connections != Connections::Kept {
            builder = builder.pool_max_idle_per_host(0);
        }
        if let (Connections::Pinned(addresses @ [_, ..]), Some(host)) =
            (connections, base.host_str())
        {
            builder = builder.resolve_to_addrs(host, addresses);
        }
        if is_local {
            builder = builder.no_proxy();
        }
        if is_local && base.scheme() == "http" {
            // Reading the certificates takes longer than a call, and neither the server nor a proxy can need them.
            builder = builder.tls_certs_only([]);
        }
        builder
    };
    let error = match builder().build() {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    // The first client cannot be built without CA certificates. Plain HTTP does not need them.
    match builder().tls_certs_only([]).build() {
        Ok(client) if base.scheme() == "http" => Ok(client),
        Ok(_) => Err(ClientError::NoCertificates(error)),
        Err(_) => Err(ClientError::Other(error)),
    }
}
