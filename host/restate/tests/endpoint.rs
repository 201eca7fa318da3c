//! Whom an endpoint answers.

#![allow(clippy::unwrap_used, reason = "what a test does not expect ends it")]

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use synix_core::clock::Clock;
use synix_restate::{BindError, BuildService, Endpoint, EndpointError, EndpointSettings, Progress};
use tokio_util::sync::{CancellationToken, DropGuard};

const MANIFEST: &str = "application/vnd.restate.endpointmanifest.v4+json";

/// Starts an endpoint that returns each chunk. It ends with the guard.
fn start(identity_keys: Vec<String>) -> Result<(SocketAddr, DropGuard), BindError> {
    let settings = EndpointSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        jobs: NonZero::<usize>::MIN,
        identity_keys,
    };
    let endpoint = Endpoint::of_worker(&settings, Arc::new(|chunk: &[u8]| Ok(chunk.to_vec())))?;
    let address = endpoint.address();
    let stop = CancellationToken::new();
    tokio::spawn(endpoint.serve(stop.clone()));
    Ok((address, stop.drop_guard()))
}

/// A client that speaks HTTP/2 at once, as Restate does.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().http2_prior_knowledge().no_proxy();
    client.build().unwrap()
}

fn key_pair() -> (Ed25519KeyPair, String) {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let public = bs58::encode(pair.public_key().as_ref()).into_string();
    (pair, format!("publickeyv1_{public}"))
}

