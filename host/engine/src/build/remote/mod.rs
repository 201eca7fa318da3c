//! Runs the units of a pool on other machines.
//!
//! A thread of the pool turns its jobs into chunks, passes them to the engine, and applies the outcomes to the models of
//! the units. A guest is deterministic and a model is its only power, so the host keeps what answers: the [`UnitModel`],
//! and the list of rounds so far. A unit whose round is answered at once goes out again with the others of its chunk.
//! The scheduler does not know.
//!
//! [`UnitModel`]: super::unit_model::UnitModel

mod calls;
mod error;
mod held;
mod message;
mod report;
mod rounds;
mod run;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::BuildError;
use super::backlog::{MAX_BACKLOG_BYTES, estimated_size};
use super::known_answers::KnownAnswers;
use super::layers::Roles;
use super::pool_thread::ResultSender;
use super::unit::{Job, RunEnd, RunOutcome};
use calls::Calls;
use held::HeldUnits;
use message::MessageBuilder;
use run::{Advance, RemoteRun};
use synix_core::digest::Digest;
use synix_units::{EngineError, UnitEngine};

pub use error::{OutcomeError, UnitOutcomeError};

/// The minimum size of chunks and outcomes, if many threads share the memory.
const MIN_PART_BYTES: usize = 256 << 10;

/// The maximum size of a chunk, unless one unit is larger.
const MAX_CHUNK_BYTES: usize = 4 << 20;

/// The seconds after which a worker starts no further unit of a chunk. What a chunk has made by then is recorded soon,
/// and the rest of its units may go to another worker.
const CHUNK_SECONDS: u64 = 20;

/// Why a thread can run no further unit.
enum Stop {
    /// The build was interrupted.
    Cancelled,
    /// The build ends with this error.
    Fatal(Box<BuildError>),
}

impl From<BuildError> for Stop {
    fn from(error: BuildError) -> Self {
        Self::Fatal(Box::new(error))
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Cancelled => Self::Cancelled,
            error @ (EngineError::Unavailable { .. }
            | EngineError::Refused { .. }
            | EngineError::Content { .. }) => BuildError::Engine(error).into(),
        }
    }
}

/// The machines that run the units of a pool. Its threads share it.
#[derive(Debug)]
pub(super) struct RemoteUnits {
    calls: Calls,
    components: BTreeMap<Digest, Arc<[u8]>>,
    held: HeldUnits,
    /// The maximum size of a chunk or outcome of each thread.
    part_bytes: usize,
}

impl RemoteUnits {
    /// Holds units up to this size.
    #[cfg(test)]
    fn holding(self, max_bytes: usize) -> Self {
        Self {
            held: HeldUnits::with_limit(max_bytes),
            ..self
        }
    }

    /// Uses an engine until `cancelled`; `components` are those of the units.
    pub(super) fn new(
        engine: Arc<dyn UnitEngine>,
        components: BTreeMap<Digest, Arc<[u8]>>,
        cancelled: CancellationToken,
    ) -> Self {
        let threads = engine.concurrency().get();
        Self {
            calls: Calls::new(engine, cancelled),
            components,
            held: HeldUnits::default(),
            part_bytes: (MAX_BACKLOG_BYTES / (2 * threads)).max(MIN_PART_BYTES),
        }
    }

    /// Returns how many chunks may run at the same time.
    pub(super) fn concurrency(&self) -> usize {
        self.calls.concurrency()
    }

    /// Ends all calls, because nobody needs their results.
    pub(super) fn cancel(&self) {
        self.calls.cancel();
    }

