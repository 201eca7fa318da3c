//! The engine, set so that a guest cannot tell one run or machine from another.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, PoolingAllocationConfig};

use super::cache::{Cache, CompileCache};
use super::compile::Compiler;
use super::error::{Fault, PluginError};
use super::imports::State;
use super::interruption::Interruption;
use super::limits::{STACK_BYTES, TABLE_ELEMENTS, TICK};
use super::wasi;
use synix_contract::bindings::Transform;

/// The contract that this host offers.
pub(super) const CONTRACT: &str = "synix:plugin@0.1.0";

// A Python guest has 38 core instances, a QuickJS guest 4 memories.
pub(super) const CORE_INSTANCES: u32 = 40;
pub(super) const MEMORIES: u32 = 4;
pub(super) const TABLES: u32 = 16;
/// Instances beyond one for each worker: plugins that describe themselves while others run.
const SPARE_INSTANCES: u32 = 2;
const INSTANCE_BYTES: usize = 8 << 20;
/// Memory that is cleared rather than given back when an instance is dropped.
const RESIDENT_BYTES: usize = 256 << 10;
/// What a memory may grow by before it is moved, where address space is scarce.
const ROOM_TO_GROW: u64 = 32 << 20;

/// Where the memories of guests come from. Code is compiled for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memories {
    /// Reserved when the sandbox opens, 4 GiB of address space for each: the fast way.
    Pool,
    /// Taken when an instance is made, as large as they are: for machines that limit address space.
    OnDemand,
}

impl Memories {
    /// Returns the word by which a compiler in another process is told.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::OnDemand => "on-demand",
        }
    }

    /// Understands the word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Pool, Self::OnDemand]
            .into_iter()
            .find(|memories| memories.word() == word)
    }
}

/// Compiles, loads and limits plugins. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    core: Arc<Core>,
}

/// What all plugins of a sandbox share.
pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) cache: Option<Cache>,
    pub(super) compiler: Compiler,
    pub(super) memories: Memories,
    pub(super) interruption: Interruption,
    _ticker: Ticker,
}

impl Sandbox {
    /// Opens a sandbox in which `workers` calls may run at once.
    ///
    /// Compiled code is kept in `cache`, if there is one; it is no
    /// state and may be removed at any time. Components are compiled in this
    /// process: use [`Sandbox::with_compiler`] for those of strangers.
    pub fn new(workers: usize, cache: Option<CompileCache>) -> Result<Self, PluginError> {
        Self::with_compiler(workers, cache, Compiler::InProcess)
    }

    /// Opens a sandbox like [`Sandbox::new`] whose components are compiled by `compiler`.
    pub fn with_compiler(
        workers: usize,
        cache: Option<CompileCache>,
        compiler: Compiler,
    ) -> Result<Self, PluginError> {
        match Self::open(workers, cache.clone(), compiler.clone(), Memories::Pool) {
            Ok(sandbox) => Ok(sandbox),
            // A limit of address space, such as `ulimit -v`, leaves no room for the pool.
            Err(error) => {
                tracing::debug!(%error, "no pool of memories");
                Self::open(workers, cache, compiler, Memories::OnDemand)
            }
        }
    }

    pub(super) fn open(
        workers: usize,
        cache: Option<CompileCache>,
        compiler: Compiler,
        memories: Memories,
    ) -> Result<Self, PluginError> {
        let fails = |error: wasmtime::Error| {
            PluginError::new(
                None,
                Fault::Setup {
                    detail: format!("{error:#}"),
                },
            )
        };
        let mut config = config(memories);
        if memories == Memories::Pool {
            config.allocation_strategy(pool(workers));
        }
        let engine = Engine::new(&config).map_err(fails)?;
        let mut linker = Linker::new(&engine);
        Transform::add_to_linker::<_, HasSelf<_>>(&mut linker, State::entered).map_err(fails)?;
        wasi::add_to_linker(&mut linker).map_err(fails)?;
        let ticker = Ticker::start(engine.clone()).map_err(|error| fails(error.into()))?;
        let cache = cache.and_then(|cache| Cache::open(&cache, &engine));
        Ok(Self {
            core: Arc::new(Core {
                engine,
                linker,
                cache,
                compiler,
                memories,
                interruption: Interruption::default(),
                _ticker: ticker,
            }),
        })
    }

    /// Returns the hand that stops the calls of this sandbox.
    pub fn interruption(&self) -> Interruption {
        self.core.interruption.clone()
    }

    /// Returns the name and version of the contract that plugins are called by.
    pub fn contract() -> &'static str {
        CONTRACT
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

/// Returns an engine that only compiles, for memories of this sort.
pub(super) fn for_compiling(memories: Memories) -> wasmtime::Result<Engine> {
    Engine::new(&config(memories))
}

fn pool(workers: usize) -> PoolingAllocationConfig {
    let instances = u32::try_from(workers.max(1))
        .unwrap_or(u32::MAX)
        .saturating_add(SPARE_INSTANCES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(instances.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .max_memories_per_module(MEMORIES)
        .total_tables(instances.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(RESIDENT_BYTES);
    pool
}

/// Returns all settings that compiled code depends on.
fn config(memories: Memories) -> Config {
    let mut config = Config::new();
    config
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        // Nobody reads backtraces; without them a suspension is cheap and compiled code is small.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(cfg!(windows));
    if memories == Memories::OnDemand {
        config
            .memory_reservation(0)
            .memory_guard_size(0)
            .memory_reservation_for_growth(ROOM_TO_GROW)
            .memory_may_move(true)
            .guard_before_linear_memory(false);
    }
    config
}

/// Moves the engine's epoch on, for the limit of wall time and for interruptions, until it is dropped.
struct Ticker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: Engine) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("synix-epoch".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    engine.increment_epoch();
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, and then there is nothing left to stop.
            let _ = thread.join();
        }
    }
}
