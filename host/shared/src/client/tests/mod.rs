//! Tests the client with a store in memory and a clock that the test moves.

mod answers;
mod claims;
mod heartbeats;

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use serde_json::Map;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Usage};

use super::*;
use crate::MemoryObjects;

const LEASE: Duration = Duration::from_secs(60);

/// A clock that only the test moves; nobody is woken.
#[derive(Debug, Default)]
struct Hands(Mutex<Duration>);

impl Hands {
    fn advance(&self, by: Duration) {
        *lock(&self.0) += by;
    }
}

impl Monotonic for Hands {
    fn now(&self) -> Duration {
        *lock(&self.0)
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(pending())
    }
}

/// Runs a future that never has to wait, because the store is in memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

struct Bench {
    store: Arc<MemoryObjects>,
    next: AtomicU64,
    clock: Arc<Hands>,
}

impl Bench {
    fn new() -> Self {
        Self {
            store: Arc::default(),
            next: AtomicU64::default(),
            clock: Arc::default(),
        }
    }

    fn client(&self, label: &str) -> SharedAnswers {
        self.open(label, false)
    }

    fn open(&self, label: &str, read_only: bool) -> SharedAnswers {
        let settings = SharedSettings {
            name: "memory".to_owned(),
            namespace: "default".to_owned(),
            read_only,
            lease: LEASE,
            holder_label: label.to_owned(),
        };
        SharedAnswers::with_clock(self.store.clone(), settings, self.clock.clone()).unwrap()
    }

    /// Returns a number that no path of the store has.
    fn unused_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn paths(&self) -> Vec<String> {
        let infos = now(self.store.list("v1/")).unwrap();
        infos.into_iter().map(|info| info.path).collect()
    }

    fn claims(&self) -> usize {
        let is_claim = |path: &&String| path.contains("/claims/");
        self.paths().iter().filter(is_claim).count()
    }
}

fn key() -> RequestKey {
    RequestKey(Digest::of(b"q"))
}

fn answer(text: &str, ending: Ending) -> SharedAnswer {
    SharedAnswer {
        answer: Answer {
            text: text.to_owned(),
            ending,
            model: "m-1".to_owned(),
            usage: Usage::default(),
            details: Map::new(),
        },
        provider: "openai".to_owned(),
        model: "m".to_owned(),
        batch: None,
        time: Timestamp(1000),
    }
}

fn complete(text: &str) -> SharedAnswer {
    answer(text, Ending::Complete)
}

/// The intent of a client, which is always the same.
fn intent(client: &SharedAnswers) -> ClaimIntent {
    ClaimIntent {
        key: key(),
        nonce: client.settings().holder_label.clone(),
        earlier: Vec::new(),
    }
}

fn obtain(client: &SharedAnswers) -> Obtained {
    now(client.obtain(&intent(client), false, ClaimMode::Call)).unwrap()
}

fn claim(client: &SharedAnswers) -> SharedClaim {
    let obtained = obtain(client);
    let Obtained::Claimed(claim) = obtained else {
        panic!("{obtained:?}")
    };
    claim
}
