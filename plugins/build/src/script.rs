//! The body of a build script that compiles the guests of tests.
//!
//! A build script is one call of [`run`]. If it fails, cargo shows the report as an error of the package.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::compile::{Compiler, Goal, Selection, target_dir_around};
use crate::files::write;
use crate::first_party;
use crate::toolchain::Toolchain;
use crate::{BuildError, component};

/// A compiled guest.
#[derive(Debug, Clone)]
pub struct Component {
    /// The name of the transform or example.
    pub name: String,
    /// The path of the component.
    pub path: String,
}

/// Compiles the guests of this workspace for a build script.
#[derive(Debug)]
pub struct Guests {
    compiler: Compiler,
    out_dir: PathBuf,
}

/// Runs the body of a build script.
#[expect(
    clippy::print_stdout,
    reason = "cargo reads a build script's standard output"
)]
pub fn run(work: impl FnOnce(&Guests) -> Result<(), BuildError>) {
    if let Err(error) = Guests::from_environment().and_then(|guests| work(&guests)) {
        for line in error.report().lines() {
            println!("cargo::error={line}");
        }
    }
}

impl Guests {
    fn from_environment() -> Result<Self, BuildError> {
        let package = folder_variable("CARGO_MANIFEST_DIR")?;
        let root = package
            .ancestors()
            .find(|folder| folder.join("Cargo.lock").is_file());
        let root = root
            .ok_or_else(|| BuildError::NoWorkspace {
                from: package.clone(),
            })?
            .to_owned();
        let out_dir = folder_variable("OUT_DIR")?;
        let toolchain = Toolchain::from_environment();
        let standard_library = toolchain.standard_library()?;
        let target_dir = target_dir_around(&out_dir);
        let guests = Self {
            compiler: Compiler {
                toolchain,
                standard_library,
                root,
                target_dir,
                locked: true,
                goal: Goal::FastBuild,
            },
            out_dir,
        };
        for shared in ["Cargo.toml", "Cargo.lock", "wit", "plugins/sdk"] {
            guests.watch(shared);
        }
        Ok(guests)
    }

    /// Unpacks a first-party component of the repository.
    pub fn first_party(&self, name: &str) -> Result<Component, BuildError> {
        self.watch(first_party::FOLDER);
        let component = first_party::component(&self.compiler.root, name)?;
        self.write_component(name, &component)
    }

    /// Compiles each example of the package in `folder`, in the order of the names.
    pub fn examples(&self, folder: &str) -> Result<Vec<Component>, BuildError> {
        let sources = self.compiler.root.join(folder).join("examples");
        let names = example_names(&sources).map_err(|source| BuildError::Read {
            path: sources,
            source,
        })?;
        let modules = self.compile(folder, Selection::Examples)?;
        names
            .iter()
            .map(|name| self.encode(&modules.join(format!("{name}.wasm")), name))
            .collect()
    }

    /// Writes a source file for `include!(concat!(env!("OUT_DIR"), "/NAME"))`.
    pub fn write_source(&self, name: &str, text: &str) -> Result<(), BuildError> {
        write(&self.out_dir.join(name), text.as_bytes())
    }

    fn compile(&self, folder: &str, selection: Selection) -> Result<PathBuf, BuildError> {
        self.watch(folder);
        let manifest = self.compiler.root.join(folder).join("Cargo.toml");
        self.compiler.compile(&manifest, selection)
    }

    fn encode(&self, module: &Path, name: &str) -> Result<Component, BuildError> {
        self.write_component(name, &component::encode(module)?)
    }

    fn write_component(&self, name: &str, component: &[u8]) -> Result<Component, BuildError> {
        let path = self.out_dir.join(format!("{name}.wasm"));
        write(&path, component)?;
        Ok(Component {
            name: name.to_owned(),
            path: path.display().to_string(),
        })
    }

    #[expect(
        clippy::print_stdout,
        reason = "cargo reads a build script's standard output"
    )]
    fn watch(&self, path: &str) {
        println!(
            "cargo::rerun-if-changed={}",
            self.compiler.root.join(path).display()
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks through the environment"
)]
fn folder_variable(name: &'static str) -> Result<PathBuf, BuildError> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or(BuildError::NoVariable { name })
}

fn example_names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let (Some("rs"), Some(name)) = (
            path.extension().and_then(|extension| extension.to_str()),
            path.file_stem().and_then(|name| name.to_str()),
        ) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
