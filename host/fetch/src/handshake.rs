//! What proves to a registry who asks: nothing, a password, or a token that its token server gives.
//!
//! The registry names its token server itself, so that is no reason to trust it:
//! it is asked by https, once, only if it belongs to the registry's owner, and
//! never on this machine or its networks unless the registry is there as well.

use http_auth::ChallengeRef;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::error::FetchFault;
use super::http::{self, Ask, Authorization};
use super::login::Login;
use super::reach::{Admitted, Reach};
use super::site;

/// What a token server may say.
const REPLY_BYTES: u64 = 64 << 10;
const TOKEN_BYTES: usize = 32 << 10;
/// What is shown of a registry's words.
const SHOWN: usize = 200;

#[derive(Deserialize)]
struct Reply {
    token: Option<String>,
    access_token: Option<String>,
}

/// Asks the registry at `base` what it wants to see for reading `repository`, and gets it.
pub(super) async fn authorize(
    base: &Url,
    repository: &str,
    login: Login,
    reach: Reach,
) -> Result<Authorization, FetchFault> {
    let (user, password) = match login {
        Login::Bearer(token) => return Ok(Authorization::Bearer(token)),
        Login::Basic(user, password) => (user, password),
        Login::Anonymous => (String::new(), String::new()),
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
        .map_err(|error| FetchFault::Url(error.to_string()))?;
    let asked = http::once(&Ask {
        url: &url,
        accept: None,
        authorization: &Authorization::None,
        most: REPLY_BYTES,
        admitted: reach.into(),
    })
    .await?;
    if asked.response.status().is_redirection() {
        return Err(token_fault("it sends the handshake elsewhere"));
    }
    if asked.response.status() != StatusCode::UNAUTHORIZED {
        return Ok(basic());
    }
    let Some(bearer) = bearer(asked.response.headers()) else {
        return Ok(basic());
    };
    let realm = realm(base, &bearer.realm)?;
    let url = question(realm, bearer.service.as_deref(), repository);
    let reply = http::once(&Ask {
        url: &url,
        accept: Some("application/json"),
        authorization: &basic(),
        most: REPLY_BYTES,
        admitted: Admitted::PublicOr(asked.zone),
    })
    .await?;
    if reply.response.status().is_redirection() {
        return Err(token_fault("its token server sends the question elsewhere"));
    }
    if reply.response.status() != StatusCode::OK {
        let status = reply.response.status().as_u16();
        return Err(token_fault(&format!(
            "its token server answers with the HTTP status {status}; `docker login` stores a password that is used"
        )));
    }
    let bytes = http::body(reply.response, http::host(&url), REPLY_BYTES).await?;
    token(&bytes)
}

/// What a registry says of its token server.
#[derive(Debug, PartialEq, Eq)]
struct Bearer {
    realm: String,
    service: Option<String>,
}

fn bearer(headers: &HeaderMap) -> Option<Bearer> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| {
            http_auth::parse_challenges(value.to_str().ok()?)
                .ok()?
                .iter()
                .find_map(of_bearer)
        })
        .next()
}

fn of_bearer(challenge: &ChallengeRef<'_>) -> Option<Bearer> {
    let param = |wanted: &str| {
        let mut params = challenge.params.iter();
        let found = params.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.to_unescaped())
    };
    let is_bearer = challenge.scheme.eq_ignore_ascii_case("bearer");
    Some(Bearer {
        realm: param("realm").filter(|_| is_bearer)?,
        service: param("service"),
    })
}

