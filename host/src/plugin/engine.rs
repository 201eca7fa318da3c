//! The engine, set so that a guest cannot tell one run or machine from another.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, PoolingAllocationConfig};

use super::bindings::Transform;
use super::cache::{Cache, CompileCache};
use super::error::{Fault, PluginError};
use super::imports::State;
use super::limits::{STACK_BYTES, TABLE_ELEMENTS, TICK};
use super::wasi;

/// The contract that this host offers.
pub(super) const CONTRACT: &str = "synix:plugin@0.1.0";

// A Python guest has 38 core instances, a QuickJS guest 4 memories.
const CORE_INSTANCES: u32 = 40;
const MEMORIES: u32 = 4;
const TABLES: u32 = 16;
/// Instances beyond one for each worker: plugins that describe themselves while others run.
const SPARE_INSTANCES: u32 = 2;
const INSTANCE_BYTES: usize = 8 << 20;
/// Memory that is cleared rather than given back when an instance is dropped.
const RESIDENT_BYTES: usize = 256 << 10;

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
    _ticker: Ticker,
}

impl Sandbox {
    /// Opens a sandbox in which `workers` calls may run at once.
    ///
    /// Compiled code is kept in `cache`, if there is one; it is no state and may
    /// be removed at any time.
    pub fn new(workers: usize, cache: Option<CompileCache>) -> Result<Self, PluginError> {
        let fails = |error: wasmtime::Error| {
            PluginError::new(
                None,
                Fault::Setup {
                    detail: format!("{error:#}"),
                },
            )
        };
        let engine = Engine::new(&config(workers)).map_err(fails)?;
        let mut linker = Linker::new(&engine);
        Transform::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(fails)?;
        wasi::add_to_linker(&mut linker).map_err(fails)?;
        let ticker = Ticker::start(engine.clone()).map_err(|error| fails(error.into()))?;
        let cache = cache.and_then(|cache| Cache::open(&cache, &engine));
        Ok(Self {
            core: Arc::new(Core {
                engine,
                linker,
                cache,
                _ticker: ticker,
            }),
        })
    }

    /// Returns the name and version of the contract that plugins are called by.
    pub fn contract() -> &'static str {
        CONTRACT
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

fn config(workers: usize) -> Config {
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
    let mut config = Config::new();
    config
        .allocation_strategy(pool)
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
    config
}

/// Moves the engine's epoch on, for the limit of wall time, until it is dropped.
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
