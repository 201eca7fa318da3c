//! Encodes a core module as a component.
//!
//! If the module imports WASI preview 1, the component gets a deterministic adapter for it. So the component imports
//! nothing but the contract.

use std::path::Path;

use wasm_metadata::AddMetadata;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use super::BuildError;

/// The adapter: frozen clocks, constant random numbers, printed text as log lines.
const PREVIEW1: &str = include_str!("preview1.wat");
const PREVIEW1_NAME: &str = "wasi_snapshot_preview1";
const PREVIEW1_WORLD: &str =
    "package synix:preview1; world preview1 { import synix:plugin/log@0.1.1; }";

/// Encodes a module without metadata as a component of the world `transform`.
pub(super) fn component(module: &[u8], wit: &Path) -> Result<Vec<u8>, BuildError> {
    encode(module, wit).map_err(|error| BuildError::Encode {
        detail: format!("{error:#}"),
    })
}

/// Records the language of the plugin in the component. Its nested modules record the languages of their runtimes.
pub(super) fn with_language(component: &[u8], language: &str) -> Result<Vec<u8>, BuildError> {
    let mut metadata = AddMetadata::default();
    metadata.language.push((language.to_owned(), String::new()));
    metadata
        .to_wasm(component)
        .map_err(|error| BuildError::Encode {
            detail: format!("{error:#}"),
        })
}

fn encode(module: &[u8], wit: &Path) -> anyhow::Result<Vec<u8>> {
    let mut module = module.to_vec();
    let (resolve, world) = contract(wit)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
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
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(module: &str) -> Result<Vec<u8>, BuildError> {
        let module = wat::parse_str(module).unwrap();
        component(
            &module,
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")),
        )
    }

    #[test]
    fn a_missing_function_of_the_contract_is_named() {
        let error = encoded("(module)").unwrap_err().to_string();
        assert!(error.contains("describe"), "{error}");
    }

    /// A guest may import a function that it never calls.
    #[test]
    fn the_adapter_has_every_function_of_preview_1() {
        let module = wat::parse_str(PREVIEW1).unwrap();
        let exported = |name: &str| {
            module
                .windows(name.len())
                .any(|part| part == name.as_bytes())
        };
        for name in [
            "args_get",
            "args_sizes_get",
            "clock_res_get",
            "clock_time_get",
            "environ_get",
            "environ_sizes_get",
            "fd_advise",
            "fd_allocate",
            "fd_close",
            "fd_datasync",
            "fd_fdstat_get",
            "fd_fdstat_set_flags",
            "fd_fdstat_set_rights",
            "fd_filestat_get",
            "fd_filestat_set_size",
            "fd_filestat_set_times",
            "fd_pread",
            "fd_prestat_dir_name",
            "fd_prestat_get",
            "fd_pwrite",
            "fd_read",
            "fd_readdir",
            "fd_renumber",
            "fd_seek",
            "fd_sync",
            "fd_tell",
            "fd_write",
            "path_create_directory",
            "path_filestat_get",
            "path_filestat_set_times",
            "path_link",
            "path_open",
            "path_readlink",
            "path_remove_directory",
            "path_rename",
            "path_symlink",
            "path_unlink_file",
            "poll_oneoff",
            "proc_exit",
            "proc_raise",
            "random_get",
            "sched_yield",
            "sock_accept",
            "sock_recv",
            "sock_send",
            "sock_shutdown",
        ] {
            assert!(exported(name), "{name}");
        }
    }
}
