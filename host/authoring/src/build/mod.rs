//! From a plugin's folder to a checked component.
//!
//! One file for each language makes the bytes; what is common to all stands here: the language, the contract, the
//! check by the sandbox that will run it, the file beside the source.

mod bindings;
mod c;
mod encode;
mod error;
mod go;
mod js;
mod python;
mod rust;
mod source_map;
mod tools;

use std::path::{Path, PathBuf};

pub use error::BuildError;
pub use tools::{Tool, Tools};

use super::{Language, contract};
use synix_core::digest::Digest;
use synix_sandbox::{Descriptor, Sandbox};

/// A component that the sandbox takes.
#[derive(Debug)]
pub struct Built {
    /// Where it stands.
    pub file: PathBuf,
    /// What it was written in.
    pub language: Language,
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: usize,
}

/// What a language's build works with.
struct Workshop<'a> {
    /// The plugin's folder, as an absolute path.
    folder: PathBuf,
    /// The contract of this host, written out.
    wit: PathBuf,
    /// A folder for intermediate files, removed after the build.
    scratch: PathBuf,
    tools: &'a Tools,
}

/// Compiles the plugin in `folder`, checks it, and writes `NAME.wasm` there, after the name it gives itself.
pub fn build(folder: &Path, tools: &Tools, sandbox: &Sandbox) -> Result<Built, BuildError> {
    let cannot_open = |source| BuildError::Folder {
        path: folder.to_owned(),
        source,
    };
    let folder = folder.canonicalize().map_err(cannot_open)?;
    if !folder.is_dir() {
        return Err(cannot_open(std::io::ErrorKind::NotADirectory.into()));
    }
    let language = Language::of(&folder).ok_or_else(|| BuildError::NoLanguage {
        folder: folder.clone(),
    })?;
    let scratch = tempfile::tempdir().map_err(|source| BuildError::Scratch { source })?;
    let tools = &tools.with_those_of(&folder);
    let workshop = Workshop {
        wit: scratch.path().join("wit"),
        scratch: scratch.path().to_owned(),
        folder,
        tools,
    };
    contract::write(&workshop.wit)?;
    let component = encode::signed(&component(language, &workshop)?, language.title())?;
    let shown = workshop.folder.display().to_string();
    let plugin = sandbox
        .load(&shown, &component)
        .map_err(|source| BuildError::Unusable(Box::new(source)))?;
    let descriptor = plugin.descriptor().clone();
    let file = workshop.folder.join(format!("{}.wasm", descriptor.name));
    synix_disk::replace(&file, &component)?;
    Ok(Built {
        file,
        language,
        descriptor,
        digest: plugin.digest(),
        bytes: component.len(),
    })
}

fn component(language: Language, workshop: &Workshop<'_>) -> Result<Vec<u8>, BuildError> {
    match language {
        Language::Rust => rust::component(workshop),
        Language::Python => python::component(workshop),
        Language::Js => js::component(workshop, js::Entry::JavaScript),
        Language::Ts => js::component(workshop, js::Entry::TypeScript),
        Language::C => c::component(workshop),
        Language::Go => go::component(workshop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_plugin_says_which_files_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(1, None).unwrap();
        let error = build(folder.path(), &Tools::default(), &sandbox).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
