use std::collections::BTreeSet;

use serde_json::Map;

use super::*;
use crate::artifact::{Artifact, Content};
use crate::clock::Moment;
use crate::digest::Digest;
use crate::ids::{Kind, Label, UnitKey};
use crate::request::{
    Answer, Ending, FailureKind, Message, Part, Request, RequestKey, Role, Usage, Wire,
};

/// A state in a folder of its own, with one build.
struct Bench {
    store: Store,
    build: BuildId,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let build = open_build(&store);
        Self {
            store,
            build,
            folder,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Closes the state and returns its folder.
    fn close(self) -> tempfile::TempDir {
        self.folder
    }

    fn request(&self, text: &str) -> RequestId {
        let request = request(text);
        self.store.add_request(key(text), &request).unwrap()
    }

    fn claim(&self, request: RequestId) -> Claim {
        let claim = || self.store.claim(request, self.build, "notes", None, false);
        self.store.write(claim).unwrap()
    }

    fn granted(&self, request: RequestId) -> AttemptId {
        match self.claim(request) {
            Claim::Granted(attempt) => attempt,
            other @ (Claim::InFlight | Claim::Answered(_)) => panic!("not granted: {other:?}"),
        }
    }

    fn unit(&self, name: &str, realm: Realm, done: bool) -> UnitId {
        let unit = NewUnit {
            fingerprint: Digest::of(name.as_bytes()),
            realm,
            layer: "notes",
            key: &UnitKey::parse(name).unwrap(),
            done,
            partial: false,
            build: self.build,
            parts: "{}",
            roles: None,
            log: None,
        };
        self.store.keep_unit(&unit).unwrap()
    }

    fn artifact(&self, unit: UnitId, text: &str) -> ArtifactId {
        let artifact = artifact(text);
        let digest = artifact.digest().unwrap();
        self.store.add_artifact(unit, 0, &artifact, digest).unwrap()
    }

    fn snapshot(&self, layers: &[(&str, &[UnitId])]) -> SnapshotId {
        let layers: Vec<_> = layers
            .iter()
            .map(|(name, units)| ((*name).to_owned(), units.to_vec()))
            .collect();
        self.store
            .take_snapshot(self.build, "synix.toml", &layers, Moment(1))
            .unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        self.store
            .connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap()
    }
}

fn open_build(store: &Store) -> BuildId {
    let row = BuildRow {
        id: BuildId(0),
        kind: String::new(),
        pipeline: "synix.toml".to_owned(),
        fingerprint: Digest::of(b"pipeline"),
        parts: "{}".to_owned(),
        realm: Realm::Live,
        opened: Moment(0),
        closed: None,
        cancelled: false,
        error: None,
    };
    store.open_build(&row, BuildKind::Build).unwrap()
}

fn submission(build: BuildId, token: &str) -> Submission {
    Submission {
        id: SubmissionId(0),
        token: token.to_owned(),
        build,
        layers: "notes".to_owned(),
        provider: "openai".to_owned(),
        model: "small".to_owned(),
        attempt: 1,
        requests: 1,
        state: SubmissionState::Claimed,
        status: "claimed".to_owned(),
        file: None,
        batch: None,
        provisional: false,
        newest: None,
        rejected: Vec::new(),
        divided: 0,
        tokens: 0,
        late: 0,
        note: None,
        opened: Moment(0),
        changed: Moment(0),
        on_record: None,
    }
}

fn request(text: &str) -> Request {
    Request {
        wire: Wire::OpenAi,
        provider: "openai".to_owned(),
        model: "small".to_owned(),
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::Text(text.to_owned())],
        }],
        max_tokens: None,
        temperature: None,
        stop: Vec::new(),
        response_format: None,
        options: Map::new(),
        sample: 0,
        revision: String::new(),
    }
}

fn key(text: &str) -> RequestKey {
    request(text).key().unwrap()
}

fn answer(text: &str, ending: Ending) -> Answer {
    let usage = Usage {
        input_tokens: 10,
        output_tokens: 3,
        ..Usage::default()
    };
    Answer {
        text: text.to_owned(),
        ending,
        model: "small".to_owned(),
        usage,
        details: Map::new(),
    }
}

