//! A state folder that a stranger filled: nothing in it acts, nothing outside of it is touched (W2, W5, W12).

use std::fs;
#[cfg(unix)]
use std::io;

use proptest::prelude::*;

use super::*;
use synix_test_edits as edits;

/// What the open functions and a collection say, none of which may succeed.
fn refusals(folder: &Path) -> Vec<String> {
    let told = |error: StoreError| {
        let mut words = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            words = format!("{words}: {error}");
            cause = error.source();
        }
        words
    };
    vec![
        told(Reader::open(folder).unwrap_err()),
        told(Store::open(folder).unwrap_err()),
    ]
}

#[track_caller]
fn assert_refused(folder: &Path, word: &str) {
    for said in refusals(folder) {
        assert!(said.contains(word), "{said}");
    }
}

/// A state with what the statement planted in it.
fn planted(statement: &str) -> tempfile::TempDir {
    let folder = Fixture::new().close();
    tamper(folder.path(), statement);
    folder
}

/// W12: whatever acts on a row that is read or written is not there when the first is.
#[test]
fn what_the_migrations_do_not_make_is_not_used() {
    let schemas = [
        ("trigger", "CREATE TRIGGER t AFTER INSERT ON build BEGIN DELETE FROM answer; END"),
        ("view", "CREATE VIEW v AS SELECT * FROM answer_body"),
        ("table", "CREATE VIRTUAL TABLE v USING fts5(x)"),
        ("table", "CREATE TABLE other (x)"),
        ("index", "CREATE INDEX i ON build (abs(id))"),
        ("table", "ALTER TABLE answer_body ADD COLUMN c AS (hex(zeroblob(1 << 28)))"),
        ("trigger", "DROP TRIGGER submission_begun; CREATE TRIGGER submission_begun AFTER INSERT ON submission
                     BEGIN DELETE FROM answer; END"),
    ];
    for (sort, statement) in schemas {
        let folder = planted(statement);
        assert_refused(folder.path(), &format!("the {sort} "));
        let bytes = fs::read(super::path(folder.path())).unwrap();
        assert!(bytes.starts_with(b"SQLite format 3"), "{statement}");
    }
}

/// W12: a view may stand where a table should.
#[test]
fn a_view_in_the_place_of_a_table_is_not_read() {
    let folder = planted(
        "DROP TABLE attempt_note; CREATE VIEW attempt_note AS
         WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n) SELECT x AS attempt, 'a' AS kind FROM n",
    );
    assert_refused(folder.path(), "the view attempt_note");
}

/// W12: a later format is read, but not what acts on reading.
#[test]
fn a_later_format_with_what_acts_is_not_read() {
    for statement in [
        "CREATE VIEW v AS SELECT 1",
        "ALTER TABLE answer_body ADD COLUMN c AS (hex(zeroblob(9)))",
        "CREATE VIRTUAL TABLE v USING fts5(x)",
    ] {
        let folder = planted(&format!("{statement}; PRAGMA user_version = 1000"));
        let said = Reader::open(folder.path()).unwrap_err();
        assert!(
            matches!(said, StoreError::Foreign { .. }),
            "{statement}: {said}"
        );
    }
    let later = planted("CREATE TABLE later (x); PRAGMA user_version = 1000");
    assert!(Reader::open(later.path()).is_ok());
}

/// W5: another program's database is not written, not even its head.
#[test]
fn a_database_of_another_program_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    tamper(
        folder.path(),
        "CREATE TABLE photos (name); INSERT INTO photos VALUES ('a')",
    );
    let before = fs::read(super::path(folder.path())).unwrap();
    assert_refused(folder.path(), "the table photos");
    assert_eq!(fs::read(super::path(folder.path())).unwrap(), before);
}

/// SQLite's own tables may be there: `ANALYZE` is nobody's attack.
#[test]
fn a_database_that_was_analysed_is_used() {
    let folder = planted("ANALYZE");
    assert!(Store::open(folder.path()).is_ok());
}

