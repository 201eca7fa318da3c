//! Commands other than builds: plugins need permission too, and `--trust` grants it for one command.

use std::fs;

use crate::support::folders::copy;
use crate::support::invocation::Run;
use crate::support::registry::Registry;
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

/// W10: the same applies to a plugin in the local network.
#[test]
fn a_plugin_on_this_machine_is_fetched_only_after_permission() {
    let server = crate::support::registry::Registry::start();
    let echo = synix_test_components::bytes("echo");
    for reference in [
        server.publish_file("/echo.wasm", &echo),
        server.push("team/echo", "1.0", &echo),
    ] {
        let project = TestProject::with_layers(&format!(
            "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n[layers.texts]\nsource = \"texts/*.md\"\n[layers.made]\ntransform = {reference:?}\ninputs = [\"texts\"]\n"
        ));
        project.write("texts/only.md", "a text");
        let before = server.calls().len();
        let run = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            command.env("SYNIX_CACHE_DIR", project.path("cache")).run()
        };
        for arguments in [&["plan"][..], &["build"], &["plugin", "update"]] {
            let run = run(arguments).expect_code(5);
            assert!(run.says("download a plugin from"), "{run:?}");
        }
        assert_eq!(server.calls().len(), before);
        project.ok(&["trust", "--yes"]);
        run(&["plan"]).expect_code(0);
        assert!(server.calls().len() > before);
        project.ok(&["trust", "revoke"]);
        // A plugin in the cache is not fetched.
        run(&["build"]).expect_code(0);
    }
}

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
