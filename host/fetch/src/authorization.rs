//! Authorizes requests to a registry: without credentials, with a password, or with a token from its token server.
//!
//! The registry itself names its token server, which is no reason to trust that server. So synix contacts it only once,
//! only by HTTPS, only if it belongs to the owner of the registry, and never on this machine or a local network unless
//! the registry is there, too.

use http_auth::ChallengeRef;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::connection_guard::{AddressPolicy, AllowedZones};
use super::credentials::Credentials;
use super::error::FetchErrorKind;
use super::http::{self, GetRequest};
use super::token_server;

/// The maximum size of a token server's reply in bytes.
const MAX_REPLY_BYTES: u64 = 64 << 10;
const MAX_TOKEN_BYTES: usize = 32 << 10;
/// The maximum length of a registry's text in a message, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// The credentials of a request. Without `Debug`, so that no message can contain them.
pub(super) enum Authorization {
    None,
    Basic(String, String),
    Bearer(String),
}

#[derive(Deserialize)]
struct TokenReply {
    token: Option<String>,
    access_token: Option<String>,
}

/// Obtains the authorization that the registry at `base` requires for reading `repository`.
pub(super) async fn authorize(
    base: &Url,
    repository: &str,
    credentials: Credentials,
    policy: AddressPolicy,
) -> Result<Authorization, FetchErrorKind> {
    let (user, password) = match credentials {
        Credentials::Bearer(token) => return Ok(Authorization::Bearer(token)),
        Credentials::Basic(user, password) => (user, password),
        Credentials::Anonymous => (String::new(), String::new()),
    };
    let basic = || {
        if user.is_empty() && password.is_empty() {
            Authorization::None
        } else {
            Authorization::Basic(user.clone(), password.clone())
        }
    };
    let url = base
        .join("/v2/")
        .map_err(|error| FetchErrorKind::Url(error.to_string()))?;
    let challenge = http::send(&GetRequest {
        url: &url,
        accept: None,
        authorization: &Authorization::None,
        max_bytes: MAX_REPLY_BYTES,
        zones: policy.into(),
    })
    .await?;
    if challenge.response.status().is_redirection() {
        return Err(token_error(
            "it redirects the request for its authorization scheme",
        ));
    }
    if challenge.response.status() != StatusCode::UNAUTHORIZED {
        return Ok(basic());
    }
    let Some(bearer) = parse_challenge(challenge.response.headers()) else {
        return Ok(basic());
    };
    let realm = check_realm(base, &bearer.realm)?;
    let url = token_url(realm, bearer.service.as_deref(), repository);
    let reply = http::send(&GetRequest {
        url: &url,
        accept: Some("application/json"),
        authorization: &basic(),
        max_bytes: MAX_REPLY_BYTES,
        zones: AllowedZones::PublicOr(challenge.zone),
    })
    .await?;
    if reply.response.status().is_redirection() {
        return Err(token_error("its token server redirects the request"));
    }
    if reply.response.status() != StatusCode::OK {
        let status = reply.response.status().as_u16();
        return Err(token_error(&format!(
            "its token server returned HTTP status {status}; run `docker login` to store a password that synix uses"
        )));
    }
    let bytes = http::read_body(reply.response, http::host(&url), MAX_REPLY_BYTES).await?;
    parse_token(&bytes)
}

/// A Bearer challenge of a registry, which names its token server.
#[derive(Debug, PartialEq, Eq)]
struct BearerChallenge {
    realm: String,
    service: Option<String>,
}

fn parse_challenge(headers: &HeaderMap) -> Option<BearerChallenge> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| {
            http_auth::parse_challenges(value.to_str().ok()?)
                .ok()?
                .iter()
                .find_map(bearer_challenge)
        })
        .next()
}

fn bearer_challenge(challenge: &ChallengeRef<'_>) -> Option<BearerChallenge> {
    let param = |wanted: &str| {
        let mut params = challenge.params.iter();
        let found = params.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.to_unescaped())
    };
    let is_bearer = challenge.scheme.eq_ignore_ascii_case("bearer");
    Some(BearerChallenge {
        realm: param("realm").filter(|_| is_bearer)?,
        service: param("service"),
    })
}