fn artifact(text: &str) -> Artifact {
    Artifact {
        label: Label::parse("a").unwrap(),
        kind: Kind::parse("note").unwrap(),
        content: Content::Text(text.to_owned()),
        metadata: [("n".to_owned(), 1.into())].into(),
    }
}

fn note(kind: FailureKind, message: &str) -> AttemptNote {
    AttemptNote {
        kind,
        message: message.to_owned(),
    }
}

fn replay(cassette: &str) -> Realm {
    Realm::Replay(Digest::of(cassette.as_bytes()))
}

/// Does to the closed database what the statement says.
fn tamper(folder: &Path, statement: &str) {
    Connection::open(database::path(folder))
        .unwrap()
        .execute_batch(statement)
        .unwrap();
}

/// L9: a state that a later synix wrote is not written.
#[test]
fn a_newer_format_is_refused_for_writing() {
    let folder = Bench::new().close();
    let newer = SUPPORTED_FORMAT + 1;
    tamper(folder.path(), &format!("PRAGMA user_version = {newer}"));
    match Store::open(folder.path()) {
        Err(StoreError::FormatTooNew {
            found, supported, ..
        }) => assert_eq!((found, supported), (newer, SUPPORTED_FORMAT)),
        other => panic!("{other:?}"),
    }
}

/// L9: a state that a later synix wrote is read.
#[test]
fn a_newer_format_is_read() {
    let bench = Bench::new();
    let build = bench.build;
    let folder = bench.close();
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
    let bench = Bench::new();
    let tables: BTreeSet<String> = bench
        .store
        .connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let expected = "answer answer_body artifact artifact_body attempt attempt_note build build_layer build_unit \
        layer_set layer_set_unit request request_body snapshot snapshot_layer submission submission_step transcript unit \
        unit_detail unit_input";
    assert_eq!(
        tables,
        expected.split_whitespace().map(str::to_owned).collect()
    );
}

