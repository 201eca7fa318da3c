//! Tests of requests that wait for their send, by sync calls and in batches.

mod shared;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::{Arc, Weak};
use std::time::Duration;

use synix_scripted_provider::{Script, ScriptedProvider};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::answerer::{Answerer as _, PoolState};
use super::budget::Budget;
use super::error::BuildError;
use super::event::Observer;
use super::modes::Modes;
use super::options::BuildOptions;
use super::provider_answerer::{AnswererParts, ProviderAnswerer, WaitPolicy};
use super::shared::SharedStage;
use super::sync::{Providers, SyncCalls};
use crate::batch::{BatchContext, BatchSettings, Batches, LostCreatePolicy};
use crate::pending::{PendingRequest, Target};
use synix_core::clock::{Clock, Timestamp};
use synix_core::digest::Digest;
use synix_core::request::{Message, Part, Request, Role, Wire};
use synix_manifest::BatchChoice;
use synix_prices::Prices;
use synix_providers::{Endpoint, HttpSettings, Provider, Secret};
use synix_shared::SharedAnswers;
use synix_store::{
    AnswerOrigin, AnswerPolicy, BuildId, BuildKind, Claim, NewBuild, RequestId, RetrySelection,
    SendContext, Store, StoreError,
};

const LAYER: &str = "sums";

const ONE: NonZero<usize> = NonZero::<usize>::MIN;

/// Waits for others until they are done.
const WAIT: WaitPolicy = WaitPolicy::Poll {
    interval: Duration::ZERO,
    timeout: None,
};

/// A state with an open build, and a provider.
struct Fixture {
    server: ScriptedProvider,
    providers: Providers,
    store: Store,
    build: BuildId,
    folder: TempDir,
    clock: Clock,
    prices: Prices,
    no_keys: BTreeMap<String, String>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let server = ScriptedProvider::start(Script::new());
        let provider = Provider::open(Endpoint {
            name: "there".to_owned(),
            wire: Wire::OpenAi,
            batch_api: Default::default(),
            base_url: server.openai_url(),
            key: Some(Secret::new("sk-for-tests")),
            http: HttpSettings::default(),
        });
        Self {
            server,
            providers: Providers::from([("there".to_owned(), Arc::new(provider.unwrap()))]),
            build: open_build(&store),
            store,
            folder,
            clock: Clock::simulated(Timestamp(1_000_000)),
            prices: Prices::default(),
            no_keys: BTreeMap::new(),
        }
    }

    /// Returns the answerer of a build with one layer, with this number of concurrent calls.
    fn answerer(&self, batch: BatchChoice, calls: NonZero<usize>) -> ProviderAnswerer<'_> {
        self.sharing_answerer(batch, calls, None, &|_| {})
    }

    /// Returns the same, with shared answers.
    fn sharing_answerer<'f>(
        &'f self,
        batch: BatchChoice,
        calls: NonZero<usize>,
        shared: Option<SharedAnswers>,
        observer: Observer<'f>,
    ) -> ProviderAnswerer<'f> {
        let options = BuildOptions {
            providers: &self.providers,
            batches: batch_settings(shared.as_ref().map(|_| Duration::ZERO)),
            missing_keys: &self.no_keys,
            concurrency: calls,
            wait_policy: match &shared {
                Some(_) => WAIT,
                None => WaitPolicy::PollOnce,
            },
            allow_partial: false,
            kind: BuildKind::Batch,
            retry_failed: BTreeSet::new(),
            shared: None,
            engine: None,
            budget: None,
            interrupt: CancellationToken::new(),
        };
        let open = |client| {
            SharedStage::open(client, &self.store, self.build, &self.clock, observer).unwrap()
        };
        let shared = shared.map(open);
        let calls = SyncCalls::new(
            &self.store,
            self.build,
            &self.clock,
            &options,
            RetrySelection::default(),
        );
        let parts = AnswererParts {
            calls,
            batches: Batches::new(BatchContext {
                store: &self.store,
                build: self.build,
                providers: &self.providers,
                settings: options.batches.clone(),
                clock: &self.clock,
                observer: &|_| {},
            }),
            budget: Budget::new(&self.store, self.build, &self.prices, None),
            shared,
        };
        let upstream = vec![BTreeSet::from([0])];
        ProviderAnswerer::new(parts, Modes::of_one(batch), upstream, &options, observer)
    }

    /// Records requests; each is one word longer than the one before.
    fn record(&self, count: usize) -> Vec<(PendingRequest<Arc<Request>>, RequestId)> {
        let record = |number| {
            let request = request(number);
            let key = request.key().unwrap();
            let id = self.store.write(|tx| tx.add_request(key, &request));
            let target = Target {
                provider: request.provider.clone(),
                model: request.model.clone(),
            };
            let pending = PendingRequest {
                kind: synix_core::request::RequestKind::Completion,
                key,
                layer: 0,
                accept_truncated: false,
                target: Arc::new(target),
                request: Arc::new(request),
                repairs: crate::pending::RepairCount::default(),
            };
            (pending, id.unwrap())
        };
        (1..=count).map(record).collect()
    }

    /// Returns the lengths of the requests that the provider executed, in order.
    fn executed(&self) -> Vec<u64> {
        let executed = self.server.ledger().executed;
        executed.into_iter().map(|one| one.input_tokens).collect()
    }
}