/// Signs a request to a path, as Restate does.
fn token(pair: &Ed25519KeyPair, path: &str) -> String {
    let now = Clock::Real.peek().0 / 1000;
    let header = r#"{"typ":"JWT","alg":"EdDSA"}"#;
    let (from, to) = (now - 60, now + 60);
    let claims = format!(r#"{{"aud":"{path}","exp":{to},"iat":{now},"nbf":{from}}}"#);
    let [header, claims] = [header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn the_server_finds_the_service() {
    let (address, _guard) = start(Vec::new()).unwrap();
    let asked = client()
        .get(format!("http://{address}/discover"))
        .header("accept", MANIFEST);
    let reply = asked.send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let manifest: serde_json::Value =
        serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
    let service = &manifest["services"][0];
    assert_eq!(service["name"], "synix.Units");
    assert_eq!(service["handlers"][0]["name"], "run");
    // A run that failed is reported to the build, not kept until somebody looks for it.
    assert_eq!(service["retryPolicyOnMaxAttempts"], "KILL");
}

/// The library panics on some of these.
#[tokio::test]
async fn a_stranger_gets_a_refusal() {
    let (address, _guard) = start(Vec::new()).unwrap();
    let client = client();
    for path in ["", "/", "/x", "/invoke", "/invoke/x", "/a/b/c/d"] {
        let reply = client.get(format!("http://{address}{path}")).send().await;
        assert_eq!(reply.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    let chunk = client.post(format!("http://{address}/invoke/synix.Units/run"));
    let reply = chunk.body("not a message of Restate").send().await.unwrap();
    assert!(reply.status().is_client_error(), "{}", reply.status());
    // A client of HTTP/1 gets no reply, and the endpoint goes on.
    let old = Client::builder().http1_only().no_proxy().build().unwrap();
    let reply = old.get(format!("http://{address}/health")).send().await;
    assert!(reply.is_err(), "{reply:?}");
    let alive = client.get(format!("http://{address}/health")).send().await;
    assert_eq!(alive.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn with_an_identity_key_only_signed_requests_are_answered() {
    let (pair, public) = key_pair();
    let (other, _) = key_pair();
    let (address, _guard) = start(vec![public]).unwrap();
    let client = client();
    let ask = |headers: Vec<(&'static str, String)>| {
        let mut asked = client
            .get(format!("http://{address}/discover"))
            .header("accept", MANIFEST);
        for (name, value) in headers {
            asked = asked.header(name, value);
        }
        async move { asked.send().await.unwrap().status() }
    };
    let signed = |token: String| {
        vec![
            ("x-restate-signature-scheme", "v1".to_owned()),
            ("x-restate-jwt-v1", token),
        ]
    };
    assert_eq!(ask(signed(token(&pair, "/discover"))).await, StatusCode::OK);
    let unsigned = vec![("x-restate-signature-scheme", "unsigned".to_owned())];
    for refused in [
        Vec::new(),
        unsigned,
        signed(token(&other, "/discover")),
        signed(token(&pair, "/invoke/synix.Units/run")),
        signed(String::new()),
    ] {
        assert_eq!(ask(refused).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_text_that_is_no_identity_key_is_refused() {
    for wrong in [
        "",
        "publickeyv1_",
        "publickeyv1_0OIl",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        let error = start(vec![wrong.to_owned()]).unwrap_err();
        assert!(matches!(error, BindError::IdentityKey { .. }), "{error}");
    }
}

/// Two workers on one machine need no load balancer.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn several_workers_listen_at_one_port() {
    let bind = |listen: SocketAddr| {
        let settings = EndpointSettings {
            listen,
            jobs: NonZero::<usize>::MIN,
            identity_keys: Vec::new(),
        };
        Endpoint::of_worker(&settings, Arc::new(|chunk: &[u8]| Ok(chunk.to_vec())))
    };
    let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let second = bind(first.address()).unwrap();
    assert_eq!(first.address(), second.address());
}

/// A service that refuses everything.
struct Refuses;

impl BuildService for Refuses {
    fn accept(&self, _key: &str, _job: &str) -> Result<(), EndpointError> {
        Err(EndpointError::Refused("no".into()))
    }

    fn advance(&self, _job: &str) -> Result<Progress, EndpointError> {
        Err(EndpointError::Refused("no".into()))
    }

    fn answer(&self, _question: &str) -> Result<String, EndpointError> {
        Err(EndpointError::Refused("no".into()))
    }
}

fn service_settings(listen: SocketAddr) -> EndpointSettings {
    EndpointSettings {
        listen,
        jobs: NonZero::<usize>::MIN,
        identity_keys: Vec::new(),
    }
}

#[tokio::test]
async fn the_server_finds_jobs_and_questions() {
    let settings = service_settings("127.0.0.1:0".parse().unwrap());
    let endpoint = Endpoint::of_service(&settings, Arc::new(Refuses)).unwrap();
    let address = endpoint.address();
    let stop = CancellationToken::new();
    tokio::spawn(endpoint.serve(stop.clone()));
    let asked = client()
        .get(format!("http://{address}/discover"))
        .header("accept", MANIFEST);
    let reply = asked.send().await.unwrap().bytes().await.unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&reply).unwrap();
    let services = manifest["services"].as_array().unwrap();
    let find = |name: &str| services.iter().find(|one| one["name"] == name).unwrap();
    let jobs = find("synix.Job");
    assert_eq!(jobs["ty"], "VIRTUAL_OBJECT");
    // A job waits for its service for as long as it takes.
    assert_eq!(jobs["retryPolicyOnMaxAttempts"], "PAUSE");
    assert_eq!(jobs["retryPolicyMaxAttempts"], u32::MAX);
    let handlers = jobs["handlers"].as_array().unwrap();
    for handler in handlers {
        // One turn at a time. A report does not wait for it.
        let is_report = handler["name"] == "report";
        assert_eq!(handler["ty"] == "SHARED", is_report, "{handler}");
    }
    assert_eq!(handlers.len(), 4);
    // Whoever asks is told.
    assert_eq!(find("synix.Builds")["retryPolicyOnMaxAttempts"], "KILL");
    stop.cancel();
}

/// Two services with one project would drive its builds against each other.
#[tokio::test]
async fn a_service_shares_its_port_with_nobody() {
    let settings = service_settings("127.0.0.1:0".parse().unwrap());
    let first = Endpoint::of_service(&settings, Arc::new(Refuses)).unwrap();
    let settings = service_settings(first.address());
    let second = Endpoint::of_service(&settings, Arc::new(Refuses)).unwrap_err();
    assert!(matches!(second, BindError::Listen { .. }), "{second}");
}
