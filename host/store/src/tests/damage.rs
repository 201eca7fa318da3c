//! Damaged files: found, told, set aside, reset.

use super::*;

/// What a store or reader says of its damaged database.
fn damage<T: std::fmt::Debug>(opened: Result<T, StoreError>) -> Damage {
    match opened {
        Err(StoreError::Damaged { damage, .. }) => *damage,
        other => panic!("{other:?}"),
    }
}

/// Overwrites the page that a table begins on.
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
fn broken() -> tempfile::TempDir {
    let fixture = Fixture::new();
    let request = fixture.request("one");
    let answer = answer("done", Ending::Complete);
    fixture
        .store
        .write(|tx| tx.keep_answer(request, Realm::Live, &answer, None))
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

/// Reads from the damaged table of units.
fn meet(folder: &Path) -> Damage {
    let reader = Reader::open(folder).unwrap();
    damage(reader.unit(UnitId(1)))
}

/// L8: a file that is no database is named as damaged, to whoever comes first and to all who follow.
#[test]
fn a_file_that_is_no_database_is_damaged() {
    let folder = Fixture::new().close();
    synix_disk::replace(&super::path(folder.path()), &[b'x'; 8192]).unwrap();
    let first = damage(Store::open(folder.path()));
    assert_eq!(damage(Reader::open(folder.path())), first);
}

/// L8: nothing of a damaged file is lost by setting it aside.
#[test]
fn a_damaged_file_is_set_aside_as_it_was() {
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
fn a_damaged_page_is_damage() {
    let folder = broken();
    let found = meet(folder.path());
    assert!(found.found.contains("malformed"), "{found:?}");
}

/// L8: what can be read of a damaged file says what was lost.
#[test]
fn a_damaged_file_shows_what_it_contained() {
    let folder = broken();
    let salvaged = meet(folder.path()).salvaged;
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
fn what_cannot_be_read_is_not_counted_as_nothing() {
    let folder = broken();
    for table in ["build", "submission"] {
        break_table(folder.path(), table);
    }
    let salvaged = meet(folder.path()).salvaged;
    assert!(
        !salvaged.builds.whole && !salvaged.submissions.whole,
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

/// L8: a file that was cut to nothing is not a state that nobody has used yet.
#[test]
fn a_file_that_lost_everything_is_damage() {
    let folder = Fixture::new().close();
    synix_disk::replace(&super::path(folder.path()), b"").unwrap();
    assert_eq!(damage(Reader::open(folder.path())).found, "it is empty");
}

/// L8: a file that is gone is not a state that nobody has used yet.
#[test]
fn a_file_that_is_gone_is_damage() {
    let folder = Fixture::new().close();
    std::fs::remove_file(super::path(folder.path())).unwrap();
    assert_eq!(
        damage(Store::open(folder.path())).found,
        "the file is missing"
    );
}

/// L8: a copy that was put back ends the refusal.
#[test]
fn a_restored_file_is_opened() {
    let folder = Fixture::new().close();
    let path = super::path(folder.path());
    let whole = synix_disk::read(&path).unwrap();
    synix_disk::replace(&path, &[b'x'; 8192]).unwrap();
    damage(Store::open(folder.path()));
    synix_disk::replace(&path, &whole).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(store.build(BuildId(1)).unwrap().is_some());
}

/// L8: a copy that is damaged itself does not.
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

/// L8: a process that works on the file records there what it spends, so the file stays in its place.
#[test]
fn a_file_that_another_process_works_on_is_not_moved() {
    let folder = broken();
    let path = folder.path().join("locks/build-1");
    let mut lock = FileLock::try_acquire(&path).unwrap().unwrap();
    lock.write_holder("process 1 since then").unwrap();
    let found = meet(folder.path());
    assert!(super::path(folder.path()).exists(), "{found:?}");
    drop(lock);
    damage(Store::open(folder.path()));
    assert!(!super::path(folder.path()).exists());
}

/// M7: batches of a state that was reset are on record as abandoned, and never taken for new ones.
#[test]
fn a_reset_abandons_live_batches_by_id() {
    let folder = broken();
    meet(folder.path());
    let (store, lost) = Store::open_anew(folder.path()).unwrap();
    let lost = lost.unwrap();
    let build = open_build(&store);
    store
        .write(|tx| tx.abandon_lost(build, &lost, Timestamp(0)))
        .unwrap();
    store.end_reset().unwrap();
    let row = store.submissions_of(build).unwrap().remove(0);
    assert_eq!(
        (row.batch.as_deref(), row.state, row.provider.as_str()),
        (Some("batch_b"), SubmissionState::Abandoned, "openai")
    );
    assert!(Store::open(folder.path()).is_ok());
}

/// M7: a reset that was killed before the batches were on record is asked for again.
#[test]
fn an_interrupted_reset_is_not_taken_for_a_restored_file() {
    let folder = broken();
    meet(folder.path());
    drop(Store::open_anew(folder.path()).unwrap());
    damage(Store::open(folder.path()));
    let (_, lost) = Store::open_anew(folder.path()).unwrap();
    assert_eq!(lost.unwrap().salvaged.live.len(), 1);
}

#[test]
fn a_reset_leaves_a_whole_state_alone() {
    let folder = Fixture::new().close();
    let (store, lost) = Store::open_anew(folder.path()).unwrap();
    assert!(lost.is_none() && store.build(BuildId(1)).unwrap().is_some());
}
