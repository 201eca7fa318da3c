//! A state without write permission, and one on a full disk (U5, X13).

use super::*;

/// X13: without a log the file is read as immutable, and no file is created next to it.
#[test]
fn an_immutable_file_is_read() {
    let folder = Fixture::new().close();
    let special = folder.path().join("a folder # with ? and %41");
    std::fs::create_dir(&special).unwrap();
    std::fs::copy(super::path(folder.path()), super::path(&special)).unwrap();
    let state_folder = Folder::open(&special, synix_disk::SymlinkPolicy::Refuse)
        .unwrap()
        .unwrap();
    let fallback = Arc::new(crate::read_only::ReadFallback::Immutable);
    let (connection, _) = crate::read_only::connect(&state_folder, Some(&fallback)).unwrap();
    let builds: i64 = connection
        .query_row("SELECT count(*) FROM build", [], |row| row.get(0))
        .unwrap();
    assert_eq!(builds, 1);
    drop(connection);
    assert_eq!(std::fs::read_dir(&special).unwrap().count(), 1);
}

/// X13: the content of the log is read, too.
#[test]
fn a_copy_includes_the_log() {
    let fixture = Fixture::new();
    fixture.request("in the log");
    let state_folder = Folder::open(fixture.path(), synix_disk::SymlinkPolicy::Refuse)
        .unwrap()
        .unwrap();
    let copy = crate::read_only::copy(&state_folder).unwrap();
    let fallback = Arc::new(crate::read_only::ReadFallback::Copy(copy));
    let (connection, _) = crate::read_only::connect(&state_folder, Some(&fallback)).unwrap();
    let requests: i64 = connection
        .query_row("SELECT count(*) FROM request", [], |row| row.get(0))
        .unwrap();
    assert_eq!(requests, 1);
}

/// On a full disk nothing of the step is stored, and earlier rows remain.
#[test]
fn a_full_disk_does_not_affect_earlier_rows() {
    let fixture = Fixture::new();
    fixture.request("before");
    let connection = &fixture.store.connection;
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    // SQLite reports this limit as a full disk.
    connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    let filled: Result<(), StoreError> = fixture.store.write(|tx| {
        for number in 0..10_000 {
            let text = format!("{number} {}", "x".repeat(1000));
            add_request(tx, &text)?;
        }
        Ok(())
    });
    assert!(matches!(filled, Err(StoreError::Full { .. })), "{filled:?}");
    assert_eq!(fixture.count("request"), 1);
}
