//! C: `zig cc`, with bindings that this program generates.

use std::path::{Path, PathBuf};

use super::{BuildContext, BuildError, Tool, bindings, encode};

const ZIG: Tool = Tool {
    name: "zig",
    get: "pip install ziglang==0.17.1, or https://ziglang.org/download",
};

/// The name of zig in its Python package.
const PYTHON_ZIG: Tool = Tool {
    name: "python-zig",
    ..ZIG
};

/// Joins printed text to lines.
const LINES: &str = include_str!("c/lines.c");

/// The stack is small because the default of 16 MiB would count as memory of a unit.
const FLAGS: [&str; 11] = [
    "cc",
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-std=c11",
    "-Wall",
    "-Os",
    "-s",
    "-flto",
    "-Wl,-z,stack-size=262144",
    "-o",
];

pub(super) fn component(context: &BuildContext<'_>) -> Result<Vec<u8>, BuildError> {
    let generated = context.scratch.join("bindings");
    let generator = wit_bindgen_c::Opts::default();
    bindings::write(generator.build(), &context.wit, &generated)?;
    bindings::write_file(&generated.join("lines.c"), LINES.as_bytes())?;
    let module = context.scratch.join("module.wasm");
    let tools = context.tools;
    let from_python = tools.find(ZIG).is_err() && tools.find(PYTHON_ZIG).is_ok();
    let zig = if from_python { PYTHON_ZIG } else { ZIG };
    let mut command = tools.command(zig, &context.scratch)?;
    command.args(FLAGS).arg(&module);
    for folder in [&generated, &context.folder.join("sdk"), &context.folder] {
        command.arg("-I").arg(folder);
    }
    command.args(sources(&context.folder)?);
    // The bindings link only with this object, which contains the contract.
    command.args(
        ["transform.c", "lines.c", "transform_component_type.o"].map(|file| generated.join(file)),
    );
    tools.run(&mut command).map_err(|error| {
        error.map_output(|output| {
            if output.contains("undefined symbol: exports_transform_") {
                output.push_str(
                    "\nno file exports the plugin; add `SYNIX_EXPORT(PLUGIN)` to one of them",
                );
            }
        })
    })?;
    encode::component(&synix_disk::read(&module)?, &context.wit)
}

/// Returns the C files of a folder without its subfolders, sorted by name.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let entries = std::fs::read_dir(folder).map_err(|source| BuildError::Folder {
        path: folder.to_owned(),
        source,
    })?;
    let mut sources: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect();
    sources.sort();
    Ok(sources)
}