    /// Runs units and sends their results; `None`: the pool is gone.
    pub(super) fn run(
        &self,
        jobs: Vec<Job>,
        roles: &Arc<Roles>,
        known: &KnownAnswers,
        sender: &ResultSender,
    ) -> Option<()> {
        let mut results = Results {
            sender,
            outcomes: Vec::new(),
            bytes: 0,
        };
        let mut ready = VecDeque::with_capacity(jobs.len());
        for job in jobs {
            let run = self.held.take(job.unit);
            let run = run.unwrap_or_else(|| RemoteRun::new(job, roles));
            self.advance(run, known, (&mut ready, &mut results));
        }
        while let Some(first) = ready.front() {
            let unit = first.unit;
            match self.exchange(known, &mut ready, &mut results) {
                Ok(()) => results.send(false)?,
                // All further units would be stopped, too.
                Err(Stop::Cancelled) => {
                    results.push(unfinished(unit, RunEnd::Interrupted));
                    break;
                }
                Err(Stop::Fatal(error)) => {
                    results.push(unfinished(unit, RunEnd::Fatal(error)));
                    break;
                }
            }
        }
        results.send(true)
    }

    /// Sends a chunk of the units that are ready, and applies its outcome.
    fn exchange(
        &self,
        known: &KnownAnswers,
        ready: &mut VecDeque<RemoteRun>,
        results: &mut Results<'_>,
    ) -> Result<(), Stop> {
        let waits = |url: &str, reason: String| results.sender.engine_waits(url, reason);
        let mut builder = MessageBuilder::new(self.part_bytes as u64, CHUNK_SECONDS);
        let mut sent = Vec::new();
        while let Some(mut run) = ready.pop_front() {
            builder.add(&mut run, known, (&self.components, &self.calls, &waits))?;
            sent.push(run);
            if builder.is_full(MAX_CHUNK_BYTES.min(self.part_bytes)) {
                break;
            }
        }
        let message = builder.finish();
        let ends = self.calls.run(&message, &waits)?;
        for (mut run, end) in sent.into_iter().zip(ends) {
            let applied = run.apply(end, known);
            match applied.map_err(|source| self.calls.unusable(of_unit(&run, source)))? {
                None => self.advance(run, known, (ready, results)),
                Some(RunEnd::Postponed) => {
                    results.push(unfinished(run.unit, RunEnd::Postponed));
                    self.held.hold(run);
                }
                Some(end) => results.push(run.into_outcome(end)),
            }
        }
        Ok(())
    }

    /// Answers the round that a unit waits for, if its answers are known: then it is ready to go out.
    fn advance(
        &self,
        run: RemoteRun,
        known: &KnownAnswers,
        (ready, results): (&mut VecDeque<RemoteRun>, &mut Results<'_>),
    ) {
        match run.advance(known) {
            Advance::Ready(run) => ready.push_back(*run),
            Advance::Waits(run, outcome) => {
                self.held.hold(*run);
                results.push(outcome);
            }
            Advance::Ended(outcome) => results.push(outcome),
        }
    }
}

/// Returns what is wrong with an outcome, because of one of its units.
fn of_unit(run: &RemoteRun, source: UnitOutcomeError) -> OutcomeError {
    OutcomeError::Unit {
        layer: run.transform.layer.to_string(),
        key: run.spec.key.to_string(),
        source: Box::new(source),
    }
}

/// Returns the outcome of a unit that did not run, or whose run does not count.
fn unfinished(unit: usize, end: RunEnd) -> RunOutcome {
    RunOutcome {
        unit,
        end,
        first: 0,
        requests: Vec::new(),
        repairs: 0,
        unasked: Vec::new(),
        roles: Vec::new(),
    }
}

/// The outcomes that are not sent to the scheduler yet.
struct Results<'s> {
    sender: &'s ResultSender,
    outcomes: Vec<RunOutcome>,
    bytes: usize,
}

impl Results<'_> {
    fn push(&mut self, outcome: RunOutcome) {
        self.bytes = self.bytes.saturating_add(estimated_size(&outcome));
        self.outcomes.push(outcome);
    }

    fn send(&mut self, is_last: bool) -> Option<()> {
        let outcomes = std::mem::take(&mut self.outcomes);
        let bytes = std::mem::take(&mut self.bytes);
        let is_sent = self.sender.send(outcomes, bytes, is_last);
        is_sent.then_some(())
    }
}
