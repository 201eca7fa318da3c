//! Damage to the state and to cassettes: told exactly, repaired by nobody, and nothing is spent on top of it.

use std::fs;

use synix_scripted_provider::Endpoint;

use crate::workbench::{BATCH, RESUME, Run, Workbench, text};

const PAGE: usize = 8192;

/// Overwrites the page that a table begins on.
fn break_table(bench: &Workbench, table: &str) {
    let database = bench.database();
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
    let path = bench.path(".synix/state.sqlite3");
    let mut bytes = fs::read(&path).unwrap();
    let page = usize::try_from(page).unwrap();
    bytes[(page - 1) * PAGE..page * PAGE].fill(0x55);
    fs::write(path, bytes).unwrap();
}

/// A batch build with its batch in flight, and a damaged table.
fn in_flight_and_broken() -> (Workbench, String) {
    let bench = Workbench::team();
    bench.hold_batches();
    bench.ok(&["batch-build", "run"]);
    let batch = bench.ledger().batches[0].id.to_string();
    break_table(&bench, "unit");
    (bench, batch)
}

fn advises(run: &Run) -> bool {
    run.says("--reset-state") && run.says("was set aside as .synix/damaged-")
}

/// L8: a damaged database stops every command that could spend money; the others say the same.
#[test]
fn a_damaged_state_is_reported_and_nothing_is_sent() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.write(
        ".synix/state.sqlite3",
        "this is no database, whatever its name says",
    );
    let commands: [&[&str]; 8] = [
        &["build"],
        &BATCH,
        &RESUME,
        &["plan"],
        &["list"],
        &["runs"],
        &["batch-build", "status"],
        &["clean"],
    ];
    for arguments in commands {
        let run = bench.run(arguments).expect_code(1);
        assert!(advises(&run) && run.says("is not a database"), "{run:?}");
    }
    assert_eq!(bench.sent(), 4);
}

/// L8: the damaged file is there byte for byte, under a dated name.
#[test]
fn a_damaged_state_is_set_aside_and_not_changed() {
    let bench = Workbench::team();
    bench.write(".synix/state.sqlite3", "this is no database");
    bench.trust();
    bench.run(&["build"]).expect_code(1);
    let names: Vec<String> = fs::read_dir(bench.path(".synix"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("damaged-20") && name.ends_with(".sqlite3"))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let kept = fs::read_to_string(bench.path(&format!(".synix/{}", names[0]))).unwrap();
    assert_eq!(kept, "this is no database");
}

/// M7, L8: what was lost is said as far as it can be read, live batches by provider and id.
#[test]
fn damage_names_the_batches_that_go_on() {
    let (bench, batch) = in_flight_and_broken();
    let run = bench.run(&["build"]).expect_code(1);
    assert!(
        run.says(&format!("batch {batch} at openai, 3 requests of styles"))
            && run.says("answers: 0, live batches: 1"),
        "{run:?}"
    );
}

/// L8: the copy that is put back is taken up again, and nothing is paid twice.
#[test]
fn a_restored_state_goes_on() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench
        .database()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let path = bench.path(".synix/state.sqlite3");
    let whole = fs::read(&path).unwrap();
    break_table(&bench, "unit");
    bench.run(&["build"]).expect_code(1);
    fs::write(&path, whole).unwrap();
    bench.ok(&["build"]);
    assert_eq!((bench.sent(), bench.names().len()), (4, 7));
}

/// M7: a reset cancels what goes on at the provider and keeps it on record as abandoned.
#[test]
fn a_reset_cancels_and_records_live_batches() {
    let (bench, batch) = in_flight_and_broken();
    let run = bench.ok(&["build", "--reset-state", "--json"]);
    let status = run.json();
    assert!(run.says(&batch), "{run:?}");
    let kept = &status["batches"][0];
    assert_eq!(
        (text(&kept["id"]), text(&kept["status"])),
        (batch, "abandoned".to_owned())
    );
    assert!(text(&kept["note"]).contains("asked to cancel it"), "{kept}");
    assert_eq!(bench.ledger().calls(Endpoint::BatchesCancel), 1);
}

/// M7: a batch that may be somebody else's is not cancelled.
#[test]
fn a_reset_cancels_no_batch_that_may_be_another_s() {
    let bench = Workbench::team();
    bench.hold_batches();
    bench.ok(&["batch-build", "run"]);
    bench
        .database()
        .execute("UPDATE submission SET state = 'adopted'", [])
        .unwrap();
    break_table(&bench, "unit");
    let run = bench.ok(&["build", "--reset-state"]);
    assert!(run.says("its owner was not known yet"), "{run:?}");
    assert_eq!(bench.ledger().calls(Endpoint::BatchesCancel), 0);
}

/// M7: a batch of the old state is never taken for one of the new.
#[test]
fn an_abandoned_batch_is_not_adopted() {
    let (bench, batch) = in_flight_and_broken();
    let reset = [&BATCH[..], &["--reset-state"]].concat();
    bench.script(synix_scripted_provider::Script::new());
    bench.ok(&reset);
    let status = bench.status();
    let batches = status["batches"].as_array().unwrap();
    let live: Vec<_> = batches
        .iter()
        .filter(|one| one["status"] != "abandoned")
        .map(|one| text(&one["id"]))
        .collect();
    assert!(live.len() == 1 && live[0] != batch, "{status}");
}

/// L8: with the state its builds are gone; `resume` starts the pipeline over where the user says so.
#[test]
fn resume_with_a_reset_starts_over() {
    let (bench, _) = in_flight_and_broken();
    bench.run(&RESUME).expect_code(1);
    bench.script(synix_scripted_provider::Script::new());
    bench.ok(&[&RESUME[..], &["--reset-state"]].concat());
    assert_eq!(bench.names().len(), 7);
    bench.ok(&["build"]);
}

/// L8: one flag for each danger; this one touches nothing where nothing is damaged.
#[test]
fn a_reset_of_a_whole_state_does_nothing() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.ok(&["build", "--reset-state"]);
    assert_eq!(bench.sent(), 4);
}

/// L8: a cassette that cannot be read is named with the line, before anything is sent, and left as it is.
#[test]
fn a_broken_cassette_is_not_recorded_over() {
    let bench = Workbench::team();
    let broken = "{\n  \"schema\": 1,\n  \"note\": oops\n}\n";
    bench.write("cassettes/suite.json", broken);
    for mode in ["record", "replay"] {
        for arguments in [&["build"][..], &BATCH] {
            let run = bench
                .run(&[arguments, &["--cassette-mode", mode]].concat())
                .expect_code(1);
            assert!(run.says("suite.json is broken at line 3"), "{run:?}");
        }
    }
    assert_eq!(bench.sent(), 0);
    let text = fs::read_to_string(bench.path("cassettes/suite.json")).unwrap();
    assert_eq!(text, broken);
}

/// L8: an entry whose request was edited is named by its key.
#[test]
fn an_edited_cassette_is_not_recorded_over() {
    let bench = Workbench::team();
    bench.ok(&["build", "--cassette-mode", "record"]);
    let path = bench.path("cassettes/suite.json");
    let edited = fs::read_to_string(&path)
        .unwrap()
        .replacen("I am amara", "I am nobody", 1);
    fs::write(&path, &edited).unwrap();
    bench.write("bios/dmitri.md", "I am new.");
    for mode in ["record", "replay"] {
        let run = bench
            .run(&["build", "--cassette-mode", mode])
            .expect_code(1);
        assert!(
            run.says("the request under") && run.says("has the key"),
            "{run:?}"
        );
    }
    assert_eq!(bench.sent(), 4);
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
}
