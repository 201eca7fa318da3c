//! Random numbers that a seed determines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A generator (`SplitMix64`) that many use. A clone is the same generator.
#[derive(Debug, Clone)]
pub(super) struct SharedRandom(Arc<Mutex<u64>>);

impl SharedRandom {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    pub(super) fn below(&self, end: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    pub(super) fn milliseconds(&self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }

    /// Returns whether something happens that happens once in `n` times.
    pub(super) fn once_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}
