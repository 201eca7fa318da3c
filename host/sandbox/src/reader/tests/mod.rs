//! Readers as their callers see them, with guests written by hand.

mod cases;

use std::io;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;
use crate::{InvalidOutput, ReceiverGone, Sandbox, SkipReason, Skipped, World};
use synix_core::artifact::{Artifact, Content};

/// Returns a reader as a component; `body` is that of `read` and gives the address of its result.
///
/// It has functions for what readers do: `$emit` hands over an artifact whose label and content are a text, `$part`
/// reads into the memory at 1024, `$skip` leaves out something called `what`, `$ok` and `$fail` end the run.
fn component(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
    (import "synix:plugin/reading@0.1.1" "[method]file.name" (func $name (param i32 i32)))
    (import "synix:plugin/reading@0.1.1" "[method]file.size" (func $size (param i32) (result i64)))
    (import "synix:plugin/reading@0.1.1" "[method]file.read" (func $read (param i32 i64 i32 i32)))
    (import "synix:plugin/reading@0.1.1" "[resource-drop]file" (func $drop (param i32)))
    (import "synix:plugin/reading@0.1.1" "at" (func $at (param i32 i32)))
    (import "synix:plugin/reading@0.1.1" "emit"
        (func $hand_over (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "synix:plugin/reading@0.1.1" "skip" (func $leave_out (param i32 i32 i32 i32 i32)))
    (import "synix:plugin/log@0.1.1" "write" (func $log (param i32 i32 i32)))
    (memory (export "memory") 64)
    (global $heap (mut i32) (i32.const 65536))
    (data (i32.const 0) "lines")
    (data (i32.const 64) "1.0.0")
    (data (i32.const 128) "A reader.")
    (data (i32.const 192) "{{\"type\": \"object\"}}")
    (data (i32.const 336) "what")
    (data (i32.const 352) "text")
    (data (i32.const 384) "line 7")
    (func $pair (param $at i32) (param $address i32) (param $length i32)
        (i32.store (local.get $at) (local.get $address))
        (i32.store offset=4 (local.get $at) (local.get $length)))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
    (func (export "describe") (result i32)
        (call $pair (i32.const 2112) (i32.const 0) (i32.const 5))
        (call $pair (i32.const 2120) (i32.const 64) (i32.const 5))
        (call $pair (i32.const 2128) (i32.const 128) (i32.const 9))
        (call $pair (i32.const 2136) (i32.const 192) (i32.const 18))
        (call $pair (i32.const 2144) (i32.const 0) (i32.const 0))
        (i32.store8 (i32.const 2152) (i32.const 0))
        (i32.const 2112))
    ;; Gives the address and the length of a part of the file, at 1024.
    (func $part (param $file i32) (param $offset i64) (param $length i32)
        (call $read (local.get $file) (local.get $offset) (local.get $length) (i32.const 1024)))
    (func $emit (param $address i32) (param $length i32)
        (call $hand_over
            (local.get $address) (local.get $length) (i32.const 352) (i32.const 4)
            (i32.const 0) (local.get $address) (local.get $length) (i32.const 0) (i32.const 0)
            (i32.const 0) (i32.const 0)))
    (func $skip (param $reason i32)
        (call $leave_out (i32.const 336) (i32.const 4) (local.get $reason) (i32.const 336) (i32.const 4)))
    (func $ok (result i32) (i32.store8 (i32.const 2048) (i32.const 0)) (i32.const 2048))
    (func $fail (result i32)
        (i32.store8 (i32.const 2048) (i32.const 1))
        (i32.store8 (i32.const 2052) (i32.const 1))
        (call $pair (i32.const 2056) (i32.const 336) (i32.const 4))
        (i32.const 2048))
    (func (export "read") (param $file i32) (param i32 i32) (result i32)
        (local $at i64)
        {body}))"#
    );
    let mut core = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit"))
        .unwrap();
    let world = resolve.select_world(&[package], Some("reader")).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&core)
        .unwrap()
        .encode()
        .unwrap()
}

/// Hands over four bytes of the file after the other, each as an artifact.
const BLOCKS: &str = "
    (block $end (loop $next
        (br_if $end (i64.ge_u (local.get $at) (call $size (local.get $file))))
        (call $part (local.get $file) (local.get $at) (i32.const 4))
        (call $at (i32.const 384) (i32.const 6))
        (call $emit (i32.load (i32.const 1024)) (i32.load (i32.const 1028)))
        (local.set $at (i64.add (local.get $at) (i64.const 4)))
        (br $next)))
    (call $drop (local.get $file))
    (call $ok)";

/// A file in memory that keeps what it is handed.
#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    /// How many artifacts it takes.
    room: Option<usize>,
    is_broken: bool,
    artifacts: Vec<(String, Artifact)>,
    skipped: Vec<Skipped>,
}

impl Reading for Memory {
    fn name(&self) -> String {
        "notes/a.txt".to_owned()
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if self.is_broken {
            return Err(io::Error::other("the disk is gone"));
        }
        let start = usize::try_from(offset).unwrap().min(self.bytes.len());
        let end = start.saturating_add(length).min(self.bytes.len());
        Ok(self.bytes[start..end].to_vec())
    }

    fn emit(&mut self, place: &str, artifact: Artifact) -> Result<(), ReceiverGone> {
        if self.room == Some(self.artifacts.len()) {
            return Err(ReceiverGone);
        }
        self.artifacts.push((place.to_owned(), artifact));
        Ok(())
    }

    fn skip(&mut self, skipped: Skipped) -> Result<(), ReceiverGone> {
        self.skipped.push(skipped);
        Ok(())
    }
}

fn run_with(body: &str, limits: &Limits, file: Memory) -> ReaderRun<Memory> {
    let plugin = Sandbox::new(1, None)
        .unwrap()
        .load_reader("lines", &component(body))
        .unwrap();
    plugin.read(file, Digest::of(b""), "{}", limits)
}

fn run(body: &str, bytes: &[u8]) -> ReaderRun<Memory> {
    let file = Memory {
        bytes: bytes.to_vec(),
        ..Memory::default()
    };
    run_with(body, &Limits::default(), file)
}

fn fault(run: ReaderRun<Memory>) -> Fault {
    *run.summary.unwrap_err().fault
}
