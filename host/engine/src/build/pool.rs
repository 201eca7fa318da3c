//! Worker threads that run units. They only read; the scheduler writes what they hand back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::backlog::{self, Backlog};
use super::known_answers::{AnswerSource, KnownAnswers};
use super::layers::Roles;
use super::unit::{Job, RunEnd, RunOutcome, run_unit};
use synix_store::{Reader, StoreError};

/// Results of a chunk, or a part of them.
#[derive(Debug)]
struct PartialResults {
    results: Vec<RunOutcome>,
    bytes: usize,
    /// Whether the chunk is done.
    is_last: bool,
}

/// Worker threads with a queue of chunks.
#[derive(Debug)]
pub(super) struct Pool {
    chunks: Option<Sender<Vec<Job>>>,
    /// `None` from a worker that panicked.
    results: UnboundedReceiver<Option<PartialResults>>,
    /// What waits in `results`, and the part that was taken last.
    backlog: Arc<Backlog>,
    /// The bytes of that part: it is in memory until the next one is asked for.
    taken: usize,
    threads: Vec<JoinHandle<()>>,
    /// Chunks handed out whose results have not come back.
    outstanding: usize,
}

impl Pool {
    /// Starts `workers` threads, each with its own view of `reader`'s state.
    pub(super) fn start(
        workers: usize,
        source: &AnswerSource,
        reader: Option<&Reader>,
        roles: &Arc<Roles>,
    ) -> Result<Self, StoreError> {
        let (chunks, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let (sender, results) = unbounded_channel();
        let backlog = Arc::new(Backlog::new(backlog::MAX_BACKLOG_BYTES));
        // All workers together have at most half as much at hand as may wait.
        let part = backlog::MAX_BACKLOG_BYTES / (2 * workers.max(1));
        let mut threads = Vec::with_capacity(workers);
        for _ in 0..workers {
            let known = KnownAnswers {
                source: source.clone(),
                reader: reader.map(Reader::try_clone).transpose()?,
            };
            let (queue, sender, roles) = (Arc::clone(&queue), sender.clone(), Arc::clone(roles));
            let backlog = Arc::clone(&backlog);
            threads.push(std::thread::spawn(move || {
                let worker = Worker {
                    sender: ResultSender {
                        channel: sender,
                        backlog,
                    },
                    part,
                    roles: &roles,
                };
                run_worker(&worker, known, &queue);
            }));
        }
        Ok(Self {
            chunks: Some(chunks),
            results,
            backlog,
            taken: 0,
            threads,
            outstanding: 0,
        })
    }

    /// Returns how many chunks can be out at once: each thread has one to run and one to go on with.
    pub(super) fn capacity(&self) -> usize {
        (self.threads.len() * 2).max(1)
    }

    /// Says whether another chunk would keep a thread busy.
    pub(super) fn has_capacity(&self) -> bool {
        self.outstanding < self.capacity()
    }

    /// Says whether all results are back.
    pub(super) const fn is_idle(&self) -> bool {
        self.outstanding == 0
    }

    /// Hands out a chunk.
    pub(super) fn send(&mut self, chunk: Vec<Job>) {
        if let Some(chunks) = &self.chunks
            && chunks.send(chunk).is_ok()
        {
            self.outstanding += 1;
        }
    }

    /// Returns results of a chunk, in the order of its jobs; `None` when a thread is gone. Loses nothing when dropped.
    ///
    /// What was returned before is taken to be written: from here on the workers have its room.
    pub(super) async fn next_results(&mut self) -> Option<Vec<RunOutcome>> {
        self.backlog.remove(std::mem::take(&mut self.taken));
        let partial = self.results.recv().await.flatten()?;
        self.taken = partial.bytes;
        if partial.is_last {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
        Some(partial.results)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.chunks = None;
        // Chunks that nobody waits for are not run.
        self.results.close();
        self.backlog.close();
        for thread in self.threads.drain(..) {
            // A worker that panicked has nothing left to hand back.
            let _ = thread.join();
        }
    }
}

fn run_worker(worker: &Worker<'_>, mut known: KnownAnswers, queue: &Mutex<Receiver<Vec<Job>>>) {
    loop {
        let chunk = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = chunk else { return };
        // A thread that died in silence would let the build wait for ever.
        match catch_unwind(AssertUnwindSafe(|| worker.run(chunk, known))) {
            Ok(Some(back)) => known = back,
            Ok(None) => return,
            Err(_) => {
                let _ = worker.sender.channel.send(None);
                return;
            }
        }
    }
}

/// Where a worker hands results over.
struct ResultSender {
    channel: UnboundedSender<Option<PartialResults>>,
    backlog: Arc<Backlog>,
}

impl ResultSender {
    /// Hands over what a worker has, once there is room for it; `false`: nobody wants it.
    fn send(&self, results: Vec<RunOutcome>, bytes: usize, is_last: bool) -> bool {
        let partial = PartialResults {
            results,
            bytes,
            is_last,
        };
        self.backlog.add(bytes) && self.channel.send(Some(partial)).is_ok()
    }
}

struct Worker<'w> {
    sender: ResultSender,
    /// Results of so many bytes are handed over before the chunk is done.
    part: usize,
    roles: &'w Arc<Roles>,
}

impl Worker<'_> {
    /// Runs a chunk and hands its results over; `None`: nobody wants them any more.
    fn run(&self, chunk: Vec<Job>, mut known: KnownAnswers) -> Option<KnownAnswers> {
        let (mut results, mut bytes) = (Vec::new(), 0_usize);
        for job in chunk {
            if self.sender.channel.is_closed() {
                return None;
            }
            let outcome;
            (outcome, known) = run_unit(job, self.roles, known);
            // All that follow would be stopped, too.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(most: usize) -> (Pool, ResultSender) {
        let (sender, results) = unbounded_channel();
        let backlog = Arc::new(Backlog::new(most));
        let pool = Pool {
            chunks: None,
            results,
            backlog: Arc::clone(&backlog),
            taken: 0,
            threads: Vec::new(),
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

    /// W18: what was handed over counts until the writer asks for more, and a chunk is out until its last part.
    #[tokio::test]
    async fn a_part_counts_until_it_is_written() {
        let (mut pool, sender) = pool(10);
        assert!(sender.send(Vec::new(), 4, false) && sender.send(Vec::new(), 6, true));
        assert_eq!(sender.backlog.waiting(), 10);
        assert!(pool.next_results().await.is_some());
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (10, false));
        assert!(pool.next_results().await.is_some());
        assert_eq!((sender.backlog.waiting(), pool.is_idle()), (6, true));
    }

    /// A worker that waits for room would keep the build from ending.
    #[test]
    fn a_worker_waits_for_nobody_when_the_pool_is_gone() {
        let (pool, sender) = pool(10);
        assert!(sender.send(Vec::new(), 10, false));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| sender.send(Vec::new(), 10, true));
            drop(pool);
            assert!(!waits.join().unwrap());
        });
    }
}
