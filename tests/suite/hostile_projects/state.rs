//! A `.synix` that an attacker prepared: damage markers, rows, triggers, batches and pipeline names.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use synix_scripted_provider::Endpoint;

use crate::hostile_projects::user_file::{
    READING_COMMANDS, UserFile, assert_clear_error, built_project,
};
use crate::support::pipelines::TEAM;
use crate::support::test_project::TestProject;

/// Row 3: every command that reads used the name in `damage.json` as a path.
#[test]
fn a_forged_damage_marker_overwrites_no_file_of_the_user() {
    let user_file = UserFile::new();
    let absolute = user_file.file();
    let name = absolute.to_str().unwrap();
    let up = format!("../../../../../../../../../..{name}");
    for (set_aside, arguments) in [name, up.as_str()]
        .into_iter()
        .zip([READING_COMMANDS, READING_COMMANDS])
    {
        for arguments in arguments {
            let project = TestProject::team();
            project.write(".synix/state.sqlite3", "#!/bin/sh\nevil\n");
            let marker = serde_json::json!({
                "phase": "moving", "found": "x", "since": "s", "set_aside": set_aside,
                "held": {"builds": {"rows": 0, "whole": true}, "answers": {"rows": 0, "whole": true},
                         "submissions": {"rows": 0, "whole": true}, "live": []},
            });
            project.write(".synix/damage.json", &marker.to_string());
            assert_clear_error(&project.run(arguments), "error");
            user_file.assert_untouched();
        }
    }
}

/// Row 40: the content of a row was changed, but not its digest.
#[test]
fn an_artifact_that_does_not_match_its_digest_is_neither_shown_nor_used() {
    let project = built_project();
    project
        .database()
        .execute(
            "UPDATE artifact_body SET content = CAST('evil words' AS BLOB) WHERE artifact IN
             (SELECT a.id FROM artifact a JOIN unit u ON u.id = a.unit WHERE u.layer = 'styles')",
            [],
        )
        .unwrap();
    let run = project.run(&["show", "ws-bela"]);
    assert_clear_error(&run, "does not match its digest");
    assert!(!run.says("evil words"), "{run:?}");
    // The summary depends on it.
    let layers = TEAM.replace("Sum up:", "Sum this up:");
    project.pipeline("synix.toml", &layers);
    let sent = project.sent();
    let run = project.run(&["build"]);
    assert!(run.code != 0 && !run.says("evil words"), "{run:?}");
    assert_eq!(project.sent(), sent);
    // The advice in the message helps.
    project.ok(&["clean"]);
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 1);
}

/// Row 41: they would act as soon as a row is read or written.
#[test]
fn triggers_and_views_planted_in_a_database_are_refused() {
    for (statements, message) in [
        ("CREATE TRIGGER t AFTER INSERT ON build BEGIN DELETE FROM answer_body; END", "trigger t"),
        ("DROP TABLE attempt_note; CREATE VIEW attempt_note AS WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL
          SELECT x FROM n) SELECT x AS attempt, 'k' AS kind, 'm' AS message FROM n", "view attempt_note"),
        ("CREATE VIRTUAL TABLE v USING fts5(x)", "table v"),
        ("ALTER TABLE build ADD COLUMN c AS (hex(zeroblob(100000000)))", "table build"),
    ] {
        let project = built_project();
        project.database().execute_batch(statements).unwrap();
        for arguments in READING_COMMANDS.into_iter().chain([&["build"][..], &["gc"]]) {
            assert_clear_error(&project.run(arguments), message);
        }
        let answers: i64 = project
            .database()
            .query_row("SELECT count(*) FROM answer_body", [], |row| row.get(0))
            .unwrap();
        assert_eq!((answers, project.sent()), (4, 4));
    }
}

/// Row 43: `damage.json` names a batch of the user that belongs to another project.
#[test]
fn a_reset_cancels_no_batch_of_another_project() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let batch = project.ledger().batches[0].id.to_string();
    fs::remove_file(project.path(".synix/state.sqlite3")).unwrap();
    let marker = serde_json::json!({
        "phase": "aside", "found": "x", "since": "s", "set_aside": null,
        "held": {"builds": {"rows": 1, "whole": true}, "answers": {"rows": 0, "whole": true},
                 "submissions": {"rows": 1, "whole": true},
                 "live": [{"provider": "openai", "batch": batch, "token": "synix-00", "model": "m",
                           "layers": "l", "requests": 3, "state": "live"}]},
    });
    project.write(".synix/damage.json", &marker.to_string());
    let run = project.ok(&["batch-build", "run", "--reset-state"]);
    assert!(run.says("has another batch under this id"), "{run:?}");
    assert_eq!(project.ledger().calls(Endpoint::BatchesCancel), 0);
}

/// The state stores the name of the pipeline file, and `resume` opens it.
#[test]
fn a_build_whose_pipeline_file_is_outside_the_project_is_refused() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    for name in ["../evil.toml", "/proc/self/environ"] {
        project
            .database()
            .execute("UPDATE build SET pipeline = ?1", [name])
            .unwrap();
        let run = project.run(&["batch-build", "resume", "--latest"]);
        assert_clear_error(&run, "is not the name of a pipeline file");
    }
}

/// Row 51: prompts and answers are private.
#[test]
fn only_the_owner_can_read_the_state() {
    let project = TestProject::team();
    let mut build = project.command(&["build", "--cassette-mode", "record"]);
    build.env("SYNIX_CASSETTE_DIR", project.path("cassettes"));
    build.run().expect_code(0);
    let mut paths = vec![project.path(".synix")];
    while let Some(path) = paths.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            paths.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
}

/// Rows 1 and 49: compiled code of another user or another component is not used.
#[test]
fn planted_or_swapped_compiled_code_is_not_run() {
    let project = TestProject::guest("echo", &[("a", "x")]);
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let plan = |config: &str| {
        let mut command = project.command(&["plan"]);
        command
            .env("SYNIX_CACHE_DIR", &cache)
            .env("SYNIX_CONFIG_DIR", home.path().join(config));
        command.run().expect_code(0)
    };
    let files = || {
        let mut files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "cwasm")
            })
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    plan("mine");
    let first = files();
    assert!(!first.is_empty());
    // Well formed, but sealed by another user.
    plan("another's");
    let second = files();
    assert!(
        first
            .iter()
            .zip(&second)
            .all(|(one, other)| one.0 == other.0 && one.1 != other.1)
    );
    plan("another's");
    assert!(files() == second, "a file of one's own is taken");
    let mode = fs::metadata(&cache).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Row 1
#[test]
fn a_cache_folder_inside_the_project_is_not_used() {
    let project = TestProject::guest("echo", &[("a", "x")]);
    let mut plan = project.command(&["plan"]);
    plan.env("SYNIX_CACHE_DIR", "vendor/cache");
    plan.run().expect_code(0);
    let found = fs::read_dir(project.path("vendor/cache")).map_or(0, Iterator::count);
    assert_eq!(found, 0);
}
