//! Guests in WebAssembly text, for the unit tests of this crate.
//!
//! A guest is one core module of which a test replaces a part. The addresses below 4096 are fixed: texts come first,
//! then the records of the contract.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A guest; by default it has the shape `grouped`, declares `llm` and returns one output.
pub(super) struct Guest {
    /// The number of capabilities that it declares: 0 or 1.
    pub(super) capabilities: u32,
    /// The position of the shape in the contract's enum.
    pub(super) shape: u32,
    /// The body of `split`; it returns the address of the result.
    pub(super) split: &'static str,
    /// The body of `execute`; it returns the address of the result.
    pub(super) execute: &'static str,
    /// What the guest runs whenever the host allocates memory in it.
    pub(super) realloc: &'static str,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            capabilities: 1,
            shape: 1,
            split: "(call $units (i32.const 0) (i32.const 1))",
            execute: "(call $done (i32.const 336) (i32.const 3))",
            realloc: "",
        }
    }
}

/// Sends one request; the output is the answer, or the unit fails.
pub(super) const ASK: &str = "
    (call $log (i32.const 2) (i32.const 384) (i32.const 8))
    (call $ask)
    (if (result i32) (i32.load8_u (i32.const 2336))
        (then (call $fail (i32.const 384) (i32.const 8)))
        (else (call $done (i32.load (i32.const 2344)) (i32.load (i32.const 2348)))))";

/// Sends `question` twice in one round, as the samples 0 and 1; the output is the second answer.
pub(super) const ASK_BOTH: &str = "
    (call $ask_both)
    (call $done
        (i32.load offset=56 (i32.load (i32.const 2340)))
        (i32.load offset=60 (i32.load (i32.const 2340))))";

/// Sends one request and then never ends.
pub(super) const ASK_AND_SPIN: &str = "(call $ask) (loop $again (br $again)) (unreachable)";

/// Never ends.
pub(super) const SPIN: &str = "(loop $again (br $again)) (unreachable)";

impl Guest {
    /// Returns the guest as a component.
    pub(super) fn component(&self) -> Vec<u8> {
        let mut core = wat::parse_str(self.core_text()).unwrap();
        let mut resolve = Resolve::default();
        let (package, _) = resolve
            .push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit"))
            .unwrap();
        let world = resolve.select_world(&[package], Some("transform")).unwrap();
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default()
            .validate(true)
            .module(&core)
            .unwrap()
            .encode()
            .unwrap()
    }

    fn core_text(&self) -> String {
        let Self {
            capabilities,
            shape,
            split,
            execute,
            realloc,
        } = self;
        format!(
            r#"(module
    (import "synix:plugin/llm@0.1.1" "complete" (func $complete (param i32 i32)))
    (import "synix:plugin/llm@0.1.1" "complete-all" (func $complete_all (param i32 i32 i32)))
    (import "synix:plugin/log@0.1.1" "write" (func $log (param i32 i32 i32)))
    (memory (export "memory") 4)
    (global $heap (mut i32) (i32.const 65536))
    (global $runs (mut i32) (i32.const 0))
    (data (i32.const 0) "guest")
    (data (i32.const 64) "1.0.0")
    (data (i32.const 128) "A guest.")
    (data (i32.const 192) "{{\"type\": \"object\"}}")
    (data (i32.const 320) "llm")
    (data (i32.const 336) "out")
    (data (i32.const 352) "text")
    (data (i32.const 384) "question")
    (func $pair (param $at i32) (param $address i32) (param $length i32)
        (i32.store (local.get $at) (local.get $address))
        (i32.store offset=4 (local.get $at) (local.get $length)))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        {realloc}
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
    (func (export "describe") (result i32)
        (call $pair (i32.const 2112) (i32.const 0) (i32.const 5))
        (call $pair (i32.const 2120) (i32.const 64) (i32.const 5))
        (call $pair (i32.const 2128) (i32.const 128) (i32.const 8))
        (call $pair (i32.const 2136) (i32.const 192) (i32.const 18))
        (call $pair (i32.const 2144) (i32.const 2160) (i32.const {capabilities}))
        (i32.store8 (i32.const 2152) (i32.const {shape}))
        (call $pair (i32.const 2160) (i32.const 320) (i32.const 3))
        (i32.const 2112))
    ;; One unit `out` that takes one input, `count` times.
    (func $units (param $input i32) (param $count i32) (result i32)
        (call $pair (i32.const 2420) (i32.const 2432) (local.get $count))
        (call $pair (i32.const 2432) (i32.const 336) (i32.const 3))
        (call $pair (i32.const 2440) (i32.const 2480) (i32.const 1))
        (i32.store (i32.const 2480) (local.get $input))
        (memory.copy (i32.const 2460) (i32.const 2432) (i32.const 20))
        (i32.const 2416))
    (func (export "split") (param i32 i32 i32 i32) (result i32) {split})
    ;; One output `out` with this text.
    (func $done (param $address i32) (param $length i32) (result i32)
        (call $pair (i32.const 2064) (i32.const 336) (i32.const 3))
        (call $pair (i32.const 2072) (i32.const 352) (i32.const 4))
        (call $pair (i32.const 2084) (local.get $address) (local.get $length))
        (call $pair (i32.const 2052) (i32.const 2064) (i32.const 1))
        (i32.const 2048))
    ;; The error `invalid-answer` with this text.
    (func $fail (param $address i32) (param $length i32) (result i32)
        (i32.store8 (i32.const 2048) (i32.const 1))
        (i32.store8 (i32.const 2052) (i32.const 2))
        (call $pair (i32.const 2056) (local.get $address) (local.get $length))
        (i32.const 2048))
    ;; Asks `question`; the result is at 2336.
    (func $ask
        (call $prepare)
        (call $complete (i32.const 2208) (i32.const 2336)))
    ;; Asks `question` twice in one round.
    (func $ask_both
        (call $prepare)
        (memory.copy (i32.const 1024) (i32.const 2208) (i32.const 80))
        (memory.copy (i32.const 1104) (i32.const 2208) (i32.const 80))
        (i32.store (i32.const 1168) (i32.const 1))
        (call $complete_all (i32.const 1024) (i32.const 2) (i32.const 2336)))
    (func $prepare
        (call $pair (i32.const 2208) (i32.const 2288) (i32.const 1))
        (i32.store8 (i32.const 2288) (i32.const 1))
        (call $pair (i32.const 2292) (i32.const 2304) (i32.const 1))
        (call $pair (i32.const 2308) (i32.const 384) (i32.const 8)))
    (func $recurse (param i64) (result i64)
        (i64.add (call $recurse (i64.add (local.get 0) (i64.const 1))) (local.get 0)))
    (func (export "execute")
        (param i32 i32 i32 i32 i32 i32 i32) (param $inputs i32) (param i32 i32 i32) (result i32)
        {execute}))"#
        )
    }
}
