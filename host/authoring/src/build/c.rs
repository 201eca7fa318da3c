//! C: `zig cc` and bindings made in process.

use std::path::{Path, PathBuf};

use super::{BuildError, Tool, Workshop, bindings, encode};

const ZIG: Tool = Tool {
    name: "zig",
    get: "pip install ziglang==0.17.1, or https://ziglang.org/download",
};

/// What the Python package calls it.
const PYTHON_ZIG: Tool = Tool {
    name: "python-zig",
    ..ZIG
};

/// Joins what is printed to lines.
const LINES: &str = include_str!("c/lines.c");

/// The default stack of 16 MiB would count against a unit's memory.
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

pub(super) fn component(workshop: &Workshop<'_>) -> Result<Vec<u8>, BuildError> {
    let generated = workshop.scratch.join("bindings");
    let generator = wit_bindgen_c::Opts::default();
    bindings::write(generator.build(), &workshop.wit, &generated)?;
    bindings::put(&generated.join("lines.c"), LINES.as_bytes())?;
    let module = workshop.scratch.join("module.wasm");
    let tools = workshop.tools;
    let from_python = tools.find(ZIG).is_err() && tools.find(PYTHON_ZIG).is_ok();
    let zig = if from_python { PYTHON_ZIG } else { ZIG };
    let mut command = tools.command(zig, &workshop.scratch)?;
    command.args(FLAGS).arg(&module);
    for folder in [&generated, &workshop.folder.join("sdk"), &workshop.folder] {
        command.arg("-I").arg(folder);
    }
    command.args(sources(&workshop.folder)?);
    // The object names the contract; the bindings do not link without it.
    command.args(
        ["transform.c", "lines.c", "transform_component_type.o"].map(|file| generated.join(file)),
    );
    tools.run(&mut command).map_err(|error| {
        error.quoting(|output| {
            if output.contains("undefined symbol: exports_transform_") {
                output.push_str(
                    "\nno file hands the plugin over; one of them needs `SYNIX_EXPORT(PLUGIN)`",
                );
            }
        })
    })?;
    encode::component(&synix_disk::read(&module)?, &workshop.wit)
}

/// Returns the C files of a folder, not of those below it, in the order of their names.
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
