//! `--trust` grants a permission for one command, also for commands other than builds.

use std::fs;

use crate::folders::copy;
use crate::registry::Registry;
use crate::test_project::{Run, TestProject};
use crate::transcript::assert_transcript;

/// A project with a plugin on this machine.
fn project_with_plugin(reference: &str) -> TestProject {
    let project = TestProject::with_layers(&format!(
        "[layers.texts]\nsource = \"texts/*.md\"\n[layers.made]\ntransform = {reference:?}\ninputs = [\"texts\"]\n"
    ));
    project.write("texts/only.md", "a text");
    project
}

fn run(project: &TestProject, arguments: &[&str]) -> Run {
    let mut command = project.command(arguments);
    command
        .env("SYNIX_CACHE_DIR", project.path("../cache"))
        .run()
}

#[test]
fn trust_lets_update_and_fetch_download_a_plugin() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &synix_test_components::bytes("echo"));
    let project = project_with_plugin(&reference);
    let refused = |arguments: &[&str]| {
        let run = run(&project, arguments).expect_code(5);
        assert!(run.says("download a plugin from this machine"), "{run:?}");
        assert!(
            run.says("pass --trust to") && run.says("`resume`"),
            "{run:?}"
        );
    };
    let (update, fetch) = (["plugin", "update"], ["plugin", "fetch"]);
    refused(&update);
    assert!(!project.path("synix.lock").exists());
    run(&project, &["plugin", "update", "--trust"]).expect_code(0);
    assert!(
        fs::read_to_string(project.path("synix.lock"))
            .unwrap()
            .contains(&reference)
    );
    // The permission was not stored.
    refused(&update);
    fs::remove_dir_all(project.path("../cache")).unwrap();
    refused(&fetch);
    let fetched = run(&project, &["plugin", "fetch", "--trust"]).expect_code(0);
    assert_transcript!(fetched);
    assert!(
        run(&project, &fetch)
            .expect_code(0)
            .says("already in the cache")
    );
}

#[test]
fn trust_lets_cancel_use_a_copied_state() {
    let other = TestProject::team();
    other.pause_batches();
    other.ok(&["batch-build", "run"]);
    let project = TestProject::team();
    // The same project on another machine: the batches are at the same provider.
    copy(&other.path(".synix"), &project.path(".synix"));
    fs::copy(other.path("synix.toml"), project.path("synix.toml")).unwrap();
    let refused = || {
        let run = project.run(&["batch-build", "cancel"]).expect_code(5);
        assert!(run.says("use the state in .synix"), "{run:?}");
    };
    refused();
    let calls = |project: &TestProject| {
        project
            .ledger()
            .calls(synix_scripted_provider::Endpoint::BatchesCancel)
    };
    assert_eq!(calls(&other), 0);
    project.ok(&["batch-build", "cancel", "--trust"]);
    assert_eq!(calls(&other), 1);
    refused();
}