fn batch_settings(interval: Option<Duration>) -> BatchSettings {
    BatchSettings {
        search_pauses: HashMap::new(),
        attempts: 1,
        layers: vec![LAYER.to_owned()],
        interval,
        batch_requests: HashMap::new(),
        enqueued_tokens: HashMap::new(),
        sync_after: None,
        lost_create: LostCreatePolicy::default(),
        retry: RetrySelection::default(),
    }
}

fn open_build(store: &Store) -> BuildId {
    let new = NewBuild {
        kind: BuildKind::Batch,
        pipeline: "synix.toml".to_owned(),
        fingerprint: Digest::of(b"pipeline"),
        parts: "{}".to_owned(),
        answer_origin: AnswerOrigin::Live,
        opened: Timestamp(0),
    };
    store.write(|tx| tx.open_build(&new)).unwrap()
}

fn request(words: usize) -> Request {
    Request {
        kind: synix_core::request::RequestKind::Completion,
        wire: Wire::OpenAi,
        provider: "there".to_owned(),
        model: "m".to_owned(),
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::Text("word ".repeat(words))],
        }],
        max_tokens: Some(100),
        temperature: None,
        stop: Vec::new(),
        response_format: None,
        options: serde_json::Map::new(),
        sample: 0,
        revision: String::new(),
    }
}

/// Replaces each request by its number in the store, as the scheduler does.
fn stored(
    requests: Vec<(PendingRequest<Arc<Request>>, RequestId)>,
) -> Vec<PendingRequest<RequestId>> {
    let stored = |(pending, id): (PendingRequest<_>, _)| pending.with_request(id);
    requests.into_iter().map(stored).collect()
}

/// Runs the answerer until no more requests settle in this process.
async fn drive(answerer: &mut ProviderAnswerer<'_>) -> Result<usize, BuildError> {
    let mut count = 0;
    while let Some(settled) = answerer.next_settled(PoolState::Idle).await? {
        count += settled.len();
    }
    Ok(count)
}

/// W18: 20,000 requests of 50 KB that wait for one of a few calls would take a gigabyte.
#[tokio::test]
async fn what_waits_for_its_send_holds_no_text() {
    for batch in [BatchChoice::Never, BatchChoice::Always, BatchChoice::Auto] {
        let fixture = Fixture::new();
        let recorded = fixture.record(6);
        // Another process has one of them in flight.
        let other = open_build(&fixture.store);
        let _lock = fixture.store.lock_build(other).unwrap();
        let origin = SendContext {
            build: other,
            layer: LAYER,
            submission: None,
            now: Timestamp(1),
        };
        let terms = AnswerPolicy {
            accept_truncated: false,
            retry: &RetrySelection::default(),
        };
        let id = recorded[1].1;
        let claim = fixture.store.write(|tx| tx.claim(id, origin, terms));
        assert!(matches!(claim, Ok(Claim::Granted(_))), "{claim:?}");

        let texts: Vec<Weak<Request>> = recorded
            .iter()
            .map(|(pending, _)| Arc::downgrade(&pending.request))
            .collect();
        let mut answerer = fixture.answerer(batch, ONE);
        answerer.enqueue(stored(recorded)).unwrap();
        let in_memory = texts.iter().filter(|text| text.strong_count() > 0);
        assert_eq!(in_memory.count(), 0, "{batch:?}");
        if batch != BatchChoice::Always {
            assert_eq!(drive(&mut answerer).await.unwrap(), 5, "{batch:?}");
            let executed = fixture.executed();
            let sorted = executed.is_sorted_by(|one, next| one < next);
            assert!(sorted && executed.len() == 5, "{batch:?}: {executed:?}");
        }
    }
}

/// An unreadable request is not recorded as sent, and does not lose the answers of calls in flight.
#[tokio::test]
async fn an_unreadable_request_ends_the_build_without_losing_answers() {
    // It is found after the first call, or at once.
    for calls in [ONE, ONE.saturating_add(1)] {
        let fixture = Fixture::new();
        let mut recorded = fixture.record(3);
        let rest = recorded.split_off(1);
        let (sent, changed) = (recorded[0].0.key, rest[0].0.key);
        let mut answerer = fixture.answerer(BatchChoice::Never, calls);
        answerer.enqueue(stored(recorded)).unwrap();
        let state = fixture.folder.path().join("state.sqlite3");
        let rows = rusqlite::Connection::open(state).unwrap().execute(
            "UPDATE request_body SET document = ?1
             WHERE request = (SELECT id FROM request WHERE key = ?2)",
            rusqlite::params![
                serde_json::to_string(&request(9)).unwrap(),
                changed.0.as_bytes()
            ],
        );
        assert_eq!(rows, Ok(1));
        answerer.enqueue(stored(rest)).unwrap();
        let error = drive(&mut answerer).await.unwrap_err();
        assert!(
            matches!(&error, BuildError::Store(StoreError::Changed { .. })),
            "{error:?}"
        );
        assert!(fixture.store.answer(sent, false).unwrap().is_some());
        assert_eq!(fixture.executed().len(), 1);
        assert!(fixture.store.all_in_flight().unwrap().is_empty());
    }
}
