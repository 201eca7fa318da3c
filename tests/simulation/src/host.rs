//! A simulated host: it takes answers from the store, or claims, asks and publishes, as a build does.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, RequestKey, Usage};
use synix_shared::{
    ClaimIntent, ClaimMode, Monotonic, Obtained, SharedAnswer, SharedAnswers, SharedClaim,
    SharedSettings,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::provider::SimulatedProvider;
use crate::queue::Queue;
use crate::random::Random;
use crate::store::SimulatedStore;

/// The lease of [`SharedSettings`], by its default.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// How many requests of a host are looked up or in flight at a time: the default of `--concurrency`.
const CONCURRENCY: usize = 16;

/// The pause after which a host asks again for a request that another one holds.
const HELD_PAUSE: Duration = Duration::from_secs(5);

/// The pause after an operation of the store failed.
const AWAY_PAUSE: Duration = Duration::from_secs(10);

/// How a host behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostModel {
    /// How many answers its only writer records in a second.
    pub(crate) writes_per_second: f64,
    /// The mean time until it is killed; `None`: it is never killed.
    pub(crate) killed_after: Option<Duration>,
    /// How long a killed host is away.
    pub(crate) away: Duration,
    /// Its clock runs at most by this part faster or slower than true time.
    pub(crate) skew: f64,
}

/// What all hosts share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Arc<SimulatedStore>,
    pub(crate) provider: SimulatedProvider,
}

/// A clock that runs faster or slower than true time.
#[derive(Debug)]
struct SkewedClock {
    started: Instant,
    rate: f64,
}

impl Monotonic for SkewedClock {
    fn now(&self) -> Duration {
        self.started.elapsed().mul_f64(self.rate)
    }

    fn sleep(
        &self,
        duration: Duration,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        Box::pin(tokio::time::sleep(duration.div_f64(self.rate)))
    }
}

/// The state of a host, which survives its process.
#[derive(Debug)]
struct HostState {
    /// The requests without an answer, each with the time from which it is asked for.
    open: VecDeque<(Instant, u64)>,
    /// The requests that a worker has taken.
    taken: BTreeSet<u64>,
    /// The requests that it claims, or has claimed.
    intents: HashMap<u64, ClaimIntent>,
    /// The requests whose answer is in the state and not in the store.
    unpublished: BTreeSet<u64>,
    waited_for_others: u64,
    found: u64,
}

/// What a host did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct HostReport {
    /// The answers that it took from the store.
    pub(crate) found: u64,
    /// How often a request was held by another host.
    pub(crate) waited_for_others: u64,
    pub(crate) kills: u64,
}

struct Host {
    world: Arc<World>,
    writer: Queue,
    state: Mutex<HostState>,
}

/// Runs a host until it has all its requests.
pub(crate) async fn run(
    number: usize,
    requests: Vec<u64>,
    model: HostModel,
    world: Arc<World>,
    mut random: Random,
) -> HostReport {
    let now = Instant::now();
    let host = Arc::new(Host {
        world,
        writer: Queue::new(Some(model.writes_per_second)),
        state: Mutex::new(HostState {
            open: requests.into_iter().map(|request| (now, request)).collect(),
            taken: BTreeSet::new(),
            intents: HashMap::new(),
            unpublished: BTreeSet::new(),
            waited_for_others: 0,
            found: 0,
        }),
    });
    let mut kills = 0;
    loop {
        let rate = 1.0 + model.skew * (2.0 * random.fraction() - 1.0);
        let lives = model.killed_after.map(|mean| random.exponential(mean));
        let process = process(&host, number, rate);
        let Some(lives) = lives else {
            process.await;
            break;
        };
        if tokio::time::timeout(lives, process).await.is_ok() {
            break;
        }
        kills += 1;
        host.state().lose_process();
        tokio::time::sleep(model.away).await;
    }
    let state = host.state();
    HostReport {
        found: state.found,
        waited_for_others: state.waited_for_others,
        kills,
    }
}

