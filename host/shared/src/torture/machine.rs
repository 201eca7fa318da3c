//! A machine: what it has on disk, and the process that obtains the answers to all requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::request::{Answer, Ending, RequestKey, Usage};

use super::LEASE;
use super::ledger::{Ledger, Outcome, Send};
use super::random::SharedRandom;
use super::time::{SkewedClock, Time};
use super::wire::{Bucket, Wire};
use crate::{
    ClaimIntent, ClaimMode, Obtained, SharedAnswer, SharedAnswers, SharedClaim, SharedSettings,
};

/// What outlives a process.
#[derive(Debug, Default)]
pub(super) struct Disk {
    intents: BTreeMap<RequestKey, ClaimIntent>,
    pub(super) answers: BTreeMap<RequestKey, SharedAnswer>,
    unpublished: BTreeSet<RequestKey>,
    /// The batches in flight: the number of the send, and when the provider has finished.
    batches: BTreeMap<RequestKey, (usize, Duration)>,
}

/// Everything that the processes of a machine use.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) number: usize,
    pub(super) rate: u32,
    pub(super) time: Time,
    pub(super) random: SharedRandom,
    pub(super) bucket: Arc<Bucket>,
    pub(super) wire: Wire,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) disk: Arc<Mutex<Disk>>,
    /// How this machine sends each request.
    pub(super) modes: Arc<BTreeMap<RequestKey, ClaimMode>>,
}

/// A process of a machine.
#[derive(Debug, Clone)]
struct Process {
    machine: Machine,
    number: u32,
    client: SharedAnswers,
    /// The requests that are not done.
    open: Arc<Mutex<BTreeSet<RequestKey>>>,
}

impl Machine {
    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// Returns whether nothing is left to do for any process.
    pub(super) fn is_done(&self) -> bool {
        let disk = self.disk();
        disk.answers.len() == self.modes.len() && disk.unpublished.is_empty()
    }

    fn spawn(&self, task: impl Future<Output = ()> + std::marker::Send + 'static) {
        self.time.spawn(Some(self.number), task);
    }

    pub(super) fn client(&self, label: &str) -> SharedAnswers {
        let settings = SharedSettings {
            name: "memory".to_owned(),
            namespace: "default".to_owned(),
            read_only: false,
            lease: LEASE,
            holder_label: label.to_owned(),
        };
        let clock = SkewedClock {
            time: self.time.clone(),
            rate: self.rate,
        };
        SharedAnswers::with_clock(Arc::new(self.wire.clone()), settings, Arc::new(clock)).unwrap()
    }

    /// Starts a process that ends when it has every answer.
    pub(super) fn start(&self, number: u32) {
        let client = self.client(&format!("{}-{number}", self.number));
        let process = Process {
            machine: self.clone(),
            number,
            client: client.clone(),
            open: Arc::new(Mutex::new(self.modes.keys().copied().collect())),
        };
        self.spawn(async move { client.keep_alive().await });
        for (key, mode) in self.modes.iter() {
            let (process, key, mode) = (process.clone(), *key, *mode);
            self.spawn(async move { process.run(key, mode).await });
        }
    }
}

impl Process {
    async fn pause(&self, milliseconds: u64) {
        let pause = self.machine.random.milliseconds(milliseconds);
        self.machine.time.sleep(pause).await;
    }

    async fn run(self, key: RequestKey, mode: ClaimMode) {
        self.settle_earlier(key).await;
        if !self.machine.disk().answers.contains_key(&key) {
            // Requests come up one after another.
            self.pause(240_000).await;
        }
        while !self.machine.disk().answers.contains_key(&key) {
            let batch = self.machine.disk().batches.get(&key).copied();
            match batch {
                Some((send, done)) => self.collect(key, send, done).await,
                None => self.obtain(key, mode).await,
            }
        }
        let is_last = {
            let mut open = self.open.lock().unwrap();
            open.remove(&key);
            open.is_empty()
        };
        if is_last {
            // The next command does without it.
            let _ = self.client.leave().await;
        }
    }

    /// Publishes, gives up or takes over what an earlier process left.
    async fn settle_earlier(&self, key: RequestKey) {
        let (intent, answer, is_in_flight) = {
            let disk = self.machine.disk();
            let answer = disk
                .unpublished
                .contains(&key)
                .then(|| disk.answers[&key].clone());
            (
                disk.intents.get(&key).cloned(),
                answer,
                disk.batches.contains_key(&key),
            )
        };
        if answer.is_some() {
            self.publish(key, None).await;
        } else if let Some(intent) = intent.filter(|_| !is_in_flight) {
            let gives_up = self.machine.random.once_in(2);
            if gives_up && self.give_up(&intent).await {
                self.machine.disk().intents.remove(&key);
            } else {
                let next = ClaimIntent::new(key).unwrap().after(intent);
                self.machine.disk().intents.insert(key, next);
            }
        }
    }

