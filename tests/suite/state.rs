//! The state folder: many processes, other formats, other years.

use synix_scripted_provider::{Endpoint, Rule, Script};

use crate::transcript::assert_transcript;
use crate::workbench::{BATCH, Workbench};

/// L9: what a later synix wrote is read by every command that only reads, and written by none.
#[test]
fn a_newer_state_is_read_but_not_written() {
    let bench = Workbench::team();
    bench.ok(&BATCH);
    bench
        .database()
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    let before = std::fs::read(bench.path(".synix/state.sqlite3")).unwrap();
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
        bench.ok(arguments);
    }
    let writing: [&[&str]; 4] = [&["build"], &BATCH, &["clean"], &["build", "--reset-state"]];
    for arguments in writing {
        let run = bench.run(arguments).expect_code(1);
        assert!(run.says("format 1000"), "{run:?}");
    }
    let after = std::fs::read(bench.path(".synix/state.sqlite3")).unwrap();
    assert!(before == after, "the file was written");
}

/// L7: readers work beside a writer.
#[test]
fn artifacts_can_be_listed_while_a_batch_is_polled() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.write("bios/dmitri.md", "I am new.");
    bench.hold_batches();
    let mut child = bench.start(&BATCH);
    bench.wait_for(&mut child, |ledger| ledger.batches.len() == 1);
    assert_eq!(bench.names().len(), 7);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn reading_before_the_first_build_says_what_to_run() {
    let bench = Workbench::team();
    let run = bench.run(&["list"]).expect_code(1);
    assert_transcript!(run);
}

#[test]
fn two_builds_at_once_send_each_request_once() {
    let bench = Workbench::team();
    let builds = [(); 3].map(|()| bench.start(&["build"]));
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
}

/// C5: a source that cannot be read is an error, not an empty build.
#[test]
fn a_glob_that_matches_nothing_is_an_error() {
    let bench = Workbench::team();
    for name in ["amara", "bela", "chitra"] {
        bench.remove(&format!("bios/{name}.md"));
    }
    let run = bench.run(&["build"]);
    assert_transcript!(run);
}

/// C5: the message names the file.
#[test]
fn a_source_with_broken_front_matter_is_named() {
    let bench = Workbench::team();
    bench.write("bios/bela.md", "---\nname: [unclosed\n---\nI am bela.");
    let run = bench.run(&["build"]);
    assert_transcript!(run);
    assert_eq!(bench.sent(), 0);
}

#[test]
fn cleaning_keeps_what_was_paid_for() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let artifacts = bench.artifacts();
    bench.ok(&["clean"]);
    bench.ok(&["build"]);
    assert_eq!((bench.sent(), bench.artifacts()), (4, artifacts));
}

#[test]
fn a_killed_build_is_interrupted() {
    let bench = Workbench::team();
    bench.script(Script::new().rule(Rule::any().delay_ms(3_600_000)));
    let mut child = bench.start(&["build"]);
    bench.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 3);
    let status = || bench.json(&["runs"])["builds"][0]["status"].clone();
    assert_eq!(status(), "collecting");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(), "interrupted");
}
