//! Downloads of plugins from servers that send wrong bytes, close the connection, redirect or require a password.

use serde_json::json;
use synix_core::digest::Digest;

use crate::references::{PluginProject, bytes};
use crate::registry::{Answer, Registry, WASM, descriptor};

const MIB: u64 = 1 << 20;

/// Runs a plan that must fail with exit code 1 and store nothing.
#[track_caller]
fn assert_refused(reference: &str, words: &[&str]) -> PluginProject {
    let project = PluginProject::new(reference);
    let run = project.run(&["plan"]).expect_code(1);
    for word in [&["cannot fetch the plugin", reference], words].concat() {
        assert!(run.stderr.contains(word), "{word}: {run:?}");
    }
    assert_eq!(project.lock_file(), "");
    let plugins = project.path("cache/plugins");
    assert!(!plugins.exists(), "something was kept");
    project
}

#[test]
fn a_download_with_another_digest_is_refused() {
    let server = Registry::start();
    let echo = bytes("echo");
    let reference = server.file("/echo.wasm", &echo);
    server.answer("/echo.wasm", Answer::of(&bytes("moody")));
    let expected = Digest::of(&echo);
    let words = format!("the downloaded bytes do not have the digest sha256:{expected}");
    assert_refused(&reference, &[&words]);
    let image = server.push("team/echo", "1.0", &echo);
    let path = server.blob("team/echo", &echo);
    server.answer(&path, Answer::of(&bytes("moody")));
    assert_refused(&image, &["do not have the digest sha256:"]);
}

#[test]
fn a_truncated_download_is_refused() {
    let server = Registry::start();
    let echo = bytes("echo");
    let reference = server.file("/echo.wasm", &echo);
    let half = &echo[..echo.len() / 2];
    let announced = Some(echo.len() as u64);
    server.answer(
        "/echo.wasm",
        Answer {
            announced,
            ..Answer::of(half)
        },
    );
    assert_refused(&reference, &["was lost during the reply"]);
    server.answer(
        "/echo.wasm",
        Answer {
            announced: None,
            ..Answer::of(half)
        },
    );
    assert_refused(&reference, &["do not have the digest sha256:"]);
}

#[test]
fn a_download_that_is_too_large_is_refused() {
    let server = Registry::start();
    let echo = bytes("echo");
    let reference = server.file("/echo.wasm", &echo);
    let announced = Answer {
        announced: Some(64 * MIB + 1),
        ..Answer::of(&echo)
    };
    server.answer("/echo.wasm", announced);
    assert_refused(&reference, &["larger than 64 MiB"]);
    let endless = Answer {
        announced: None,
        zeros: 1 << 50,
        ..Answer::of(&echo)
    };
    server.answer("/echo.wasm", endless.clone());
    assert_refused(&reference, &["larger than 64 MiB"]);
    let image = server.push("team/echo", "1.0", &echo);
    server.answer("/v2/team/echo/manifests/1.0", endless);
    assert_refused(&image, &["larger than 4 MiB"]);
}

#[test]
fn a_download_longer_than_its_announced_length_is_refused() {
    let server = Registry::start();
    let echo = bytes("echo");
    let reference = server.file("/echo.wasm", &echo);
    let lying = Answer {
        announced: Some(16),
        zeros: 100 * MIB,
        ..Answer::of(&echo)
    };
    server.answer("/echo.wasm", lying);
    assert_refused(&reference, &["the downloaded bytes do not have the digest"]);
}

#[test]
fn missing_forbidden_and_unreachable_plugins_have_their_own_errors() {
    let server = Registry::start();
    let nowhere = format!(
        "{}#sha256={}",
        server.url("/nowhere.wasm"),
        Digest::of(b"x")
    );
    assert_refused(&nowhere, &["does not have this plugin (404)"]);
    assert_refused(
        &server.reference("team/none", "1.0"),
        &["does not have this plugin (404)"],
    );
    let reference = server.file("/echo.wasm", b"x");
    for (status, words) in [
        (401, "denies access (401)"),
        (403, "denies access (403)"),
        (500, "HTTP status 500"),
    ] {
        server.answer("/echo.wasm", Answer::status(status));
        assert_refused(&reference, &[words]);
    }
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    assert_refused(&format!("oci://{closed}/a/b:1"), &["cannot connect to"]);
    // The server of this test speaks plain HTTP.
    assert_refused(
        &nowhere.replacen("http://", "https://", 1),
        &["cannot connect to", "does not speak TLS", "`transform`"],
    );
}

#[test]
fn at_most_five_redirects_are_followed() {
    let (server, other) = (Registry::start(), Registry::start());
    let echo = bytes("echo");
    other.file("/moved.wasm", &echo);
    let reference = server.file("/echo.wasm", &echo);
    server.answer("/echo.wasm", Answer::redirect(&other.url("/moved.wasm")));
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    let hop = |at: u32| format!("/hop{at}");
    for at in 1..5 {
        server.answer(&hop(at), Answer::redirect(&hop(at + 1)));
    }
    server.file(&hop(5), &echo);
    server.answer("/echo.wasm", Answer::redirect(&hop(1)));
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    server.answer(&hop(5), Answer::redirect(&hop(6)));
    server.file(&hop(6), &echo);
    assert_refused(&reference, &["redirects more than 5 times"]);
    server.answer("/echo.wasm", Answer::redirect("/echo.wasm"));
    assert_refused(&reference, &["redirects more than 5 times"]);
    server.answer(
        "/echo.wasm",
        Answer::redirect("http://example.com/echo.wasm"),
    );
    assert_refused(&reference, &["to a URL without https"]);
}

