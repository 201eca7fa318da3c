//! An engine in this process, which can fail as one on a network does.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::project::shared_cache;
use synix_core::digest::Digest;
use synix_sandbox::Compiler;
use synix_shared::MemoryObjects;
use synix_units::{ChunkOutcome, Contents, EngineError, UnitChunk, UnitEngine};
use synix_worker::{Maxima, Worker, WorkerSettings};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// What happens to a call of [`UnitEngine::run`], by its number.
pub(super) type Fault = Box<dyn Fn(usize) -> FaultKind + Send + Sync>;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    None,
    /// The engine cannot be reached.
    Away,
    /// The chunk runs, and its outcome is lost.
    LoseOutcome,
    /// The chunk runs twice, as after a worker was killed.
    RunTwice,
}

/// Changes an outcome, as a broken worker does.
pub(super) type Change = Box<dyn Fn(Vec<u8>, &Contents) -> Vec<u8> + Send + Sync>;

/// An engine whose worker is in this process.
pub(super) struct Loopback {
    worker: Worker,
    pub(super) contents: Contents,
    runtime: Handle,
    fault: Fault,
    change: Option<Change>,
    /// Whether the worker has time for one unit of a chunk.
    is_slow: bool,
    calls: AtomicUsize,
    /// How many objects were provided, with repetitions.
    pub(super) provided: AtomicUsize,
    /// The outcomes by the id of their chunk, as an engine keeps them.
    outcomes: Mutex<HashMap<String, Vec<u8>>>,
    /// The number of units and the size of each chunk that ran.
    pub(super) chunks: Mutex<Vec<(usize, usize)>>,
}

impl std::fmt::Debug for Loopback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loopback")
    }
}

impl Loopback {
    /// Starts a worker. Call it within a runtime.
    pub(super) fn new() -> Self {
        let contents = Contents::new(Arc::new(MemoryObjects::default()), "default");
        let settings = WorkerSettings {
            jobs: NonZero::new(2).unwrap(),
            cache: Some(shared_cache()),
            compiler: Compiler::InProcess,
            maxima: Maxima::default(),
            contents: contents.clone(),
            runtime: Handle::current(),
        };
        Self {
            worker: Worker::new(settings).unwrap(),
            contents,
            runtime: Handle::current(),
            fault: Box::new(|_| FaultKind::None),
            change: None,
            is_slow: false,
            calls: AtomicUsize::new(0),
            provided: AtomicUsize::new(0),
            outcomes: Mutex::default(),
            chunks: Mutex::default(),
        }
    }

    pub(super) fn with_fault(
        mut self,
        fault: impl Fn(usize) -> FaultKind + Send + Sync + 'static,
    ) -> Self {
        self.fault = Box::new(fault);
        self
    }

    pub(super) fn with_change(
        mut self,
        change: impl Fn(Vec<u8>, &Contents) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    pub(super) const fn with_slow_worker(mut self) -> Self {
        self.is_slow = true;
        self
    }

    fn unavailable(&self) -> EngineError {
        EngineError::Unavailable {
            name: self.name().to_owned(),
            source: "connection refused".into(),
        }
    }

    fn run_chunk(&self, chunk: &[u8]) -> Result<Vec<u8>, EngineError> {
        let units = UnitChunk::decode(chunk).unwrap().len();
        self.chunks.lock().unwrap().push((units, chunk.len()));
        let run = |chunk: &[u8]| {
            let outcome = self.worker.run_chunk(chunk);
            outcome.map_err(|source| EngineError::Refused {
                name: self.name().to_owned(),
                source: source.into(),
            })
        };
        if !self.is_slow {
            return run(chunk);
        }
        let mut short: Value = serde_json::from_slice(chunk).unwrap();
        short["seconds"] = json!(0);
        let outcome = run(&serde_json::to_vec(&short).unwrap())?;
        let mut outcome: Value = serde_json::from_slice(&outcome).unwrap();
        outcome["chunk"] = json!(Digest::of(chunk));
        // Reading the chunk may have changed the order of members, and with it the digests of units.
        let digests = UnitChunk::decode(chunk).unwrap();
        for (report, digest) in outcome["units"]["list"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .zip(digests.unit_digests())
        {
            report["unit"] = json!(digest);
        }
        Ok(serde_json::to_vec(&outcome).unwrap())
    }
}

impl UnitEngine for Loopback {
    fn name(&self) -> &str {
        "http://engine.test"
    }

    fn concurrency(&self) -> NonZero<usize> {
        NonZero::new(2).unwrap()
    }

    fn provide(
        &self,
        digest: Digest,
        bytes: &[u8],
        _: &CancellationToken,
    ) -> Result<(), EngineError> {
        assert_eq!(Digest::of(bytes), digest);
        self.provided.fetch_add(1, Ordering::Relaxed);
        let provided = self.contents.provide(digest, bytes.to_vec());
        self.runtime.block_on(provided).unwrap();
        Ok(())
    }

    fn fetch(
        &self,
        digest: Digest,
        max_bytes: u64,
        _: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError> {
        let fetched = self.contents.fetch(digest, max_bytes);
        Ok(self.runtime.block_on(fetched).unwrap())
    }

    fn run(
        &self,
        id: &str,
        chunk: Vec<u8>,
        cancelled: &CancellationToken,
    ) -> Result<Vec<u8>, EngineError> {
        if cancelled.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = (self.fault)(call);
        if fault == FaultKind::Away {
            return Err(self.unavailable());
        }
        if let Some(known) = self.outcomes.lock().unwrap().get(id) {
            return Ok(known.clone());
        }
        let mut outcome = self.run_chunk(&chunk)?;
        if fault == FaultKind::RunTwice {
            // Which units ran may differ, and what is said of each unit that ran does not.
            let again = self.run_chunk(&chunk)?;
            assert_eq!(
                ChunkOutcome::decode(&outcome).unwrap(),
                ChunkOutcome::decode(&again).unwrap()
            );
            outcome = again;
        }
        if let Some(change) = &self.change {
            outcome = change(outcome, &self.contents);
        }
        let mut outcomes = self.outcomes.lock().unwrap();
        outcomes.insert(id.to_owned(), outcome.clone());
        if fault == FaultKind::LoseOutcome {
            return Err(self.unavailable());
        }
        Ok(outcome)
    }
}
