//! Damaged databases: detected, reported, set aside, reset.

use super::*;
use synix_disk::FileLock;

/// Returns the damage that a store or reader reports.
fn damage<T: std::fmt::Debug>(opened: Result<T, StoreError>) -> Damage {
    match opened {
        Err(StoreError::Damaged { damage, .. }) => *damage,
        other => panic!("{other:?}"),
    }
}

/// Overwrites the first page of a table.
fn break_table(folder: &Path, table: &str) {
    let path = super::path(folder);
    let connection = Connection::open(&path).unwrap();
    let page: usize = connection
        .query_row(
            "SELECT rootpage FROM sqlite_master WHERE name = ?1",
            [table],
            |row| {
                row.get::<_, i64>(0)
                    .map(|page| usize::try_from(page).unwrap())
            },
        )
        .unwrap();
    drop(connection);
    let mut bytes = synix_disk::read(&path).unwrap();
    bytes[(page - 1) * 8192..page * 8192].fill(0x55);
    synix_disk::replace(&path, &bytes).unwrap();
}

/// A closed state with an answer and a live batch, and a damaged table of units.
fn damaged_state() -> tempfile::TempDir {
    let fixture = Fixture::new();
    let request = fixture.request("one");
    let answer = answer("done", Ending::Complete);
    fixture
        .store
        .write(|tx| tx.store_answer(request, AnswerOrigin::Live, &answer, None))
        .unwrap();
    for (token, state, batch) in [
        ("a", SubmissionState::Settled, "batch_a"),
        ("b", SubmissionState::Live, "batch_b"),
    ] {
        let mut row = submission(fixture.build, token);
        row.id = fixture.store.write(|tx| tx.open_submission(&row)).unwrap();
        row.state = state;
        row.batch = Some(batch.to_owned());
        fixture
            .store
            .write(|tx| tx.update_submission(&mut row))
            .unwrap();
    }
    let folder = fixture.close();
    break_table(folder.path(), "unit");
    folder
}

/// Reads from the damaged table of units and returns the damage.
fn open_damaged(folder: &Path) -> Damage {
    let reader = Reader::open(folder).unwrap();
    damage(reader.unit(UnitId(1)))
}

/// L8: a file that is not a database is damaged, at the first and at every later command.
#[test]
fn a_file_that_is_not_a_database_is_damaged() {
    let folder = Fixture::new().close();
    synix_disk::replace(&super::path(folder.path()), &[b'x'; 8192]).unwrap();
    let first = damage(Store::open(folder.path()));
    assert_eq!(damage(Reader::open(folder.path())), first);
}

/// L8: nothing of a damaged file is lost by setting it aside.
#[test]
fn a_damaged_file_is_set_aside_unchanged() {
    let folder = Fixture::new().close();
    synix_disk::replace(&super::path(folder.path()), &[b'x'; 8192]).unwrap();
    let name = damage(Store::open(folder.path())).set_aside.unwrap();
    assert_eq!(
        synix_disk::read(&folder.path().join(name)).unwrap(),
        [b'x'; 8192]
    );
    assert!(!super::path(folder.path()).exists());
}

/// L8: damage inside the file is found when the page is read.
#[test]
fn a_damaged_page_is_detected() {
    let folder = damaged_state();
    let found = open_damaged(folder.path());
    assert!(found.found.contains("malformed"), "{found:?}");
}

/// L8: the readable rows of a damaged file show what was lost.
#[test]
fn a_damaged_file_shows_what_it_contained() {
    let folder = damaged_state();
    let salvaged = open_damaged(folder.path()).salvaged;
    let live: Vec<_> = salvaged
        .live
        .iter()
        .map(|lost| lost.batch.as_deref())
        .collect();
    assert_eq!(
        (
            salvaged.builds.rows,
            salvaged.answers.rows,
            salvaged.submissions.rows,
            live
        ),
        (1, 1, 2, vec![Some("batch_b")])
    );
}

#[test]
fn an_unreadable_table_is_not_counted_as_empty() {
    let folder = damaged_state();
    for table in ["build", "submission"] {
        break_table(folder.path(), table);
    }
    let salvaged = open_damaged(folder.path()).salvaged;
    assert!(
        !salvaged.builds.is_complete && !salvaged.submissions.is_complete,
        "{salvaged:?}"
    );
}

