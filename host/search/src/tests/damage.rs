//! Indexes that are damaged, planted or cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::*;

fn index(project: &Project) -> PathBuf {
    let mut files = fs::read_dir(project.folder.path().join("index")).unwrap();
    let is_database = |path: &PathBuf| path.extension().is_some_and(|end| end == "sqlite3");
    files
        .find_map(|entry| Some(entry.unwrap().path()).filter(is_database))
        .unwrap()
}

fn searched() -> Project {
    let project = Project::new();
    project.notes(&[("a", "Ann paints"), ("b", "Bob bakes")]);
    assert_eq!(project.labels("paints"), ["a"]);
    project
}

#[test]
fn a_damaged_index_is_made_again() {
    let project = searched();
    let path = index(&project);
    for damage in [b"no database".as_slice(), b""] {
        synix_disk::replace(&path, damage).unwrap();
        assert_eq!(project.labels("paints"), ["a"], "{damage:?}");
    }
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(8192) {
        *byte = 0xa5;
    }
    synix_disk::replace(&path, &bytes).unwrap();
    assert_eq!(project.labels("paints"), ["a"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(project.labels("paints"), ["a"]);
}

#[test]
fn what_somebody_planted_in_an_index_does_nothing() {
    for planted in [
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END",
        "CREATE VIEW v AS SELECT 1",
        "PRAGMA user_version = 99",
        // The names of two artifacts are exchanged.
        "UPDATE entry SET digest = (SELECT max(digest) FROM entry), artifact = (SELECT max(artifact) FROM entry)",
        "UPDATE entry SET artifact = artifact + 100",
        "UPDATE entry SET layer = 'secrets'",
        "UPDATE entry SET digest = x'00'",
        "DELETE FROM entry",
        "DELETE FROM word WHERE rowid = 1; INSERT INTO word(rowid, content) VALUES (2, 'paints')",
    ] {
        let project = searched();
        let connection = Connection::open(index(&project)).unwrap();
        let _ = connection.execute_batch(planted);
        drop(connection);
        let answer = project.answer(&search("paints"), None);
        let is_honest = answer
            .results
            .iter()
            .all(|result| result.layer == "notes" && result.label == "a");
        assert!(is_honest, "{planted}: {answer:?}");
        project.notes(&[("a", "Ann paints"), ("c", "Cleo paints")]);
        assert_eq!(
            project.labels("paints").last().map(String::as_str),
            Some("c"),
            "{planted}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_an_index_is_replaced() {
    use std::os::unix::fs::{MetadataExt as _, symlink};
    let project = searched();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target");
    synix_disk::replace(&target, b"precious").unwrap();
    let path = index(&project);
    fs::remove_file(&path).unwrap();
    symlink(&target, &path).unwrap();
    assert_eq!(project.labels("paints"), ["a"]);
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    let found = fs::symlink_metadata(&path).unwrap();
    assert!(found.is_file());
    assert_eq!(found.mode() & 0o777, 0o600);
    fs::remove_dir_all(project.folder.path().join("index")).unwrap();
    symlink(elsewhere.path(), project.folder.path().join("index")).unwrap();
    assert_eq!(project.labels("paints"), ["a"]);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

/// SQLite deletes the file that such a journal names.
#[test]
fn a_planted_journal_deletes_nothing() {
    let project = searched();
    let victim = project.folder.path().join("victim");
    synix_disk::replace(&victim, b"precious").unwrap();
    let name = victim.to_str().unwrap().as_bytes();
    let mut journal = vec![0_u8; 512];
    journal.extend_from_slice(name);
    journal.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    journal.extend(sum.to_be_bytes());
    journal.extend([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    let mut path = index(&project).into_os_string();
    path.push("-journal");
    synix_disk::replace(Path::new(&path), &journal).unwrap();
    assert_eq!(project.labels("paints"), ["a"]);
    assert!(victim.exists());
}

#[test]
fn a_killed_update_leaves_the_index_as_it_was() {
    let project = searched();
    let path = index(&project);
    // A transaction that was never committed.
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM entry; DELETE FROM fact")
        .unwrap();
    drop(connection);
    assert_eq!(project.labels("paints"), ["a"]);
}
