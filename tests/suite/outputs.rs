//! What a person reads of each command, whole, from the first plan of a project to the lineage of its summary.

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::transcript::assert_transcript;
use crate::workbench::{BATCH, Workbench};

#[test]
fn a_project_that_was_never_built() {
    let bench = Workbench::team();
    assert_transcript!(bench.run(&["plan"]));
    assert_transcript!(bench.run(&["batch-build", "plan"]));
    assert_transcript!(bench.run(&["status"]));
    assert_transcript!(bench.run(&["list"]));
    assert_transcript!(bench.run(&["show", "summary"]));
}

#[test]
fn a_project_after_a_batch_build() {
    let bench = Workbench::team();
    assert_transcript!(bench.run(&BATCH));
    assert_transcript!(bench.run(&["plan"]));
    assert_transcript!(bench.run(&["status"]));
    assert_transcript!(bench.run(&["list"]));
    assert_transcript!(bench.run(&["show", "styles/ws-bela"]));
    assert_transcript!(bench.run(&["lineage", "ws-bela"]));
    assert_transcript!(bench.run(&["builds"]));
    assert_transcript!(bench.run(&["batch-build", "status", "--latest"]));
}

#[test]
fn a_project_with_a_failure_and_a_change() {
    let bench = Workbench::team();
    let refused = Reply::Status(StatusReply::new(400).body(serde_json::json!({"error": {
        "message": "no such thing", "type": "invalid_request_error", "param": null, "code": "bad",
    }})));
    bench.script(Script::new().rule(Rule::on("I am bela").reply(refused)));
    assert_transcript!(bench.run(&["build"]));
    bench.write("bios/amara.md", "I am amara, and I changed.");
    assert_transcript!(bench.run(&["plan"]));
    assert_transcript!(bench.run(&["status"]));
    assert_transcript!(bench.run(&["list"]));
}

#[test]
fn plugins_and_templates() {
    let bench = Workbench::team();
    assert_transcript!(bench.run(&["plugin", "inspect", "merge"]));
    assert_transcript!(bench.run(&["plugin", "update"]));
    assert_transcript!(bench.run(&["init", "--list"]));
    assert_transcript!(bench.run(&["trust"]));
}

#[test]
fn mistakes_in_arguments() {
    let bench = Workbench::team();
    for arguments in [
        &["bild"][..],
        &["build", "--quickly"],
        &["show"],
        &["plan", "none.toml"],
        &["list", "style"],
        &["batch-build", "status", "build-99"],
    ] {
        assert_transcript!(bench.run(arguments));
    }
}