/// One process of a host, from its start to its end. Dropping it is a kill.
async fn process(host: &Arc<Host>, number: usize, rate: f64) {
    let clock = SkewedClock {
        started: Instant::now(),
        rate,
    };
    let settings = SharedSettings {
        name: "simulated".to_owned(),
        namespace: "default".to_owned(),
        read_only: false,
        lease: LEASE,
        holder_label: format!("host{number}"),
    };
    let store = host.world.store.clone();
    let client = SharedAnswers::with_clock(store, settings, Arc::new(clock));
    let client = client.expect("the operating system has random bytes");
    // Dropping the set ends its tasks.
    let mut tasks = JoinSet::new();
    let heartbeat = client.clone();
    let alive = tasks.spawn(async move { heartbeat.keep_alive().await });
    for _ in 0..CONCURRENCY {
        let (host, client) = (Arc::clone(host), client.clone());
        tasks.spawn(async move { host.work(&client).await });
    }
    // The heartbeats go on until they are stopped.
    while tasks.len() > 1 {
        let _ = tasks.join_next().await;
    }
    alive.abort();
    while client.leave().await.is_err() {
        tokio::time::sleep(AWAY_PAUSE).await;
    }
}

impl HostState {
    /// Forgets what only the process knew.
    fn lose_process(&mut self) {
        let now = Instant::now();
        let taken = std::mem::take(&mut self.taken);
        self.open
            .extend(taken.into_iter().map(|request| (now, request)));
    }
}

impl Host {
    fn state(&self) -> MutexGuard<'_, HostState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the intent to claim a request, which is recorded before the claim and survives a kill.
    fn intent(&self, request: u64) -> ClaimIntent {
        let mut state = self.state();
        let intent = state.intents.entry(request).or_insert_with(|| {
            ClaimIntent::new(key_of(request)).expect("the operating system has random bytes")
        });
        intent.clone()
    }

    /// Takes requests until all have their answers.
    async fn work(&self, client: &SharedAnswers) {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.open.pop_front();
                if let Some((_, request)) = next {
                    state.taken.insert(request);
                }
                next
            };
            let Some((due, request)) = next else { return };
            tokio::time::sleep_until(due).await;
            let again = self.settle(client, request).await;
            let mut state = self.state();
            state.taken.remove(&request);
            if let Some(pause) = again {
                state.open.push_back((Instant::now() + pause, request));
            }
        }
    }

    /// Gets one answer, by whatever way; otherwise returns how long to wait before the next attempt.
    async fn settle(&self, client: &SharedAnswers, request: u64) -> Option<Duration> {
        if self.state().unpublished.contains(&request) {
            return self.publish(client, request, None).await;
        }
        let intent = self.intent(request);
        match client.obtain(&intent, false, ClaimMode::Call).await {
            Ok(Obtained::Answered(_)) => {
                self.writer.turn().await;
                let mut state = self.state();
                state.found += 1;
                state.intents.remove(&request);
                None
            }
            Ok(Obtained::Claimed(claim)) => {
                if !client.still_holds(&claim) {
                    return Some(Duration::ZERO);
                }
                self.world.provider.ask(request).await;
                self.writer.turn().await;
                self.state().unpublished.insert(request);
                self.publish(client, request, Some(&claim)).await
            }
            Ok(Obtained::Held(_)) => {
                self.state().waited_for_others += 1;
                Some(HELD_PAUSE)
            }
            // A build would send without a claim. The simulation shows what the claims achieve, so it waits.
            Ok(Obtained::NotClaimed) | Err(_) => Some(AWAY_PAUSE),
        }
    }

    async fn publish(
        &self,
        client: &SharedAnswers,
        request: u64,
        claim: Option<&SharedClaim>,
    ) -> Option<Duration> {
        match client
            .publish(key_of(request), &answer_to(request), claim)
            .await
        {
            Ok(_) => {
                let mut state = self.state();
                state.unpublished.remove(&request);
                state.intents.remove(&request);
                None
            }
            Err(_) => Some(AWAY_PAUSE),
        }
    }
}

fn key_of(request: u64) -> RequestKey {
    RequestKey(Digest::of(&request.to_le_bytes()))
}

fn answer_to(request: u64) -> SharedAnswer {
    SharedAnswer {
        answer: Answer {
            text: format!("answer {request}"),
            ending: Ending::Complete,
            model: "simulated".to_owned(),
            usage: Usage::default(),
            details: serde_json::Map::new(),
        },
        provider: "simulated".to_owned(),
        model: "simulated".to_owned(),
        batch: None,
        time: Timestamp(0),
    }
}
