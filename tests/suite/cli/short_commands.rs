//! `build --batch`, `resume`, `builds` and `test`: short forms of the commands of `batch-build` and `demo`.

use std::fs;

use serde_json::Value;

use crate::support::pipelines::RESUME;
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;

#[test]
fn build_with_batch_is_a_batch_build() {
    let project = TestProject::team();
    let built = project.json(&["build", "--batch", "--poll", "--poll-interval", "0"]);
    assert_eq!(
        [&built["kind"], &built["status"]],
        ["batch-build", "completed"]
    );
    assert_eq!(built["requests"]["batch"], 3, "{built:#}");
    assert_eq!(project.artifact_names().len(), 7);
}

/// Without `--batch`, options about waiting for batches would have no effect.
#[test]
fn batch_options_require_batch() {
    let project = TestProject::team();
    for arguments in [&["build", "--poll"][..], &["build", "--sync-after", "6h"]] {
        let run = project.run(arguments).expect_code(2);
        assert!(run.says("add --batch"), "{run:?}");
    }
    project
        .run(&["build", "--batch", "--no-wait"])
        .expect_code(2);
    assert_eq!(project.sent(), 0);
}

#[test]
fn resume_and_batch_build_resume_are_the_same_command() {
    let project = TestProject::team();
    project.pause_batches();
    let opened = project.json(&["build", "--batch"]);
    assert_eq!(opened["status"], "submitted");
    project.provider.finish_batches();
    let short = ["resume", "--poll", "--poll-interval", "0"];
    let resumed = project.json(&short);
    assert_eq!(
        (&resumed["build"], &resumed["status"]),
        (&opened["build"], &Value::from("completed"))
    );
    for arguments in [&short[..], &RESUME] {
        project.run(arguments).expect_code(5);
    }
}

#[test]
fn builds_and_runs_list_the_same_builds() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.ok(&["build", "--batch"]);
    let all = project.json(&["builds"]);
    let kinds: Vec<String> = all["builds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|build| text(&build["kind"]))
        .collect();
    assert_eq!(kinds, ["batch-build", "build"]);
    assert_eq!(all, project.json(&["runs"]));
    let batches = project.json(&["batch-build", "list"]);
    assert_eq!(batches["builds"].as_array().unwrap().len(), 1);
}

/// `test` writes and compares golden files of any project, and reports to a CI system.
#[test]
fn a_project_is_tested_against_its_golden_files() {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    let run = project.run(&["test"]).expect_code(1);
    assert_transcript!(run);
    let written = project.json(&["test", "--update"]);
    let count = written["commands"].as_array().unwrap().len();
    assert!(count > 9, "{written:#}");
    let sent = project.sent();
    let run = project.ok(&["test", ".", "--junit", "report.xml", "--json"]);
    let report = fs::read_to_string(project.path("report.xml")).unwrap();
    assert!(
        report.contains(&format!(r#"tests="{count}" failures="0""#)),
        "{report}"
    );
    assert_eq!(run.json(), project.json(&["demo", "run", "."]));
    // The cassette has no answer to another prompt, and each command that shows it differs.
    project.write("golden/01-plan.txt", "$ synix plan\nanother <plan>\n");
    let run = project
        .run(&["test", "--junit", "report.xml"])
        .expect_code(1);
    assert_transcript!(run);
    let report = fs::read_to_string(project.path("report.xml")).unwrap();
    assert!(report.contains(r#"failures="1""#), "{report}");
    assert!(
        report.contains(r#"name="synix plan"><failure message="differs">"#),
        "{report}"
    );
    assert!(report.contains("-another &lt;plan&gt;"), "{report}");
    assert_eq!(project.sent(), sent);
}
