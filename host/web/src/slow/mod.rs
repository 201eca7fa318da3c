//! Values that may take long to compute, such as a plan: a page waits for them a little, and otherwise shows the last
//! one with its age.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The number of values that are kept, and of those that are computed at a time.
const MAX_KEPT: usize = 64;
const MAX_RUNNING: usize = 4;
/// A value is computed at most in a fifth of the time, so that a page that is open does not slow down a build.
const SPACING: u32 = 4;
/// A value that took less may be computed for each page.
const QUICK: Duration = Duration::from_millis(500);

/// A value with its age.
#[derive(Debug)]
pub(crate) struct Aged<V> {
    pub(crate) value: Arc<V>,
    /// How old it is, if something may have changed since it was computed.
    pub(crate) age: Option<Duration>,
}

/// Computed values by key. All clones share them.
#[derive(Debug)]
pub(crate) struct Slow<K, V> {
    shared: Arc<Shared<K, V>>,
}

#[derive(Debug)]
struct Shared<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Entry<V> {
    last: Option<Done<V>>,
    /// When the computation that runs now began.
    running: Option<Instant>,
}

#[derive(Debug)]
struct Done<V> {
    value: Arc<V>,
    /// The version of the state before the computation.
    version: u64,
    began: Instant,
    ended: Instant,
}

impl<V> Done<V> {
    /// Returns whether the value is to be computed again for somebody who wants `version` and `max_age`.
    fn is_outdated(&self, version: u64, max_age: Duration, now: Instant) -> bool {
        let took = self.ended.duration_since(self.began);
        let age = now.duration_since(self.ended);
        let is_old = self.version != version || age > max_age;
        is_old && (took < QUICK || age > took * SPACING)
    }
}

/// What a page wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The version of what the value depends on.
    pub(crate) version: u64,
    /// The age from which the value may be wrong all the same.
    pub(crate) max_age: Duration,
    /// How long the page waits for a new value.
    pub(crate) patience: Duration,
}

impl<K: Eq + Hash + Clone + Send + 'static, V: Send + Sync + 'static> Slow<K, V> {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            entries: Mutex::new(HashMap::new()),
            changed: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Returns the value of a key; `None` if there is none yet.
    pub(crate) fn get(
        &self,
        key: &K,
        wanted: Wanted,
        compute: impl FnOnce() -> V + Send + 'static,
    ) -> Option<Aged<V>> {
        let asked = Instant::now();
        let mut entries = self.lock();
        if !entries.contains_key(key) && entries.len() >= MAX_KEPT {
            // Values are small, and whoever reads that many pages does not come back to the first.
            entries.retain(|_, entry| entry.running.is_some());
        }
        let running = entries.values().filter(|one| one.running.is_some()).count();
        let entry = entries.entry(key.clone()).or_insert(Entry {
            last: None,
            running: None,
        });
        let outdated = |entry: &Entry<V>| {
            let last = entry.last.as_ref();
            last.is_none_or(|last| last.is_outdated(wanted.version, wanted.max_age, asked))
        };
        let is_outdated = outdated(entry);
        if is_outdated && entry.running.is_none() && running < MAX_RUNNING {
            entry.running = Some(asked);
            drop(entries);
            self.start(key.clone(), wanted.version, compute);
            entries = self.lock();
        }
        // What is not outdated is there, and nobody waits for it.
        let patience = if is_outdated {
            wanted.patience
        } else {
            Duration::ZERO
        };
        while let Some(entry) = entries.get(key) {
            let left = patience.checked_sub(asked.elapsed());
            let is_new = entry.last.as_ref().is_some_and(|last| last.began >= asked);
            let (Some(left), false, Some(_)) = (left, is_new, entry.running) else {
                break;
            };
            let waited = self.shared.changed.wait_timeout(entries, left);
            entries = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let last = entries.get(key)?.last.as_ref()?;
        let is_current = last.began >= asked || !is_outdated && last.version == wanted.version;
        Some(Aged {
            value: Arc::clone(&last.value),
            age: (!is_current).then(|| last.began.elapsed()),
        })
    }

    fn start(&self, key: K, version: u64, compute: impl FnOnce() -> V + Send + 'static) {
        // If there is no thread for the work, it is dropped, and with it this value.
        let mut running = Running {
            shared: Arc::clone(&self.shared),
            key,
        };
        let work = move || {
            let began = Instant::now();
            let value = Arc::new(compute());
            running.finish(Done {
                value,
                version,
                began,
                ended: Instant::now(),
            });
        };
        let name = "synix-web-slow".to_owned();
        let _ = thread::Builder::new().name(name).spawn(work);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        self.shared.lock()
    }
}

impl<K, V> Shared<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a computation has ended when it is dropped, also by a panic.
struct Running<K: Eq + Hash, V> {
    shared: Arc<Shared<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Running<K, V> {
    fn finish(&mut self, done: Done<V>) {
        if let Some(entry) = self.shared.lock().get_mut(&self.key) {
            entry.last = Some(done);
        }
    }
}

impl<K: Eq + Hash, V> Drop for Running<K, V> {
    fn drop(&mut self) {
        if let Some(entry) = self.shared.lock().get_mut(&self.key) {
            entry.running = None;
        }
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