/// W12: pages wound up so that a small table has rows without end.
#[test]
fn a_look_up_that_never_ends_is_ended() {
    let fixture = Fixture::new();
    let endless =
        "WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let found: rusqlite::Result<i64> = fixture
        .store
        .connection
        .query_row(endless, [], |row| row.get(0));
    let said = fixture.store.failed(found.unwrap_err());
    assert!(matches!(said, StoreError::Endless { .. }), "{said:?}");
    // The next statement has its own steps.
    assert_eq!(fixture.count("build"), 1);
}

/// W12: a row below whose digest the content was changed is neither shown nor built from.
#[test]
fn a_changed_artifact_is_not_read() {
    for change in [
        "UPDATE artifact_body SET content = 'evil'",
        "UPDATE artifact_body SET metadata = '{\"n\":2}'",
        "UPDATE artifact_body SET media_type = 'text/plain'",
        "UPDATE artifact SET label = 'b'",
        "UPDATE artifact SET kind = 'b'",
        "UPDATE artifact SET digest = zeroblob(32)",
    ] {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", Realm::Live, true);
        let id = fixture.artifact(unit, "good");
        assert!(fixture.store.artifact(id).is_ok());
        fixture.store.connection.execute_batch(change).unwrap();
        let read = fixture.store.artifact(id);
        assert!(
            matches!(read, Err(StoreError::Changed { .. })),
            "{change}: {read:?}"
        );
    }
}

/// W12: what is listed, and what units are divided by, has no content to be held against its digest.
#[test]
fn a_changed_row_is_not_listed() {
    let changes = [
        "UPDATE artifact SET label = 'b'",
        "UPDATE artifact SET kind = 'b'",
        "UPDATE artifact SET digest = zeroblob(32)",
    ];
    for change in changes {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", Realm::Live, true);
        let id = fixture.artifact(unit, "good");
        assert!(fixture.store.outputs(unit).is_ok() && fixture.store.artifact_header(id).is_ok());
        fixture.store.connection.execute_batch(change).unwrap();
        let snapshot = fixture.snapshot(&[("notes", &[unit])]);
        let snapshot = fixture
            .store
            .newest_snapshot()
            .unwrap()
            .filter(|new| new.id == snapshot);
        let listed = fixture
            .store
            .snapshot_artifacts(&snapshot.unwrap(), "notes");
        assert!(
            matches!(listed, Err(StoreError::Changed { .. })),
            "{change}"
        );
        assert!(fixture.store.outputs(unit).is_err(), "{change}");
        assert!(fixture.store.artifact_header(id).is_err(), "{change}");
    }
    let fixture = Fixture::new();
    let unit = fixture.unit("a", Realm::Live, true);
    let id = fixture.artifact(unit, "good");
    let change = "UPDATE artifact_body SET metadata = '{\"n\":2}'";
    fixture.store.connection.execute_batch(change).unwrap();
    assert!(fixture.store.artifact_header(id).is_err());
}

