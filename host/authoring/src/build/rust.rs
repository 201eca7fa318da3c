//! Rust: cargo, with the standard library for `wasm32-unknown-unknown` from rustup or built from source.

use synix_guest_build::compile::{Compiler, Goal, Selection};
use synix_guest_build::component;
use synix_guest_build::toolchain::{TARGET, Toolchain};

use super::{BuildContext, BuildError, Tool};

const CARGO: Tool = Tool {
    name: "cargo",
    get: "https://rustup.rs",
};
const RUSTC: Tool = Tool {
    name: "rustc",
    get: "https://rustup.rs",
};

pub(super) fn component(context: &BuildContext<'_>) -> Result<Vec<u8>, BuildError> {
    let manifest = context.folder.join("Cargo.toml");
    let module = format!("{}.wasm", library(context)?);
    let toolchain = Toolchain {
        cargo: context.tools.find(CARGO)?.into(),
        rustc: context.tools.find(RUSTC)?.into(),
    };
    let compiler = Compiler {
        standard_library: toolchain
            .standard_library()
            .map_err(|error| rust_error(&error))?,
        toolchain,
        root: context.folder.clone(),
        target_dir: context.folder.join("target"),
        locked: false,
        goal: Goal::SmallModules,
    };
    // Do not mistake the module of an earlier build for the new one.
    synix_disk::discard(
        &compiler
            .target_dir
            .join(TARGET)
            .join("release")
            .join(&module),
    );
    let modules = compiler
        .compile(&manifest, Selection::Library)
        .map_err(|error| rust_error(&error))?;
    let module = modules.join(module);
    if !module.is_file() {
        return Err(BuildError::InvalidFile {
            path: manifest,
            why:
                "the library is not a `cdylib`; set `crate-type = [\"cdylib\", \"rlib\"]` in [lib]"
                    .to_owned(),
        });
    }
    component::encode(&module).map_err(|error| rust_error(&error))
}

fn rust_error(error: &synix_guest_build::BuildError) -> BuildError {
    use synix_guest_build::BuildError as Fault;
    let report = if matches!(error, Fault::NoStandardLibrary) {
        format!(
            "Rust's standard library for {TARGET} is missing; to install it: rustup target add {TARGET}"
        )
    } else if let Fault::Failed { stderr, .. } = error {
        format!("cargo failed:\n{}", stderr.trim_end())
    } else {
        error.report()
    };
    BuildError::Rust { report }
}

/// Returns the name of the library, as in its file name.
fn library(context: &BuildContext<'_>) -> Result<String, BuildError> {
    let path = context.folder.join("Cargo.toml");
    let text = String::from_utf8_lossy(&synix_disk::read(&path)?).into_owned();
    let invalid = |why: String| BuildError::InvalidFile {
        path: path.clone(),
        why,
    };
    let manifest: toml::Table = text.parse().map_err(|error| invalid(format!("{error}")))?;
    let name = |table: &str| manifest.get(table)?.get("name")?.as_str();
    let name = name("lib")
        .or_else(|| name("package"))
        .ok_or_else(|| invalid("it has no package name".to_owned()))?;
    Ok(name.replace('-', "_"))
}
