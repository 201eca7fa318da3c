//! Whom a worker answers, and what it does not have.

use std::fs;
use std::process::Command;

use super::builds::questions;
use super::machines::Machines;
use super::twins::Twins;

/// A private key of Ed25519 in the form of PKCS#8: the number of the algorithm, and 32 bytes.
fn write_private_key(path: &std::path::Path) {
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

/// The server signs its requests, and the worker accepts no others.
#[test]
fn a_worker_with_an_identity_key_answers_its_server_only() {
    let keys = tempfile::tempdir().unwrap();
    let private = keys.path().join("private.pem");
    write_private_key(&private);
    let variable = "RESTATE_REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE";
    let Some(mut machines) = Machines::start_with(&[(variable, &private)]) else {
        return;
    };
    let line = machines.server.wait_for("publickeyv1_");
    let (_, rest) = line.split_once("publickeyv1_").unwrap();
    let is_part = |next: &char| next.is_ascii_alphanumeric();
    let key: String = rest.chars().take_while(is_part).collect();
    let key = format!("publickeyv1_{key}");
    let admin = machines.admin_url();
    let mut worker = machines.start_unknown_worker(&["--register", &admin, "--identity-key", &key]);
    worker.wait_for("knows this worker as");
    let twins = Twins::of(questions(3));
    twins.here.ok(&["build"]);
    twins.elsewhere(&machines, &["build"]).run().expect_code(0);
    twins.assert_equal("made");

    // Another server, which has no key.
    let other = Machines::start().unwrap();
    let admin = other.admin_url();
    let mut worker = machines.start_unknown_worker(&["--register", &admin, "--identity-key", &key]);
    let line = worker.wait_for("waiting for the server: the server at");
    let line = if line.contains("401") {
        line
    } else {
        // The server had not started yet.
        worker.wait_for("401")
    };
    assert!(line.contains("did not accept"), "{line}");
}

/// The owner of a worker decides what units may use there, as on any machine.
#[test]
fn a_worker_refuses_more_than_its_owner_allows() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let _worker = machines.start_worker_with(&[("SYNIX_MAX_FUEL", "1000")]);
    let twins = Twins::of(questions(3));
    let build = twins.elsewhere(&machines, &["build"]).run();
    let build = build.expect_code(1);
    assert!(
        build.stderr.contains("refused a chunk") && build.stderr.contains("SYNIX_MAX_FUEL"),
        "{build:?}"
    );
    assert_eq!(twins.here.sent(), 0);
    // Another worker, or this one later, may allow it: nothing was recorded.
    twins.here.ok(&["build"]);
    let mut local = twins.elsewhere(&machines, &["build"]);
    local.env("SYNIX_ENGINE", "local").run().expect_code(0);
    twins.assert_equal("made");
}

/// Neither the server nor the store of contents gets a key of a provider.
#[test]
fn a_key_reaches_no_other_machine() {
    let Some(mut machines) = Machines::start() else {
        return;
    };
    let _worker = machines.start_worker();
    let twins = Twins::of(questions(3));
    twins.elsewhere(&machines, &["build"]).run().expect_code(0);
    machines.server.kill();
    let folder = machines.contents();
    let folder = folder.parent().unwrap();
    let key = crate::support::invocation::KEY.as_bytes();
    let mut files = 0;
    for (path, bytes) in crate::support::folders::files(folder) {
        files += 1;
        let found = memchr::memmem::find(&bytes, key);
        assert_eq!(found, None, "{}", path.display());
    }
    assert!(files > 3, "{files}");
    assert!(fs::read_dir(machines.contents()).unwrap().next().is_some());
}

#[test]
fn a_worker_without_a_store_says_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let run = crate::support::test_project::command_in(folder.path(), &["worker"]).run();
    let run = run.expect_code(2);
    assert!(
        run.stderr.contains("--content") && run.stderr.contains("SYNIX_ENGINE_CONTENT"),
        "{run:?}"
    );
}

#[test]
fn an_engine_without_a_store_says_what_to_set() {
    let project = questions(1);
    let run = project.run(&["build", "--engine", "restate=http://127.0.0.1:9"]);
    let run = run.expect_code(2);
    assert!(run.stderr.contains("SYNIX_ENGINE_CONTENT"), "{run:?}");
}