#[test]
fn migrations_leave_the_supported_format() {
    let bench = Bench::new();
    let format: u32 = bench
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
fn a_database_without_tables_is_no_state() {
    let folder = tempfile::tempdir().unwrap();
    disk::replace(&database::path(folder.path()), b"").unwrap();
    assert!(matches!(
        Reader::open(folder.path()),
        Err(StoreError::Absent { .. })
    ));
}

/// What a store or reader says of its damaged database.
fn damage<T: std::fmt::Debug>(opened: Result<T, StoreError>) -> Damage {
    match opened {
        Err(StoreError::Damaged { damage, .. }) => *damage,
        other => panic!("{other:?}"),
    }
}

/// Overwrites the page that a table begins on.
fn break_table(folder: &Path, table: &str) {
    let path = database::path(folder);
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
    let mut bytes = disk::read(&path).unwrap();
    bytes[(page - 1) * 8192..page * 8192].fill(0x55);
    disk::replace(&path, &bytes).unwrap();
}

/// A closed state with an answer and a live batch, and a damaged table of units.
fn broken() -> tempfile::TempDir {
    let bench = Bench::new();
    let request = bench.request("one");
    let answer = answer("done", Ending::Complete);
    bench
        .store
        .keep_answer(request, Realm::Live, &answer, None)
        .unwrap();
    for (token, state, batch) in [
        ("a", SubmissionState::Settled, "batch_a"),
        ("b", SubmissionState::Live, "batch_b"),
    ] {
        let mut row = submission(bench.build, token);
        row.id = bench.store.open_submission(&row).unwrap();
        row.state = state;
        row.batch = Some(batch.to_owned());
        bench.store.update_submission(&mut row).unwrap();
    }
    let folder = bench.close();
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
    let folder = Bench::new().close();
    disk::replace(&database::path(folder.path()), &[b'x'; 8192]).unwrap();
    let first = damage(Store::open(folder.path()));
    assert_eq!(damage(Reader::open(folder.path())), first);
}

/// L8: nothing of a damaged file is lost by setting it aside.
#[test]
fn a_damaged_file_is_set_aside_as_it_was() {
    let folder = Bench::new().close();
    disk::replace(&database::path(folder.path()), &[b'x'; 8192]).unwrap();
    let name = damage(Store::open(folder.path())).set_aside.unwrap();
    assert_eq!(disk::read(&folder.path().join(name)).unwrap(), [b'x'; 8192]);
    assert!(!database::path(folder.path()).exists());
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
fn a_damaged_file_tells_what_it_held() {
    let folder = broken();
    let held = meet(folder.path()).held;
    let live: Vec<_> = held.live.iter().map(|lost| lost.batch.as_deref()).collect();
    assert_eq!(
        (
            held.builds.rows,
            held.answers.rows,
            held.submissions.rows,
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
    let held = meet(folder.path()).held;
    assert!(!held.builds.whole && !held.submissions.whole, "{held:?}");
}

/// L8: a table that is gone is damage, not an empty table.
#[test]
fn a_missing_table_is_damage() {
    let folder = Bench::new().close();
    tamper(folder.path(), "DROP TABLE attempt_note");
    let found = damage(Store::open(folder.path())).found;
    assert!(found.contains("attempt_note"), "{found}");
}

/// L8: a file that was cut to nothing is not a state that nobody has used yet.
#[test]
fn a_file_that_lost_everything_is_damage() {
    let folder = Bench::new().close();
    disk::replace(&database::path(folder.path()), b"").unwrap();
    assert_eq!(damage(Reader::open(folder.path())).found, "it is empty");
}

/// L8: a file that is gone is not a state that nobody has used yet.
#[test]
fn a_file_that_is_gone_is_damage() {
    let folder = Bench::new().close();
    std::fs::remove_file(database::path(folder.path())).unwrap();
    assert_eq!(damage(Store::open(folder.path())).found, "the file is gone");
}

/// L8: a copy that was put back ends the refusal.
#[test]
fn a_restored_file_is_opened() {
    let folder = Bench::new().close();
    let path = database::path(folder.path());
    let whole = disk::read(&path).unwrap();
    disk::replace(&path, &[b'x'; 8192]).unwrap();
    damage(Store::open(folder.path()));
    disk::replace(&path, &whole).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(store.build(BuildId(1)).unwrap().is_some());
}

/// L8: a copy that is damaged itself does not.
#[test]
fn a_restored_file_is_checked() {
    let folder = Bench::new().close();
    let path = database::path(folder.path());
    disk::replace(&path, &[b'x'; 8192]).unwrap();
    let first = damage(Store::open(folder.path()));
    disk::replace(&path, &[b'y'; 8192]).unwrap();
    let second = damage(Store::open(folder.path()));
    assert_ne!(first.set_aside, second.set_aside);
}

/// L8: a process that works on the file records there what it spends, so the file stays in its place.
#[test]
fn a_file_that_another_process_works_on_is_not_moved() {
    let folder = broken();
    let path = folder.path().join("locks/build-1");
    let mut lock = FileLock::try_take(&path).unwrap().unwrap();
    lock.sign("process 1 since then").unwrap();
    let found = meet(folder.path());
    assert!(database::path(folder.path()).exists(), "{found:?}");
    drop(lock);
    damage(Store::open(folder.path()));
    assert!(!database::path(folder.path()).exists());
}

/// M7: batches of a state that was reset are on record as abandoned, and never taken for new ones.
#[test]
fn a_reset_abandons_live_batches_by_id() {
    let folder = broken();
    meet(folder.path());
    let (store, lost) = Store::open_anew(folder.path()).unwrap();
    let lost = lost.unwrap();
    let build = open_build(&store);
    store.abandon_lost(build, &lost, Moment(0)).unwrap();
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
    assert_eq!(lost.unwrap().held.live.len(), 1);
}

#[test]
fn a_reset_leaves_a_whole_state_alone() {
    let folder = Bench::new().close();
    let (store, lost) = Store::open_anew(folder.path()).unwrap();
    assert!(lost.is_none() && store.build(BuildId(1)).unwrap().is_some());
}

#[test]
fn a_small_content_stays_in_the_database() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, "small");
    assert_eq!(bench.store.artifact(id).unwrap(), artifact("small"));
    assert!(!bench.path().join("objects").exists());
}

#[test]
fn a_large_content_is_kept_in_a_file_under_its_digest() {
    let bench = Bench::new();
    let text = "x".repeat(objects::LARGE + 1);
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, &text);
    assert_eq!(disk::read(&object(&bench, &text)).unwrap(), text.as_bytes());
    assert_eq!(bench.store.artifact(id).unwrap(), artifact(&text));
}

#[test]
fn a_damaged_object_is_not_read() {
    let bench = Bench::new();
    let text = "x".repeat(objects::LARGE + 1);
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, &text);
    let path = object(&bench, &text);
    disk::replace(&path, "y".repeat(text.len()).as_bytes()).unwrap();
    match bench.store.artifact(id) {
        Err(StoreError::BadObject { path: named }) => assert_eq!(named, path),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_object_is_replaced_when_it_is_kept_again() {
    let bench = Bench::new();
    let text = "x".repeat(objects::LARGE + 1);
    let first = bench.unit("a", Realm::Live, true);
    bench.artifact(first, &text);
    disk::replace(&object(&bench, &text), b"cut").unwrap();
    let second = bench.unit("b", Realm::Live, true);
    let id = bench.artifact(second, &text);
    assert_eq!(bench.store.artifact(id).unwrap(), artifact(&text));
}

fn object(bench: &Bench, text: &str) -> PathBuf {
    let name = Digest::of(text.as_bytes()).to_string();
    bench
        .path()
        .join("objects")
        .join(&name[..2])
        .join(&name[2..])
}

/// L7: all of a transaction is kept, or nothing.
#[test]
fn a_write_that_fails_leaves_nothing() {
    let bench = Bench::new();
    let failed: Result<(), StoreError> = bench.store.write(|| {
        bench.request("question");
        Err(StoreError::Unusable {
            what: "test",
            detail: String::new(),
        })
    });
    assert!(failed.is_err());
    assert_eq!(bench.store.request_id(key("question")).unwrap(), None);
}

#[test]
fn the_first_error_of_a_write_is_the_one_reported() {
    let bench = Bench::new();
    let failed: Result<(), StoreError> = bench.store.write(|| {
        Err(StoreError::Unusable {
            what: "test",
            detail: "why".to_owned(),
        })
    });
    assert!(matches!(
        failed,
        Err(StoreError::Unusable { what: "test", .. })
    ));
}

#[test]
fn a_write_that_failed_does_not_block_the_next() {
    let bench = Bench::new();
    let _: Result<(), _> = bench.store.write(|| {
        Err(StoreError::BadObject {
            path: PathBuf::new(),
        })
    });
    bench
        .store
        .write(|| Ok::<_, StoreError>(bench.request("question")))
        .unwrap();
    assert!(bench.store.request_id(key("question")).unwrap().is_some());
}

#[test]
fn a_request_is_added_once() {
    let bench = Bench::new();
    assert_eq!(bench.request("question"), bench.request("question"));
}

/// M1: what one process has let go or taken on, a slower one does not put back.
#[test]
fn a_submission_is_written_only_where_it_was_left() {
    let bench = Bench::new();
    let mut fast = submission(bench.build, "a");
    fast.id = bench.store.open_submission(&fast).unwrap();
    (fast.state, fast.batch) = (SubmissionState::Adopted, Some("stranger".to_owned()));
    assert!(bench.store.update_submission(&mut fast).unwrap());
    let mut slow = bench.store.submission(fast.id).unwrap().unwrap();
    (fast.state, fast.batch) = (SubmissionState::Live, Some("ours".to_owned()));
    assert!(bench.store.update_submission(&mut fast).unwrap());
    slow.state = SubmissionState::Ended;
    assert!(!bench.store.update_submission(&mut slow).unwrap());
    let stored = bench.store.submission(fast.id).unwrap().unwrap();
    assert_eq!(stored.batch.as_deref(), Some("ours"));
    assert_eq!(stored.state, SubmissionState::Live);
}

/// M5: two builds never send the same request at once.
#[test]
fn a_request_in_flight_is_not_granted_again() {
    let bench = Bench::new();
    let request = bench.request("question");
    bench.granted(request);
    let other = open_build(&bench.store);
    let claim = bench
        .store
        .write(|| bench.store.claim(request, other, "notes", None, false))
        .unwrap();
    assert_eq!(claim, Claim::InFlight);
}

/// M4: an answer that is there is never sent for again.
#[test]
fn an_answered_request_is_not_granted_again() {
    let bench = Bench::new();
    let request = bench.request("question");
    let given = answer("yes", Ending::Complete);
    let attempt = bench.granted(request);
    bench
        .store
        .close_answered(attempt, request, &given)
        .unwrap();
    assert_eq!(bench.claim(request), Claim::Answered(Box::new(given)));
}

/// A1: an answer cut at its limit is no answer, unless the layer accepts it.
#[test]
fn a_truncated_answer_answers_only_those_who_accept_it() {
    let bench = Bench::new();
    let request = bench.request("question");
    let cut = answer("ye", Ending::Truncated);
    let attempt = bench.granted(request);
    bench.store.close_answered(attempt, request, &cut).unwrap();
    let accepting = bench
        .store
        .write(|| bench.store.claim(request, bench.build, "notes", None, true))
        .unwrap();
    assert_eq!(accepting, Claim::Answered(Box::new(cut)));
    assert!(matches!(bench.claim(request), Claim::Granted(_)));
}

#[test]
fn a_later_answer_takes_the_place_of_a_truncated_one() {
    let bench = Bench::new();
    let request = bench.request("question");
    for ending in [Ending::Truncated, Ending::Complete] {
        let attempt = bench.granted(request);
        bench
            .store
            .close_answered(attempt, request, &answer("text", ending))
            .unwrap();
    }
    let kept = bench.store.answer(key("question"), false).unwrap().unwrap();
    assert_eq!(kept.ending, Ending::Complete);
}

/// A8: a failure frees the request, and is no answer.
#[test]
fn a_failed_attempt_frees_its_request() {
    let bench = Bench::new();
    let request = bench.request("question");
    let attempt = bench.granted(request);
    bench
        .store
        .close_failed(attempt, &note(FailureKind::Refused, "no"), Usage::default())
        .unwrap();
    assert!(
        bench
            .store
            .answer(key("question"), false)
            .unwrap()
            .is_none()
    );
    assert_ne!(bench.granted(request), attempt);
}

#[test]
fn the_last_failure_is_told_in_the_provider_s_words() {
    let bench = Bench::new();
    let request = bench.request("question");
    for words in ["first", "second"] {
        let attempt = bench.granted(request);
        bench
            .store
            .close_failed(
                attempt,
                &note(FailureKind::Provider, words),
                Usage::default(),
            )
            .unwrap();
    }
    let last = bench.store.last_failure(request).unwrap();
    assert_eq!(last, Some(("provider".to_owned(), "second".to_owned())));
}

/// M10: what a build spent is summed from its rows, whatever became of them.
#[test]
fn what_was_spent_counts_answers_failures_and_unclear_sends_apart() {
    let bench = Bench::new();
    let (first, second) = (bench.request("first"), bench.request("second"));
    let attempt = bench.granted(first);
    bench
        .store
        .close_answered(attempt, first, &answer("yes", Ending::Complete))
        .unwrap();
    let attempt = bench.granted(second);
    let usage = Usage {
        input_tokens: 5,
        ..Usage::default()
    };
    bench
        .store
        .close_failed(attempt, &note(FailureKind::Refused, "no"), usage)
        .unwrap();
    bench.store.add_unclear(second, bench.build, 2).unwrap();
    let expected = Spent {
        sync: 2,
        batch: 0,
        unclear: 2,
        usage: Usage {
            input_tokens: 15,
            output_tokens: 3,
            ..Usage::default()
        },
    };
    assert_eq!(bench.store.spent(bench.build).unwrap(), expected);
}

#[test]
fn an_unclear_send_does_not_hold_its_request() {
    let bench = Bench::new();
    let request = bench.request("question");
    bench.store.add_unclear(request, bench.build, 1).unwrap();
    assert!(matches!(bench.claim(request), Claim::Granted(_)));
}

/// The sync sends of a process that died are unclear, and free.
#[test]
fn orphaned_sends_become_unclear() {
    let bench = Bench::new();
    let request = bench.request("question");
    bench.granted(request);
    assert_eq!(bench.store.builds_in_flight().unwrap(), [bench.build]);
    assert_eq!(bench.store.close_orphans(bench.build).unwrap(), 1);
    assert_eq!(bench.store.spent(bench.build).unwrap().unclear, 1);
    assert!(matches!(bench.claim(request), Claim::Granted(_)));
}

/// M2: what a batch holds outlives the process that sent it.
#[test]
fn requests_in_a_batch_are_no_orphans() {
    let bench = Bench::new();
    let request = bench.request("question");
    let batch = bench
        .store
        .open_submission(&submission(bench.build, "t1"))
        .unwrap();
    bench
        .store
        .write(|| {
            bench
                .store
                .claim(request, bench.build, "notes", Some(batch), false)
        })
        .unwrap();
    assert_eq!(bench.store.builds_in_flight().unwrap(), []);
    assert_eq!(bench.store.close_orphans(bench.build).unwrap(), 0);
    assert_eq!(bench.store.in_flight(request).unwrap(), Some(Some(batch)));
}

#[test]
fn only_submissions_that_hold_claims_are_unsettled() {
    let bench = Bench::new();
    for (number, state) in [
        SubmissionState::Creating,
        SubmissionState::Live,
        SubmissionState::Settled,
        SubmissionState::Abandoned,
    ]
    .into_iter()
    .enumerate()
    {
        let mut row = submission(bench.build, &format!("t{number}"));
        row.id = bench.store.open_submission(&row).unwrap();
        row.state = state;
        bench.store.update_submission(&mut row).unwrap();
    }
    let unsettled = bench.store.unsettled_submissions().unwrap();
    let states: Vec<_> = unsettled.iter().map(|row| row.state).collect();
    assert_eq!(states, [SubmissionState::Creating, SubmissionState::Live]);
}

#[test]
fn a_snapshot_equal_to_the_newest_is_not_repeated() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let first = bench.snapshot(&[("notes", &[unit])]);
    assert_eq!(bench.snapshot(&[("notes", &[unit])]), first);
}

#[test]
fn a_snapshot_that_differs_is_a_new_one() {
    let bench = Bench::new();
    let units = [
        bench.unit("a", Realm::Live, true),
        bench.unit("b", Realm::Live, true),
    ];
    let first = bench.snapshot(&[("notes", &units)]);
    assert_ne!(bench.snapshot(&[("notes", &units[..1])]), first);
}

#[test]
fn equal_layers_of_two_snapshots_share_a_set() {
    let bench = Bench::new();
    let (left, right) = (
        bench.unit("a", Realm::Live, true),
        bench.unit("b", Realm::Live, true),
    );
    bench.snapshot(&[("notes", &[left]), ("report", &[right])]);
    bench.snapshot(&[("notes", &[left]), ("report", &[])]);
    assert_eq!(bench.count("snapshot"), 2);
    assert_eq!(bench.count("layer_set"), 3);
}

#[test]
fn a_snapshot_lists_the_artifacts_of_its_units() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, "text");
    bench.snapshot(&[("notes", &[unit])]);
    let snapshot = bench.store.newest_snapshot().unwrap().unwrap();
    let found = bench.store.snapshot_artifacts(&snapshot, "notes").unwrap();
    assert_eq!(
        found
            .iter()
            .map(|found| found.artifact.id)
            .collect::<Vec<_>>(),
        [id]
    );
    assert!(
        bench
            .store
            .snapshot_artifacts(&snapshot, "other")
            .unwrap()
            .is_empty()
    );
}

