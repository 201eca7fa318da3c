//! Units that settled and were not reported yet. The build adds to it and never waits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The maximum size of the names in a queue. More units than that are lost.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A unit by the position of its layer and its key.
pub(crate) type SettledUnit = (usize, String);

/// A queue of settled units with a limit.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    units: VecDeque<SettledUnit>,
    bytes: usize,
    lost: u64,
    is_closed: bool,
}

impl Queue {
    /// Adds a unit, or counts it as lost if the queue is full.
    pub(crate) fn add(&self, layer: usize, key: &str) {
        let mut state = self.lock();
        let bytes = size(key);
        if state.bytes.saturating_add(bytes) > MAX_BYTES {
            state.lost += 1;
            return;
        }
        state.bytes += bytes;
        state.units.push_back((layer, key.to_owned()));
    }

    /// Returns a unit that cannot be reported yet to the front.
    pub(crate) fn give_back(&self, unit: SettledUnit) {
        let mut state = self.lock();
        state.bytes += size(&unit.1);
        state.units.push_front(unit);
    }

    /// Takes up to `limit` units.
    pub(crate) fn take(&self, limit: usize) -> Vec<SettledUnit> {
        let mut state = self.lock();
        let count = limit.min(state.units.len());
        let taken: Vec<_> = state.units.drain(..count).collect();
        state.bytes -= taken.iter().map(|(_, key)| size(key)).sum::<usize>();
        taken
    }

    /// Returns how many units were lost because the queue was full, and counts from zero again.
    pub(crate) fn take_lost(&self) -> u64 {
        std::mem::take(&mut self.lock().lost)
    }

    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Waits until the queue is closed, at most this long. Returns whether it is.
    pub(crate) fn wait_until_closed(&self, at_most: Duration) -> bool {
        let state = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(state, at_most, |state| !state.is_closed);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what a unit with this key takes.
const fn size(key: &str) -> usize {
    key.len() + size_of::<SettledUnit>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_counts_what_it_loses() {
        let queue = Queue::default();
        let key = "k".repeat(1024 * 1024);
        for _ in 0..10 {
            queue.add(0, &key);
        }
        assert_eq!(queue.take_lost(), 3);
        assert_eq!(queue.take(usize::MAX).len(), 7);
        queue.add(1, "a");
        assert_eq!(queue.take(5), [(1, "a".to_owned())]);
        assert_eq!(queue.take_lost(), 0);
    }

    #[test]
    fn a_unit_that_is_given_back_comes_first() {
        let queue = Queue::default();
        queue.add(0, "a");
        queue.add(0, "b");
        let first = queue.take(1).remove(0);
        queue.give_back(first);
        let keys: Vec<_> = queue.take(2).into_iter().map(|(_, key)| key).collect();
        assert_eq!(keys, ["a", "b"]);
    }
}
