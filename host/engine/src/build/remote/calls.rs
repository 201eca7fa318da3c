//! The calls of an engine: made again while it cannot be reached, and checked.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Stop;
use super::error::OutcomeError;
use super::message::Message;
use super::report;
use super::wait::wait;
use crate::build::BuildError;
use synix_core::causes::with_causes;
use synix_core::digest::{Digest, Encoder};
use synix_units::{EngineError, ObjectRef, UnitEnd, UnitEngine};

/// The wait before the first repetition of a call; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The maximum number of objects that are remembered as provided.
const MAX_REMEMBERED: usize = 1 << 18;

/// Whether an object is provided. Whoever provides it holds the lock, so a large component is written once.
type Slot = Arc<Mutex<bool>>;

/// Makes an object available to workers.
pub(super) type Provide<'p> = &'p dyn Fn(ObjectRef, &[u8]) -> Result<(), Stop>;

/// Reports that a call waits: the URL and the reason.
pub(super) type Waits<'w> = &'w dyn Fn(&str, String);

/// An engine, and what this build knows of it.
pub(super) struct Calls {
    engine: Arc<dyn UnitEngine>,
    cancelled: CancellationToken,
    /// A part of the ids of chunks. Failures of a unit that are transient are a part of an outcome, and an engine keeps
    /// outcomes: a later build gets its own.
    nonce: [u8; 16],
    provided: Mutex<HashMap<Digest, Slot>>,
    /// Whether a wait was reported since the last call that succeeded.
    is_waiting: AtomicBool,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Calls {
    pub(super) fn new(engine: Arc<dyn UnitEngine>, cancelled: CancellationToken) -> Self {
        let mut nonce = [0; 16];
        // Without random bytes, a build may get the outcomes of an earlier one, which are right but for transient
        // failures.
        let _ = getrandom::fill(&mut nonce);
        Self {
            engine,
            cancelled,
            nonce,
            provided: Mutex::default(),
            is_waiting: AtomicBool::new(false),
        }
    }

    pub(super) fn concurrency(&self) -> usize {
        self.engine.concurrency().get()
    }

    pub(super) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Returns the error of the build because of an outcome.
    pub(super) fn unusable(&self, source: OutcomeError) -> BuildError {
        BuildError::Outcome {
            engine: self.engine.name().to_owned(),
            source: Box::new(source),
        }
    }

    /// Makes an object available to workers, unless this build has done so.
    pub(super) fn provide(
        &self,
        object: ObjectRef,
        bytes: &[u8],
        waits: Waits<'_>,
    ) -> Result<(), Stop> {
        let slot = {
            let mut provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
            if provided.len() >= MAX_REMEMBERED {
                provided.clear();
            }
            Arc::clone(provided.entry(object.digest).or_default())
        };
        let mut is_provided = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_provided {
            self.repeat(waits, || {
                self.engine.provide(object.digest, bytes, &self.cancelled)
            })?;
            *is_provided = true;
        }
        Ok(())
    }

    /// Runs a chunk, and returns how each of its units ended.
    pub(super) fn run(&self, message: &Message, waits: Waits<'_>) -> Result<Vec<UnitEnd>, Stop> {
        let chunk = Digest::of(&message.bytes);
        let id = Encoder::new("synix.chunk.v1")
            .bytes(&self.nonce)
            .digest(chunk)
            .finish()
            .to_string();
        let outcome = self.repeat(waits, || {
            self.engine.run(&id, message.bytes.clone(), &self.cancelled)
        })?;
        let fetch = |object: ObjectRef| {
            self.repeat(waits, || {
                self.engine
                    .fetch(object.digest, object.size, &self.cancelled)
            })
        };
        report::read(&outcome, (chunk, message), fetch).map_err(|error| match error {
            report::ReadError::Stop(stop) => stop,
            report::ReadError::Outcome(source) => self.unusable(source).into(),
        })
    }

    /// Makes a call until it succeeds, would fail again, or is cancelled.
    fn repeat<T>(
        &self,
        waits: Waits<'_>,
        mut call: impl FnMut() -> Result<T, EngineError>,
    ) -> Result<T, Stop> {
        let mut time = FIRST_WAIT;
        loop {
            if self.cancelled.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            let error = match call() {
                Ok(result) => {
                    self.is_waiting.store(false, Ordering::Relaxed);
                    return Ok(result);
                }
                Err(error) => error,
            };
            let Some(url) = error.url().filter(|_| error.is_transient()) else {
                return Err(error.into());
            };
            // All threads wait for the same engine, and one report is enough.
            if !self.is_waiting.swap(true, Ordering::Relaxed) {
                waits(url, reason(&error));
            }
            wait(time, &self.cancelled);
            time = (2 * time).min(MAX_WAIT);
        }
    }
}

/// Returns why a call failed, without the URL, which the report has.
fn reason(error: &EngineError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), with_causes)
}
