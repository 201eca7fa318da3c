//! Old state directories, kept under `tests/state`, go on: read, migrated, and never paid for again (L9).
//!
//! `make_the_state_of_this_format` made them, one folder for each format, with the command of its time.

use std::fs;
use std::path::{Path, PathBuf};

use synix::store::SUPPORTED_FORMAT;

use crate::workbench::{BATCH, TEAM, Workbench, text};

const STATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/state");

/// Makes the folder of the present format; run it once when the format is done, before its release:
///
/// `cargo test --workspace --locked --test suite make_the_state_of_this_format -- --ignored`
#[test]
#[ignore = "writes tests/state"]
fn make_the_state_of_this_format() {
    let bench = Workbench::team();
    let layers = format!("{TEAM}\n[layers.papers]\nsource = \"papers/*.md\"\n");
    bench.pipeline("synix.toml", &layers);
    // Large enough for a file of its own.
    bench.write("papers/long.md", &"All work and no play. ".repeat(3000));
    bench.ok(&BATCH);
    bench.ok(&["build"]);
    let folder = PathBuf::from(format!("{STATES}/format-{SUPPORTED_FORMAT}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    for part in ["bios", "prompts", "papers"] {
        copy(&bench.path(part), &folder.join(part));
    }
    fs::write(folder.join("layers.toml"), layers).unwrap();
    let database = bench.database();
    database
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE; VACUUM")
        .unwrap();
    drop(database);
    copy(&bench.path(".synix/objects"), &folder.join("state/objects"));
    fs::copy(
        bench.path(".synix/state.sqlite3"),
        folder.join("state/state.sqlite3"),
    )
    .unwrap();
    fs::write(folder.join("artifacts.txt"), artifacts(&bench)).unwrap();
}

/// Layer, label and digest of every artifact, a line each.
fn artifacts(bench: &Workbench) -> String {
    let artifacts = bench.artifacts();
    let lines = artifacts
        .iter()
        .map(|(name, digest)| format!("{name} {digest}\n"));
    lines.collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn old_states() -> impl Iterator<Item = PathBuf> {
    (1..=SUPPORTED_FORMAT).map(|format| PathBuf::from(format!("{STATES}/format-{format}")))
}

/// A project with a copy of the state in `folder`.
fn with_state(folder: &Path) -> Workbench {
    let bench = Workbench::with_layers(&fs::read_to_string(folder.join("layers.toml")).unwrap());
    for part in ["bios", "prompts", "papers"] {
        copy(&folder.join(part), &bench.path(part));
    }
    copy(&folder.join("state"), &bench.path(".synix"));
    // It was made elsewhere, before states had a mark.
    bench.trust();
    bench
}

/// L9: each format that was ever written has its folder here.
#[test]
fn every_format_has_a_state_of_its_time() {
    for folder in old_states() {
        assert!(
            folder.join("state/state.sqlite3").exists(),
            "{} is missing: run make_the_state_of_this_format",
            folder.display()
        );
    }
}

/// L9: what an old state holds can be read.
#[test]
fn an_old_state_is_read() {
    for folder in old_states() {
        let bench = with_state(&folder);
        let expected = fs::read_to_string(folder.join("artifacts.txt")).unwrap();
        assert_eq!(artifacts(&bench), expected, "{}", folder.display());
        for name in bench.names() {
            assert!(!bench.content(&name).is_empty(), "{name}");
        }
        bench.ok(&["lineage", "summary/summary"]);
        assert_eq!(text(&bench.status()["status"]), "completed");
        assert_eq!(bench.json(&["runs"])["builds"].as_array().unwrap().len(), 2);
    }
}

/// L9: a build on an old state sends nothing that was answered, also where a plugin was compiled anew since.
#[test]
fn a_build_on_an_old_state_sends_nothing() {
    for folder in old_states() {
        let bench = with_state(&folder);
        bench.ok(&["build"]);
        bench.ok(&BATCH);
        let expected = fs::read_to_string(folder.join("artifacts.txt")).unwrap();
        assert_eq!((bench.sent(), artifacts(&bench)), (0, expected));
    }
}

/// L9: the first command that writes brings the file to the present format.
#[test]
fn an_old_state_is_migrated_when_it_is_written() {
    for folder in old_states() {
        let bench = with_state(&folder);
        bench.ok(&["build"]);
        let format: u32 = bench
            .database()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(format, SUPPORTED_FORMAT, "{}", folder.display());
    }
}
