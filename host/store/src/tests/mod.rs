//! Tests of the store with real files.

mod builds;
mod contents;
mod damage;
mod format;
mod hostile;
mod known_layers;
mod label_order;
mod paid;
mod read_only;
mod sends;
mod shared;
mod snapshot_changes;
mod snapshots;
mod times;
mod units;

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Map;

use super::*;
use synix_core::artifact::{Artifact, Content};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_core::ids::{Kind, Label, UnitKey};
use synix_core::request::{
    Answer, Ending, FailureKind, Message, Part, Request, RequestKey, Role, Usage, Wire,
};
use synix_core::skipped::SkippedCount;

/// Returns a finished unit whose fingerprint follows from its key.
fn new_unit(key: &UnitKey, build: BuildId) -> NewUnit<'_> {
    NewUnit {
        fingerprint: Digest::of(key.as_str().as_bytes()),
        answer_origin: AnswerOrigin::Live,
        layer: "notes",
        key,
        done: true,
        partial: false,
        build,
        parts: "{}",
        roles: None,
        log: None,
    }
}

/// A state in a temporary folder, with one build.
struct Fixture {
    store: Store,
    build: BuildId,
    folder: tempfile::TempDir,
}

impl Fixture {
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
        self.store.write(|tx| add_request(tx, text)).unwrap()
    }

    fn claim(&self, request: RequestId) -> Claim {
        self.claim_on(request, &RetrySelection::default())
    }

    fn claim_on(&self, request: RequestId, retry: &RetrySelection) -> Claim {
        let terms = AnswerPolicy {
            accept_truncated: false,
            retry,
        };
        let origin = sync_context(self.build);
        self.store
            .write(|tx| tx.claim(request, origin, terms))
            .unwrap()
    }

    fn failed(&self, request: RequestId, kind: FailureKind, message: &str) -> AttemptId {
        let attempt = match self.claim_on(request, &self.retry([kind])) {
            Claim::Granted(attempt) => attempt,
            other @ (Claim::InFlight | Claim::Settled(_)) => panic!("not granted: {other:?}"),
        };
        let note = note(kind, message);
        self.store
            .write(|tx| tx.close_failed(attempt, &note, Usage::default(), Timestamp(5)))
            .unwrap();
        attempt
    }

    /// The selection of a command that begins now.
    fn retry<const N: usize>(&self, kinds: [FailureKind; N]) -> RetrySelection {
        RetrySelection::from_now(&self.store, kinds.into()).unwrap()
    }

    fn granted(&self, request: RequestId) -> AttemptId {
        match self.claim(request) {
            Claim::Granted(attempt) => attempt,
            other @ (Claim::InFlight | Claim::Settled(_)) => panic!("not granted: {other:?}"),
        }
    }

    fn unit(&self, name: &str, answer_origin: AnswerOrigin, done: bool) -> UnitId {
        let key = UnitKey::parse(name).unwrap();
        let unit = NewUnit {
            answer_origin,
            done,
            ..new_unit(&key, self.build)
        };
        self.store.write(|tx| tx.store_unit(&unit)).unwrap()
    }

    fn artifact(&self, unit: UnitId, text: &str) -> ArtifactId {
        let artifact = artifact(text);
        let digest = artifact.digest().unwrap();
        self.store
            .write(|tx| tx.add_artifact(unit, 0, &artifact, digest))
            .unwrap()
    }

    fn snapshot(&self, layers: &[(&str, &[UnitId])]) -> SnapshotId {
        let layers: Vec<_> = layers
            .iter()
            .map(|(name, units)| NewSnapshotLayer::from(((*name).to_owned(), units.to_vec())))
            .collect();
        self.store
            .write(|tx| tx.take_snapshot(self.build, "synix.toml", &layers, Timestamp(1)))
            .unwrap()
    }

    fn trial_snapshot(&self, name: &str, layers: &[(&str, &[UnitId])]) -> SnapshotId {
        let layers: Vec<_> = layers
            .iter()
            .map(|(name, units)| NewSnapshotLayer::from(((*name).to_owned(), units.to_vec())))
            .collect();
        let take = |tx: &Transaction<'_>| {
            tx.take_trial_snapshot(self.build, ("synix.toml", name), &layers, Timestamp(1))
        };
        self.store.write(take).unwrap()
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

fn new_build(kind: BuildKind) -> NewBuild {
    NewBuild {
        kind,
        pipeline: "synix.toml".to_owned(),
        fingerprint: Digest::of(b"pipeline"),
        parts: "{}".to_owned(),
        answer_origin: AnswerOrigin::Live,
        opened: Timestamp(0),
    }
}

const fn build_unit<'a>(layer: usize, key: &'a str, state: UnitState<'a>) -> NewBuildUnit<'a> {
    NewBuildUnit {
        layer,
        key,
        state,
        now: Timestamp(5),
    }
}

/// The context of a sync call.
const fn sync_context(build: BuildId) -> SendContext<'static> {
    SendContext {
        build,
        layer: "notes",
        submission: None,
        now: Timestamp(1),
    }
}

fn open_build(store: &Store) -> BuildId {
    store
        .write(|tx| tx.open_build(&new_build(BuildKind::Build)))
        .unwrap()
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
        opened: Timestamp(0),
        changed: Timestamp(0),
        recorded_version: None,
    }
}

fn request(text: &str) -> Request {
    Request {
        kind: synix_core::request::RequestKind::Completion,
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

fn add_request(tx: &Transaction<'_>, text: &str) -> Result<RequestId, StoreError> {
    tx.add_request(key(text), &request(text))
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

fn replay(cassette: &str) -> AnswerOrigin {
    AnswerOrigin::Replay(Digest::of(cassette.as_bytes()))
}

/// Returns the path of the database.
fn path(folder: &Path) -> PathBuf {
    folder.join(database::FILE)
}

/// Runs a statement on the closed database.
fn tamper(folder: &Path, statement: &str) {
    Connection::open(path(folder))
        .unwrap()
        .execute_batch(statement)
        .unwrap();
}
