//! A state that may only be read, and one on a full disk (U5, X13).

use super::*;

/// X13: without a log the file is read as it stands, also where nothing can be made beside it.
#[test]
fn a_file_is_read_as_it_stands() {
    let folder = Fixture::new().close();
    let odd = folder.path().join("a folder # with ? and %41");
    std::fs::create_dir(&odd).unwrap();
    std::fs::copy(super::path(folder.path()), super::path(&odd)).unwrap();
    let place = Folder::open(&odd, synix_disk::SymlinkPolicy::Refuse)
        .unwrap()
        .unwrap();
    let kept = Arc::new(reading::Kept::AsItStands);
    let (connection, _) = reading::connect(&place, Some(&kept)).unwrap();
    let builds: i64 = connection
        .query_row("SELECT count(*) FROM build", [], |row| row.get(0))
        .unwrap();
    assert_eq!(builds, 1);
    drop(connection);
    assert_eq!(std::fs::read_dir(&odd).unwrap().count(), 1);
}

/// X13: with a log, what is in it counts.
#[test]
fn a_copy_holds_what_is_in_the_log() {
    let fixture = Fixture::new();
    fixture.request("in the log");
    let place = Folder::open(fixture.path(), synix_disk::SymlinkPolicy::Refuse)
        .unwrap()
        .unwrap();
    let copy = reading::copy(&place).unwrap();
    let kept = Arc::new(reading::Kept::Copy(copy));
    let (connection, _) = reading::connect(&place, Some(&kept)).unwrap();
    let requests: i64 = connection
        .query_row("SELECT count(*) FROM request", [], |row| row.get(0))
        .unwrap();
    assert_eq!(requests, 1);
}

/// A full disk: nothing of the step is kept, what was there is, and the message says what to do.
#[test]
fn a_full_disk_keeps_what_was_there() {
    let fixture = Fixture::new();
    fixture.request("before");
    let connection = &fixture.store.connection;
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    // SQLite takes this for the end of the disk.
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
