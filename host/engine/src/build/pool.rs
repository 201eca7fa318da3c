//! Threads that run units, or have them run on other machines. They only read; the scheduler writes their results.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::backlog::{self, Backlog};
use super::held_runs::HeldRuns;
use super::known_answers::KnownAnswers;
use super::layers::Roles;
use super::pool_thread::{PoolThread, ResultPart, ResultSender, ThreadReport, run_thread};
use super::remote::RemoteUnits;
use super::unit::{Job, RunOutcome};
use synix_store::StoreError;

/// The number of results from which no more are taken at once: other processes wait for the transaction.
const MAX_RESULTS: usize = 1024;

/// What a pool reports.
#[derive(Debug)]
pub(super) enum PoolReport {
    /// Results of a chunk, in the order of its jobs if they ran here.
    Results(Vec<RunOutcome>),
    /// Units wait for an engine that cannot be reached.
    EngineWaits {
        /// The URL of the engine.
        url: String,
        /// Why the last call failed.
        reason: String,
    },
}

/// Where the units of a pool run.
#[derive(Debug)]
pub(super) enum Machines {
    /// On this one, with this number of threads.
    This(usize),
    /// On those of an engine.
    Others(Arc<RemoteUnits>),
}

/// Threads with a queue of chunks.
#[derive(Debug)]
pub(super) struct Pool {
    chunks: Option<Sender<Vec<Job>>>,
    reports: UnboundedReceiver<ThreadReport>,
    /// A report that was received together with results, and comes after them.
    postponed: Option<ThreadReport>,
    /// The size of the parts in `reports` and of those that were taken last.
    backlog: Arc<Backlog>,
    /// The size of the parts that were taken last: they are in memory until the next call.
    taken: usize,
    threads: Vec<JoinHandle<()>>,
    /// The calls that end with the pool.
    remote: Option<Arc<RemoteUnits>>,
    /// The number of chunks without complete results.
    outstanding: usize,
}