/// W12: a unit is fresh by its fingerprint, so nothing passes for fresh under that of another.
#[test]
fn a_changed_unit_is_not_fresh() {
    let exchange = "UPDATE unit SET fingerprint = zeroblob(32) WHERE id = 1;
                    UPDATE unit SET fingerprint = (SELECT digest FROM swapped WHERE id = 1) WHERE id = 2;
                    UPDATE unit SET fingerprint = (SELECT digest FROM swapped WHERE id = 2) WHERE id = 1";
    for change in [
        exchange,
        "UPDATE unit SET layer = 'other'",
        "UPDATE unit SET key = key || 'x'",
        "UPDATE unit SET partial = 1",
        "UPDATE unit SET realm = zeroblob(32)",
        "UPDATE unit_detail SET roles = '{}'",
    ] {
        let fixture = Fixture::new();
        let [old, new] = ["old", "new"].map(|name| fixture.unit(name, Realm::Live, true));
        let snapshot = fixture.snapshot(&[("notes", &[old, new])]);
        let found = fixture.store.newest_snapshot().unwrap().unwrap();
        assert_eq!(found.id, snapshot);
        assert!(fixture.store.snapshot_units(&found, "notes").is_ok());
        let connection = &fixture.store.connection;
        connection
            .execute_batch(
                "CREATE TEMP TABLE swapped AS SELECT id, fingerprint AS digest FROM unit",
            )
            .unwrap();
        connection.execute_batch(change).unwrap();
        let realm = if change.contains("realm") {
            Realm::Replay(Digest::from_bytes([0; 32]))
        } else {
            Realm::Live
        };
        let finished = fixture.store.finished_unit(Digest::of(b"new"), realm);
        assert!(
            matches!(finished, Err(StoreError::Changed { .. })),
            "{change}: {finished:?}"
        );
        let listed = fixture.store.snapshot_units(&found, "notes");
        assert!(
            matches!(listed, Err(StoreError::Changed { .. })),
            "{change}"
        );
        assert!(fixture.store.unit(new).is_err(), "{change}");
        assert!(
            fixture.store.write(|tx| tx.retire_unit(new)).is_err(),
            "{change}"
        );
    }
}

/// W12: a unit that waits is not done because a row says so, and the reverse.
#[test]
fn a_unit_whose_state_was_changed_is_neither_open_nor_finished() {
    for (done, change) in [
        (false, "UPDATE unit SET done = 1"),
        (true, "UPDATE unit SET done = 0"),
    ] {
        let fixture = Fixture::new();
        fixture.unit("a", Realm::Live, done);
        fixture.store.connection.execute_batch(change).unwrap();
        let fingerprint = Digest::of(b"a");
        let (open, finished) = (
            fixture.store.open_unit(fingerprint, Realm::Live),
            fixture.store.finished_unit(fingerprint, Realm::Live),
        );
        assert!(open.is_err() || finished.is_err(), "{change}");
    }
}

/// W12: outputs belong to the unit that made them, each in its place.
#[test]
fn an_output_of_another_unit_is_not_listed() {
    for change in [
        "UPDATE artifact SET unit = 2",
        "UPDATE artifact SET position = 1",
    ] {
        let fixture = Fixture::new();
        let [one, other] = ["one", "other"].map(|name| fixture.unit(name, Realm::Live, true));
        fixture.artifact(one, "good");
        fixture.store.connection.execute_batch(change).unwrap();
        let listed = [one, other].map(|unit| fixture.store.outputs(unit));
        let is_changed = |listed: &Result<_, _>| matches!(listed, Err(StoreError::Changed { .. }));
        assert!(listed.iter().any(is_changed), "{change}: {listed:?}");
    }
}

/// W12: what tells why a unit is stale, and what its plugin said, is that of this unit.
#[test]
fn the_changed_parts_of_a_unit_are_not_read() {
    for change in [
        "UPDATE unit_detail SET parts = '{\"version\":2}'",
        "UPDATE unit_detail SET log = 'info all is well'",
    ] {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", Realm::Live, true);
        assert!(fixture.store.unit(unit).is_ok());
        fixture.store.connection.execute_batch(change).unwrap();
        let read = fixture.store.unit(unit);
        assert!(matches!(read, Err(StoreError::Changed { .. })), "{change}");
    }
}

/// A unit that begins anew, ends or is let go has the seal of what it is then.
#[test]
fn a_unit_that_changes_by_itself_stays_whole() {
    let fixture = Fixture::new();
    let fingerprint = Digest::of(b"a");
    for done in [false, false, true, false] {
        let unit = fixture.unit("a", Realm::Live, done);
        assert!(fixture.store.unit(unit).is_ok(), "{done}");
    }
    let finished = fixture
        .store
        .finished_unit(fingerprint, Realm::Live)
        .unwrap();
    let (unit, _) = finished.unwrap();
    fixture.store.write(|tx| tx.retire_unit(unit)).unwrap();
    assert!(fixture.store.unit(unit).is_ok());
    assert_eq!(
        fixture
            .store
            .finished_unit(fingerprint, Realm::Live)
            .unwrap(),
        None
    );
}

