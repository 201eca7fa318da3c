//! One command: a thread with all that a process has in memory, which takes one order at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::super::{BatchContext, BatchError, BatchSettings, Batches, LostCreatePolicy, Turn};
use super::mishap::{QUESTIONS, question};
use crate::pending::{PendingRequest, Target};
use synix_core::clock::{Clock, Timestamp};
use synix_core::digest::Digest;
use synix_core::request::{BatchApi, FailureKind, Message, Part, Request, RequestKey, Role, Wire};
use synix_providers::{Endpoint, HttpSettings, Provider, Secret};
use synix_store::{AnswerOrigin, BuildId, BuildKind, NewBuild, RetrySelection, Store};

/// Where commands run.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) wire: Wire,
    pub(super) base_url: String,
    /// Input tokens that may be under way at once.
    pub(super) limit: Option<u64>,
}

/// How a command begins.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// The build to resume; `None` opens one.
    pub(super) build: Option<BuildId>,
    pub(super) lost_create: LostCreatePolicy,
    /// Whether what was paid for in vain is asked again.
    pub(super) retry_failed: bool,
}

#[derive(Debug)]
pub(super) enum Order {
    Ask(Vec<usize>),
    Step,
    /// Steps, as time passes, until nothing is left to wait for.
    Poll,
    Survey,
    Land,
    Cancel,
}

/// What a command says after an order.
#[derive(Debug)]
pub(super) enum Told {
    /// How it stands.
    Stands(Standing),
    /// It has ended, and not by itself.
    Ended(BatchError),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    /// The step had something to do.
    pub(super) moved: bool,
    /// It waits for answers.
    pub(super) waits: bool,
    /// Failures named so far, by question.
    pub(super) failed: BTreeMap<usize, String>,
}

