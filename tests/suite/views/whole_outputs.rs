//! The whole output of each command, from the first plan of a project to the lineage of its summary.

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

#[test]
fn every_command_shows_a_project_before_its_first_build() {
    let project = TestProject::team();
    assert_transcript!(project.run(&["plan"]));
    assert_transcript!(project.run(&["batch-build", "plan"]));
    assert_transcript!(project.run(&["status"]));
    assert_transcript!(project.run(&["list"]));
    assert_transcript!(project.run(&["show", "summary"]));
}

#[test]
fn every_command_shows_a_project_after_a_batch_build() {
    let project = TestProject::team();
    assert_transcript!(project.run(&BATCH_BUILD));
    assert_transcript!(project.run(&["plan"]));
    assert_transcript!(project.run(&["status"]));
    assert_transcript!(project.run(&["list"]));
    assert_transcript!(project.run(&["show", "styles/ws-bela"]));
    assert_transcript!(project.run(&["lineage", "ws-bela"]));
    assert_transcript!(project.run(&["builds"]));
    assert_transcript!(project.run(&["batch-build", "status", "--latest"]));
}

#[test]
fn every_command_shows_a_project_with_a_failure_and_a_change() {
    let project = TestProject::team();
    let refused = Reply::Status(StatusReply::new(400).body(serde_json::json!({"error": {
        "message": "no such thing", "type": "invalid_request_error", "param": null, "code": "bad",
    }})));
    project.script(Script::new().rule(Rule::on("I am bela").reply(refused)));
    assert_transcript!(project.run(&["build"]));
    project.write("bios/amara.md", "I am amara, and I changed.");
    assert_transcript!(project.run(&["plan"]));
    assert_transcript!(project.run(&["status"]));
    assert_transcript!(project.run(&["list"]));
}

#[test]
fn plugins_and_templates_are_shown() {
    let project = TestProject::team();
    assert_transcript!(project.run(&["plugin", "inspect", "merge"]));
    assert_transcript!(project.run(&["plugin", "update"]));
    assert_transcript!(project.run(&["init", "--list"]));
    assert_transcript!(project.run(&["trust"]));
}

#[test]
fn mistakes_in_arguments_are_explained() {
    let project = TestProject::team();
    for arguments in [
        &["bild"][..],
        &["build", "--quickly"],
        &["show"],
        &["plan", "none.toml"],
        &["list", "style"],
        &["batch-build", "status", "build-99"],
    ] {
        assert_transcript!(project.run(arguments));
    }
}
