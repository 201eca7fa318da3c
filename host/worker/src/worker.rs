//! Runs chunks in a sandbox.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use synix_core::digest::Digest;
use synix_sandbox::{CompileCache, Compiler, InterruptHandle, STACK_BYTES, Sandbox};
use synix_units::{ChunkOutcome, Contents, DocumentError, UnitChunk, UnitEnd, UnitReport};
use tokio::runtime::Handle;

use crate::error::WorkerError;
use crate::maxima::Maxima;
use crate::objects::ObjectReader;
use crate::plugins::Plugins;
use crate::unit::ReadyTransform;

/// The maximum time after which a worker starts no further unit of a chunk, whatever the chunk says.
const MAX_CHUNK_TIME: Duration = Duration::from_secs(600);

/// What a worker needs.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The maximum number of calls of [`Worker::run_chunk`] at the same time.
    pub jobs: NonZero<usize>,
    /// Where compiled code is stored.
    pub cache: Option<CompileCache>,
    /// What compiles components.
    pub compiler: Compiler,
    /// The highest limits that a chunk may set.
    pub maxima: Maxima,
    /// The store of contents.
    pub contents: Contents,
    /// The runtime that drives the operations of the store.
    pub runtime: Handle,
}

/// Runs chunks of units. Clones share what they have loaded.
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
}

struct Shared {
    sandbox: Sandbox,
    maxima: Maxima,
    plugins: Plugins,
    objects: ObjectReader,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("objects", &self.shared.objects)
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
            maxima,
            contents,
            runtime,
        } = settings;
        let sandbox = Sandbox::with_compiler(jobs.get(), cache, compiler);
        let shared = Shared {
            sandbox: sandbox.map_err(WorkerError::Sandbox)?,
            maxima,
            plugins: Plugins::default(),
            objects: ObjectReader::new(contents, runtime),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Returns a handle that ends the running chunks with [`WorkerError::Stopped`], because the worker is about to end.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.shared.sandbox.interrupt_handle()
    }

    /// Runs the units of a chunk and returns its outcome. What the outcome says of a unit depends on nothing but the
    /// chunk; how many units it says something about depends on the time that they take.
    ///
    /// Blocks, on a thread of its own: call it where that is allowed, such as in `spawn_blocking`.
    pub fn run_chunk(&self, chunk: &[u8]) -> Result<Vec<u8>, WorkerError> {
        thread::scope(|scope| {
            // A guest needs a large stack, and the operations of the store need a thread outside of the runtime.
            let spawned = thread::Builder::new()
                .name("synix-chunk".to_owned())
                .stack_size(3 * STACK_BYTES)
                .spawn_scoped(scope, || self.shared.run_chunk(chunk));
            match spawned.map_err(WorkerError::Thread)?.join() {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Shared {
    fn run_chunk(&self, bytes: &[u8]) -> Result<Vec<u8>, WorkerError> {
        let chunk = UnitChunk::decode(bytes)?;
        let chunk_time = Duration::from_secs(chunk.seconds).min(MAX_CHUNK_TIME);
        let mut deadline = None;
        let mut transforms: Vec<Option<ReadyTransform>> = Vec::new();
        transforms.resize_with(chunk.transforms.len(), || None);
        let mut reports = Vec::with_capacity(chunk.len());
        let mut bytes_left = chunk.outcome_bytes;
        let mut is_over = false;
        for (position, unit) in chunk.unit_digests().enumerate() {
            let end = if is_over {
                UnitEnd::NotRun
            } else {
                let job = chunk.unit(position)?;
                let transform = self.transform(&chunk, &mut transforms, job.transform)?;
                // Compiling a component takes its time, and only once.
                deadline.get_or_insert_with(|| Instant::now() + chunk_time);
                transform.run(job, &self.objects)?
            };
            let report = UnitReport { unit, end }.encode();
            bytes_left = bytes_left.saturating_sub(report.get().len() as u64);
            reports.push(report);
            // At least one unit runs, or the build would not end.
            is_over |=
                bytes_left == 0 || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        }
        ChunkOutcome::encode(Digest::of(bytes), &reports, |object, list| {
            self.objects.write(object, list)
        })
    }

    /// Returns a transform of the chunk. It is loaded when the first unit needs it.
    fn transform<'t>(
        &self,
        chunk: &UnitChunk,
        transforms: &'t mut [Option<ReadyTransform>],
        position: usize,
    ) -> Result<&'t ReadyTransform, WorkerError> {
        let (Some(settings), Some(slot)) =
            (chunk.transforms.get(position), transforms.get_mut(position))
        else {
            return Err(WorkerError::Chunk(DocumentError::Position {
                what: "the transform",
                position,
            }));
        };
        if let Some(ready) = slot {
            return Ok(ready);
        }
        self.maxima.check(&settings.limits)?;
        let plugin = self.plugins.get(settings, &self.sandbox, &self.objects)?;
        Ok(slot.insert(ReadyTransform::new(plugin, settings, &self.objects)?))
    }
}
