//! Damage to the state and to cassettes: it is reported in detail, nothing repairs it, and nothing is sent.

use std::fs;

use synix_scripted_provider::Endpoint;

use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::test_project::{TestProject, text};

const PAGE: usize = 8192;

/// Overwrites the first page of a table.
fn damage_table(project: &TestProject, table: &str) {
    let database = project.database();
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let page: i64 = database
        .query_row(
            "SELECT rootpage FROM sqlite_master WHERE name = ?1",
            [table],
            |row| row.get(0),
        )
        .unwrap();
    drop(database);
    let path = project.path(".synix/state.sqlite3");
    let mut bytes = fs::read(&path).unwrap();
    let page = usize::try_from(page).unwrap();
    bytes[(page - 1) * PAGE..page * PAGE].fill(0x55);
    fs::write(path, bytes).unwrap();
}

/// A batch build with its batch in flight and a damaged table, and the id of the batch.
fn damaged_project_with_live_batch() -> (TestProject, String) {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let batch = project.ledger().batches[0].id.to_string();
    damage_table(&project, "unit");
    (project, batch)
}

fn advises_reset(run: &Run) -> bool {
    run.says("--reset-state") && run.says("was set aside as .synix/damaged-")
}

/// L8: a damaged database stops every command.
#[test]
fn a_damaged_state_is_reported_and_nothing_is_sent() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write(
        ".synix/state.sqlite3",
        "this is no database, whatever its name says",
    );
    let commands: [&[&str]; 8] = [
        &["build"],
        &BATCH_BUILD,
        &RESUME,
        &["plan"],
        &["list"],
        &["runs"],
        &["batch-build", "status"],
        &["clean"],
    ];
    for arguments in commands {
        let run = project.run(arguments).expect_code(1);
        assert!(
            advises_reset(&run) && run.says("is not a database"),
            "{run:?}"
        );
    }
    assert_eq!(project.sent(), 4);
}

/// L8: the file gets a name with a date.
#[test]
fn a_damaged_state_is_set_aside_unchanged() {
    let project = TestProject::team();
    project.write(".synix/state.sqlite3", "this is no database");
    project.trust();
    project.run(&["build"]).expect_code(1);
    let names: Vec<String> = fs::read_dir(project.path(".synix"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("damaged-20") && name.ends_with(".sqlite3"))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let recorded = fs::read_to_string(project.path(&format!(".synix/{}", names[0]))).unwrap();
    assert_eq!(recorded, "this is no database");
}

/// M7, L8: the report counts everything that can still be read, and lists live batches by provider and id.
#[test]
fn a_damage_report_names_the_live_batches() {
    let (project, batch) = damaged_project_with_live_batch();
    let run = project.run(&["build"]).expect_code(1);
    assert!(
        run.says(&format!("batch {batch} at openai, 3 requests of styles"))
            && run.says("answers: 0, live batches: 1"),
        "{run:?}"
    );
}

/// L8: nothing is paid twice after a backup was restored.
#[test]
fn a_build_continues_on_a_restored_state() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project
        .database()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let path = project.path(".synix/state.sqlite3");
    let whole = fs::read(&path).unwrap();
    damage_table(&project, "unit");
    project.run(&["build"]).expect_code(1);
    fs::write(&path, whole).unwrap();
    project.ok(&["build"]);
    assert_eq!((project.sent(), project.artifact_names().len()), (4, 7));
}

/// M7: a reset cancels live batches at the provider and records them as abandoned.
#[test]
fn a_reset_cancels_and_records_live_batches() {
    let (project, batch) = damaged_project_with_live_batch();
    let run = project.ok(&["build", "--reset-state", "--json"]);
    let status = run.json();
    assert!(run.says(&batch), "{run:?}");
    let recorded = &status["batches"][0];
    assert_eq!(
        (text(&recorded["id"]), text(&recorded["status"])),
        (batch, "abandoned".to_owned())
    );
    assert!(
        text(&recorded["note"]).contains("asked to cancel it"),
        "{recorded}"
    );
    assert_eq!(project.ledger().calls(Endpoint::BatchesCancel), 1);
}

/// M7: a batch that may belong to another project is not cancelled.
#[test]
fn a_reset_cancels_no_batch_of_unknown_ownership() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    project
        .database()
        .execute("UPDATE submission SET state = 'adopted'", [])
        .unwrap();
    damage_table(&project, "unit");
    let run = project.ok(&["build", "--reset-state"]);
    assert!(run.says("its owner was not known yet"), "{run:?}");
    assert_eq!(project.ledger().calls(Endpoint::BatchesCancel), 0);
}

/// M7: a batch of the old state is never adopted by the new one.
#[test]
fn an_abandoned_batch_is_not_adopted() {
    let (project, batch) = damaged_project_with_live_batch();
    let reset = [&BATCH_BUILD[..], &["--reset-state"]].concat();
    project.script(synix_scripted_provider::Script::new());
    project.ok(&reset);
    let status = project.status();
    let batches = status["batches"].as_array().unwrap();
    let live: Vec<_> = batches
        .iter()
        .filter(|one| one["status"] != "abandoned")
        .map(|one| text(&one["id"]))
        .collect();
    assert!(live.len() == 1 && live[0] != batch, "{status}");
}

/// L8: the builds are lost with the state, so `resume --reset-state` builds the pipeline from the start.
#[test]
fn resume_with_a_reset_starts_over() {
    let (project, _) = damaged_project_with_live_batch();
    project.run(&RESUME).expect_code(1);
    project.script(synix_scripted_provider::Script::new());
    project.ok(&[&RESUME[..], &["--reset-state"]].concat());
    assert_eq!(project.artifact_names().len(), 7);
    project.ok(&["build"]);
}

/// L8: the flag has no effect if nothing is damaged.
#[test]
fn a_reset_of_an_undamaged_state_does_nothing() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.ok(&["build", "--reset-state"]);
    assert_eq!(project.sent(), 4);
}

/// L8: the error names the line, nothing is sent, and the file is not changed.
#[test]
fn recording_does_not_overwrite_a_broken_cassette() {
    let project = TestProject::team();
    let broken = "{\n  \"schema\": 1,\n  \"note\": oops\n}\n";
    project.write("cassettes/suite.json", broken);
    for mode in ["record", "replay"] {
        for arguments in [&["build"][..], &BATCH_BUILD] {
            let run = project
                .run(&[arguments, &["--cassette-mode", mode]].concat())
                .expect_code(1);
            assert!(run.says("suite.json is broken at line 3"), "{run:?}");
        }
    }
    assert_eq!(project.sent(), 0);
    let text = fs::read_to_string(project.path("cassettes/suite.json")).unwrap();
    assert_eq!(text, broken);
}

/// L8: the error names the key of an entry whose request was edited.
#[test]
fn recording_does_not_overwrite_an_edited_cassette() {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    let path = project.path("cassettes/suite.json");
    let edited = fs::read_to_string(&path)
        .unwrap()
        .replacen("I am amara", "I am nobody", 1);
    fs::write(&path, &edited).unwrap();
    project.write("bios/dmitri.md", "I am new.");
    for mode in ["record", "replay"] {
        let run = project
            .run(&["build", "--cassette-mode", mode])
            .expect_code(1);
        assert!(
            run.says("the request under") && run.says("has the key"),
            "{run:?}"
        );
    }
    assert_eq!(project.sent(), 4);
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
}