/// W12: an answer is what a unit was made from.
#[test]
fn a_changed_answer_is_not_used() {
    let fixture = Fixture::new();
    let [one, other] = ["one", "other"].map(|text| fixture.request(text));
    for (request, text) in [(one, "good"), (other, "fine")] {
        let given = answer(text, Ending::Complete);
        fixture
            .store
            .write(|tx| tx.keep_answer(request, Realm::Live, &given, None))
            .unwrap();
    }
    let read = || fixture.store.answer_to(one, Realm::Live, false);
    assert!(read().unwrap().is_some());
    for change in [
        "UPDATE answer_body SET document = replace(document, 'good', 'evil')",
        // Whole, but to another request.
        "UPDATE answer_body SET (document, seal) = (SELECT document, seal FROM answer_body WHERE answer = 2)
         WHERE answer = 1",
    ] {
        fixture.store.connection.execute_batch(change).unwrap();
        assert!(matches!(read(), Err(StoreError::Changed { .. })), "{change}");
        assert!(fixture.store.given_answer(AnswerId(1)).is_err(), "{change}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Row 42: whatever bytes stand in the file, each command ends, and without a panic.
    #[test]
    fn a_changed_database_is_read_or_refused(edits in edits::edits()) {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", Realm::Live, true);
        let id = fixture.artifact(unit, "content");
        fixture.snapshot(&[("notes", &[unit])]);
        let folder = fixture.close();
        tamper(folder.path(), "PRAGMA wal_checkpoint(TRUNCATE)");
        let file = super::path(folder.path());
        let bytes = edits::changed(&fs::read(&file).unwrap(), &edits);
        synix_disk::replace(&file, &bytes).unwrap();
        if let Ok(reader) = Reader::open(folder.path()) {
            let _ = reader.builds(None);
            let _ = reader.artifact(id);
            if let Ok(Some(snapshot)) = reader.newest_snapshot() {
                let _ = reader.snapshot_artifacts(&snapshot, "notes");
            }
        }
        if let Ok(store) = Store::open(folder.path()) {
            let _ = store.write(|tx| tx.forget_units());
        }
    }
}

/// W12: the same for a request, whose key is its digest.
#[test]
fn a_changed_request_is_not_read() {
    let fixture = Fixture::new();
    let id = fixture.request("good");
    let change = "UPDATE request_body SET document = replace(document, 'good', 'evil')";
    fixture.store.connection.execute_batch(change).unwrap();
    assert!(matches!(
        fixture.store.request(id),
        Err(StoreError::Changed { .. })
    ));
}

/// L2: a name in a row becomes a path; it is one of a file in the project's own folder.
#[test]
fn a_build_names_a_file_beside_the_state() {
    for name in ["../evil.toml", "/etc/passwd", "a/b.toml", "..", ""] {
        let fixture = Fixture::new();
        fixture
            .store
            .connection
            .execute("UPDATE build SET pipeline = ?1", [name])
            .unwrap();
        assert!(fixture.store.build(fixture.build).is_err(), "{name}");
        assert!(fixture.store.builds(None).is_err(), "{name}");
    }
}

/// W12: a value that rows never have is an error, and is never read as another one.
#[test]
fn an_unknown_value_is_an_error() {
    type Read = fn(&Fixture) -> Result<(), StoreError>;
    let changes: [(&str, Read); 9] = [
        ("UPDATE build SET kind = 'other'", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build SET realm = x'00'", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build SET opened = -1", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build SET fingerprint = x'00'", |fixture| {
            fixture.store.build(fixture.build).map(drop)
        }),
        ("UPDATE build_layer SET mode = 'other'", |fixture| {
            fixture.store.build_layers(fixture.build).map(drop)
        }),
        ("UPDATE build_layer SET position = -1", |fixture| {
            fixture.store.build_layers(fixture.build).map(drop)
        }),
        ("UPDATE submission SET state = 'other'", |fixture| {
            fixture.store.submissions_of(fixture.build).map(drop)
        }),
        ("UPDATE attempt SET state = 7", |fixture| {
            fixture.store.each_send(fixture.build, |_| {})
        }),
        ("UPDATE attempt SET input_tokens = -1", |fixture| {
            fixture.store.spent(fixture.build).map(drop)
        }),
    ];
    for (change, read) in changes {
        let fixture = Fixture::new();
        let layer = BuildLayer {
            position: 0,
            name: "notes".to_owned(),
            mode: Some(LayerMode::Sync),
            fresh: 0,
        };
        let row = submission(fixture.build, "a");
        fixture
            .store
            .write(|tx| {
                tx.keep_build_layer(fixture.build, &layer)?;
                tx.open_submission(&row)
            })
            .unwrap();
        let request = fixture.request("question");
        fixture.granted(request);
        read(&fixture).unwrap();
        fixture.store.connection.execute_batch(change).unwrap();
        let error = read(&fixture).unwrap_err();
        assert_eq!(error.kind().as_str(), "state_damaged", "{change}: {error}");
    }
}

/// A number that SQLite cannot keep is refused; a clamped one would be a false record of money.
#[test]
fn a_number_that_does_not_fit_is_refused() {
    let fixture = Fixture::new();
    let request = fixture.request("question");
    let attempt = fixture.granted(request);
    let usage = Usage {
        input_tokens: u64::MAX,
        ..Usage::default()
    };
    let note = note(FailureKind::Refused, "no");
    let closed = fixture
        .store
        .write(|tx| tx.close_failed(attempt, &note, usage));
    assert!(
        matches!(closed, Err(StoreError::TooLarge { .. })),
        "{closed:?}"
    );
    assert_eq!(fixture.store.in_flight(request).unwrap(), Some(None));
}

/// The token of a submission becomes the name of a file.
#[test]
fn a_token_is_no_path() {
    let fixture = Fixture::new();
    for token in ["../../victim", "/tmp/victim", "a/b", "", "a.b", "a\0"] {
        assert!(
            fixture.store.batch_file(token, ".jsonl").is_err(),
            "{token:?}"
        );
    }
    assert!(fixture.store.batch_file("synix-0a", ".jsonl").is_ok());
}

/// W2: `set_aside` in a marker is no path. The victim's file is one that the clone can name.
#[test]
fn a_marker_renames_nothing_over_a_file_of_the_user() {
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
                let _ = Store::open_anew(&folder);
                assert_eq!(fs::read(&victim).unwrap(), b"mine", "{phase} {name}");
                fs::remove_dir_all(&folder).unwrap();
            }
        }
    }
}