/// C1: a live build never uses what was made from a cassette, nor one cassette what another made.
#[test]
fn a_replayed_unit_is_found_in_its_own_realm_only() {
    let bench = Bench::new();
    let unit = bench.unit("a", replay("tape"), true);
    let found = |realm| bench.store.finished_unit(Digest::of(b"a"), realm).unwrap();
    assert_eq!(found(Realm::Live), None);
    assert_eq!(found(replay("other")), None);
    assert_eq!(found(replay("tape")), Some((unit, None)));
}

/// C1: a recorded answer does not stand for one that a provider gave.
#[test]
fn a_replayed_answer_is_no_live_answer() {
    let bench = Bench::new();
    let request = bench.request("question");
    let recorded = answer("recorded", Ending::Complete);
    bench
        .store
        .keep_answer(request, replay("tape"), &recorded, None)
        .unwrap();
    assert_eq!(bench.store.answer(key("question"), false).unwrap(), None);
    assert!(matches!(bench.claim(request), Claim::Granted(_)));
    assert_eq!(
        bench
            .store
            .answer_to(request, replay("tape"), false)
            .unwrap(),
        Some(recorded)
    );
}

#[test]
fn an_open_unit_keeps_its_number_when_it_is_done() {
    let bench = Bench::new();
    let open = bench.unit("a", Realm::Live, false);
    assert_eq!(
        bench
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        None
    );
    assert_eq!(bench.unit("a", Realm::Live, true), open);
    assert_eq!(
        bench
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        Some((open, None))
    );
    assert_eq!(
        bench
            .store
            .open_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        None
    );
}

