//! A simulated provider with a rate limit for the whole account, and the record of what it billed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::queue::Queue;
use crate::random::Random;

/// A provider in virtual time. A request that exceeds the rate waits, as clients do after a reply with status 429.
#[derive(Debug)]
pub(crate) struct SimulatedProvider {
    pub(crate) queue: Queue,
    median: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    /// How often each request was billed.
    billed: HashMap<u64, u32>,
}

impl SimulatedProvider {
    pub(crate) fn new(per_second: Option<f64>, median: Duration, random: Random) -> Self {
        Self {
            queue: Queue::new(per_second),
            median,
            state: Mutex::new(State {
                random,
                billed: HashMap::new(),
            }),
        }
    }

    /// Answers a request. It is billed when it is served, whether or not somebody receives the answer.
    pub(crate) async fn ask(&self, request: u64) {
        self.queue.turn().await;
        let time = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            *state.billed.entry(request).or_default() += 1;
            state.random.log_normal(self.median, 0.6)
        };
        tokio::time::sleep(time).await;
    }

    /// Returns how many requests were billed at least once, and how many times one was billed again.
    pub(crate) fn billed(&self) -> (u64, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let again = state.billed.values().map(|times| u64::from(times - 1));
        (state.billed.len() as u64, again.sum())
    }
}