#[test]
fn a_registry_token_is_sent_only_to_its_registry() {
    let (server, storage) = (Registry::start(), Registry::start());
    let echo = bytes("echo");
    let reference = server.push("team/echo", "1.0", &echo);
    let path = server.blob("team/echo", &echo);
    storage.file("/blob", &echo);
    server.answer(&path, Answer::redirect(&storage.url("/blob")));
    server.guard("token-of-the-test", None);
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    let carried = |registry: &Registry, path: &str| {
        let calls = registry.calls();
        let call = calls.iter().find(|call| call.path == path).unwrap().clone();
        call.authorization
    };
    assert_eq!(
        carried(&server, &path).as_deref(),
        Some("Bearer token-of-the-test")
    );
    assert_eq!(carried(&storage, "/blob"), None);
    let asked = server.calls().into_iter().any(|call| {
        call.path.starts_with("/token?")
            && call.path.contains("pull")
            && call.authorization.is_none()
    });
    assert!(asked, "{:?}", server.calls());
}

#[test]
fn a_stored_password_is_used_for_its_registry_and_never_printed() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &bytes("echo"));
    // "me:sesame" in base64.
    let (login, secret) = ("bWU6c2VzYW1l", "sesame");
    server.guard("t", Some(&format!("Basic {login}")));
    let refused = assert_refused(&reference, &["the registry issued no token"]);
    let config = json!({"auths": {server.host.clone(): {"auth": login}}});
    refused.write("docker/config.json", &config.to_string());
    let docker = refused.path("docker");
    let docker = [("DOCKER_CONFIG", docker.to_str().unwrap())];
    let run = refused.run_with(&["plan"], &docker).expect_code(0);
    assert!(!run.says(secret) && !run.says(login), "{run:?}");
    assert!(!refused.lock_file().contains(login));
    refused.delete_cache();
    server.guard("t", Some("Basic b3RoZXI6cHc="));
    let run = refused.run_with(&["plan"], &docker).expect_code(1);
    assert!(!run.says(secret) && !run.says(login), "{run:?}");
}

#[test]
fn an_image_without_a_plugin_is_refused() {
    let server = Registry::start();
    let (echo, moody) = (bytes("echo"), bytes("moody"));
    let push = |tag: &str, layers: &[(&str, &[u8])]| server.push_layers("team/odd", tag, layers);
    let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
    assert_refused(
        &push("tar", &[(tar, &echo)]),
        &["no layer has the media type", tar],
    );
    assert_refused(&push("none", &[]), &["no layer has the media type"]);
    assert_refused(
        &push("two", &[(WASM, &echo), (WASM, &moody)]),
        &["2 layers contain components"],
    );
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
    });
    server.push_manifest("team/odd", "index", &index);
    assert_refused(
        &server.reference("team/odd", "index"),
        &["index of several images"],
    );
    server.push_manifest("team/odd", "other", &json!({"errors": []}));
    assert_refused(
        &server.reference("team/odd", "other"),
        &["not an OCI manifest"],
    );
    let mut short = descriptor(WASM, &echo);
    short["size"] = json!(echo.len() - 1);
    let manifest =
        json!({"schemaVersion": 2, "config": descriptor(WASM, b"{}"), "layers": [short]});
    server.push_manifest("team/odd", "short", &manifest);
    let project = PluginProject::new(&server.reference("team/odd", "short"));
    let run = project.run(&["plan"]).expect_code(1);
    assert!(run.says("it says that the layer has"), "{run:?}");
    let mut huge = descriptor(WASM, &echo);
    huge["size"] = json!(65 * MIB);
    let manifest = json!({"schemaVersion": 2, "config": descriptor(WASM, b"{}"), "layers": [huge]});
    server.push_manifest("team/odd", "huge", &manifest);
    assert_refused(
        &server.reference("team/odd", "huge"),
        &["larger than 64 MiB"],
    );
}

#[test]
fn the_digest_of_an_image_must_match_its_manifest() {
    let server = Registry::start();
    let echo = bytes("echo");
    server.push("team/echo", "1.0", &echo);
    let manifest = json!({"schemaVersion": 2, "config": descriptor(WASM, b"{}"), "layers": [descriptor(WASM, &echo)]});
    let digest = server.push_manifest("team/echo", "2.0", &manifest);
    let reference = format!("oci://{}/team/echo@sha256:{digest}", server.host);
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    let path = format!("/v2/team/echo/manifests/sha256:{digest}");
    server.answer(
        &path,
        Answer::of(json!({"schemaVersion": 2}).to_string().as_bytes()),
    );
    assert_refused(&reference, &["do not have the digest sha256:"]);
}