/// A build that is resumed holds a unit to what it asked before (I9).
#[test]
fn an_open_unit_remembers_what_it_asked_in_order() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, false);
    for (position, text) in ["second", "first", "second"].into_iter().enumerate() {
        let request = bench.request(text);
        bench
            .store
            .add_to_transcript(unit, position, request, None)
            .unwrap();
    }
    let open = bench
        .store
        .open_unit(Digest::of(b"a"), Realm::Live)
        .unwrap()
        .unwrap();
    assert_eq!(
        open.transcript,
        [key("second"), key("first"), key("second")]
    );
}

#[test]
fn a_retired_unit_makes_room_for_another_under_its_fingerprint() {
    let bench = Bench::new();
    let old = bench.unit("a", Realm::Live, true);
    bench.store.retire_unit(old).unwrap();
    let new = bench.unit("a", Realm::Live, true);
    assert_ne!(new, old);
    assert_eq!(
        bench
            .store
            .finished_unit(Digest::of(b"a"), Realm::Live)
            .unwrap(),
        Some((new, None))
    );
}

#[test]
fn a_retired_unit_keeps_its_artifacts() {
    let bench = Bench::new();
    let unit = bench.unit("a", Realm::Live, true);
    let id = bench.artifact(unit, "text");
    bench.store.retire_unit(unit).unwrap();
    assert_eq!(bench.store.artifact(id).unwrap(), artifact("text"));
    assert_eq!(bench.store.outputs(unit).unwrap().len(), 1);
}

