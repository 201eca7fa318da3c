//! From a core module to a component.
//!
//! The contract is put into the module. Where the module imports WASI preview 1, a deterministic stand-in is built
//! into the component, so that it asks its host for nothing but the contract.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use super::BuildError;

/// The stand-in: frozen clocks, constant random numbers, printed text to the log.
const PREVIEW1: &str = include_str!("preview1.wat");
const PREVIEW1_NAME: &str = "wasi_snapshot_preview1";
const PREVIEW1_WORLD: &str =
    "package synix:preview1; world preview1 { import synix:plugin/log@0.1.0; }";

/// Makes a component of the world `transform` out of a module without metadata.
pub(super) fn component(module: &[u8], wit: &Path) -> Result<Vec<u8>, BuildError> {
    encode(module, wit).map_err(|error| BuildError::Encode {
        detail: format!("{error:#}"),
    })
}

fn encode(module: &[u8], wit: &Path) -> anyhow::Result<Vec<u8>> {
    let mut module = module.to_vec();
    let (resolve, world) = contract(wit)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(PREVIEW1_NAME, &preview1(resolve)?)?
        .encode()
}

fn contract(wit: &Path) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some("transform"))?;
    Ok((resolve, world))
}

fn preview1(mut resolve: Resolve) -> anyhow::Result<Vec<u8>> {
    let package = resolve.push_str("preview1.wit", PREVIEW1_WORLD)?;
    let world = resolve.select_world(&[package], None)?;
    let mut module = wat::parse_str(PREVIEW1)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    Ok(module)
}