    /// Gives up an intent. Returns whether no call creates its claim any more.
    async fn give_up(&self, intent: &ClaimIntent) -> bool {
        loop {
            match self.client.release_intent(intent).await {
                Ok(is_certain) => return is_certain,
                Err(_) => self.pause(2_000).await,
            }
        }
    }

    async fn obtain(&self, key: RequestKey, mode: ClaimMode) {
        let new = || ClaimIntent::new(key).unwrap();
        let intent = {
            let mut disk = self.machine.disk();
            disk.intents.entry(key).or_insert_with(new).clone()
        };
        match self.client.obtain(&intent, false, mode).await {
            Ok(Obtained::Answered(answer)) => {
                let mut disk = self.machine.disk();
                disk.answers.insert(key, answer);
                disk.intents.remove(&key);
            }
            Ok(Obtained::Claimed(claim)) => {
                // It waits for its turn: for budget, or for the pace of the provider.
                let wait = if self.machine.random.once_in(2) {
                    60_000
                } else {
                    2_000
                };
                self.pause(wait).await;
                if self.client.still_holds(&claim) {
                    self.send(claim).await;
                }
            }
            Ok(Obtained::Held(_)) => self.pause(5_000).await,
            Ok(Obtained::NotClaimed) => panic!("the store is not only read"),
            Err(_) => self.pause(2_000).await,
        }
    }

    async fn send(&self, claim: SharedClaim) {
        let machine = &self.machine;
        let (key, mode) = (claim.key, claim.mode);
        let send = Send {
            claim: claim.clone(),
            machine: machine.number,
            process: self.number,
            at: machine.time.now(),
            outcome: None,
        };
        let number = {
            let mut ledger = machine.ledger.lock().unwrap();
            ledger.add(send, machine.rate, &machine.bucket)
        };
        if mode == ClaimMode::Batch {
            let done = machine.time.now() + machine.random.milliseconds(600_000);
            machine.disk().batches.insert(key, (number, done));
            return;
        }
        // Some calls take longer than a lease.
        self.pause(2 * 60_000).await;
        if machine.random.once_in(8) {
            machine
                .ledger
                .lock()
                .unwrap()
                .end(key, number, Outcome::Failed);
            while self.client.release(&claim).await.is_err() {
                self.pause(2_000).await;
            }
            machine.disk().intents.remove(&key);
            return;
        }
        self.answer(key, number);
        self.publish(key, Some(claim)).await;
    }

    /// Waits for the batch of a request, perhaps of an earlier process.
    async fn collect(&self, key: RequestKey, number: usize, done: Duration) {
        let machine = &self.machine;
        machine
            .time
            .sleep(done.saturating_sub(machine.time.now()))
            .await;
        self.answer(key, number);
        machine.disk().batches.remove(&key);
        self.publish(key, None).await;
    }

    /// Keeps the answer of the provider, which no two sends have in common.
    fn answer(&self, key: RequestKey, number: usize) {
        let machine = &self.machine;
        machine
            .ledger
            .lock()
            .unwrap()
            .end(key, number, Outcome::Answered);
        let answer = SharedAnswer {
            answer: Answer {
                text: format!("machine {}, send {number}", machine.number),
                ending: Ending::Complete,
                model: "m-1".to_owned(),
                usage: Usage::default(),
                details: serde_json::Map::new(),
            },
            provider: "openai".to_owned(),
            model: "m".to_owned(),
            batch: None,
            time: Timestamp(1),
        };
        let mut disk = machine.disk();
        disk.answers.insert(key, answer);
        disk.unpublished.insert(key);
    }

    /// Publishes an answer; without its claim, that of the intent is looked for.
    async fn publish(&self, key: RequestKey, claim: Option<SharedClaim>) {
        loop {
            if self.try_publish(key, claim.as_ref()).await.is_ok() {
                break;
            }
            self.pause(2_000).await;
        }
        let mut disk = self.machine.disk();
        disk.unpublished.remove(&key);
        disk.intents.remove(&key);
    }

    async fn try_publish(
        &self,
        key: RequestKey,
        claim: Option<&SharedClaim>,
    ) -> Result<(), crate::SharedError> {
        let (answer, intent) = {
            let disk = self.machine.disk();
            (disk.answers[&key].clone(), disk.intents.get(&key).cloned())
        };
        let found = match (claim, intent) {
            (None, Some(intent)) => self.client.find_claim(&intent).await?,
            _ => None,
        };
        let claim = claim.or(found.as_ref());
        self.client.publish(key, &answer, claim).await.map(drop)
    }
}
