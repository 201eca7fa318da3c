//! The turns that run in this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use synix_project::StopTokens;

/// The turns that run, by the keys of their jobs.
#[derive(Debug, Default)]
pub(crate) struct RunningTurns {
    turns: Mutex<HashMap<String, Arc<Turn>>>,
    ended: Condvar,
}

/// A turn that runs.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) tokens: StopTokens,
    is_cancelled: AtomicBool,
}

/// A turn that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct TurnGuard<'r> {
    running: &'r RunningTurns,
    key: String,
    pub(crate) turn: Arc<Turn>,
}

impl Turn {
    /// Returns whether a user has cancelled the build.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }
}

impl RunningTurns {
    /// Begins a turn of a job. The server may repeat a turn that still runs, because it lost the connection: the second
    /// one waits for the first.
    pub(crate) fn begin(&self, key: &str, process: &StopTokens) -> TurnGuard<'_> {
        let mut turns = self.lock();
        while turns.contains_key(key) {
            turns = self
                .ended
                .wait(turns)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let turn = Arc::new(Turn {
            tokens: StopTokens {
                stop: process.stop.child_token(),
                leave: process.leave.child_token(),
            },
            is_cancelled: AtomicBool::new(false),
        });
        turns.insert(key.to_owned(), Arc::clone(&turn));
        TurnGuard {
            running: self,
            key: key.to_owned(),
            turn,
        }
    }

    /// Stops the turn of a job, if one runs, and waits for its end. Calls in flight are answered and recorded.
    pub(crate) fn cancel(&self, key: &str) {
        let mut turns = self.lock();
        while let Some(turn) = turns.get(key) {
            turn.is_cancelled.store(true, Ordering::Release);
            turn.tokens.stop.cancel();
            turns = self
                .ended
                .wait(turns)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.key);
        self.running.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_turn_is_told_and_waited_for() {
        let running = RunningTurns::default();
        let process = StopTokens::default();
        let guard = running.begin("notes/job-1", &process);
        let turn = Arc::clone(&guard.turn);
        std::thread::scope(|scope| {
            let cancelling = scope.spawn(|| running.cancel("notes/job-1"));
            while !turn.tokens.stop.is_cancelled() {
                std::thread::yield_now();
            }
            assert!(turn.is_cancelled() && !turn.tokens.leave.is_cancelled());
            assert!(!cancelling.is_finished(), "the turn still runs");
            drop(guard);
        });
        // Neither another turn nor the process is stopped.
        assert!(!process.stop.is_cancelled());
        let next = running.begin("notes/job-1", &process);
        assert!(!next.turn.is_cancelled() && !next.turn.tokens.stop.is_cancelled());
        // There is nothing to wait for.
        running.cancel("notes/job-2");
    }

    #[test]
    fn a_repeated_turn_waits_for_the_first() {
        let running = RunningTurns::default();
        let process = StopTokens::default();
        let first = running.begin("notes/job-1", &process);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| drop(running.begin("notes/job-1", &process)));
            // Another job does not wait.
            drop(running.begin("notes/job-2", &process));
            assert!(!second.is_finished());
            drop(first);
        });
    }

    #[test]
    fn a_stopped_process_stops_its_turns_without_cancelling_builds() {
        let running = RunningTurns::default();
        let process = StopTokens::default();
        let guard = running.begin("notes/job-1", &process);
        process.stop.cancel();
        assert!(guard.turn.tokens.stop.is_cancelled() && !guard.turn.is_cancelled());
        process.leave.cancel();
        assert!(guard.turn.tokens.leave.is_cancelled());
    }
}
