//! Worker threads that run units. They are pure: they read, and hand back what they found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::layers::Roles;
use super::recall::{Known, Recall};
use super::unit::{Job, Ran, run};
use synix_store::{Reader, StoreError};

/// Worker threads with a queue of chunks.
#[derive(Debug)]
pub(super) struct Pool {
    chunks: Option<Sender<Vec<Job>>>,
    /// `None` from a worker that panicked.
    results: UnboundedReceiver<Option<Vec<Ran>>>,
    threads: Vec<JoinHandle<()>>,
    /// Chunks handed out whose results have not come back.
    outstanding: usize,
}

impl Pool {
    /// Starts `workers` threads, each with its own view of `reader`'s state.
    pub(super) fn start(
        workers: usize,
        known: &Known,
        reader: Option<&Reader>,
        roles: &Arc<Roles>,
    ) -> Result<Self, StoreError> {
        let (chunks, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let (sender, results) = unbounded_channel();
        let mut threads = Vec::with_capacity(workers);
        for _ in 0..workers {
            let recall = Recall {
                known: known.clone(),
                reader: reader.map(Reader::another).transpose()?,
            };
            let (queue, sender, roles) = (Arc::clone(&queue), sender.clone(), Arc::clone(roles));
            threads.push(std::thread::spawn(move || {
                work(&queue, &sender, &recall, &roles);
            }));
        }
        Ok(Self {
            chunks: Some(chunks),
            results,
            threads,
            outstanding: 0,
        })
    }

    /// Returns how many chunks can be out at once: each thread has one to run and one to go on with.
    pub(super) fn places(&self) -> usize {
        (self.threads.len() * 2).max(1)
    }

    /// Says whether another chunk would keep a thread busy.
    pub(super) fn has_room(&self) -> bool {
        self.outstanding < self.places()
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

    /// Returns the results of a chunk, in the order of its jobs; `None` when a thread is gone.
    pub(super) async fn results(&mut self) -> Option<Vec<Ran>> {
        let results = self.results.recv().await;
        self.outstanding = self.outstanding.saturating_sub(1);
        results.flatten()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.chunks = None;
        // Chunks that nobody waits for are not run.
        self.results.close();
        for thread in self.threads.drain(..) {
            // A worker that panicked has nothing left to hand back.
            let _ = thread.join();
        }
    }
}

fn work(
    queue: &Mutex<Receiver<Vec<Job>>>,
    sender: &UnboundedSender<Option<Vec<Ran>>>,
    recall: &Recall,
    roles: &Roles,
) {
    loop {
        let chunk = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = chunk else { return };
        let run_all = || {
            chunk
                .iter()
                .take_while(|_| !sender.is_closed())
                .map(|job| run(job, roles, recall))
                .collect()
        };
        // A thread that died in silence would let the build wait for ever.
        let results = catch_unwind(AssertUnwindSafe(run_all)).ok();
        let panicked = results.is_none();
        if sender.send(results).is_err() || panicked {
            return;
        }
    }
}
