//! Manipulated database files: their schema, their pages.

use proptest::prelude::*;
use synix_test_edits as edits;

use super::*;

/// W12: a file with a trigger, view or generated column is refused before a row is read.
#[test]
fn a_schema_that_the_migrations_do_not_create_is_refused() {
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

/// W12: a view can have the name of a table.
#[test]
fn a_view_instead_of_a_table_is_not_read() {
    let folder = planted(
        "DROP TABLE attempt_note; CREATE VIEW attempt_note AS
         WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n) SELECT x AS attempt, 'a' AS kind FROM n",
    );
    assert_refused(folder.path(), "the view attempt_note");
}

/// W12: a newer format is read only if no code runs on reading.
#[test]
fn a_newer_format_with_a_view_or_generated_column_is_not_read() {
    for statement in [
        "CREATE VIEW v AS SELECT 1",
        "ALTER TABLE answer_body ADD COLUMN c AS (hex(zeroblob(9)))",
        "CREATE VIRTUAL TABLE v USING fts5(x)",
    ] {
        let folder = planted(&format!("{statement}; PRAGMA user_version = 1000"));
        let error = Reader::open(folder.path()).unwrap_err();
        assert!(
            matches!(error, StoreError::Foreign { .. }),
            "{statement}: {error}"
        );
    }
    let later = planted("CREATE TABLE later (x); PRAGMA user_version = 1000");
    assert!(Reader::open(later.path()).is_ok());
}

/// W5: the database of another program is not written, not even its header.
#[test]
fn a_database_of_another_program_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    tamper(
        folder.path(),
        "CREATE TABLE photos (name); INSERT INTO photos VALUES ('a')",
    );
    let before = fs::read(super::path(folder.path())).unwrap();
    assert_refused(folder.path(), "the table photos");
    assert_eq!(fs::read(super::path(folder.path())).unwrap(), before);
}

/// The tables that `ANALYZE` creates are harmless.
#[test]
fn a_database_that_was_analysed_is_used() {
    let folder = planted("ANALYZE");
    assert!(Store::open(folder.path()).is_ok());
}

/// W12: manipulated pages can make a table endless.
#[test]
fn an_endless_query_is_ended() {
    let fixture = Fixture::new();
    let endless =
        "WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let found: rusqlite::Result<i64> = fixture
        .store
        .connection
        .query_row(endless, [], |row| row.get(0));
    let error = fixture.store.failed(found.unwrap_err());
    assert!(matches!(error, StoreError::StepLimit { .. }), "{error:?}");
    // The next statement has its own steps.
    assert_eq!(fixture.count("build"), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Row 42: whatever the bytes of the file, each command ends without a panic.
    #[test]
    fn a_modified_database_is_read_or_refused(edits in edits::edits()) {
        let fixture = Fixture::new();
        let unit = fixture.unit("a", AnswerOrigin::Live, true);
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
            let _ = store.write(|tx| tx.delete_units());
        }
    }
}
