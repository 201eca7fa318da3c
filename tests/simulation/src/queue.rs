//! Something that does so much in a second and lets the rest wait.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A server with a fixed rate and a queue, in virtual time.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The time for one; `None`: there is no limit.
    each: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: Instant,
    count: u64,
    longest: Duration,
    /// The second that is counted now, since `started`, and its count.
    second: (u64, u64),
    busiest: u64,
    started: Instant,
}

impl Queue {
    /// Returns a queue that serves `per_second`. Must be called within the runtime, whose time is virtual.
    pub(crate) fn new(per_second: Option<f64>) -> Self {
        let now = Instant::now();
        Self {
            each: per_second.map(|rate| Duration::from_secs_f64(1.0 / rate)),
            state: Mutex::new(State {
                free: now,
                count: 0,
                longest: Duration::ZERO,
                second: (0, 0),
                busiest: 0,
                started: now,
            }),
        }
    }

    /// Joins the queue and waits for its turn.
    pub(crate) async fn turn(&self) {
        let turn = self.join();
        tokio::time::sleep_until(turn).await;
    }

    /// Joins the queue and returns when it is served.
    pub(crate) fn join(&self) -> Instant {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = state.free.max(now);
        state.free = turn + self.each.unwrap_or_default();
        state.count += 1;
        state.longest = state.longest.max(turn - now);
        let second = (turn - state.started).as_secs();
        if state.second.0 == second {
            state.second.1 += 1;
        } else {
            state.second = (second, 1);
        }
        state.busiest = state.busiest.max(state.second.1);
        turn
    }

    /// Returns how many were served.
    pub(crate) fn count(&self) -> u64 {
        self.read(|state| state.count)
    }

    /// Returns the longest time that one waited.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.read(|state| state.longest)
    }

    /// Returns how many were served in the busiest second.
    pub(crate) fn busiest_second(&self) -> u64 {
        self.read(|state| state.busiest)
    }

    fn read<T>(&self, what: impl FnOnce(&State) -> T) -> T {
        what(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_exceeds_the_rate_waits() {
        let queue = Queue::new(Some(10.0));
        let started = Instant::now();
        for _ in 0..21 {
            queue.turn().await;
        }
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        assert_eq!((queue.count(), queue.busiest_second()), (21, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nobody_waits() {
        let queue = Queue::new(None);
        for _ in 0..1000 {
            assert_eq!(queue.join(), Instant::now());
        }
        assert_eq!(queue.longest_wait(), Duration::ZERO);
    }
}
