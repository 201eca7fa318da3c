//! Components: whatever the file holds, a plugin with a description that keeps the rules, or an error.
//!
//! A file that begins with `(` or a comment is WebAssembly as text, so that changes go deeper than the first wrong byte. A
//! core module of these is made a component of the contract first.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use synix_sandbox::Sandbox;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(1, None).expect("a sandbox on this machine"));

static CONTRACT: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(WIT).expect("the contract");
    let world = resolve.select_world(&[package], Some("transform"));
    (resolve, world.expect("the world"))
});

fn encoded(module: &[u8]) -> Option<Vec<u8>> {
    let mut module = module.to_vec();
    let (resolve, world) = &*CONTRACT;
    embed_component_metadata(&mut module, resolve, *world, StringEncoding::UTF8).ok()?;
    ComponentEncoder::default()
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .ok()
}

fn component(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"(") && !bytes.starts_with(b";;") {
        return Some(bytes.to_vec());
    }
    let made = wat::parse_bytes(bytes).ok()?.into_owned();
    if made.starts_with(b"\0asm\x01\0\0\0") {
        encoded(&made)
    } else {
        Some(made)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(component) = component(bytes) else {
        return;
    };
    match SANDBOX.load("fuzzed", &component) {
        Ok(plugin) => {
            let about = plugin.descriptor();
            assert!(!about.name.is_empty() && about.config_schema.is_object());
        }
        Err(error) => assert!(error.to_string().starts_with("plugin fuzzed: ")),
    }
});