/// M7: forgetting what was made does not forget what was paid.
#[test]
fn forgetting_units_keeps_answers_and_builds() {
    let bench = Bench::new();
    let request = bench.request("question");
    let attempt = bench.granted(request);
    bench
        .store
        .close_answered(attempt, request, &answer("yes", Ending::Complete))
        .unwrap();
    let source = bench.unit("source", Realm::Live, true);
    let input = bench.artifact(source, "input");
    let unit = bench.unit("a", Realm::Live, true);
    bench.store.add_input(unit, 0, input).unwrap();
    bench
        .store
        .add_to_transcript(unit, 0, request, None)
        .unwrap();
    bench.artifact(unit, "text");
    bench.snapshot(&[("source", &[source]), ("notes", &[unit])]);
    let forgotten = bench.store.write(|| bench.store.forget_units()).unwrap();
    assert_eq!(forgotten, 2);
    assert_eq!(bench.count("artifact"), 0);
    assert!(bench.store.newest_snapshot().unwrap().is_none());
    assert!(
        bench
            .store
            .answer(key("question"), false)
            .unwrap()
            .is_some()
    );
    assert!(bench.store.build(bench.build).unwrap().is_some());
}

#[test]
fn a_reader_sees_what_is_committed_while_a_writer_is_at_work() {
    let bench = Bench::new();
    bench.request("before");
    let reader = bench.store.another().unwrap();
    bench
        .store
        .write(|| -> Result<(), StoreError> {
            bench.request("during");
            assert!(reader.request_id(key("before"))?.is_some());
            assert_eq!(reader.request_id(key("during"))?, None);
            Ok(())
        })
        .unwrap();
    assert!(reader.request_id(key("during")).unwrap().is_some());
}