/// Returns the token server's URL, if it may be asked.
fn realm(registry: &Url, realm: &str) -> Result<Url, FetchFault> {
    let shown = || realm.chars().take(SHOWN).collect::<String>();
    let refused = |rule: &str| {
        let shown = shown();
        token_fault(&format!("its token server {shown:?} {rule}"))
    };
    let url = Url::parse(realm).map_err(|_| refused("is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    let own = registry.host_str().unwrap_or_default();
    if url.scheme() != "https" && (registry.scheme() != "http" || url.scheme() != "http") {
        return Err(refused("is not asked by https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("comes with a password"));
    }
    if !site::may_give_tokens(own, host) {
        return Err(refused("belongs to somebody else"));
    }
    Ok(url)
}

fn question(mut realm: Url, service: Option<&str>, repository: &str) -> Url {
    realm.set_fragment(None);
    let mut query = realm.query_pairs_mut();
    if let Some(service) = service {
        query.append_pair("service", service);
    }
    query.append_pair("scope", &format!("repository:{repository}:pull"));
    drop(query);
    realm
}

fn token(reply: &[u8]) -> Result<Authorization, FetchFault> {
    let reply: Reply = serde_json::from_slice(reply)
        .map_err(|_| token_fault("its token server's reply is no JSON object with a token"))?;
    let token = reply.token.or(reply.access_token).unwrap_or_default();
    let is_token = (1..=TOKEN_BYTES).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token {
        return Err(token_fault("its token server's reply holds no token"));
    }
    Ok(Authorization::Bearer(token))
}

fn token_fault(reason: &str) -> FetchFault {
    FetchFault::Token {
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
    fn a_token_server_is_found_among_what_a_registry_takes() {
        let found = bearer(&headers(&[
            "Basic realm=\"x\"",
            "bearer REALM=\"https://auth.example.com/t\",service=\"a \\\"b\\\"\"",
        ]));
        assert_eq!(
            found,
            Some(Bearer {
                realm: "https://auth.example.com/t".to_owned(),
                service: Some("a \"b\"".to_owned())
            })
        );
        for none in ["Basic realm=\"x\"", "Bearer service=\"x\"", "\u{7f}", ""] {
            let header = reqwest::header::HeaderValue::from_bytes(none.as_bytes());
            let mut headers = HeaderMap::new();
            headers.extend(header.ok().map(|value| (WWW_AUTHENTICATE, value)));
            assert_eq!(bearer(&headers), None, "{none}");
        }
    }

    #[test]
    fn a_token_server_is_the_registrys_own_and_asked_by_https() {
        let far = Url::parse("https://registry.example.com/v2/").unwrap();
        assert!(realm(&far, "https://auth.example.com/t?x=1").is_ok());
        for refused in [
            "http://auth.example.com/t",
            "http://127.0.0.1:9/latest/meta-data",
            "https://127.0.0.1/",
            "https://auth.evil.net/",
            "https://me:pw@auth.example.com/",
            "file:///etc/passwd",
            "auth",
        ] {
            assert!(realm(&far, refused).is_err(), "{refused}");
        }
        let near = Url::parse("http://127.0.0.1:5000/v2/").unwrap();
        assert!(realm(&near, "http://127.0.0.1:5001/t").is_ok());
        assert!(realm(&near, "http://example.com/t").is_err());
    }

    #[test]
    fn a_question_keeps_what_the_registry_wants_in_it() {
        let realm = Url::parse("https://a.example.com/t?account=x#y").unwrap();
        let asked = question(realm, Some("s p"), "team/mine");
        assert_eq!(
            asked.as_str(),
            "https://a.example.com/t?account=x&service=s+p&scope=repository%3Ateam%2Fmine%3Apull"
        );
    }

    #[test]
    fn a_token_is_one_word() {
        let taken = |reply: &str| match token(reply.as_bytes()) {
            Ok(Authorization::Bearer(token)) => Some(token),
            _ => None,
        };
        assert_eq!(
            taken(r#"{"token": "a.b", "access_token": "c"}"#).as_deref(),
            Some("a.b")
        );
        assert_eq!(taken(r#"{"access_token": "c"}"#).as_deref(), Some("c"));
        for none in [
            "",
            "[]",
            "{}",
            r#"{"token": ""}"#,
            r#"{"token": "a\nb"}"#,
            r#"{"token": 1}"#,
        ] {
            assert_eq!(taken(none), None, "{none}");
        }
    }
}
