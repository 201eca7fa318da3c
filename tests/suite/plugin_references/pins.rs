//! Plugins by path, URL and OCI reference: what is pinned, and when a pin changes.

use std::fs;

use serde_json::json;
use synix_core::digest::Digest;

use crate::support::plugin_project::{PluginProject, guest_bytes, lock_file_entry};
use crate::support::registry::{OLD_WASM, Registry, WASM};
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

#[test]
fn the_same_bytes_by_path_url_and_image_are_the_same_plugin() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let project = PluginProject::with_file("echo");
    project.run(&["build"]).expect_code(0);
    let fingerprint = project.fingerprint();
    for reference in [
        server.publish_file("/echo.wasm", &echo),
        server.push("team/echo", "1.0", &echo),
        server.push_layers("old/echo", "1.0", &[(OLD_WASM, &echo)]),
        server.push_layers(
            "doc/echo",
            "1.0",
            &[("text/markdown", b"# Echo"), (WASM, &echo)],
        ),
    ] {
        project.set_transform(&reference);
        let run = project.run(&["build"]).expect_code(0);
        assert!(run.says("made: 1 up to date"), "{reference}: {run:?}");
        assert_eq!(project.fingerprint(), fingerprint, "{reference}");
        assert!(
            project
                .lock_file()
                .ends_with(&lock_file_entry(&reference, &echo)),
            "{}",
            project.lock_file()
        );
    }
}

#[test]
fn first_party_transforms_leave_no_lock_file() {
    let project = TestProject::team();
    project.ok(&["build"]);
    assert!(!project.path("synix.lock").exists());
}

#[test]
fn a_plan_pins_new_plugins_and_reports_it() {
    let project = PluginProject::with_file("echo");
    let run = project.run(&["plan"]).expect_code(0);
    assert_transcript!(run);
    assert!(
        project
            .lock_file()
            .ends_with(&lock_file_entry("./plugin.wasm", &guest_bytes("echo")))
    );
    let repeated = project.run(&["plan"]).expect_code(0);
    assert!(!repeated.says("synix.lock"), "{repeated:?}");
}

#[test]
fn a_changed_plugin_file_gets_a_new_pin_and_a_message() {
    let project = PluginProject::with_file("echo");
    project.run(&["build"]).expect_code(0);
    project.write_plugin("moody");
    let run = project.run(&["build"]).expect_code(0);
    let message = format!(
        "synix.lock: ./plugin.wasm: sha256:{} ({} bytes) -> sha256:",
        Digest::of(&guest_bytes("echo")),
        guest_bytes("echo").len()
    );
    assert!(run.stderr.contains(&message), "{run:?}");
    assert!(
        project
            .lock_file()
            .ends_with(&lock_file_entry("./plugin.wasm", &guest_bytes("moody")))
    );
}

#[test]
fn an_unwritable_cache_is_reported_with_how_to_move_it() {
    let server = Registry::start();
    let project = PluginProject::new(&server.push("team/echo", "1.0", &guest_bytes("echo")));
    project.write("cache", "in the folder's place");
    let run = project.run(&["plan"]).expect_code(1);
    assert_transcript!(run);
}

#[test]
fn a_tag_that_moves_changes_nothing_until_an_update() {
    let server = Registry::start();
    let (echo, moody) = (guest_bytes("echo"), guest_bytes("moody"));
    let reference = server.push("team/plugin", "1.0", &echo);
    let project = PluginProject::new(&reference);
    project.run(&["build"]).expect_code(0);
    let calls = server.calls().len();
    server.push("team/plugin", "1.0", &moody);
    project.run(&["build"]).expect_code(0);
    assert_eq!(
        server.calls().len(),
        calls,
        "the lock and the cache say enough"
    );
    project.delete_cache();
    project.run(&["build", "--locked"]).expect_code(0);
    let calls_after: Vec<_> = server.calls().split_off(calls);
    assert!(
        calls_after
            .iter()
            .all(|call| !call.path.contains("/manifests/")),
        "{calls_after:?}"
    );
    assert!(
        project
            .lock_file()
            .ends_with(&lock_file_entry(&reference, &echo))
    );

    let moved = project
        .run(&["plugin", "update", "--json"])
        .expect_code(0)
        .json();
    let change = json!({
        "reference": reference,
        "old": Digest::of(&echo),
        "new": Digest::of(&moody),
        "size": moody.len(),
    });
    assert_eq!(moved["changes"], json!([change]));
    assert!(
        project
            .lock_file()
            .ends_with(&lock_file_entry(&reference, &moody))
    );
    let repeated = project.run(&["plugin", "update"]).expect_code(0);
    assert_eq!(repeated.stdout, "all pins are up to date\n");
}

#[test]
fn an_update_of_one_reference_leaves_the_others() {
    let server = Registry::start();
    let (echo, moody) = (guest_bytes("echo"), guest_bytes("moody"));
    let reference = server.push("team/plugin", "1.0", &echo);
    let project = PluginProject::with_file("echo");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let second = format!("[layers.more]\ntransform = \"{reference}\"\ninputs = [\"texts\"]\n");
    project.write("synix.toml", &format!("{pipeline}{second}"));
    project.trust();
    project.run(&["plan"]).expect_code(0);
    server.push("team/plugin", "1.0", &moody);
    project.write_plugin("moody");
    project
        .run(&["plugin", "update", "./plugin.wasm"])
        .expect_code(0);
    let lock = project.lock_file();
    assert!(
        lock.contains(&lock_file_entry("./plugin.wasm", &moody)),
        "{lock}"
    );
    assert!(lock.contains(&lock_file_entry(&reference, &echo)), "{lock}");
    let unknown = project
        .run(&["plugin", "update", "./plugins.wasm"])
        .expect_code(2);
    assert_transcript!(unknown);
}

#[test]
fn an_update_of_all_plugins_removes_unused_pins() {
    let server = Registry::start();
    let project = PluginProject::with_file("echo");
    project.run(&["plan"]).expect_code(0);
    let reference = server.push("team/echo", "1.0", &guest_bytes("echo"));
    project.set_transform(&reference);
    let updated = project.run(&["plugin", "update"]).expect_code(0);
    assert_transcript!(updated);
    let lock = project.lock_file();
    assert!(
        lock.ends_with(&lock_file_entry(&reference, &guest_bytes("echo")))
            && !lock.contains("./plugin.wasm"),
        "{lock}"
    );
}

#[test]
fn pipelines_in_one_folder_have_a_lock_file_each() {
    let project = PluginProject::with_file("echo");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("other.toml", &pipeline);
    project.run(&["plan", "other.toml"]).expect_code(0);
    assert!(project.path("other.lock").exists() && project.lock_file().is_empty());
}

#[test]
fn a_url_without_a_digest_is_refused_with_its_place() {
    let run = PluginProject::new("https://example.com/a.wasm")
        .run(&["plan"])
        .expect_code(2);
    assert_transcript!(run);
}

#[test]
fn a_lock_file_with_a_conflict_is_refused_with_its_line() {
    let project = PluginProject::with_file("echo");
    project.run(&["plan"]).expect_code(0);
    project.write(
        "synix.lock",
        &format!("{}<<<<<<< ours\n", project.lock_file()),
    );
    let run = project.run(&["build"]).expect_code(2);
    assert_transcript!(run);
}
