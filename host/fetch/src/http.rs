//! GET requests with limits: on redirects, on the number of bytes and on the addresses of servers. Credentials are sent
//! only to the first server.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};

use super::address_zone::AddressZone;
use super::authorization::Authorization;
use super::connection_guard::{AllowedZones, ConnectionGuard};
use super::error::FetchErrorKind;
use synix_core::loopback::is_loopback;
use synix_network::{AddressSetting, connection_advice};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum time between two chunks of a reply.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 5;

pub(super) const USER_AGENT: &str = concat!("synix/", env!("CARGO_PKG_VERSION"));

pub(super) struct GetRequest<'a> {
    pub(super) url: &'a Url,
    pub(super) accept: Option<&'a str>,
    pub(super) authorization: &'a Authorization,
    /// The maximum size of the reply.
    pub(super) max_bytes: u64,
    /// The allowed addresses of the first server. Redirects may lead to its zone or to public addresses.
    pub(super) zones: AllowedZones,
}

/// The status and headers of a reply, whose body has not been read.
pub(super) struct ReplyHead {
    pub(super) response: Response,
    /// The zone of the server's address.
    pub(super) zone: AddressZone,
}

/// Downloads the body of a URL and follows redirects.
pub(super) async fn get(request: GetRequest<'_>) -> Result<Vec<u8>, FetchErrorKind> {
    let mut url = request.url.clone();
    let mut zones = request.zones;
    let mut redirected_by: Option<String> = None;
    for _ in 0..=MAX_REDIRECTS {
        let host = host(&url);
        let none = Authorization::None;
        let reply = send(&GetRequest {
            url: &url,
            authorization: if url.origin() == request.url.origin() {
                request.authorization
            } else {
                &none
            },
            zones,
            ..request
        })
        .await
        .map_err(|error| match (error, redirected_by.take()) {
            // The fault is that of the redirecting server.
            (FetchErrorKind::NotPublic { .. }, Some(host)) => FetchErrorKind::Redirect {
                host,
                rule: "to this machine or a local network, which is not allowed",
            },
            (error, _) => error,
        })?;
        zones = match zones {
            AllowedZones::Any => AllowedZones::PublicOr(reply.zone),
            AllowedZones::PublicOr(_) => zones,
        };
        let response = reply.response;
        let location = response
            .headers()
            .get(LOCATION)
            .filter(|_| response.status().is_redirection());
        match location {
            Some(location) => {
                let target = redirect_target(&url, location.to_str().unwrap_or_default());
                url = target.map_err(|rule| FetchErrorKind::Redirect {
                    host: host.clone(),
                    rule,
                })?;
                redirected_by = Some(host);
            }
            None => return read_body(response, host, request.max_bytes).await,
        }
    }
    Err(FetchErrorKind::Redirect {
        host: host(&url),
        rule: "more than 5 times",
    })
}

/// Sends a single request without following redirects.
pub(super) async fn send(request: &GetRequest<'_>) -> Result<ReplyHead, FetchErrorKind> {
    let host = host(request.url);
    let not_public = |zone: AddressZone| FetchErrorKind::NotPublic {
        host: host.clone(),
        place: zone.description(),
    };
    let guard = ConnectionGuard::for_url(request.url, request.zones).map_err(not_public)?;
    let mut builder = client(request.url, &guard)?.get(request.url.clone());
    if let Some(accept) = request.accept {
        builder = builder.header(ACCEPT, accept);
    }
    builder = match request.authorization {
        Authorization::None => builder,
        Authorization::Basic(user, password) => builder.basic_auth(user, Some(password)),
        Authorization::Bearer(token) => builder.bearer_auth(token),
    };
    let response = builder
        .send()
        .await
        .map_err(|error| match guard.refused_zone() {
            Some(zone) => not_public(zone),
            None => connection_error(&host, error),
        })?;
    Ok(ReplyHead {
        response,
        zone: guard.connected_zone(),
    })
}

/// Installs the cryptography provider for TLS.
fn install_tls_provider() {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // This only fails if the process has already installed another provider, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn client(url: &Url, guard: &ConnectionGuard) -> Result<Client, FetchErrorKind> {
    install_tls_provider();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .dns_resolver(guard.clone())
        .redirect(reqwest::redirect::Policy::none());
    if url.host_str().is_some_and(is_loopback) {
        builder = builder.no_proxy();
        if url.scheme() == "http" {
            // Neither the server nor a proxy can need the certificates, and reading them takes longer than the request.
            builder = builder.tls_certs_only([]);
        }
    }
    builder
        .build()
        .map_err(|source| FetchErrorKind::Setup { source })
}

/// Returns the target of a redirect. A remote server must not redirect to this machine or to unencrypted HTTP.
fn redirect_target(from: &Url, location: &str) -> Result<Url, &'static str> {
    let target = from.join(location).map_err(|_| "to an invalid URL")?;
    let is_local = |url: &Url| url.host_str().is_some_and(is_loopback);
    match target.scheme() {
        _ if is_local(&target) && !is_local(from) => Err("to this machine, which is not allowed"),
        "https" => Ok(target),
        "http" if is_local(&target) => Ok(target),
        _ => Err("to a URL without https, which is not allowed"),
    }
}

pub(super) async fn read_body(
    mut response: Response,
    host: String,
    max_bytes: u64,
) -> Result<Vec<u8>, FetchErrorKind> {
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(FetchErrorKind::NotFound { host }),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            let status = status.as_u16();
            return Err(FetchErrorKind::Denied { host, status });
        }
        status => {
            let status = status.as_u16();
            return Err(FetchErrorKind::Status { host, status });
        }
    }
    // The announced length may be wrong, so the received bytes are counted as well.
    if response
        .content_length()
        .is_some_and(|length| length > max_bytes)
    {
        return Err(FetchErrorKind::TooLarge { limit: max_bytes });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| connection_error(&host, error))?
    {
        if (bytes.len() + chunk.len()) as u64 > max_bytes {
            return Err(FetchErrorKind::TooLarge { limit: max_bytes });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Returns the host of a URL for messages, because the rest of the URL may contain a secret signature.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn connection_error(host: &str, error: reqwest::Error) -> FetchErrorKind {
    let host = host.to_owned();
    let source = error.without_url();
    if source.is_connect() {
        FetchErrorKind::Unreachable {
            host,
            advice: connection_advice(&source, AddressSetting::PluginReference),
            source,
        }
    } else {
        FetchErrorKind::Lost { host, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_to_plain_http_or_to_this_machine_is_refused() {
        let url = |text: &str| Url::parse(text).unwrap();
        let remote = url("https://example.com/a");
        assert_eq!(
            redirect_target(&remote, "/b").unwrap().as_str(),
            "https://example.com/b"
        );
        assert!(redirect_target(&remote, "https://cdn.example.net/b").is_ok());
        for refused in [
            "http://example.com/b",
            "http://127.0.0.1/b",
            "https://localhost/b",
            "file:///etc/passwd",
            "https://",
        ] {
            assert!(redirect_target(&remote, refused).is_err(), "{refused}");
        }
        let local = url("http://127.0.0.1:80/a");
        assert!(redirect_target(&local, "http://127.0.0.1:81/b").is_ok());
        assert!(redirect_target(&local, "http://example.com/b").is_err());
    }
}
