//! Builds the component of a plugin's folder.
//!
//! One module per language makes the bytes. This module has what they share: it detects the language, writes the
//! contract, loads the component in the sandbox that will run it, and writes the file.

mod bindings;
mod c;
mod encode;
mod error;
mod go;
mod js;
mod js_borrow;
mod project;
mod python;
mod rust;
mod source_map;
mod tools;

use std::path::{Path, PathBuf};

pub use error::BuildError;
pub use tools::{Tool, Tools};

use super::{Language, LoadedPlugin, PluginKind, contract};
use synix_core::digest::Digest;
use synix_sandbox::{Descriptor, Sandbox};

/// A component that the sandbox has loaded.
#[derive(Debug)]
pub struct BuiltPlugin {
    /// The path of the component.
    pub file: PathBuf,
    /// The language of its source.
    pub language: Language,
    /// What it is.
    pub kind: PluginKind,
    /// Its own description.
    pub descriptor: Descriptor,
    /// The digest of the component.
    pub digest: Digest,
    /// The size of the component.
    pub bytes: usize,
}

/// What the build of a language needs.
struct BuildContext<'a> {
    /// The absolute path of the plugin's folder.
    folder: PathBuf,
    /// The folder with the WIT files of the contract.
    wit: PathBuf,
    /// A folder for intermediate files, deleted after the build.
    scratch: PathBuf,
    tools: &'a Tools,
}

/// Compiles the plugin in `folder`, loads it, and writes `NAME.wasm` there, named after the plugin.
pub fn build(folder: &Path, tools: &Tools, sandbox: &Sandbox) -> Result<BuiltPlugin, BuildError> {
    let cannot_open = |source| BuildError::Folder {
        path: folder.to_owned(),
        source,
    };
    let folder = folder.canonicalize().map_err(cannot_open)?;
    if !folder.is_dir() {
        return Err(cannot_open(std::io::ErrorKind::NotADirectory.into()));
    }
    let language = Language::detect(&folder).ok_or_else(|| BuildError::NoLanguage {
        folder: folder.clone(),
    })?;
    let scratch = tempfile::tempdir().map_err(|source| BuildError::Scratch { source })?;
    let tools = &tools.with_local_tools(&folder);
    let context = BuildContext {
        wit: scratch.path().join("wit"),
        scratch: scratch.path().to_owned(),
        folder,
        tools,
    };
    contract::write(&context.wit)?;
    let component = encode::with_language(&component(language, &context)?, language.title())?;
    let shown = context.folder.display().to_string();
    let plugin = LoadedPlugin::load(sandbox, &shown, &component)
        .map_err(|source| BuildError::Unusable(Box::new(source)))?;
    let descriptor = plugin.descriptor().clone();
    let file = context.folder.join(format!("{}.wasm", descriptor.name));
    synix_disk::replace(&file, &component)?;
    Ok(BuiltPlugin {
        file,
        language,
        kind: plugin.kind(),
        descriptor,
        digest: plugin.digest(),
        bytes: component.len(),
    })
}

fn component(language: Language, context: &BuildContext<'_>) -> Result<Vec<u8>, BuildError> {
    let kind = project::stated_kind(language, &context.folder)?;
    match language {
        Language::Rust => rust::component(context),
        Language::Python => python::component(context, kind),
        Language::Js => js::component(context, js::Entry::JavaScript, kind),
        Language::Ts => js::component(context, js::Entry::TypeScript, kind),
        Language::C => c::component(context),
        Language::Go => go::component(context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_plugin_is_an_error_that_names_the_expected_files() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(1, None).unwrap();
        let error = build(folder.path(), &Tools::default(), &sandbox).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
