//! The engine, configured so that every run is the same on every machine.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

use super::cache::{Cache, CompileCache};
use super::compile::Compiler;
use super::error::PluginError;
use super::fault::Fault;
use super::imports::State;
use super::interruption::InterruptHandle;
use super::limits::{STACK_BYTES, TABLE_ELEMENTS, TICK};
use super::wasi;
use super::world::World;
use synix_contract::bindings::Transform;
use synix_contract::bindings::reader::synix::plugin::reading;

/// The contract that this host offers.
pub(super) const CONTRACT: &str = "synix:plugin@0.1.1";

// A Python guest has 38 core instances, a QuickJS guest 4 memories.
pub(super) const CORE_INSTANCES: u32 = 40;
pub(super) const MEMORIES: u32 = 4;
pub(super) const TABLES: u32 = 16;
/// Instances beyond one for each call at a time, for plugins that are loaded while others run.
const SPARE_INSTANCES: u32 = 2;
/// Further calls whose model may take its time at the same time: a caller can wait for answers in [`Model::complete`].
///
/// [`Model::complete`]: crate::Model::complete
pub const HELD_INSTANCES: usize = 4;
const INSTANCE_BYTES: usize = 8 << 20;
/// Memory that is cleared, not returned to the system, when an instance is dropped.
const RESIDENT_BYTES: usize = 256 << 10;
/// How far a memory can grow before it is moved, if address space is scarce.
const GROWTH_RESERVATION: u64 = 32 << 20;

/// How the memories of guests are allocated. Compiled code is specific to one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemoryAllocation {
    /// The pool reserves 4 GiB of address space for each memory when the sandbox opens. This is fast.
    Pool,
    /// Each memory is allocated with its instance and grows with it, for machines that limit address space.
    OnDemand,
}

impl MemoryAllocation {
    /// Returns the name in the arguments of a compiler process.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::OnDemand => "on-demand",
        }
    }

    /// Parses the name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Pool, Self::OnDemand]
            .into_iter()
            .find(|memory_allocation| memory_allocation.as_str() == name)
    }
}

/// Compiles, loads and limits plugins. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

/// The state that all plugins of a sandbox share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) cache: Option<Cache>,
    pub(super) compiler: Compiler,
    pub(super) memory_allocation: MemoryAllocation,
    pub(super) interruption: InterruptHandle,
    _ticker: Ticker,
}

impl Sandbox {
    /// Creates a sandbox in which this number of `calls` can run at the same time.
    ///
    /// The sandbox stores compiled code in `cache`, if there is one; you can delete it at any time. It compiles
    /// components in this process: use [`Sandbox::with_compiler`] for untrusted ones.
    pub fn new(calls: usize, cache: Option<CompileCache>) -> Result<Self, PluginError> {
        Self::with_compiler(calls, cache, Compiler::InProcess)
    }

    /// Creates a sandbox like [`Sandbox::new`] does, with another compiler.
    pub fn with_compiler(
        calls: usize,
        cache: Option<CompileCache>,
        compiler: Compiler,
    ) -> Result<Self, PluginError> {
        match Self::open(
            calls,
            cache.clone(),
            compiler.clone(),
            MemoryAllocation::Pool,
        ) {
            Ok(sandbox) => Ok(sandbox),
            // A limit of address space, such as `ulimit -v`, prevents the pool.
            Err(error) => {
                tracing::debug!(%error, "cannot reserve the pool of memories");
                Self::open(calls, cache, compiler, MemoryAllocation::OnDemand)
            }
        }
    }

    pub(super) fn open(
        calls: usize,
        cache: Option<CompileCache>,
        compiler: Compiler,
        memory_allocation: MemoryAllocation,
    ) -> Result<Self, PluginError> {
        let plugin_error = |error: wasmtime::Error| {
            PluginError::new(
                None,
                Fault::Setup {
                    detail: format!("{error:#}"),
                },
            )
        };
        let mut config = config(memory_allocation);
        if memory_allocation == MemoryAllocation::Pool {
            config.allocation_strategy(pool(calls));
        }
        let engine = Engine::new(&config).map_err(plugin_error)?;
        let mut linker = Linker::new(&engine);
        Transform::add_to_linker::<_, HasSelf<_>>(&mut linker, State::charge_call)
            .map_err(plugin_error)?;
        reading::add_to_linker::<_, HasSelf<_>>(&mut linker, State::charge_call)
            .map_err(plugin_error)?;
        wasi::add_to_linker(&mut linker).map_err(plugin_error)?;
        let ticker = Ticker::start(engine.clone()).map_err(|error| plugin_error(error.into()))?;
        let cache = cache.and_then(|cache| Cache::open(&cache, &engine));
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                linker,
                cache,
                compiler,
                memory_allocation,
                interruption: InterruptHandle::default(),
                _ticker: ticker,
            }),
        })
    }

    /// Returns a handle that interrupts the calls of this sandbox.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.shared.interruption.clone()
    }

    /// Returns the name and version of the contract between host and plugins.
    pub fn contract() -> &'static str {
        CONTRACT
    }

    /// Returns the version of the contract that first had this world.
    ///
    /// It is part of fingerprints. An addition to the contract does not change what a plugin computes, so existing
    /// units stay fresh.
    pub const fn first_contract(world: World) -> &'static str {
        match world {
            World::Transform => "synix:plugin@0.1.0",
            World::Reader => "synix:plugin@0.1.1",
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Returns an engine that only compiles, for this way of allocation.
pub(super) fn for_compiling(memory_allocation: MemoryAllocation) -> wasmtime::Result<Engine> {
    Engine::new(&config(memory_allocation))
}

fn pool(calls: usize) -> PoolingAllocationConfig {
    let instances = u32::try_from(calls.max(1).saturating_add(HELD_INSTANCES))
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
        .table_keep_resident(RESIDENT_BYTES)
        // Only pages that a guest has written are cleared, where the kernel can tell.
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Returns every setting that compiled code depends on.
fn config(memory_allocation: MemoryAllocation) -> Config {
    let mut config = Config::new();
    config
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        // Nothing uses backtraces. Without them a suspension is cheap and compiled code is small.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(cfg!(windows));
    if memory_allocation == MemoryAllocation::OnDemand {
        config
            .memory_reservation(0)
            .memory_guard_size(0)
            .memory_reservation_for_growth(GROWTH_RESERVATION)
            .memory_may_move(true)
            .guard_before_linear_memory(false);
    }
    config
}

/// Increments the engine's epoch until it is dropped: at each tick a running call checks its time limit and whether it
/// is interrupted.
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
            // An error means that the thread panicked, so it has ended.
            let _ = thread.join();
        }
    }
}
