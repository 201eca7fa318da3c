//! `gc` and `clean` delete old data: nothing that is used or in flight, and no answer unless the user requests it.

use std::fs::{self, File};

use serde_json::Value;

use crate::support::pipelines::{RESUME, TEAM};
use crate::support::test_project::TestProject;

/// Runs `gc` two years later, so that everything is old.
fn run_gc(project: &TestProject, arguments: &[&str]) -> Value {
    let mut command = project.command(&[&["gc", "--json"], arguments].concat());
    command.env("SYNIX_CLOCK", "2028-01-01T00:00:00Z");
    command.run().expect_code(0).json()
}

/// A team after five builds, each with another text.
fn project_with_history() -> TestProject {
    let project = TestProject::team();
    let layers = format!("{TEAM}\n[layers.papers]\nsource = \"papers/*.md\"\n");
    project.pipeline("synix.toml", &layers);
    for text in ["first", "second", "third", "fourth", "fifth"] {
        project.write("bios/amara.md", &format!("I am the {text} amara."));
        // Large enough to be stored in a file of its own.
        project.write("papers/long.md", &text.repeat(20_000));
        project.ok(&["build"]);
    }
    project
}

fn restore_first_text(project: &TestProject) {
    project.write("bios/amara.md", "I am the first amara.");
}

fn count(project: &TestProject, statement: &str) -> i64 {
    project
        .database()
        .query_row(statement, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn current_artifacts_are_kept() {
    let project = project_with_history();
    let (sent, artifacts) = (project.sent(), project.artifacts());
    run_gc(&project, &["--answers"]);
    assert_eq!(project.artifacts(), artifacts);
    for name in project.artifact_names() {
        project.ok(&["show", &name]);
        project.ok(&["lineage", &name]);
    }
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent);
}

#[test]
fn old_units_and_snapshots_are_deleted() {
    let project = project_with_history();
    let report = run_gc(&project, &[]);
    // Three of five snapshots are kept. A paper, a text, its style and a summary are deleted with each of the others.
    assert_eq!(
        (&report["snapshots"], &report["units"]),
        (&2.into(), &8.into())
    );
    assert_eq!(count(&project, "SELECT count(*) FROM snapshot"), 3);
    assert!(
        report["freed_bytes"].as_u64().unwrap() > 100_000,
        "{report}"
    );
}

#[test]
fn keep_snapshots_sets_how_many_snapshots_are_kept() {
    let project = project_with_history();
    run_gc(&project, &["--keep-snapshots", "1"]);
    assert_eq!(count(&project, "SELECT count(*) FROM snapshot"), 1);
}

#[test]
fn recent_units_and_snapshots_are_kept() {
    let project = project_with_history();
    let report = project.json(&["gc"]);
    assert_eq!(
        (&report["snapshots"], &report["units"]),
        (&0.into(), &0.into())
    );
}

/// A paid answer is used when the pipeline returns to its request.
#[test]
fn unused_answers_are_kept_by_default() {
    let project = project_with_history();
    let sent = project.sent();
    let report = run_gc(&project, &[]);
    assert_eq!(report["answers"], 0);
    restore_first_text(&project);
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent);
}

#[test]
fn answers_are_deleted_only_with_the_answers_flag() {
    let project = project_with_history();
    let sent = project.sent();
    let report = run_gc(&project, &["--answers"]);
    assert_eq!(report["answers"], 4);
    restore_first_text(&project);
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 2);
}

/// The next build that needs the request stores its body again.
#[test]
fn a_request_whose_body_was_deleted_can_be_recorded_later() {
    let project = project_with_history();
    let report = run_gc(&project, &[]);
    assert_eq!(report["requests"], 4);
    restore_first_text(&project);
    project.ok(&["build", "--cassette-mode", "record"]);
    let cassette = fs::read_to_string(project.path("cassettes/suite.json")).unwrap();
    assert!(cassette.contains("I am the first amara."));
}

#[test]
fn a_dry_run_reports_deletions_and_deletes_nothing() {
    let project = project_with_history();
    let before = count(&project, "SELECT count(*) FROM unit");
    let mut report = run_gc(&project, &["--dry-run", "--answers"]);
    assert_eq!(count(&project, "SELECT count(*) FROM unit"), before);
    report["dry_run"] = false.into();
    assert_eq!(run_gc(&project, &["--answers"]), report);
}

#[test]
fn a_large_content_is_deleted_with_its_last_reference() {
    let project = project_with_history();
    let report = run_gc(&project, &["--keep-snapshots", "1"]);
    assert_eq!(report["objects"], 4);
    assert_eq!(project.content("papers/long"), "fifth".repeat(20_000));
}

/// M7: a request in flight is kept, however old it is.
#[test]
fn gc_keeps_a_build_in_flight() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    run_gc(&project, &["--answers"]);
    project.provider.finish_batches();
    project.ok(&RESUME);
    assert_eq!((project.sent(), project.artifact_names().len()), (4, 7));
}

/// L6: the running build uses data that `gc` would delete.
#[test]
fn gc_is_refused_while_a_process_drives_a_build() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let lock = File::open(project.path(".synix/locks/build-1")).unwrap();
    lock.lock().unwrap();
    project.run(&["gc"]).expect_code(5);
}

#[test]
fn max_size_deletes_the_oldest_units_first() {
    let project = project_with_history();
    let artifacts = project.artifacts();
    let report = project.json(&["gc", "--max-size", "1B"]);
    assert_eq!(report["units"], 8);
    assert_eq!(project.artifacts(), artifacts);
}

#[test]
fn max_size_deletes_nothing_from_a_small_state() {
    let project = project_with_history();
    let report = run_gc(&project, &["--max-size", "1GB"]);
    assert_eq!(report["units"], 0);
}

#[test]
fn files_of_settled_batches_and_completed_builds_are_deleted() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.pause_batches();
    project.write("bios/dmitri.md", "I am new.");
    project.write("bios/elena.md", "I am new, too.");
    project.ok(&["batch-build", "run"]);
    let token = {
        let database = project.database();
        let token = database.query_row("SELECT token FROM submission", [], |row| {
            row.get::<_, String>(0)
        });
        token.unwrap()
    };
    let live = format!(".synix/batches/{token}.jsonl");
    for file in [&live, ".synix/batches/synix-0000-output-build-1.jsonl"] {
        project.write(file, "{}");
    }
    let report = run_gc(&project, &[]);
    // The file of the settled batch and the lock of the completed build.
    assert_eq!(report["files"], 2);
    assert!(project.path(&live).exists() && project.path(".synix/locks/build-2").exists());
    assert!(!project.path(".synix/locks/build-1").exists());
}

#[test]
fn the_database_is_intact_after_gc() {
    let project = project_with_history();
    run_gc(&project, &["--answers", "--keep-snapshots", "1"]);
    let report: String = project
        .database()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(report, "ok");
    assert!(
        !project
            .database()
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .exists([])
            .unwrap()
    );
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