/// A running command.
pub(super) struct Command {
    pub(super) build: BuildId,
    orders: Option<Sender<Order>>,
    told: Receiver<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Command {
    /// Starts a command; `None` where another one drives its build.
    pub(super) fn start(place: &Place, start: Start) -> Option<Self> {
        let (orders, taken) = channel();
        let (tell, told) = channel();
        let (begun, begins) = channel();
        let place = place.clone();
        let thread = std::thread::spawn(move || live(&place, start, &taken, &tell, &begun));
        let build = begins.recv().expect("a command that begins");
        Some(Self {
            build: build?,
            orders: Some(orders),
            told,
            thread: Some(thread),
        })
    }

    pub(super) fn order(&self, order: Order) -> Told {
        let orders = self.orders.as_ref().expect("a command that lives");
        orders.send(order).expect("a command that listens");
        self.told.recv().expect("a command that did not break off")
    }
}

/// Everything in its memory is gone, its calls under way break off.
impl Drop for Command {
    fn drop(&mut self) {
        drop(self.orders.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(
                ended.is_none_or(|ended| ended.is_ok()),
                "a command broke off"
            );
        }
    }
}

pub(super) fn request(wire: Wire, number: usize) -> Request {
    // Two models, so that there are batches side by side.
    let model = if number.is_multiple_of(2) {
        "small"
    } else {
        "large"
    };
    Request {
        wire,
        provider: "there".to_owned(),
        model: model.to_owned(),
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::Text(question(number))],
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

pub(super) fn key(wire: Wire, number: usize) -> RequestKey {
    request(wire, number).key().unwrap()
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

fn provider(place: &Place) -> Provider {
    Provider::open(Endpoint {
        name: "there".to_owned(),
        wire: place.wire,
        batch_api: BatchApi::OpenAi,
        base_url: place.base_url.clone(),
        key: Some(Secret::new("sk-for-tests")),
        http: HttpSettings {
            retries: 1,
            backoff: Duration::ZERO,
            timeout: Duration::from_secs(60),
        },
    })
    .unwrap()
}

fn settings(place: &Place, start: Start, store: &Store) -> BatchSettings {
    let kinds = if start.retry_failed {
        FailureKind::PAID.into()
    } else {
        BTreeSet::new()
    };
    BatchSettings {
        look_again: HashMap::from([("there".to_owned(), vec![Duration::ZERO; 2])]),
        attempts: 3,
        layers: vec!["notes".to_owned()],
        interval: Some(Duration::ZERO),
        batch_requests: HashMap::new(),
        enqueued_tokens: place
            .limit
            .map(|limit| ("there".to_owned(), limit))
            .into_iter()
            .collect(),
        sync_after: None,
        lost_create: start.lost_create,
        retry: RetrySelection {
            kinds,
            until: store.newest_attempt().unwrap(),
        },
    }
}

fn open_build(store: &Store) -> BuildId {
    let new = new_build(BuildKind::Batch);
    store.write(|tx| tx.open_build(&new)).unwrap()
}

fn live(
    place: &Place,
    start: Start,
    orders: &Receiver<Order>,
    tell: &Sender<Told>,
    begun: &Sender<Option<BuildId>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = Store::open(&place.folder).unwrap();
    let build = start.build.unwrap_or_else(|| open_build(&store));
    let Some(_lock) = store.lock_build(build).unwrap() else {
        begun.send(None).unwrap();
        return;
    };
    begun.send(Some(build)).unwrap();
    let providers = BTreeMap::from([("there".to_owned(), Arc::new(provider(place)))]);
    let clock = Clock::simulated(Timestamp(1_000_000));
    let settings = settings(place, start, &store);
    let batches = Batches::new(BatchContext {
        store: &store,
        build,
        providers: &providers,
        settings,
        clock: &clock,
        observer: &|_| {},
    });
    let mut life = Life {
        place,
        store: &store,
        build,
        runtime: &runtime,
        batches,
        standing: Standing::default(),
    };
    for order in orders {
        let told = match life.obey(order) {
            Ok(()) => Told::Stands(life.standing.clone()),
            Err(error) => Told::Ended(error),
        };
        tell.send(told).unwrap();
    }
}

struct Life<'a> {
    place: &'a Place,
    store: &'a Store,
    build: BuildId,
    runtime: &'a Runtime,
    batches: Batches<'a>,
    standing: Standing,
}

impl Life<'_> {
    fn obey(&mut self, order: Order) -> Result<(), BatchError> {
        match order {
            Order::Ask(questions) => self.ask(questions),
            Order::Step => self.step()?,
            Order::Poll => self.poll()?,
            Order::Survey => {
                self.batches.next_reading = Some(Instant::now());
                self.step()?;
            }
            Order::Land => self.runtime.block_on(async {
                while !self.batches.calls.have_all_ended() {
                    tokio::task::yield_now().await;
                }
            }),
            Order::Cancel => {
                self.batches.context.settings.interval = None;
                self.runtime.block_on(self.batches.cancel(self.build))?;
                self.store.write(|tx| tx.cancel_build(self.build))?;
            }
        }
        self.standing.waits = self.batches.is_waiting();
        Ok(())
    }

    fn ask(&mut self, questions: Vec<usize>) {
        for number in questions {
            let request = request(self.place.wire, number);
            let key = request.key().unwrap();
            let known = self.store.answer(key, false).unwrap().is_some();
            if known || self.batches.book.awaits(&key) {
                continue;
            }
            self.standing.failed.remove(&number);
            let id = self.store.write(|tx| tx.add_request(key, &request));
            self.batches.queue(PendingRequest {
                key,
                request: id.unwrap(),
                layer: 0,
                accept_truncated: false,
                target: Arc::new(Target {
                    provider: request.provider,
                    model: request.model,
                }),
            });
        }
    }

    /// What the build does between two awaits; surveys come by order only, not by the time.
    fn step(&mut self) -> Result<(), BatchError> {
        let surveys = self
            .batches
            .next_reading
            .take_if(|due| *due <= Instant::now());
        self.batches.next_reading = surveys;
        self.batches.submit(&|_| true)?;
        self.take_settled();
        let now = Instant::now();
        let mut turns = self.batches.slots.values().map(|slot| slot.turn);
        self.standing.moved = turns.any(|turn| turn == Turn::Calls || turn.is_due(now));
        let entered = self.runtime.enter();
        self.batches.start_due()?;
        drop(entered);
        self.batches.next_reading = None;
        if self.batches.calls.under_way() > 0 {
            self.runtime.block_on(self.batches.progress())?;
        }
        self.take_settled();
        Ok(())
    }

    fn poll(&mut self) -> Result<(), BatchError> {
        loop {
            self.batches.submit(&|_| true)?;
            if self.batches.is_active() {
                self.runtime.block_on(self.batches.progress())?;
            }
            self.take_settled();
            if !(self.batches.is_waiting() && self.batches.is_active()) {
                return Ok(());
            }
        }
    }

    fn take_settled(&mut self) {
        for (key, settlement) in self.batches.take_settled() {
            if let Err(failure) = settlement {
                let number =
                    (0..QUESTIONS).find(|number| self::key(self.place.wire, *number) == key);
                let number = number.expect("a question that was asked");
                self.standing.failed.insert(number, failure.message);
            }
        }
    }
}
