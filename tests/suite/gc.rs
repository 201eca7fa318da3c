//! Letting old bodies go: nothing that is used, nothing that is in flight, and no money unless it is said.

use std::fs::{self, File};

use serde_json::Value;

use crate::workbench::{RESUME, TEAM, Workbench};

/// Collects two years later, so that everything is old.
fn collect(bench: &Workbench, arguments: &[&str]) -> Value {
    let mut command = bench.command(&[&["gc", "--json"], arguments].concat());
    command.env("SYNIX_CLOCK", "2028-01-01T00:00:00Z");
    command.run().expect_code(0).json()
}

/// A team whose first text was another one, four builds ago.
fn with_history() -> Workbench {
    let bench = Workbench::team();
    let layers = format!("{TEAM}\n[layers.papers]\nsource = \"papers/*.md\"\n");
    bench.pipeline("synix.toml", &layers);
    for text in ["first", "second", "third", "fourth", "fifth"] {
        bench.write("bios/amara.md", &format!("I am the {text} amara."));
        // Large enough for a file of its own.
        bench.write("papers/long.md", &text.repeat(20_000));
        bench.ok(&["build"]);
    }
    bench
}

fn go_back(bench: &Workbench) {
    bench.write("bios/amara.md", "I am the first amara.");
}

fn count(bench: &Workbench, statement: &str) -> i64 {
    bench
        .database()
        .query_row(statement, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn what_the_pipeline_makes_stays() {
    let bench = with_history();
    let (sent, artifacts) = (bench.sent(), bench.artifacts());
    collect(&bench, &["--answers"]);
    assert_eq!(bench.artifacts(), artifacts);
    for name in bench.names() {
        bench.ok(&["show", &name]);
        bench.ok(&["lineage", &name]);
    }
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), sent);
}

#[test]
fn old_units_and_snapshots_go() {
    let bench = with_history();
    let freed = collect(&bench, &[]);
    // Three of five snapshots stay; a paper, a text, its style and a summary went with each other one.
    assert_eq!(
        (&freed["snapshots"], &freed["units"]),
        (&2.into(), &8.into())
    );
    assert_eq!(count(&bench, "SELECT count(*) FROM snapshot"), 3);
    assert!(freed["freed_bytes"].as_u64().unwrap() > 100_000, "{freed}");
}

#[test]
fn the_number_of_snapshots_is_the_user_s() {
    let bench = with_history();
    collect(&bench, &["--keep-snapshots", "1"]);
    assert_eq!(count(&bench, "SELECT count(*) FROM snapshot"), 1);
}

#[test]
fn young_things_stay() {
    let bench = with_history();
    let freed = bench.json(&["gc"]);
    assert_eq!(
        (&freed["snapshots"], &freed["units"]),
        (&0.into(), &0.into())
    );
}

/// What was paid for is there when the pipeline goes back to it.
#[test]
fn answers_stay_although_nothing_names_them() {
    let bench = with_history();
    let sent = bench.sent();
    let freed = collect(&bench, &[]);
    assert_eq!(freed["answers"], 0);
    go_back(&bench);
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), sent);
}

#[test]
fn answers_go_where_the_user_says_so() {
    let bench = with_history();
    let sent = bench.sent();
    let freed = collect(&bench, &["--answers"]);
    assert_eq!(freed["answers"], 4);
    go_back(&bench);
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), sent + 2);
}

/// A request whose text was let go has it again when it is asked anew.
#[test]
fn a_request_that_is_asked_again_can_be_recorded() {
    let bench = with_history();
    let freed = collect(&bench, &[]);
    assert_eq!(freed["requests"], 4);
    go_back(&bench);
    bench.ok(&["build", "--cassette-mode", "record"]);
    let cassette = fs::read_to_string(bench.path("cassettes/suite.json")).unwrap();
    assert!(cassette.contains("I am the first amara."));
}

#[test]
fn a_dry_run_says_what_would_go_and_keeps_it() {
    let bench = with_history();
    let before = count(&bench, "SELECT count(*) FROM unit");
    let mut said = collect(&bench, &["--dry-run", "--answers"]);
    assert_eq!(count(&bench, "SELECT count(*) FROM unit"), before);
    said["dry_run"] = false.into();
    assert_eq!(collect(&bench, &["--answers"]), said);
}

#[test]
fn large_contents_go_with_the_last_row_that_names_them() {
    let bench = with_history();
    let freed = collect(&bench, &["--keep-snapshots", "1"]);
    assert_eq!(freed["objects"], 4);
    assert_eq!(bench.content("papers/long"), "fifth".repeat(20_000));
}

/// M7: what is in flight is money, however old it is.
#[test]
fn a_build_in_flight_stays() {
    let bench = Workbench::team();
    bench.hold_batches();
    bench.ok(&["batch-build", "run"]);
    collect(&bench, &["--answers"]);
    bench.provider.finish_batches();
    bench.ok(&RESUME);
    assert_eq!((bench.sent(), bench.names().len()), (4, 7));
}

/// L6: a build at work stands on what would go.
#[test]
fn a_build_that_is_driven_holds_a_collection_off() {
    let bench = Workbench::team();
    bench.hold_batches();
    bench.ok(&["batch-build", "run"]);
    let lock = File::open(bench.path(".synix/locks/build-1")).unwrap();
    lock.lock().unwrap();
    bench.run(&["gc"]).expect_code(5);
}

#[test]
fn a_size_is_reached_by_letting_the_oldest_go() {
    let bench = with_history();
    let artifacts = bench.artifacts();
    let freed = bench.json(&["gc", "--max-size", "1B"]);
    assert_eq!(freed["units"], 8);
    assert_eq!(bench.artifacts(), artifacts);
}

#[test]
fn a_state_that_is_small_enough_is_left_alone() {
    let bench = with_history();
    let freed = collect(&bench, &["--max-size", "1GB"]);
    assert_eq!(freed["units"], 0);
}

#[test]
fn files_that_had_served_go() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.hold_batches();
    bench.write("bios/dmitri.md", "I am new.");
    bench.write("bios/elena.md", "I am new, too.");
    bench.ok(&["batch-build", "run"]);
    let token = {
        let database = bench.database();
        let token = database.query_row("SELECT token FROM submission", [], |row| {
            row.get::<_, String>(0)
        });
        token.unwrap()
    };
    let live = format!(".synix/batches/{token}.jsonl");
    for file in [&live, ".synix/batches/synix-0000-output-build-1.jsonl"] {
        bench.write(file, "{}");
    }
    let freed = collect(&bench, &[]);
    // The settled batch's file and the lock of the completed build.
    assert_eq!(freed["files"], 2);
    assert!(bench.path(&live).exists() && bench.path(".synix/locks/build-2").exists());
    assert!(!bench.path(".synix/locks/build-1").exists());
}

/// What a reader works on is never damaged by a collection.
#[test]
fn a_collected_state_is_whole() {
    let bench = with_history();
    collect(&bench, &["--answers", "--keep-snapshots", "1"]);
    let said: String = bench
        .database()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(said, "ok");
    assert!(
        !bench
            .database()
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .exists([])
            .unwrap()
    );
}
