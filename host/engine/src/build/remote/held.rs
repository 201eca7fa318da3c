//! The units that wait for answers between two chunks.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use super::run::RemoteRun;

/// The maximum size of all held units. If there are more, the oldest ends: its unit runs again from its start, and its
/// rounds are answered from the store.
const MAX_HELD_BYTES: usize = 64 << 20;

/// The held units of a pool.
#[derive(Debug)]
pub(super) struct HeldUnits {
    max_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// By the order in which they were held, with their size.
    runs: BTreeMap<u64, (RemoteRun, usize)>,
    /// The key in `runs`, by the number of the unit.
    by_unit: HashMap<usize, u64>,
    next: u64,
    bytes: usize,
}

impl Default for HeldUnits {
    fn default() -> Self {
        Self::with_limit(MAX_HELD_BYTES)
    }
}

impl HeldUnits {
    pub(super) fn with_limit(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            held: Mutex::default(),
        }
    }

    /// Removes and returns the run of a unit.
    pub(super) fn take(&self, unit: usize) -> Option<RemoteRun> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let key = held.by_unit.remove(&unit)?;
        let (run, size) = held.runs.remove(&key)?;
        held.bytes -= size;
        Some(run)
    }

    /// Holds the run of a unit.
    pub(super) fn hold(&self, run: RemoteRun) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = &mut *held;
        let size = run.size();
        held.next += 1;
        held.bytes += size;
        held.by_unit.insert(run.unit, held.next);
        held.runs.insert(held.next, (run, size));
        while held.bytes > self.max_bytes
            && let Some((_, (oldest, size))) = held.runs.pop_first()
        {
            held.by_unit.remove(&oldest.unit);
            held.bytes -= size;
        }
    }

    /// Returns how many units are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.runs.len()
    }
}
