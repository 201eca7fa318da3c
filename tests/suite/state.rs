//! The state folder: concurrent processes, newer formats, unreadable sources.

use synix_scripted_provider::{Endpoint, Rule, Script};

use crate::test_project::{BATCH_BUILD, TestProject};
use crate::transcript::assert_transcript;

/// L9: every command that only reads can read the state of a newer synix, and no command writes it.
#[test]
fn a_newer_state_is_read_but_not_written() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    project
        .database()
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    let before = std::fs::read(project.path(".synix/state.sqlite3")).unwrap();
    let reading: [&[&str]; 7] = [
        &["list"],
        &["show", "summary"],
        &["lineage", "summary"],
        &["runs"],
        &["plan"],
        &["batch-build", "list"],
        &["batch-build", "status", "--latest"],
    ];
    for arguments in reading {
        project.ok(arguments);
    }
    let writing: [&[&str]; 4] = [
        &["build"],
        &BATCH_BUILD,
        &["clean"],
        &["build", "--reset-state"],
    ];
    for arguments in writing {
        let run = project.run(arguments).expect_code(1);
        assert!(run.says("format 1000"), "{run:?}");
    }
    let after = std::fs::read(project.path(".synix/state.sqlite3")).unwrap();
    assert!(before == after, "the file was written");
}

/// L7: a reader does not wait for a writer.
#[test]
fn artifacts_can_be_listed_while_a_batch_is_polled() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write("bios/dmitri.md", "I am new.");
    project.pause_batches();
    let mut child = project.start(&BATCH_BUILD);
    project.wait_for(&mut child, |ledger| ledger.batches.len() == 1);
    assert_eq!(project.artifact_names().len(), 7);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn reading_before_the_first_build_reports_what_to_run() {
    let project = TestProject::team();
    let run = project.run(&["list"]).expect_code(1);
    assert_transcript!(run);
}

#[test]
fn concurrent_builds_send_each_request_once() {
    let project = TestProject::team();
    let builds = [(); 3].map(|()| project.start(&["build"]));
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// C5: it would otherwise be an empty build.
#[test]
fn a_glob_that_matches_nothing_is_an_error() {
    let project = TestProject::team();
    for name in ["amara", "bela", "chitra"] {
        project.remove(&format!("bios/{name}.md"));
    }
    let run = project.run(&["build"]);
    assert_transcript!(run);
}

/// C5
#[test]
fn a_source_with_broken_front_matter_is_named() {
    let project = TestProject::team();
    project.write("bios/bela.md", "---\nname: [unclosed\n---\nI am bela.");
    let run = project.run(&["build"]);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

#[test]
fn clean_keeps_paid_answers() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let artifacts = project.artifacts();
    project.ok(&["clean"]);
    project.ok(&["build"]);
    assert_eq!((project.sent(), project.artifacts()), (4, artifacts));
}

#[test]
fn a_killed_build_is_interrupted() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().delay_ms(3_600_000)));
    let mut child = project.start(&["build"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    let status = || project.json(&["runs"])["builds"][0]["status"].clone();
    assert_eq!(status(), "collecting");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(), "interrupted");
}