#[test]
fn a_reader_cannot_write() {
    let bench = Bench::new();
    let reader = bench.store.another().unwrap();
    assert!(reader.connection.execute("DELETE FROM build", []).is_err());
}

/// L6: the second process that would drive a build is told who holds it.
#[test]
fn a_build_is_driven_by_one_who_is_named() {
    let bench = Bench::new();
    let other = Store::open(bench.path()).unwrap();
    let mut lock = bench.store.lock_build(bench.build).unwrap().unwrap();
    lock.sign("process 7").unwrap();
    assert!(other.lock_build(bench.build).unwrap().is_none());
    assert_eq!(other.build_holder(bench.build), "process 7");
}

#[test]
fn a_lock_that_was_dropped_can_be_taken() {
    let bench = Bench::new();
    drop(bench.store.lock_build(bench.build).unwrap());
    assert!(bench.store.lock_build(bench.build).unwrap().is_some());
}

#[test]
fn two_builds_are_driven_side_by_side() {
    let bench = Bench::new();
    let _lock = bench.store.lock_build(bench.build).unwrap().unwrap();
    let other = open_build(&bench.store);
    assert!(bench.store.lock_build(other).unwrap().is_some());
}

#[test]
fn a_unit_of_a_build_stands_where_it_was_last_seen() {
    let bench = Bench::new();
    for state in [UnitState::Waiting, UnitState::Done] {
        bench
            .store
            .keep_build_unit(bench.build, 1, "a", state, None)
            .unwrap();
    }
    let expected = LayerTally {
        waiting: 0,
        done: 1,
        failed: 0,
    };
    assert_eq!(bench.store.layer_tally(bench.build, 1).unwrap(), expected);
}

