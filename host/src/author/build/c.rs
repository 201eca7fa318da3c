//! C: `zig cc` and bindings made in process.

use std::path::{Path, PathBuf};

use super::{BuildError, Tool, Workshop, bindings, encode};

const ZIG: Tool = Tool {
    name: "zig",
    remedy: "pip install ziglang, or https://ziglang.org/download",
};

/// The stack comes first in memory, so that its overflow is a trap and not another's data.
const FLAGS: [&str; 12] = [
    "cc",
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-std=c11",
    "-Wall",
    "-Os",
    "-s",
    "-flto",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=262144",
    "-o",
];

pub(super) fn component(workshop: &Workshop<'_>) -> Result<Vec<u8>, BuildError> {
    let generated = workshop.scratch.join("bindings");
    let generator = wit_bindgen_c::Opts {
        // The contract is put into the module when it is encoded.
        no_object_file: true,
        ..Default::default()
    };
    bindings::write(generator.build(), workshop.wit, &generated)?;
    let module = workshop.scratch.join("module.wasm");
    let mut command = workshop.tools.command(&ZIG)?;
    command.args(FLAGS).arg(&module);
    for folder in [&generated, &workshop.folder.join("sdk"), workshop.folder] {
        command.arg("-I").arg(folder);
    }
    command.args(sources(workshop.folder)?);
    command.arg(generated.join("transform.c"));
    workshop.tools.run(&mut command)?;
    encode::component(&super::read(&module)?, workshop.wit)
}

/// Returns the C files of a folder, not of those below it, in the order of their names.
pub(super) fn sources(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let entries = std::fs::read_dir(folder).map_err(|source| BuildError::Read {
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
