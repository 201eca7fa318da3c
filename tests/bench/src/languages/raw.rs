//! Measures the floor of a language: its component in fresh instances, called directly through the WebAssembly engine.

use std::time::Duration;

use synix_sandbox::STACK_BYTES;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Config, Engine, PoolingAllocationConfig, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::synix::plugin::embedding::{EmbeddingError, Vector};
use self::synix::plugin::llm::{Ending, LlmError, Request, Response, Usage};
use self::synix::plugin::types::Content;
use super::{ANSWER, LABEL, QUESTION};
use crate::Outcome;

wasmtime::component::bindgen!({
    world: "transform",
    path: "../../wit",
});

struct State {
    /// Created at the first use.
    context: Option<WasiCtx>,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: self
                .context
                .get_or_insert_with(|| WasiCtx::builder().build()),
            table: &mut self.table,
        }
    }
}

impl self::synix::plugin::types::Host for State {}

impl self::synix::plugin::log::Host for State {
    fn write(&mut self, _: self::synix::plugin::log::Level, _: String) {}
}

impl self::synix::plugin::embedding::Host for State {
    fn embed(&mut self, _: Vec<String>, _: Option<String>) -> Result<Vec<Vector>, EmbeddingError> {
        Err(EmbeddingError::NotGranted)
    }
}

impl self::synix::plugin::llm::Host for State {
    fn complete(&mut self, _: Request) -> Result<Response, LlmError> {
        Ok(answer())
    }

    fn complete_all(&mut self, requests: Vec<Request>) -> Result<Vec<Response>, LlmError> {
        Ok(requests.iter().map(|_| answer()).collect())
    }
}

fn answer() -> Response {
    Response {
        text: ANSWER.to_owned(),
        ending: Ending::Complete,
        model: "gpt-4o-mini".to_owned(),
        usage: Usage {
            input_tokens: 0,
            output_tokens: 0,
        },
        details: "{}".to_owned(),
    }
}

/// Returns the time for one unit, measured for at least `least`.
pub(super) fn time(bytes: &[u8], least: Duration) -> Outcome<Duration> {
    let engine = Engine::new(&config())?;
    let mut linker: Linker<State> = Linker::new(&engine);
    Transform::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let component = Component::from_binary(&engine, bytes)?;
    let transform = TransformPre::new(linker.instantiate_pre(&component)?)?;
    let unit = Unit {
        key: LABEL.to_owned(),
        inputs: vec![0],
        config: None,
    };
    let input = Input {
        header: Header {
            label: LABEL.to_owned(),
            kind: "text".to_owned(),
            digest: "0".repeat(64),
            metadata: Vec::new(),
        },
        content: Content::Text(QUESTION.to_owned()),
    };
    let inputs = [input];
    let one = || -> Outcome<()> {
        let state = State {
            context: None,
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, state);
        store.set_fuel(u64::MAX)?;
        store.set_epoch_deadline(u64::MAX);
        let instance = transform.instantiate(&mut store)?;
        let outputs = instance.call_execute(&mut store, &unit, &inputs, "{}")?;
        match outputs {
            Ok(outputs) if outputs.len() == 1 => Ok(()),
            other => Err(format!("one output was expected: {other:?}").into()),
        }
    };
    super::per_unit(least, one)
}

/// Returns the settings of the sandbox, with enough memory for the largest guest.
fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(4)
        .total_core_instances(160)
        .max_core_instances_per_component(40)
        .total_memories(16)
        .max_memories_per_component(4)
        .max_memories_per_module(4)
        .total_tables(64)
        .max_tables_per_component(16)
        .max_tables_per_module(16)
        .table_elements(100_000)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(8 << 20)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(256 << 10);
    let mut config = Config::new();
    config
        .allocation_strategy(pool)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}
