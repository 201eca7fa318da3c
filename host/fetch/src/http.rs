//! One bounded GET: redirects followed by rule, credentials to one server only, no more bytes than allowed, no address
//! that is not admitted.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};

use super::error::FetchFault;
use super::reach::{Admitted, Way, Zone};
use synix_core::loopback::is_loopback;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Silence after which a reply is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const REDIRECTS: usize = 5;

/// Who we say we are.
pub(super) const USER_AGENT: &str = concat!("synix/", env!("CARGO_PKG_VERSION"));

/// What proves who asks. Without `Debug`, so that no message can hold it.
pub(super) enum Authorization {
    None,
    Basic(String, String),
    Bearer(String),
}

/// What to get.
pub(super) struct Ask<'a> {
    pub(super) url: &'a Url,
    pub(super) accept: Option<&'a str>,
    pub(super) authorization: &'a Authorization,
    /// The most bytes that are taken.
    pub(super) most: u64,
    /// Where the first server may be; those it redirects to may be there as well, or in public.
    pub(super) admitted: Admitted,
}

/// The head of a reply.
pub(super) struct Asked {
    pub(super) response: Response,
    /// Where the server is.
    pub(super) zone: Zone,
}

/// Gets the whole body behind a URL.
pub(super) async fn get(ask: Ask<'_>) -> Result<Vec<u8>, FetchFault> {
    let mut url = ask.url.clone();
    let mut admitted = ask.admitted;
    let mut from: Option<String> = None;
    for _ in 0..=REDIRECTS {
        let host = host(&url);
        let none = Authorization::None;
        let asked = once(&Ask {
            url: &url,
            authorization: if url.origin() == ask.url.origin() {
                ask.authorization
            } else {
                &none
            },
            admitted,
            ..ask
        })
        .await
        .map_err(|fault| match (fault, from.take()) {
            // The server that sent us there is to blame.
            (FetchFault::Near { .. }, Some(host)) => FetchFault::Redirect {
                host,
                rule: "to this machine or its network, which is not followed",
            },
            (fault, _) => fault,
        })?;
        admitted = match admitted {
            Admitted::Any => Admitted::PublicOr(asked.zone),
            known @ Admitted::PublicOr(_) => known,
        };
        let response = asked.response;
        let location = response
            .headers()
            .get(LOCATION)
            .filter(|_| response.status().is_redirection());
        match location {
            Some(location) => {
                let to = next(&url, location.to_str().unwrap_or_default());
                url = to.map_err(|rule| FetchFault::Redirect {
                    host: host.clone(),
                    rule,
                })?;
                from = Some(host);
            }
            None => return body(response, host, ask.most).await,
        }
    }
    Err(FetchFault::Redirect {
        host: host(&url),
        rule: "once more after five redirects",
    })
}

/// Sends one request, whose reply is not followed anywhere.
pub(super) async fn once(ask: &Ask<'_>) -> Result<Asked, FetchFault> {
    let host = host(ask.url);
    let near = |zone: Zone| FetchFault::Near {
        host: host.clone(),
        place: zone.words(),
    };
    let way = Way::to(ask.url, ask.admitted).map_err(near)?;
    let mut request = client(ask.url, &way)?.get(ask.url.clone());
    if let Some(accept) = ask.accept {
        request = request.header(ACCEPT, accept);
    }
    request = match ask.authorization {
        Authorization::None => request,
        Authorization::Basic(user, password) => request.basic_auth(user, Some(password)),
        Authorization::Bearer(token) => request.bearer_auth(token),
    };
    let response = request.send().await.map_err(|error| match way.refused() {
        Some(zone) => near(zone),
        None => lost(&host, error),
    })?;
    Ok(Asked {
        response,
        zone: way.taken(),
    })
}

/// Installs the cryptography that connections use.
pub(super) fn ready_tls() {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Fails only where the process has chosen its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn client(url: &Url, way: &Way) -> Result<Client, FetchFault> {
    ready_tls();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .dns_resolver(way.clone())
        .redirect(reqwest::redirect::Policy::none());
    if url.host_str().is_some_and(is_loopback) {
        builder = builder.no_proxy();
    }
    builder
        .build()
        .map_err(|source| FetchFault::Setup { source })
}

/// Returns where a redirect leads. A server elsewhere cannot make this machine ask itself, nor ask in the open.
fn next(from: &Url, location: &str) -> Result<Url, &'static str> {
    let to = from
        .join(location)
        .map_err(|_| "to something that is no URL")?;
    let near = |url: &Url| url.host_str().is_some_and(is_loopback);
    match to.scheme() {
        _ if near(&to) && !near(from) => Err("to this machine, which is not followed"),
        "https" => Ok(to),
        "http" if near(&to) => Ok(to),
        _ => Err("to a URL without https, which is not followed"),
    }
}

pub(super) async fn body(
    mut response: Response,
    host: String,
    most: u64,
) -> Result<Vec<u8>, FetchFault> {
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(FetchFault::NotFound { host }),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            let status = status.as_u16();
            return Err(FetchFault::Denied { host, status });
        }
        status => {
            let status = status.as_u16();
            return Err(FetchFault::Status { host, status });
        }
    }
    // What is announced may be a lie; what has come is counted as well.
    if response
        .content_length()
        .is_some_and(|length| length > most)
    {
        return Err(FetchFault::TooLarge { limit: most });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&host, error))? {
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err(FetchFault::TooLarge { limit: most });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A URL may hold a signature; its host does not.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn lost(host: &str, error: reqwest::Error) -> FetchFault {
    let host = host.to_owned();
    let source = error.without_url();
    if source.is_connect() {
        FetchFault::Unreachable { host, source }
    } else {
        FetchFault::Lost { host, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_neither_into_the_open_nor_to_this_machine() {
        let url = |text: &str| Url::parse(text).unwrap();
        let far = url("https://example.com/a");
        assert_eq!(next(&far, "/b").unwrap().as_str(), "https://example.com/b");
        assert!(next(&far, "https://cdn.example.net/b").is_ok());
        for refused in [
            "http://example.com/b",
            "http://127.0.0.1/b",
            "https://localhost/b",
            "file:///etc/passwd",
            "https://",
        ] {
            assert!(next(&far, refused).is_err(), "{refused}");
        }
        let near = url("http://127.0.0.1:80/a");
        assert!(next(&near, "http://127.0.0.1:81/b").is_ok());
        assert!(next(&near, "http://example.com/b").is_err());
    }
}
