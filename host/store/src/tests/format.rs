//! The format of the file, readers and writers.

use super::*;

/// L9: the state of a newer synix is not written.
#[test]
fn a_newer_format_is_refused_for_writing() {
    let folder = Fixture::new().close();
    let newer = SUPPORTED_FORMAT + 1;
    tamper(folder.path(), &format!("PRAGMA user_version = {newer}"));
    match Store::open(folder.path()) {
        Err(StoreError::FormatTooNew {
            found, supported, ..
        }) => assert_eq!((found, supported), (newer, SUPPORTED_FORMAT)),
        other => panic!("{other:?}"),
    }
}

/// L9: the state of a newer synix is read.
#[test]
fn a_newer_format_is_read() {
    let fixture = Fixture::new();
    let build = fixture.build;
    let folder = fixture.close();
    tamper(
        folder.path(),
        &format!("PRAGMA user_version = {}", SUPPORTED_FORMAT + 1),
    );
    let reader = Reader::open(folder.path()).unwrap();
    assert!(reader.build(build).unwrap().is_some());
}

/// L9: every table of the present format comes from the migrations alone.
#[test]
fn migrations_from_zero_create_every_table() {
    let fixture = Fixture::new();
    let tables: BTreeSet<String> = fixture
        .store
        .connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let expected = "answer answer_body artifact artifact_body attempt attempt_note build build_job build_layer build_step build_unit \
        file_digest file_failure layer_set layer_set_replaced layer_set_unit request request_body shared_answer shared_request snapshot snapshot_layer submission submission_step transcript unit \
        unit_detail unit_input unit_skipped";
    assert_eq!(
        tables,
        expected.split_whitespace().map(str::to_owned).collect()
    );
}

#[test]
fn migrations_leave_the_supported_format() {
    let fixture = Fixture::new();
    let format: u32 = fixture
        .store
        .connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(format, SUPPORTED_FORMAT);
}

#[test]
fn a_folder_without_a_database_has_no_state() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Reader::open(folder.path()),
        Err(StoreError::Absent { .. })
    ));
}

/// The writer was killed between creating the file and its first migration.
#[test]
fn a_database_without_tables_is_not_a_state() {
    let folder = tempfile::tempdir().unwrap();
    synix_disk::replace(&super::path(folder.path()), b"").unwrap();
    assert!(matches!(
        Reader::open(folder.path()),
        Err(StoreError::Absent { .. })
    ));
}

#[test]
fn a_reader_sees_committed_rows_during_a_transaction() {
    let fixture = Fixture::new();
    fixture.request("before");
    let reader = fixture.store.try_clone().unwrap();
    fixture
        .store
        .write(|tx| -> Result<(), StoreError> {
            add_request(tx, "during")?;
            assert!(reader.request_id(key("before"))?.is_some());
            assert_eq!(reader.request_id(key("during"))?, None);
            Ok(())
        })
        .unwrap();
    assert!(reader.request_id(key("during")).unwrap().is_some());
}

#[test]
fn a_reader_cannot_write() {
    let fixture = Fixture::new();
    let reader = fixture.store.try_clone().unwrap();
    assert!(reader.connection.execute("DELETE FROM build", []).is_err());
}

/// Two commands may start a project at the same time; neither may fail because of a lock.
#[test]
fn many_threads_open_a_new_state_at_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            let open = || {
                start.wait();
                Store::open(folder.path()).map(drop)
            };
            let threads = [(); 8].map(|()| scope.spawn(open));
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
    }
}
