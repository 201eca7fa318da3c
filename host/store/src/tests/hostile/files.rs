//! Manipulated markers and journals.

use super::*;

/// W2: `set_aside` in a marker is not used as a path. The author of a clone can guess the path of the victim.
#[test]
fn a_marker_does_not_overwrite_a_file_of_the_user() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("project/.synix");
    let victim = temp.path().join("bashrc");
    let absolute = victim.to_str().unwrap();
    for phase in ["moving", "aside", "in_use", "resetting"] {
        for name in [absolute, "../../bashrc", "objects/../../../bashrc"] {
            for state in [&b"#!/bin/sh\n"[..], b""] {
                synix_disk::replace(&victim, b"mine").unwrap();
                synix_disk::replace(&super::path(&folder), state).unwrap();
                let marker = serde_json::json!({
                    "phase": phase, "found": "x", "since": "s", "set_aside": name,
                    "held": {"builds": {"rows": 0, "whole": true}, "answers": {"rows": 0, "whole": true},
                             "submissions": {"rows": 0, "whole": true}, "live": []},
                });
                synix_disk::replace(&folder.join("damage.json"), marker.to_string().as_bytes())
                    .unwrap();
                let _ = Reader::open(&folder);
                let _ = Store::open(&folder);
                let _ = Store::open_with_reset(&folder);
                assert_eq!(fs::read(&victim).unwrap(), b"mine", "{phase} {name}");
                fs::remove_dir_all(&folder).unwrap();
            }
        }
    }
}

/// W2: even a valid name from a marker does not overwrite an existing file.
#[test]
fn setting_aside_overwrites_nothing() {
    let folder = Fixture::new().close();
    let taken = "damaged-20260101T000000Z.sqlite3";
    synix_disk::replace(&folder.path().join(taken), b"earlier").unwrap();
    synix_disk::replace(&super::path(folder.path()), &[b'x'; 8192]).unwrap();
    let marker = serde_json::json!({
        "phase": "moving", "found": "x", "since": "s", "set_aside": taken,
        "held": {"builds": {"rows": 0, "whole": true}, "answers": {"rows": 0, "whole": true},
                 "submissions": {"rows": 0, "whole": true}, "live": []},
    });
    synix_disk::replace(
        &folder.path().join("damage.json"),
        marker.to_string().as_bytes(),
    )
    .unwrap();
    let StoreError::Damaged { damage, .. } = Store::open(folder.path()).unwrap_err() else {
        panic!("not damaged");
    };
    let name = damage.set_aside.unwrap();
    assert_ne!(name, taken);
    assert_eq!(fs::read(folder.path().join(taken)).unwrap(), b"earlier");
    assert_eq!(fs::read(folder.path().join(name)).unwrap(), [b'x'; 8192]);
}

/// A log that was not moved before the process was killed is moved now.
#[test]
fn an_interrupted_move_is_continued() {
    let folder = Fixture::new().close();
    let name = "damaged-20260101T000000Z.sqlite3";
    fs::rename(super::path(folder.path()), folder.path().join(name)).unwrap();
    synix_disk::replace(&folder.path().join("state.sqlite3-wal"), b"log").unwrap();
    let marker = serde_json::json!({
        "phase": "moving", "found": "x", "since": "s", "set_aside": name,
        "held": {"builds": {"rows": 0, "whole": true}, "answers": {"rows": 0, "whole": true},
                 "submissions": {"rows": 0, "whole": true}, "live": []},
    });
    synix_disk::replace(
        &folder.path().join("damage.json"),
        marker.to_string().as_bytes(),
    )
    .unwrap();
    assert!(Store::open(folder.path()).is_err());
    let log = folder.path().join(format!("{name}-wal"));
    assert_eq!(fs::read(log).unwrap(), b"log");
}

/// A rollback journal can name a second file, which SQLite 3.40 deletes when it replays the journal.
#[test]
fn a_journal_that_names_another_file_is_not_replayed() {
    let folder = Fixture::new().close();
    tamper(folder.path(), "PRAGMA journal_mode = DELETE");
    let victim = folder.path().join("victim");
    synix_disk::replace(&victim, b"mine").unwrap();
    let journal = journal_naming(&victim);
    let path = folder.path().join("state.sqlite3-journal");
    synix_disk::replace(&path, &journal).unwrap();
    assert_refused(folder.path(), "names another file");
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
}

/// The header of a journal has the size of the database, which replaying the journal restores.
#[test]
fn a_journal_of_a_larger_database_is_not_replayed() {
    let folder = Fixture::new().close();
    tamper(folder.path(), "PRAGMA journal_mode = DELETE");
    let database = folder.path().join("state.sqlite3");
    let before = fs::metadata(&database).unwrap().len();
    let path = folder.path().join("state.sqlite3-journal");
    for page in [8192_u32, 0] {
        let mut journal = journal_naming(&database);
        journal.truncate(512);
        journal[16..20].copy_from_slice(&0x7fff_ff00_u32.to_be_bytes());
        journal[24..28].copy_from_slice(&page.to_be_bytes());
        synix_disk::replace(&path, &journal).unwrap();
        assert_refused(folder.path(), "larger database");
        assert_eq!(fs::metadata(&database).unwrap().len(), before);
    }
}

/// A hot journal without pages whose end names a file: the name, its length, the sum of its bytes and the magic number.
fn journal_naming(victim: &Path) -> Vec<u8> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let name = victim.to_str().unwrap().as_bytes();
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    let pages = fs::metadata(victim.with_file_name("state.sqlite3"))
        .unwrap()
        .len()
        / 8192;
    let mut journal = MAGIC.to_vec();
    // The number of records, the nonce, the pages of the database, the bytes of a sector and of a page.
    for number in [0, 0, u32::try_from(pages).unwrap(), 512, 8192] {
        journal.extend_from_slice(&u32::to_be_bytes(number));
    }
    journal.resize(512, 0);
    // The number of the page after the lock page.
    journal.extend_from_slice(&(0x4000_0000_u32 / 8192 + 1).to_be_bytes());
    journal.extend_from_slice(name);
    journal.extend_from_slice(&u32::try_from(name.len()).unwrap().to_be_bytes());
    journal.extend_from_slice(&sum.to_be_bytes());
    journal.extend_from_slice(&MAGIC);
    journal
}
