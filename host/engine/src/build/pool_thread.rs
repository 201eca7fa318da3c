//! The threads of a pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::backlog::{self, Backlog};
use super::held_runs::HeldRuns;
use super::known_answers::KnownAnswers;
use super::layers::Roles;
use super::remote::RemoteUnits;
use super::unit::{Job, RunEnd, RunOutcome, run_unit};

/// A report of a thread.
#[derive(Debug)]
pub(super) enum ThreadReport {
    Results(ResultPart),
    EngineWaits { url: String, reason: String },
    Panicked,
}

/// The results of a chunk, or a part of them.
#[derive(Debug)]
pub(super) struct ResultPart {
    pub(super) results: Vec<RunOutcome>,
    pub(super) bytes: usize,
    /// Whether this is the last part of the chunk.
    pub(super) is_last: bool,
}

pub(super) fn run_thread(
    thread: &PoolThread<'_>,
    mut known: KnownAnswers,
    queue: &Mutex<Receiver<Vec<Job>>>,
) {
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
    pub(super) channel: UnboundedSender<ThreadReport>,
    pub(super) backlog: Arc<Backlog>,
}

impl ResultSender {
    /// Sends results once they fit into the backlog; `false`: the pool is gone.
    pub(super) fn send(&self, results: Vec<RunOutcome>, bytes: usize, is_last: bool) -> bool {
        let report = ThreadReport::Results(ResultPart {
            results,
            bytes,
            is_last,
        });
        self.backlog.add(bytes) && self.channel.send(report).is_ok()
    }

    /// Reports that units wait for an engine.
    pub(super) fn engine_waits(&self, url: &str, reason: String) {
        let url = url.to_owned();
        // Nobody is waiting once the pool is gone.
        let _ = self.channel.send(ThreadReport::EngineWaits { url, reason });
    }
}

pub(super) struct PoolThread<'w> {
    pub(super) sender: ResultSender,
    /// Results of this size are sent before the chunk is done.
    pub(super) part: usize,
    pub(super) roles: &'w Arc<Roles>,
    pub(super) held: &'w HeldRuns,
    /// `None`: the units run on this thread.
    pub(super) remote: Option<&'w RemoteUnits>,
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