/// Returns the URL of the token server if synix may contact it.
fn check_realm(registry: &Url, realm: &str) -> Result<Url, FetchErrorKind> {
    let shown = || realm.chars().take(MAX_SHOWN_CHARS).collect::<String>();
    let refused = |rule: &str| {
        let shown = shown();
        token_error(&format!("its token server {shown:?} {rule}"))
    };
    let url = Url::parse(realm).map_err(|_| refused("is not a URL"))?;
    let host = url.host_str().unwrap_or_default();
    let registry_host = registry.host_str().unwrap_or_default();
    if url.scheme() != "https" && (registry.scheme() != "http" || url.scheme() != "http") {
        return Err(refused("does not use https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("contains a password"));
    }
    if !token_server::may_issue_tokens(registry_host, host) {
        return Err(refused("belongs to a different owner"));
    }
    Ok(url)
}

fn token_url(mut realm: Url, service: Option<&str>, repository: &str) -> Url {
    realm.set_fragment(None);
    let mut query = realm.query_pairs_mut();
    if let Some(service) = service {
        query.append_pair("service", service);
    }
    query.append_pair("scope", &format!("repository:{repository}:pull"));
    drop(query);
    realm
}

fn parse_token(reply: &[u8]) -> Result<Authorization, FetchErrorKind> {
    let reply: TokenReply = serde_json::from_slice(reply).map_err(|_| {
        token_error("the reply of its token server is not a JSON object with a token")
    })?;
    let token = reply.token.or(reply.access_token).unwrap_or_default();
    let is_valid = (1..=MAX_TOKEN_BYTES).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_valid {
        return Err(token_error(
            "the reply of its token server contains no valid token",
        ));
    }
    Ok(Authorization::Bearer(token))
}

fn token_error(reason: &str) -> FetchErrorKind {
    FetchErrorKind::Token {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_bearer_challenge_is_found_among_other_challenges() {
        let found = parse_challenge(&headers(&[
            "Basic realm=\"x\"",
            "bearer REALM=\"https://auth.example.com/t\",service=\"a \\\"b\\\"\"",
        ]));
        assert_eq!(
            found,
            Some(BearerChallenge {
                realm: "https://auth.example.com/t".to_owned(),
                service: Some("a \"b\"".to_owned())
            })
        );
        for none in ["Basic realm=\"x\"", "Bearer service=\"x\"", "\u{7f}", ""] {
            let header = reqwest::header::HeaderValue::from_bytes(none.as_bytes());
            let mut headers = HeaderMap::new();
            headers.extend(header.ok().map(|value| (WWW_AUTHENTICATE, value)));
            assert_eq!(parse_challenge(&headers), None, "{none}");
        }
    }

    #[test]
    fn a_token_server_must_belong_to_the_owner_and_use_https() {
        let remote = Url::parse("https://registry.example.com/v2/").unwrap();
        assert!(check_realm(&remote, "https://auth.example.com/t?x=1").is_ok());
        for refused in [
            "http://auth.example.com/t",
            "http://127.0.0.1:9/latest/meta-data",
            "https://127.0.0.1/",
            "https://auth.evil.net/",
            "https://me:pw@auth.example.com/",
            "file:///etc/passwd",
            "auth",
        ] {
            assert!(check_realm(&remote, refused).is_err(), "{refused}");
        }
        let local = Url::parse("http://127.0.0.1:5000/v2/").unwrap();
        assert!(check_realm(&local, "http://127.0.0.1:5001/t").is_ok());
        assert!(check_realm(&local, "http://example.com/t").is_err());
    }

    #[test]
    fn the_token_url_keeps_the_query_of_the_realm() {
        let realm = Url::parse("https://a.example.com/t?account=x#y").unwrap();
        let url = token_url(realm, Some("s p"), "team/mine");
        assert_eq!(
            url.as_str(),
            "https://a.example.com/t?account=x&service=s+p&scope=repository%3Ateam%2Fmine%3Apull"
        );
    }

    #[test]
    fn only_a_printable_word_is_a_token() {
        let parsed = |reply: &str| match parse_token(reply.as_bytes()) {
            Ok(Authorization::Bearer(token)) => Some(token),
            _ => None,
        };
        assert_eq!(
            parsed(r#"{"token": "a.b", "access_token": "c"}"#).as_deref(),
            Some("a.b")
        );
        assert_eq!(parsed(r#"{"access_token": "c"}"#).as_deref(), Some("c"));
        for none in [
            "",
            "[]",
            "{}",
            r#"{"token": ""}"#,
            r#"{"token": "a\nb"}"#,
            r#"{"token": 1}"#,
        ] {
            assert_eq!(parsed(none), None, "{none}");
        }
    }
}
