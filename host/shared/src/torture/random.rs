//! Random numbers that a seed determines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use synix_test_random::SeededRandom;

/// A generator that many use. A clone is the same generator.
#[derive(Debug, Clone)]
pub(super) struct SharedRandom(Arc<Mutex<SeededRandom>>);

impl SharedRandom {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(SeededRandom(seed))))
    }

    pub(super) fn below(&self, end: u64) -> u64 {
        self.0.lock().unwrap().below(end)
    }

    pub(super) fn milliseconds(&self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }

    /// Returns whether something happens that happens once in `n` times.
    pub(super) fn once_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}
