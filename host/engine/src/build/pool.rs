//! Threads that run units, or have them run on other machines. They only read; the scheduler writes their results.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::backlog::{self, Backlog};
use super::held_runs::HeldRuns;
use super::known_answers::KnownAnswers;
use super::layers::Roles;
use super::remote::RemoteUnits;
use super::unit::{Job, RunEnd, RunOutcome, run_unit};
use synix_store::StoreError;

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

/// A report of a thread.
#[derive(Debug)]
enum ThreadReport {
    /// The results of a chunk, or a part of them.
    Results {
        results: Vec<RunOutcome>,
        bytes: usize,
        /// Whether this is the last part of the chunk.
        is_last: bool,
    },
    EngineWaits {
        url: String,
        reason: String,
    },
    Panicked,
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
    /// The size of the parts in `reports` and of the part that was taken last.
    backlog: Arc<Backlog>,
    /// The size of the part that was taken last: it is in memory until the next one is taken.
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
        Some(match self.reports.recv().await? {
            ThreadReport::Results {
                results,
                bytes,
                is_last,
            } => {
                self.taken = bytes;
                if is_last {
                    self.outstanding = self.outstanding.saturating_sub(1);
                }
                PoolReport::Results(results)
            }
            ThreadReport::EngineWaits { url, reason } => PoolReport::EngineWaits { url, reason },
            ThreadReport::Panicked => return None,
        })
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

fn run_thread(thread: &PoolThread<'_>, mut known: KnownAnswers, queue: &Mutex<Receiver<Vec<Job>>>) {
    loop {
        let chunk = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = chunk else { return };
        // The build would wait forever for a thread that ended silently.
        match catch_unwind(AssertUnwindSafe(|| thread.run(chunk, known))) {
            Ok(Some(back)) => known = back,
            Ok(None) => return,
            Err(_) => {
                let _ = thread.sender.channel.send(ThreadReport::Panicked);
                return;
            }
        }
    }
}

/// Sends the results of a thread to the scheduler.
pub(super) struct ResultSender {
    channel: UnboundedSender<ThreadReport>,
    backlog: Arc<Backlog>,
}

impl ResultSender {
    /// Sends results once they fit into the backlog; `false`: the pool is gone.
    pub(super) fn send(&self, results: Vec<RunOutcome>, bytes: usize, is_last: bool) -> bool {
        let report = ThreadReport::Results {
            results,
            bytes,
            is_last,
        };
        self.backlog.add(bytes) && self.channel.send(report).is_ok()
    }

    /// Reports that units wait for an engine.
    pub(super) fn engine_waits(&self, url: &str, reason: String) {
        let url = url.to_owned();
        // Nobody is waiting once the pool is gone.
        let _ = self.channel.send(ThreadReport::EngineWaits { url, reason });
    }
}

struct PoolThread<'w> {
    sender: ResultSender,
    /// Results of this size are sent before the chunk is done.
    part: usize,
    roles: &'w Arc<Roles>,
    held: &'w HeldRuns,
    /// `None`: the units run on this thread.
    remote: Option<&'w RemoteUnits>,
}

impl PoolThread<'_> {
    /// Runs a chunk and sends its results; `None`: the pool is gone.
    fn run(&self, chunk: Vec<Job>, mut known: KnownAnswers) -> Option<KnownAnswers> {
        if let Some(remote) = self.remote {
            let is_sent = remote.run(chunk, self.roles, &known, &self.sender);
            return is_sent.map(|()| known);
        }
        let (mut results, mut bytes) = (Vec::new(), 0_usize);
        for job in chunk {
            if self.sender.channel.is_closed() {
                return None;
            }
            let outcome;
            (outcome, known) = run_unit(job, self.roles, known, self.held);
            // All further jobs would be stopped, too.
            let is_interrupted = matches!(outcome.end, RunEnd::Interrupted);
            bytes = bytes.saturating_add(backlog::estimated_size(&outcome));
            results.push(outcome);
            if is_interrupted {
                break;
            }
            if bytes >= self.part {
                if !self.sender.send(std::mem::take(&mut results), bytes, false) {
                    return None;
                }
                bytes = 0;
            }
        }
        self.sender.send(results, bytes, true).then_some(known)
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

    /// W18: a part counts until the writer takes the next one, and a chunk is outstanding until its last part.
    #[tokio::test]
    async fn a_part_counts_until_it_is_written() {
        let (mut pool, sender) = without_threads(10);
        assert!(sender.send(Vec::new(), 4, false) && sender.send(Vec::new(), 6, true));
        assert_eq!(sender.backlog.waiting(), 10);
        assert!(pool.next_report().await.is_some());
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (10, false));
        assert!(pool.next_report().await.is_some());
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (6, true));
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
