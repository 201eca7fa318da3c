//! Downloads of plugins from servers that send wrong bytes, close the connection, redirect or require a password.

use serde_json::json;
use synix_core::digest::Digest;

use crate::support::plugin_project::{PluginProject, guest_bytes};
use crate::support::registry::{HttpReply, Registry, WASM, descriptor};

const MIB: u64 = 1 << 20;

/// Runs a plan that must fail with exit code 1 and store nothing.
#[track_caller]
fn assert_download_refused(reference: &str, messages: &[&str]) -> PluginProject {
    let project = PluginProject::new(reference);
    let run = project.run(&["plan"]).expect_code(1);
    for message in [&["cannot fetch the plugin", reference], messages].concat() {
        assert!(run.stderr.contains(message), "{message}: {run:?}");
    }
    assert_eq!(project.lock_file(), "");
    let plugins = project.path("cache/plugins");
    assert!(!plugins.exists(), "something was kept");
    project
}

#[test]
fn a_download_with_another_digest_is_refused() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let reference = server.publish_file("/echo.wasm", &echo);
    server.set_reply("/echo.wasm", HttpReply::of(&guest_bytes("moody")));
    let expected = Digest::of(&echo);
    let messages = format!("the downloaded bytes do not have the digest sha256:{expected}");
    assert_download_refused(&reference, &[&messages]);
    let image = server.push("team/echo", "1.0", &echo);
    let path = server.blob("team/echo", &echo);
    server.set_reply(&path, HttpReply::of(&guest_bytes("moody")));
    assert_download_refused(&image, &["do not have the digest sha256:"]);
}

#[test]
fn a_truncated_download_is_refused() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let reference = server.publish_file("/echo.wasm", &echo);
    let first_half = &echo[..echo.len() / 2];
    let content_length = Some(echo.len() as u64);
    server.set_reply(
        "/echo.wasm",
        HttpReply {
            content_length,
            ..HttpReply::of(first_half)
        },
    );
    assert_download_refused(&reference, &["was lost during the reply"]);
    server.set_reply(
        "/echo.wasm",
        HttpReply {
            content_length: None,
            ..HttpReply::of(first_half)
        },
    );
    assert_download_refused(&reference, &["do not have the digest sha256:"]);
}

#[test]
fn a_download_that_is_too_large_is_refused() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let reference = server.publish_file("/echo.wasm", &echo);
    let content_length = HttpReply {
        content_length: Some(64 * MIB + 1),
        ..HttpReply::of(&echo)
    };
    server.set_reply("/echo.wasm", content_length);
    assert_download_refused(&reference, &["larger than 64 MiB"]);
    let endless = HttpReply {
        content_length: None,
        trailing_zeros: 1 << 50,
        ..HttpReply::of(&echo)
    };
    server.set_reply("/echo.wasm", endless.clone());
    assert_download_refused(&reference, &["larger than 64 MiB"]);
    let image = server.push("team/echo", "1.0", &echo);
    server.set_reply("/v2/team/echo/manifests/1.0", endless);
    assert_download_refused(&image, &["larger than 4 MiB"]);
}

#[test]
fn a_download_longer_than_its_announced_length_is_refused() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let reference = server.publish_file("/echo.wasm", &echo);
    let wrong_length = HttpReply {
        content_length: Some(16),
        trailing_zeros: 100 * MIB,
        ..HttpReply::of(&echo)
    };
    server.set_reply("/echo.wasm", wrong_length);
    assert_download_refused(&reference, &["the downloaded bytes do not have the digest"]);
}

#[test]
fn missing_forbidden_and_unreachable_plugins_have_their_own_errors() {
    let server = Registry::start();
    let nowhere = format!(
        "{}#sha256={}",
        server.url("/nowhere.wasm"),
        Digest::of(b"x")
    );
    assert_download_refused(&nowhere, &["does not have this plugin (404)"]);
    assert_download_refused(
        &server.reference("team/none", "1.0"),
        &["does not have this plugin (404)"],
    );
    let reference = server.publish_file("/echo.wasm", b"x");
    for (status, messages) in [
        (401, "denies access (401)"),
        (403, "denies access (403)"),
        (500, "HTTP status 500"),
    ] {
        server.set_reply("/echo.wasm", HttpReply::status(status));
        assert_download_refused(&reference, &[messages]);
    }
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    assert_download_refused(&format!("oci://{closed}/a/b:1"), &["cannot connect to"]);
    // The server of this test speaks plain HTTP.
    assert_download_refused(
        &nowhere.replacen("http://", "https://", 1),
        &["cannot connect to", "does not speak TLS", "`transform`"],
    );
}

