//! `--locked`, replays and `plugin fetch`: only pinned bytes are used.

use std::fs;

use synix_core::digest::Digest;

use crate::support::plugin_project::{PluginProject, guest_bytes, lock_file_entry};
use crate::support::registry::Registry;
use crate::support::transcript::assert_transcript;

#[test]
fn locked_refuses_differences_and_names_the_command_to_run() {
    let server = Registry::start();
    let project = PluginProject::with_file("echo");
    let missing = project.run(&["build", "--locked"]).expect_code(5);
    assert_transcript!(missing);
    project.run(&["build"]).expect_code(0);
    let lock = project.lock_file();
    project.run(&["build", "--locked"]).expect_code(0);
    project.write_plugin("moody");
    for command in [
        &["build", "--locked"][..],
        &["plan", "--locked=true"],
        &["batch-build", "run", "--locked"],
    ] {
        let run = project.run(command).expect_code(5);
        for part in [
            format!("sha256:{}", Digest::of(&guest_bytes("echo"))),
            format!("-> sha256:{}", Digest::of(&guest_bytes("moody"))),
            "synix plugin update ./plugin.wasm".to_owned(),
        ] {
            assert!(run.stderr.contains(&part), "{part}: {run:?}");
        }
    }
    let image = server.push("team/echo", "1.0", &guest_bytes("echo"));
    project.set_transform(&image);
    let run = project.run(&["build", "--locked"]).expect_code(5);
    assert!(run.says(&format!("{image}: is not pinned")), "{run:?}");
    assert_transcript!(run);
    assert!(server.calls().is_empty(), "{:?}", server.calls());
    assert_eq!(project.lock_file(), lock);
}

#[test]
fn locked_refuses_a_pin_whose_size_is_wrong_and_keeps_the_file() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let project = PluginProject::new(&server.push("team/echo", "1.0", &echo));
    project.run(&["plan"]).expect_code(0);
    let edited = project
        .lock_file()
        .replace(&format!("size = {}", echo.len()), "size = 1");
    project.write("synix.lock", &edited);
    project.run(&["plan", "--locked"]).expect_code(5);
    assert_eq!(project.lock_file(), edited);
}

/// The pin was edited by hand.
#[test]
fn locked_names_the_pin_that_contradicts_the_digest_in_its_reference() {
    let stated = Digest::of(b"stated");
    let reference = format!("https://127.0.0.1:1/x.wasm#sha256={stated}");
    let project = PluginProject::new(&reference);
    let pin = lock_file_entry(&reference, b"other");
    project.write("synix.lock", &format!("version = 1\n{pin}"));
    let run = project.run(&["plan", "--locked"]).expect_code(5);
    assert_transcript!(run);
}

/// Batches cost money, whatever the lock file contains.
#[test]
fn a_lock_file_mismatch_does_not_prevent_cancel() {
    let project = PluginProject::with_file("two_steps");
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", &format!("{pipeline}batch = true\n"));
    project.pause_batches();
    project.run(&["batch-build", "run"]).expect_code(0);
    project.write_plugin("echo");
    let ci = |arguments: &[&str]| project.run_with(arguments, &[("CI", "true")]);
    ci(&["batch-build", "resume"]).expect_code(5);
    let cancelled = ci(&["batch-build", "cancel"]).expect_code(0);
    assert!(
        cancelled.says("synix.lock: ./plugin.wasm: sha256:"),
        "{cancelled:?}"
    );
}

#[test]
fn ci_implies_locked_unless_disabled() {
    let project = PluginProject::with_file("echo");
    let ci = |arguments: &[&str], value: &str| project.run_with(arguments, &[("CI", value)]).code;
    assert_eq!(ci(&["plan"], "true"), 5);
    assert_eq!(ci(&["plan"], "1"), 5);
    assert_eq!(project.lock_file(), "");
    assert_eq!(ci(&["plan", "--no-locked"], "true"), 0);
    project.write_plugin("moody");
    assert_eq!(ci(&["plan"], "true"), 5);
    assert_eq!(ci(&["plan", "--locked=false"], "true"), 0);
    project.write_plugin("echo");
    assert_eq!(ci(&["plan"], "false"), 0);
}

#[test]
fn a_replay_downloads_no_plugin() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &guest_bytes("echo"));
    let project = PluginProject::new(&reference).with_cassette();
    let calls = server.calls().len();
    project.replay(&["plan"]).expect_code(0);
    project.replay(&["build"]).expect_code(0);
    project.delete_cache();
    let miss = project.replay(&["build"]).expect_code(1);
    assert_transcript!(miss);
    project.remove("synix.lock");
    let unpinned = project.replay(&["plan"]).expect_code(1);
    assert_transcript!(unpinned);
    assert_eq!(server.calls().len(), calls);
}

#[test]
fn fetch_downloads_the_pinned_bytes_and_moves_no_pin() {
    let server = Registry::start();
    let (echo, moody) = (guest_bytes("echo"), guest_bytes("moody"));
    let reference = server.push("team/echo", "1.0", &echo);
    let project = PluginProject::new(&reference).with_cassette();
    server.push("team/echo", "1.0", &moody);
    project.delete_cache();
    let lock = project.lock_file();
    let fetched = project.run(&["plugin", "fetch"]).expect_code(0);
    assert!(
        fetched.says("downloaded") && project.is_cached(&echo),
        "{fetched:?}"
    );
    assert!(
        project
            .run(&["plugin", "fetch"])
            .says("already in the cache")
    );
    assert_eq!(project.lock_file(), lock);
    project.replay(&["build"]).expect_code(0);
}

#[test]
fn a_damaged_file_in_the_cache_is_never_run() {
    let server = Registry::start();
    let echo = guest_bytes("echo");
    let project = PluginProject::new(&server.publish_file("/echo.wasm", &echo));
    project.run(&["plan"]).expect_code(0);
    let file = format!("cache/plugins/{}.wasm", Digest::of(&echo));
    fs::write(project.path(&file), guest_bytes("moody")).unwrap();
    project.run(&["plan"]).expect_code(0);
    assert_eq!(fs::read(project.path(&file)).unwrap(), echo);
}

/// The owner states the digest in the URL; the lock file only repeats it.
#[test]
fn a_pin_that_contradicts_the_digest_in_the_url_is_ignored() {
    let server = Registry::start();
    let (echo, moody) = (guest_bytes("echo"), guest_bytes("moody"));
    let project = PluginProject::new(&server.publish_file("/moody.wasm", &moody));
    project.run(&["plan"]).expect_code(0);
    let reference = server.publish_file("/echo.wasm", &echo);
    project.set_transform(&reference);
    project.run(&["plan"]).expect_code(0);
    let lock = project.lock_file();
    assert!(project.is_cached(&moody) && lock.ends_with(&lock_file_entry(&reference, &echo)));
    let forged = lock.replace(
        &lock_file_entry(&reference, &echo),
        &lock_file_entry(&reference, &moody),
    );
    assert_ne!(forged, lock);
    project.write("synix.lock", &forged);
    let run = project.run(&["plan", "--locked"]).expect_code(5);
    let contradicted = format!("{reference}: pinned to sha256:{}", Digest::of(&moody));
    assert!(run.says(&contradicted), "{run:?}");
    project.run(&["plan"]).expect_code(0);
    assert_eq!(project.lock_file(), lock);
}