/// Two commands may start a project at the same moment; neither may find it locked.
#[test]
fn many_open_a_new_state_at_once() {
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

/// I9: a unit that took a truncated answer is never shown another one later.
#[test]
fn an_answer_that_was_taken_stays_the_answer() {
    let bench = Bench::new();
    let request = bench.request("question");
    let keep = |text: &str, ending| {
        let answer = answer(text, ending);
        let attempt = bench.granted(request);
        bench
            .store
            .close_answered(attempt, request, &answer)
            .unwrap();
        answer
    };
    let cut = keep("cut", Ending::Truncated);
    let found = |accept| bench.store.answer(key("question"), accept).unwrap();
    assert_eq!((found(true), found(false)), (Some(cut.clone()), None));
    let whole = keep("whole", Ending::Complete);
    assert_eq!((found(true), found(false)), (Some(cut), Some(whole)));
}

/// C1: each cassette's answer is its own.
#[test]
fn a_transcript_names_the_answer_of_its_own_cassette() {
    let bench = Bench::new();
    let request = bench.request("question");
    let given = |tape: &str| {
        let said = answer(tape, Ending::Complete);
        bench
            .store
            .keep_answer(request, replay(tape), &said, None)
            .unwrap();
        let unit = bench.unit(tape, replay(tape), true);
        bench
            .store
            .add_to_transcript(unit, 0, request, Some((replay(tape), Ending::Complete)))
            .unwrap();
        unit
    };
    let (one, two) = (given("one"), given("two"));
    let text = |unit| {
        let entry = bench.store.transcript(unit).unwrap()[0];
        bench
            .store
            .given_answer(entry.answer.unwrap())
            .unwrap()
            .0
            .text
    };
    assert_eq!((text(one), text(two)), ("one".to_owned(), "two".to_owned()));
}