impl Pool {
    /// Starts the threads, each with its own reader of the state.
    pub(super) fn start(
        machines: Machines,
        known: &KnownAnswers,
        roles: &Arc<Roles>,
    ) -> Result<Self, StoreError> {
        let (count, remote) = match machines {
            Machines::This(threads) => (threads, None),
            Machines::Others(remote) => (remote.concurrency(), Some(remote)),
        };
        let (chunks, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let (sender, reports) = unbounded_channel();
        let backlog = Arc::new(Backlog::new(backlog::MAX_BACKLOG_BYTES));
        // All threads together hold at most half of the backlog's limit.
        let part = backlog::MAX_BACKLOG_BYTES / (2 * count.max(1));
        let held = Arc::new(HeldRuns::default());
        let mut threads = Vec::with_capacity(count);
        for _ in 0..count {
            let known = known.try_clone()?;
            let (queue, sender, roles) = (Arc::clone(&queue), sender.clone(), Arc::clone(roles));
            let (backlog, held) = (Arc::clone(&backlog), Arc::clone(&held));
            let remote = remote.clone();
            threads.push(std::thread::spawn(move || {
                let thread = PoolThread {
                    sender: ResultSender {
                        channel: sender,
                        backlog,
                    },
                    part,
                    roles: &roles,
                    held: &held,
                    remote: remote.as_deref(),
                };
                run_thread(&thread, known, &queue);
            }));
        }
        Ok(Self {
            chunks: Some(chunks),
            reports,
            postponed: None,
            backlog,
            taken: 0,
            threads,
            remote,
            outstanding: 0,
        })
    }

    /// Returns the maximum number of outstanding chunks: each thread runs one and has one queued.
    pub(super) fn capacity(&self) -> usize {
        (self.threads.len() * 2).max(1)
    }

    /// Returns whether another chunk may be sent.
    pub(super) fn has_capacity(&self) -> bool {
        self.outstanding < self.capacity()
    }

    /// Returns whether no chunk is outstanding.
    pub(super) const fn is_idle(&self) -> bool {
        self.outstanding == 0
    }

    /// Sends a chunk to the threads.
    pub(super) fn send(&mut self, chunk: Vec<Job>) {
        if let Some(chunks) = &self.chunks
            && chunks.send(chunk).is_ok()
        {
            self.outstanding += 1;
        }
    }

    /// Returns the next report; `None` if a thread panicked. Cancel-safe.
    ///
    /// The results that were returned before count as written, so they are removed from the backlog.
    pub(super) async fn next_report(&mut self) -> Option<PoolReport> {
        self.backlog.remove(std::mem::take(&mut self.taken));
        let first = match self.postponed.take() {
            Some(report) => report,
            None => self.reports.recv().await?,
        };
        // Nothing awaits from here on.
        match first {
            ThreadReport::Results(part) => {
                let mut results = self.take_part(part);
                // One transaction for all of them writes each page of the database once.
                while results.len() < MAX_RESULTS
                    && let Ok(next) = self.reports.try_recv()
                {
                    match next {
                        ThreadReport::Results(part) => results.extend(self.take_part(part)),
                        other @ (ThreadReport::EngineWaits { .. } | ThreadReport::Panicked) => {
                            self.postponed = Some(other);
                            break;
                        }
                    }
                }
                Some(PoolReport::Results(results))
            }
            ThreadReport::EngineWaits { url, reason } => {
                Some(PoolReport::EngineWaits { url, reason })
            }
            ThreadReport::Panicked => None,
        }
    }

    fn take_part(&mut self, part: ResultPart) -> Vec<RunOutcome> {
        self.taken += part.bytes;
        if part.is_last {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
        part.results
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.chunks = None;
        // Chunks without a receiver are not run.
        self.reports.close();
        if let Some(remote) = &self.remote {
            remote.cancel();
        }
        self.backlog.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has no results.
            let _ = thread.join();
        }
    }
}

/// Returns a pool without threads, whose backlog has at most so many bytes, and what its threads send results with.
#[cfg(test)]
pub(super) fn without_threads(most: usize) -> (Pool, ResultSender) {
    let (sender, reports) = unbounded_channel();
    let backlog = Arc::new(Backlog::new(most));
    let pool = Pool {
        chunks: None,
        reports,
        backlog: Arc::clone(&backlog),
        postponed: None,
        taken: 0,
        threads: Vec::new(),
        remote: None,
        outstanding: 1,
    };
    (
        pool,
        ResultSender {
            channel: sender,
            backlog,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::unit::RunEnd;

    /// W18: a part counts until the writer takes the next one, and a chunk is outstanding until its last part.
    #[tokio::test]
    async fn a_part_counts_until_it_is_written() {
        let (mut pool, sender) = without_threads(10);
        assert!(sender.send(Vec::new(), 4, false));
        assert!(pool.next_report().await.is_some());
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (4, false));
        assert!(sender.send(Vec::new(), 6, true));
        assert!(pool.next_report().await.is_some());
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (6, true));
    }

    fn interrupted(unit: usize) -> RunOutcome {
        RunOutcome {
            unit,
            first: 0,
            end: RunEnd::Interrupted,
            requests: Vec::new(),
            repairs: 0,
            unasked: Vec::new(),
            roles: Vec::new(),
        }
    }

    fn units(report: Option<PoolReport>) -> Vec<usize> {
        match report {
            Some(PoolReport::Results(results)) => results.iter().map(|one| one.unit).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// One transaction takes all of them. What is not a result is not lost.
    #[tokio::test]
    async fn the_parts_that_wait_are_taken_together_and_in_order() {
        let (mut pool, sender) = without_threads(10);
        assert!(sender.send(vec![interrupted(1), interrupted(2)], 4, false));
        assert!(sender.send(vec![interrupted(3)], 2, false));
        sender.engine_waits("http://localhost", "refused".to_owned());
        assert!(sender.send(vec![interrupted(4)], 3, true));
        assert_eq!(units(pool.next_report().await), [1, 2, 3]);
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (9, false));
        let waits = pool.next_report().await;
        assert!(
            matches!(&waits, Some(PoolReport::EngineWaits { reason, .. }) if reason == "refused")
        );
        assert_eq!(units(pool.next_report().await), [4]);
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (3, true));
    }

    #[tokio::test]
    async fn a_transaction_takes_so_many_results_at_most() {
        let (mut pool, sender) = without_threads(10);
        for unit in 0..MAX_RESULTS + 1 {
            assert!(sender.send(vec![interrupted(unit)], 0, false));
        }
        assert_eq!(units(pool.next_report().await).len(), MAX_RESULTS);
        assert_eq!(units(pool.next_report().await), [MAX_RESULTS]);
    }

    /// A waiting thread would keep the build from ending.
    #[test]
    fn a_thread_does_not_wait_after_the_pool_is_dropped() {
        let (pool, sender) = without_threads(10);
        assert!(sender.send(Vec::new(), 10, false));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| sender.send(Vec::new(), 10, true));
            drop(pool);
            assert!(!waits.join().unwrap());
        });
    }
}