/// L8: a table that is gone is damage, not an empty table.
#[test]
fn a_missing_table_is_damage() {
    let folder = Fixture::new().close();
    tamper(folder.path(), "DROP TABLE attempt_note");
    let found = damage(Store::open(folder.path())).found;
    assert!(found.contains("attempt_note"), "{found}");
}

/// L8: an empty file is not an unused state.
#[test]
fn an_empty_file_is_damage() {
    let folder = Fixture::new().close();
    synix_disk::replace(&super::path(folder.path()), b"").unwrap();
    assert_eq!(damage(Reader::open(folder.path())).found, "it is empty");
}

/// L8: a missing file is not an unused state.
#[test]
fn a_missing_file_is_damage() {
    let folder = Fixture::new().close();
    std::fs::remove_file(super::path(folder.path())).unwrap();
    assert_eq!(
        damage(Store::open(folder.path())).found,
        "the file is missing"
    );
}

/// L8: a restored copy ends the refusal.
#[test]
fn a_restored_file_is_opened() {
    let folder = Fixture::new().close();
    let path = super::path(folder.path());
    let is_complete = synix_disk::read(&path).unwrap();
    synix_disk::replace(&path, &[b'x'; 8192]).unwrap();
    damage(Store::open(folder.path()));
    synix_disk::replace(&path, &is_complete).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(store.build(BuildId(1)).unwrap().is_some());
}

/// L8: a damaged copy does not end the refusal.
#[test]
fn a_restored_file_is_checked() {
    let folder = Fixture::new().close();
    let path = super::path(folder.path());
    synix_disk::replace(&path, &[b'x'; 8192]).unwrap();
    let first = damage(Store::open(folder.path()));
    synix_disk::replace(&path, &[b'y'; 8192]).unwrap();
    let second = damage(Store::open(folder.path()));
    assert_ne!(first.set_aside, second.set_aside);
}

/// L8: a process that uses the file records its costs there, so the file is not moved.
#[test]
fn a_file_that_another_process_uses_is_not_moved() {
    let folder = damaged_state();
    let path = folder.path().join("locks/build-1");
    let mut lock = FileLock::try_acquire(&path).unwrap().unwrap();
    lock.write_holder("process 1 since then").unwrap();
    let found = open_damaged(folder.path());
    assert!(super::path(folder.path()).exists(), "{found:?}");
    drop(lock);
    damage(Store::open(folder.path()));
    assert!(!super::path(folder.path()).exists());
}

/// M7: the batches of a reset state are recorded as abandoned and are never adopted.
#[test]
fn a_reset_abandons_live_batches_by_id() {
    let folder = damaged_state();
    open_damaged(folder.path());
    let (store, lost) = Store::open_with_reset(folder.path()).unwrap();
    let lost = lost.unwrap();
    let build = open_build(&store);
    store
        .write(|tx| tx.abandon_lost_batches(build, &lost, Timestamp(0)))
        .unwrap();
    store.finish_reset().unwrap();
    let row = store.submissions_of(build).unwrap().remove(0);
    assert_eq!(
        (row.batch.as_deref(), row.state, row.provider.as_str()),
        (Some("batch_b"), SubmissionState::Abandoned, "openai")
    );
    assert!(Store::open(folder.path()).is_ok());
}

/// M7: a reset that was interrupted before it recorded the batches must be repeated.
#[test]
fn an_interrupted_reset_does_not_count_as_a_restored_file() {
    let folder = damaged_state();
    open_damaged(folder.path());
    drop(Store::open_with_reset(folder.path()).unwrap());
    damage(Store::open(folder.path()));
    let (_, lost) = Store::open_with_reset(folder.path()).unwrap();
    assert_eq!(lost.unwrap().salvaged.live.len(), 1);
}

#[test]
fn a_reset_does_not_replace_an_intact_state() {
    let folder = Fixture::new().close();
    let (store, lost) = Store::open_with_reset(folder.path()).unwrap();
    assert!(lost.is_none() && store.build(BuildId(1)).unwrap().is_some());
}
