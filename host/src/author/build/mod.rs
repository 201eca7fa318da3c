//! From a plugin's folder to its component, in the language that the folder's files tell.
//!
//! How each language gets there is in a file of its own; this one finds the language and owns the errors.

mod bindings;
mod c;
mod encode;
mod go;
mod tools;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

pub use tools::{Tool, Tools};

/// The published contract.
static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");

/// Why a plugin could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No file tells the language.
    #[error(
        "{} has no Cargo.toml, pyproject.toml, package.json, go.mod or .c file; `synix plugin new` makes a folder that can be built",
        folder.display()
    )]
    NoLanguage {
        /// The folder.
        folder: PathBuf,
    },
    /// A program is not there.
    #[error("`{name}` is not there; get it with: {remedy}")]
    NoTool {
        /// Its name.
        name: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// A program could not be started.
    #[error("cannot start `{command}`")]
    Start {
        /// The program and its arguments.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// A program failed.
    #[error("`{command}` failed\n{said}")]
    Failed {
        /// The program and its arguments.
        command: String,
        /// The end of what it wrote.
        said: String,
    },
    /// A `go.mod` without a module.
    #[error("{} names no module; begin it with `module NAME`", path.display())]
    NoModule {
        /// Its path.
        path: PathBuf,
    },
    /// The contract in the folder cannot be used.
    #[error("no bindings can be made of {}: {detail}", path.display())]
    Contract {
        /// The folder of the contract.
        path: PathBuf,
        /// What the generator says.
        detail: String,
    },
    /// What was compiled is no transform.
    #[error("what was compiled is no transform: {detail}")]
    Encode {
        /// What the encoder says.
        detail: String,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What a language builds with.
pub(crate) struct Workshop<'a> {
    /// The plugin's folder.
    pub(crate) folder: &'a Path,
    /// The folder with the contract.
    pub(crate) wit: &'a Path,
    /// An empty folder that is removed afterwards.
    pub(crate) scratch: &'a Path,
    /// The programs.
    pub(crate) tools: &'a Tools,
}

/// Builds the plugin of a folder and returns its component's bytes.
pub fn component(folder: &Path, tools: &Tools) -> Result<Vec<u8>, BuildError> {
    let folder = fs::canonicalize(folder).map_err(|source| BuildError::Read {
        path: folder.to_owned(),
        source,
    })?;
    let write_error = |source| BuildError::Write {
        path: std::env::temp_dir(),
        source,
    };
    let work = tempfile::tempdir().map_err(write_error)?;
    let wit = work.path().join("wit");
    for file in WIT.files() {
        write(&wit.join(file.path()), file.contents())?;
    }
    let scratch = work.path().join("build");
    fs::create_dir(&scratch).map_err(write_error)?;
    let workshop = Workshop {
        folder: &folder,
        wit: &wit,
        scratch: &scratch,
        tools,
    };
    if folder.join("go.mod").is_file() {
        go::component(&workshop)
    } else if !c::sources(&folder)?.is_empty() {
        c::component(&workshop)
    } else {
        Err(BuildError::NoLanguage { folder })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|source| BuildError::Read {
        path: path.to_owned(),
        source,
    })
}

fn read_text(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|source| BuildError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file of the scratch folder and the folders above it.
#[expect(
    clippy::disallowed_methods,
    reason = "the scratch folder does not outlive the build"
)]
fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, bytes))
        .map_err(|source| BuildError::Write {
            path: path.to_owned(),
            source,
        })
}
