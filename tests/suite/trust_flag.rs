//! `--trust` on the commands beside a build that can need a yes: it holds for that command alone.

use std::fs;

use crate::folders::copy;
use crate::registry::Registry;
use crate::transcript::assert_transcript;
use crate::workbench::{Run, Workbench};

/// A project with a plugin on this machine, and a cache of its own.
fn with_plugin(reference: &str) -> Workbench {
    let bench = Workbench::with_layers(&format!(
        "[layers.texts]\nsource = \"texts/*.md\"\n[layers.made]\ntransform = {reference:?}\ninputs = [\"texts\"]\n"
    ));
    bench.write("texts/only.md", "a text");
    bench
}

fn run(bench: &Workbench, arguments: &[&str]) -> Run {
    let mut command = bench.command(arguments);
    command.env("SYNIX_CACHE_DIR", bench.path("../cache")).run()
}

#[test]
fn a_yes_for_one_command_fetches_and_pins_a_plugin() {
    let server = Registry::start();
    let reference = server.push("team/echo", "1.0", &synix_test_components::bytes("echo"));
    let bench = with_plugin(&reference);
    let refused = |arguments: &[&str]| {
        let run = run(&bench, arguments).expect_code(5);
        assert!(run.says("download a plugin from this machine"), "{run:?}");
        assert!(
            run.says("pass --trust to") && run.says("`resume`"),
            "{run:?}"
        );
    };
    let (update, fetch) = (["plugin", "update"], ["plugin", "fetch"]);
    refused(&update);
    assert!(!bench.path("synix.lock").exists());
    run(&bench, &["plugin", "update", "--trust"]).expect_code(0);
    assert!(
        fs::read_to_string(bench.path("synix.lock"))
            .unwrap()
            .contains(&reference)
    );
    // Nothing was kept.
    refused(&update);
    fs::remove_dir_all(bench.path("../cache")).unwrap();
    refused(&fetch);
    let fetched = run(&bench, &["plugin", "fetch", "--trust"]).expect_code(0);
    assert_transcript!(fetched);
    assert!(
        run(&bench, &fetch)
            .expect_code(0)
            .says("already in the cache")
    );
}

#[test]
fn a_yes_for_one_command_cancels_the_batches_of_a_state_that_came_along() {
    let maker = Workbench::team();
    maker.hold_batches();
    maker.ok(&["batch-build", "run"]);
    let bench = Workbench::team();
    // The same project on another machine: the batches are at the same provider.
    copy(&maker.path(".synix"), &bench.path(".synix"));
    fs::copy(maker.path("synix.toml"), bench.path("synix.toml")).unwrap();
    let refused = || {
        let run = bench.run(&["batch-build", "cancel"]).expect_code(5);
        assert!(run.says("use the state in .synix"), "{run:?}");
    };
    refused();
    let calls = |bench: &Workbench| {
        bench
            .ledger()
            .calls(synix_scripted_provider::Endpoint::BatchesCancel)
    };
    assert_eq!(calls(&maker), 0);
    bench.ok(&["batch-build", "cancel", "--trust"]);
    assert_eq!(calls(&maker), 1);
    refused();
}
