//! Names on the command line: a unique prefix is enough, and an unknown name gets a suggestion.

use serde_json::Value;

use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::TestProject;

/// Returns the error of a command that fails with exit code 2.
#[track_caller]
fn error_of(project: &TestProject, arguments: &[&str]) -> Value {
    let run = project.run(&[arguments, &["--json"]].concat());
    run.expect_code(2).json()["error"].clone()
}

#[test]
fn a_build_is_found_by_its_id_its_number_or_a_prefix() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let whole = project.json(&["batch-build", "status", "build-1"]);
    for name in ["1", "b", "build", "build-"] {
        assert_eq!(project.json(&["status", name]), whole, "{name}");
        assert_eq!(
            project.json(&["batch-build", "status", name]),
            whole,
            "{name}"
        );
    }
    // The prefix was resolved; the build has ended.
    let run = project.run(&["resume", "build", "--json"]).expect_code(5);
    assert_eq!(run.json()["error"]["kind"], "ended");
}

#[test]
fn an_ambiguous_prefix_lists_up_to_five_builds() {
    let project = TestProject::team();
    for _ in 0..10 {
        project.ok(&["build"]);
    }
    let ambiguous = error_of(&project, &["status", "build-"]);
    assert_eq!(ambiguous["kind"], "ambiguous");
    assert_eq!(
        ambiguous["message"],
        "\"build-\" could be any of build-10, build-9, build-8, build-7, build-6 and 5 more"
    );
    for command in ["resume", "status"] {
        assert_eq!(error_of(&project, &[command, "b"])["kind"], "ambiguous");
    }
    // A complete id takes precedence over ids that begin with it.
    assert_eq!(project.json(&["status", "build-1"])["build"], "build-1");
}

#[test]
fn an_unknown_build_or_snapshot_suggests_the_nearest() {
    let project = TestProject::team();
    project.ok(&["build"]);
    for command in [
        &["status", "biuld-1"][..],
        &["resume", "biuld-1"],
        &["batch-build", "cancel", "biuld-1"],
    ] {
        let unknown = error_of(&project, command);
        assert_eq!(unknown["kind"], "unknown_build");
        let hint = unknown["hint"].as_str().unwrap();
        assert!(hint.starts_with("did you mean `build-1`?"), "{hint}");
    }
    let hint = error_of(&project, &["status", "yesterday"])["hint"].clone();
    assert_eq!(hint, "`synix builds` lists all builds");
    let unknown = error_of(&project, &["list", "--snapshot", "biuld-1"]);
    assert_eq!(unknown["kind"], "unknown_snapshot");
    let hint = unknown["hint"].as_str().unwrap();
    assert!(hint.starts_with("did you mean `build-1`?"), "{hint}");
}

#[test]
fn a_unique_prefix_of_a_label_or_id_is_enough() {
    let project = TestProject::team();
    for name in ["dora", "emil", "fanny", "gala"] {
        project.write(&format!("bios/{name}.md"), &format!("I am {name}."));
    }
    project.pipeline("synix.toml", TEAM);
    project.ok(&["build"]);
    let whole = project.json(&["show", "summary"]);
    let id = whole["id"].as_str().unwrap();
    for name in ["sum", "summary/su", &id[..12]] {
        assert_eq!(project.json(&["show", name])["id"], id, "{name}");
        let lineage = project.json(&["lineage", name]);
        assert_eq!(
            lineage["nodes"][0]["id"], "artifact:summary/summary",
            "{name}"
        );
    }
    for command in ["show", "lineage"] {
        let ambiguous = error_of(&project, &[command, "ws-"]);
        assert_eq!(ambiguous["kind"], "ambiguous");
        let message = ambiguous["message"].as_str().unwrap();
        assert!(
            message.starts_with("\"ws-\" could be any of styles/ws-"),
            "{message}"
        );
        assert!(message.ends_with(" and 2 more"), "{message}");
    }
    let unknown = error_of(&project, &["list", "stiles"]);
    let hint = unknown["hint"].as_str().unwrap();
    assert!(hint.starts_with("did you mean `styles`?"), "{hint}");
}
