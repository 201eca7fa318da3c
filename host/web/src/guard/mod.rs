//! Decides who may ask: no page of another server, and nobody without the token if there is one.
//!
//! A name that leads to this machine may belong to anybody, and a page of that name could read everything here. So the
//! host must be an address of this server, or `localhost`.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{COOKIE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::{Method, Uri};

use crate::token::Token;

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "the host of the request is not the address of this server; open the address that synix printed"
    )]
    Host,
    #[error("a page of another server made the request")]
    Origin,
    #[error("the request has no token; open the whole address that synix printed, with its token")]
    Token,
}

/// Who may ask.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<Token>,
}

/// How somebody showed the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// By a cookie, or none is needed.
    Granted,
    /// In the address, so that the cookie must be set.
    ByAddress,
}

/// What a request says about itself.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

impl Guard {
    /// Returns how the request is allowed, or why it is not.
    pub(crate) fn check(&self, asked: &Asked<'_>) -> Result<Access, Refusal> {
        let host = self.host(asked)?;
        check_origin(asked, host)?;
        let Some(token) = &self.token else {
            return Ok(Access::Granted);
        };
        if cookies(asked.headers, &self.cookie()).any(|value| token.is(value)) {
            return Ok(Access::Granted);
        }
        let fields = asked.uri.query().unwrap_or_default();
        let mut fields = form_urlencoded::parse(fields.as_bytes());
        if fields.any(|(name, value)| name == TOKEN && token.is(&value)) {
            return Ok(Access::ByAddress);
        }
        Err(Refusal::Token)
    }

    /// Returns the name of the cookie. Cookies do not distinguish the ports of a machine, so the name does.
    pub(crate) fn cookie(&self) -> String {
        format!("synix-token-{}", self.address.port())
    }

    /// Returns the host that the request names, once.
    fn host<'a>(&self, asked: &'a Asked<'_>) -> Result<&'a str, Refusal> {
        let mut hosts = asked.headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::Host);
        };
        let host = host.to_str().map_err(|_| Refusal::Host)?;
        let authority = asked
            .uri
            .authority()
            .map(hyper::http::uri::Authority::as_str);
        if !self.is_own(host) || authority.is_some_and(|authority| authority != host) {
            return Err(Refusal::Host);
        }
        Ok(host)
    }

    fn is_own(&self, host: &str) -> bool {
        let (name, port) = split_port(host);
        if port != Some(self.address.port()) {
            return false;
        }
        let name = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(name);
        let own = self.address.ip();
        match name.parse::<IpAddr>() {
            Ok(address) if own.is_unspecified() => !address.is_unspecified(),
            Ok(address) => address == own || own.is_loopback() && address.is_loopback(),
            Err(_) => {
                name.eq_ignore_ascii_case("localhost")
                    && (own.is_loopback() || own.is_unspecified())
            }
        }
    }
}

/// The name of the token in an address.
pub(crate) const TOKEN: &str = "token";

/// Returns the name and the port; without one it is that of HTTP.
fn split_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => {
            let is_number = !port.is_empty() && port.bytes().all(|one| one.is_ascii_digit());
            (name, port.parse().ok().filter(|_| is_number))
        }
        _ => (host, Some(80)),
    }
}

fn check_origin(asked: &Asked<'_>, host: &str) -> Result<(), Refusal> {
    let own = format!("http://{host}");
    let mut origins = asked.headers.get_all(ORIGIN).iter();
    let origin = origins.next();
    if origin.is_some_and(|origin| origin != own.as_str()) || origins.next().is_some() {
        return Err(Refusal::Origin);
    }
    let header = |name: &HeaderName| {
        asked
            .headers
            .get(name)
            .map(hyper::header::HeaderValue::as_bytes)
    };
    let is_other_site = matches!(header(&FETCH_SITE), Some(b"cross-site" | b"same-site"));
    // A link on another page may lead here, but nothing of here may be part of another page.
    let is_link = asked.method == Method::GET
        && header(&FETCH_MODE) == Some(b"navigate")
        && header(&FETCH_DEST) == Some(b"document");
    if is_other_site && !is_link {
        return Err(Refusal::Origin);
    }
    // Browsers name the origin of every request that is not for reading.
    let is_reading = matches!(*asked.method, Method::GET | Method::HEAD);
    if !is_reading && origin.is_none() {
        return Err(Refusal::Origin);
    }
    Ok(())
}

/// Returns the values of a cookie.
fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(COOKIE).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';'));
    pairs.filter_map(move |pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

#[cfg(test)]
mod tests;
