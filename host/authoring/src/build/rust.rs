//! Rust: cargo, with the library for `wasm32-unknown-unknown` from rustup or from its source.

use synix_guest_build::compile::{Compiler, Selection};
use synix_guest_build::component;
use synix_guest_build::toolchain::{TARGET, Toolchain};

use super::{BuildError, Tool, Workshop};

const CARGO: Tool = Tool {
    name: "cargo",
    get: "https://rustup.rs",
};
const RUSTC: Tool = Tool {
    name: "rustc",
    get: "https://rustup.rs",
};

pub(super) fn component(workshop: &Workshop<'_>) -> Result<Vec<u8>, BuildError> {
    let manifest = workshop.folder.join("Cargo.toml");
    let module = format!("{}.wasm", library(workshop)?);
    let toolchain = Toolchain {
        cargo: workshop.tools.find(CARGO)?.into(),
        rustc: workshop.tools.find(RUSTC)?.into(),
    };
    let compiler = Compiler {
        standard_library: toolchain
            .standard_library()
            .map_err(|error| wrong(&error))?,
        toolchain,
        root: workshop.folder.clone(),
        target_dir: workshop.folder.join("target"),
        locked: false,
    };
    // One of an earlier build must not pass for what this one makes.
    synix_disk::discard(
        &compiler
            .target_dir
            .join(TARGET)
            .join("release")
            .join(&module),
    );
    let modules = compiler
        .compile(&manifest, Selection::Library)
        .map_err(|error| wrong(&error))?;
    let module = modules.join(module);
    if !module.is_file() {
        return Err(BuildError::Wrong {
            path: manifest,
            why: "the library is no `cdylib`; set `crate-type = [\"cdylib\", \"rlib\"]` in [lib]"
                .to_owned(),
        });
    }
    component::encode(&module).map_err(|error| wrong(&error))
}

fn wrong(error: &synix_guest_build::BuildError) -> BuildError {
    use synix_guest_build::BuildError as Fault;
    let report = if matches!(error, Fault::NoStandardLibrary) {
        format!(
            "Rust's standard library for {TARGET} is missing; to get it: rustup target add {TARGET}"
        )
    } else if let Fault::Failed { stderr, .. } = error {
        format!("cargo failed:\n{}", stderr.trim_end())
    } else {
        error.report()
    };
    BuildError::Rust { report }
}

/// Returns the name of the library, as its file has it.
fn library(workshop: &Workshop<'_>) -> Result<String, BuildError> {
    let path = workshop.folder.join("Cargo.toml");
    let text = String::from_utf8_lossy(&synix_disk::read(&path)?).into_owned();
    let wrong = |why: String| BuildError::Wrong {
        path: path.clone(),
        why,
    };
    let manifest: toml::Table = text.parse().map_err(|error| wrong(format!("{error}")))?;
    let name = |table: &str| manifest.get(table)?.get("name")?.as_str();
    let name = name("lib")
        .or_else(|| name("package"))
        .ok_or_else(|| wrong("it names no package".to_owned()))?;
    Ok(name.replace('-', "_"))
}
