//! The heartbeats of all processes, as somebody who looks all the time sees them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::team::{TeamStore, wait};

/// Nobody takes a holder for dead whose heartbeats have shorter gaps: the fastest clock is one eighth too fast.
const SILENCE: Duration = Duration::from_millis(5_200);

/// The newest heartbeat of each process, as somebody who looks all the time sees it.
#[derive(Debug, Default)]
pub(super) struct Heartbeats(Mutex<BTreeMap<String, Seen>>);

#[derive(Debug)]
struct Seen {
    path: String,
    at: Instant,
    longest: Duration,
}

impl Heartbeats {
    pub(super) fn watch(&self, store: &TeamStore, is_over: &AtomicBool) {
        let objects = store.open();
        while !is_over.load(Ordering::SeqCst) {
            let prefix = format!("v1/{}/holders/", store.namespace);
            // A fault of the connection makes a process look silent, which is only less strict.
            let infos = wait(objects.list(&prefix)).unwrap_or_default();
            let now = Instant::now();
            let mut seen = self.0.lock().unwrap();
            for info in infos {
                let Some(process) = process_of(&info.path) else {
                    continue;
                };
                let first = || Seen {
                    path: info.path.clone(),
                    at: now,
                    longest: Duration::ZERO,
                };
                let known = seen.entry(process.to_owned()).or_insert_with(first);
                if known.path < info.path {
                    known.longest = known.longest.max(now - known.at);
                    known.at = now;
                    known.path = info.path;
                }
            }
            drop(seen);
            std::thread::park_timeout(Duration::from_millis(30));
        }
    }

    /// Returns whether a process that has ended just now was silent for so long that others may take it for dead.
    pub(super) fn was_silent(&self, process: u32) -> bool {
        let seen = self.0.lock().unwrap();
        let seen = seen.get(&process.to_string());
        seen.is_some_and(|seen| seen.longest.max(seen.at.elapsed()) >= SILENCE)
    }
}

/// Returns the process in the id of a holder.
fn process_of(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("-process-")?;
    rest.split('-').next()
}