/// W2: a name that synix gives is taken from a marker, and what has it stays.
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

/// A log that was not moved yet when its process was killed follows the file.
#[test]
fn setting_aside_goes_on_where_it_was_interrupted() {
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

/// A rollback journal may name a second file, which SQLite 3.40 deletes when it plays the first one back.
#[test]
fn a_journal_that_names_another_file_is_not_played() {
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

/// The head of a journal says how large the database was, and playing it back makes it so.
#[test]
fn a_journal_of_a_larger_database_is_not_played() {
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

/// A hot journal without pages, whose end names a file: name, its length, the sum of its bytes, the mark.
fn journal_naming(victim: &Path) -> Vec<u8> {
    const MARK: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let name = victim.to_str().unwrap().as_bytes();
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    let pages = fs::metadata(victim.with_file_name("state.sqlite3"))
        .unwrap()
        .len()
        / 8192;
    let mut journal = MARK.to_vec();
    // Records, a number for sums, pages of the database, bytes of a sector and of a page.
    for number in [0, 0, u32::try_from(pages).unwrap(), 512, 8192] {
        journal.extend_from_slice(&u32::to_be_bytes(number));
    }
    journal.resize(512, 0);
    // The page after the last one that a database can lock.
    journal.extend_from_slice(&(0x4000_0000_u32 / 8192 + 1).to_be_bytes());
    journal.extend_from_slice(name);
    journal.extend_from_slice(&u32::try_from(name.len()).unwrap().to_be_bytes());
    journal.extend_from_slice(&sum.to_be_bytes());
    journal.extend_from_slice(&MARK);
    journal
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A file of the user beside a state that is in use.
    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join(".synix");
        let store = Store::open(&folder).unwrap();
        open_build(&store);
        drop(store);
        let victim = temp.path().join("victim");
        synix_disk::replace(&victim, b"mine").unwrap();
        (temp, folder, victim)
    }

    #[track_caller]
    fn assert_untouched(victim: &Path) {
        assert_eq!(fs::read(victim).unwrap(), b"mine");
    }

    /// W5: whatever name in the folder is a link, the command ends and what it leads to stays.
    #[test]
    fn no_name_in_the_folder_may_be_a_link() {
        for name in [
            "state.sqlite3",
            "state.sqlite3-wal",
            "state.sqlite3-shm",
            "state.sqlite3-journal",
            "damage.json",
        ] {
            let (_temp, folder, victim) = place();
            let _ = fs::remove_file(folder.join(name));
            symlink(&victim, folder.join(name)).unwrap();
            assert_refused(&folder, "symbolic link");
            assert_untouched(&victim);
        }
    }

    /// W5: locks.
    #[test]
    fn a_lock_that_is_a_link_is_not_taken() {
        let (_temp, folder, victim) = place();
        let store = Store::open(&folder).unwrap();
        symlink(&victim, folder.join("locks/build-1")).unwrap();
        assert!(store.lock_build(BuildId(1)).is_err());
        assert_eq!(store.build_holder(BuildId(1)), "");
        assert_untouched(&victim);
        drop(store);
        let locks = folder.join("locks");
        fs::remove_dir_all(&locks).unwrap();
        symlink(victim.parent().unwrap(), &locks).unwrap();
        assert_refused(&folder, "symbolic link");
    }

    /// W5: a broken database takes the lock `state`.
    #[test]
    fn a_damaged_state_locks_no_file_of_the_user() {
        let (_temp, folder, victim) = place();
        synix_disk::replace(&super::super::path(&folder), b"no database").unwrap();
        fs::remove_file(folder.join("locks/state")).unwrap();
        symlink(&victim, folder.join("locks/state")).unwrap();
        assert_refused(&folder, "symbolic link");
        assert_untouched(&victim);
    }

    /// W5: a hard link is the file itself; what synix did not write into it stays.
    #[test]
    fn a_lock_that_is_a_hard_link_is_not_cut() {
        let (_temp, folder, victim) = place();
        let store = Store::open(&folder).unwrap();
        fs::hard_link(&victim, folder.join("locks/build-1")).unwrap();
        assert!(store.lock_build(BuildId(1)).is_err());
        assert_untouched(&victim);
    }

    #[test]
    fn a_state_folder_that_is_a_link_is_refused() {
        let (temp, folder, _) = place();
        let link = temp.path().join("link");
        symlink(&folder, &link).unwrap();
        assert_refused(&link, "is a symbolic link");
    }

    /// W11: a pipe would wait for ever, a device never ends.
    #[test]
    fn pipes_and_folders_are_refused() {
        for name in [
            "state.sqlite3",
            "state.sqlite3-wal",
            "damage.json",
            "locks/state",
            "locks",
        ] {
            for pipe in [true, false] {
                let (_temp, folder, _) = place();
                let path = folder.join(name);
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
                if pipe {
                    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
                } else if name == "locks" {
                    continue;
                } else {
                    fs::create_dir(&path).unwrap();
                }
                assert_eq!(refusals(&folder).len(), 2, "{name}");
            }
        }
    }

    /// W5: contents and files for providers.
    #[test]
    fn contents_are_not_written_through_links() {
        let (temp, folder, victim) = place();
        let store = Store::open(&folder).unwrap();
        let text = "x".repeat(objects::LARGE + 1);
        let digest = Digest::of(text.as_bytes()).to_string();
        symlink(temp.path(), folder.join("objects")).unwrap();
        assert!(store.write(|tx| tx.put_object(text.as_bytes())).is_err());
        fs::remove_file(folder.join("objects")).unwrap();
        fs::create_dir_all(folder.join("objects").join(&digest[..2])).unwrap();
        let object = folder.join("objects").join(&digest[..2]).join(&digest[2..]);
        symlink(&victim, &object).unwrap();
        assert!(store.write(|tx| tx.put_object(text.as_bytes())).is_err());
        assert!(store.object(Digest::of(b"mine"), 4).is_err());
        symlink(temp.path(), folder.join("batches")).unwrap();
        assert!(store.batch_file("synix-0a", ".jsonl").is_err());
        assert_untouched(&victim);
    }

    /// W5: a collection enters no link and removes nothing that has another name than synix gives.
    #[test]
    fn a_collection_removes_only_what_synix_made() -> io::Result<()> {
        let rules = GcRules {
            before: Timestamp(u64::MAX),
            max_bytes: None,
            snapshots: 1,
            answers: true,
            dry_run: false,
        };
        let (temp, folder, victim) = place();
        let store = Store::open(&folder).unwrap();
        let photos = temp.path().join("photos/ab");
        let name = Digest::of(b"anything").to_string();
        fs::create_dir_all(&photos)?;
        synix_disk::replace(&photos.join(&name[2..]), b"photo").unwrap();
        let objects = folder.join("objects");
        fs::create_dir_all(objects.join("ab"))?;
        fs::create_dir_all(objects.join("cd").join(&name[2..]))?;
        symlink(&photos, objects.join("ef"))?;
        symlink(&victim, objects.join("ab").join(&name[2..]))?;
        synix_disk::replace(&objects.join("ab/diary.txt"), b"mine").unwrap();
        synix_disk::replace(&objects.join("readme"), b"mine").unwrap();
        let other = Digest::of(b"other").to_string();
        fs::hard_link(&victim, objects.join("ab").join(&other[2..]))?;
        fs::create_dir_all(folder.join("batches"))?;
        symlink(&victim, folder.join("batches/synix-00.jsonl"))?;
        synix_disk::replace(&folder.join("batches/mine"), b"mine").unwrap();
        let freed = store
            .collect_garbage(&rules, &[BuildId(1)])
            .unwrap()
            .unwrap();
        // The one that has the name of an object; the user's other name of it is still there.
        assert_eq!((freed.objects, freed.files), (1, 0));
        assert_untouched(&victim);
        assert_eq!(fs::read(photos.join(&name[2..]))?, b"photo");
        for kept in ["ab/diary.txt", "readme", "ef", "cd"] {
            assert!(objects.join(kept).exists(), "{kept}");
        }
        fs::remove_dir_all(&objects)?;
        symlink(temp.path().join("photos"), &objects)?;
        assert!(store.collect_garbage(&rules, &[BuildId(1)]).is_err());
        assert_eq!(fs::read(photos.join(&name[2..]))?, b"photo");
        Ok(())
    }

    /// W19: prompts and answers are private.
    #[test]
    fn a_state_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_temp, folder, _) = place();
        let store = Store::open(&folder).unwrap();
        store
            .write(|tx| tx.put_object(&[b'x'; objects::LARGE + 1]))
            .unwrap();
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
                assert_eq!(mode, 0, "{}", path.display());
                if path.is_dir() {
                    folders.push(path);
                }
            }
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }
}