#[test]
fn at_most_five_redirects_are_followed() {
    let (server, other) = (Registry::start(), Registry::start());
    let echo = guest_bytes("echo");
    other.publish_file("/moved.wasm", &echo);
    let reference = server.publish_file("/echo.wasm", &echo);
    server.set_reply("/echo.wasm", HttpReply::redirect(&other.url("/moved.wasm")));
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    let path_of = |at: u32| format!("/hop{at}");
    for at in 1..5 {
        server.set_reply(&path_of(at), HttpReply::redirect(&path_of(at + 1)));
    }
    server.publish_file(&path_of(5), &echo);
    server.set_reply("/echo.wasm", HttpReply::redirect(&path_of(1)));
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    server.set_reply(&path_of(5), HttpReply::redirect(&path_of(6)));
    server.publish_file(&path_of(6), &echo);
    assert_download_refused(&reference, &["redirects more than 5 times"]);
    server.set_reply("/echo.wasm", HttpReply::redirect("/echo.wasm"));
    assert_download_refused(&reference, &["redirects more than 5 times"]);
    server.set_reply(
        "/echo.wasm",
        HttpReply::redirect("http://example.com/echo.wasm"),
    );
    assert_download_refused(&reference, &["to a URL without https"]);
}

#[test]
fn a_registry_token_is_sent_only_to_its_registry() {
    let (server, storage) = (Registry::start(), Registry::start());
    let echo = guest_bytes("echo");
    let reference = server.push("team/echo", "1.0", &echo);
    let path = server.blob("team/echo", &echo);
    storage.publish_file("/blob", &echo);
    server.set_reply(&path, HttpReply::redirect(&storage.url("/blob")));
    server.require_token("token-of-the-test", None);
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    let authorization_of = |registry: &Registry, path: &str| {
        let calls = registry.calls();
        let call = calls.iter().find(|call| call.path == path).unwrap().clone();
        call.authorization
    };
    assert_eq!(
        authorization_of(&server, &path).as_deref(),
        Some("Bearer token-of-the-test")
    );
    assert_eq!(authorization_of(&storage, "/blob"), None);
    let is_requested = server.calls().into_iter().any(|call| {
        call.path.starts_with("/token?")
            && call.path.contains("pull")
            && call.authorization.is_none()
    });
    assert!(is_requested, "{:?}", server.calls());
}

#[test]
fn a_stored_password_is_used_for_its_registry_and_never_printed() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &guest_bytes("echo"));
    // "me:sesame" in base64.
    let (login, secret) = ("bWU6c2VzYW1l", "sesame");
    server.require_token("t", Some(&format!("Basic {login}")));
    let project = assert_download_refused(&reference, &["the registry issued no token"]);
    let config = json!({"auths": {server.host.clone(): {"auth": login}}});
    project.write("docker/config.json", &config.to_string());
    let docker = project.path("docker");
    let docker = [("DOCKER_CONFIG", docker.to_str().unwrap())];
    let run = project.run_with(&["plan"], &docker).expect_code(0);
    assert!(!run.says(secret) && !run.says(login), "{run:?}");
    assert!(!project.lock_file().contains(login));
    project.delete_cache();
    server.require_token("t", Some("Basic b3RoZXI6cHc="));
    let run = project.run_with(&["plan"], &docker).expect_code(1);
    assert!(!run.says(secret) && !run.says(login), "{run:?}");
}

#[test]
fn an_image_without_a_plugin_is_refused() {
    let server = Registry::start();
    let (echo, moody) = (guest_bytes("echo"), guest_bytes("moody"));
    let push = |tag: &str, layers: &[(&str, &[u8])]| server.push_layers("team/odd", tag, layers);
    let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
    assert_download_refused(
        &push("tar", &[(tar, &echo)]),
        &["no layer has the media type", tar],
    );
    assert_download_refused(&push("none", &[]), &["no layer has the media type"]);
    assert_download_refused(
        &push("two", &[(WASM, &echo), (WASM, &moody)]),
        &["2 layers contain components"],
    );
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
    });
    server.push_manifest("team/odd", "index", &index);
    assert_download_refused(
        &server.reference("team/odd", "index"),
        &["index of several images"],
    );
    server.push_manifest("team/odd", "other", &json!({"errors": []}));
    assert_download_refused(
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
    assert_download_refused(
        &server.reference("team/odd", "huge"),
        &["larger than 64 MiB"],
    );
}

#[test]
fn the_digest_of_an_image_must_match_its_manifest() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    server.push("team/echo", "1.0", &echo);
    let manifest = json!({"schemaVersion": 2, "config": descriptor(WASM, b"{}"), "layers": [descriptor(WASM, &echo)]});
    let digest = server.push_manifest("team/echo", "2.0", &manifest);
    let reference = format!("oci://{}/team/echo@sha256:{digest}", server.host);
    PluginProject::new(&reference).run(&["plan"]).expect_code(0);
    let path = format!("/v2/team/echo/manifests/sha256:{digest}");
    server.set_reply(
        &path,
        HttpReply::of(json!({"schemaVersion": 2}).to_string().as_bytes()),
    );
    assert_download_refused(&reference, &["do not have the digest sha256:"]);
}
