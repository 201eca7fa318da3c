//! Compiles a small crate in the same way as guests.

use std::fs;
use std::path::{Path, PathBuf};

use synix_guest_build::compile::{Compiler, Goal, Selection, target_dir_around};
use synix_guest_build::toolchain::{StandardLibrary, Toolchain};

use crate::shell::Failure;

const FILES: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        "[package]\nname = \"probe\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n",
    ),
    (
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"probe\"\nversion = \"0.1.0\"\n",
    ),
    (
        "src/lib.rs",
        "//! Uses the allocator and formatting, so that a broken standard library shows.\n\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn probe(number: u32) -> usize {\n    format!(\"{number}\").len()\n}\n",
    ),
];

/// Compiles the crate. An error means that guests cannot be compiled.
pub(crate) fn compile(
    toolchain: Toolchain,
    standard_library: StandardLibrary,
) -> Result<(), Failure> {
    let folder = work_folder("probe")?;
    for (name, text) in FILES {
        let path = folder.join(name);
        // Write only changed files, so that cargo does not compile the crate again.
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            write(&path, text)?;
        }
    }
    let target_dir = target_dir_around(&folder);
    let manifest = folder.join("Cargo.toml");
    Compiler {
        toolchain,
        standard_library,
        root: folder,
        target_dir,
        locked: true,
        // As the guests of the tests, so that a standard library from source is compiled once for both.
        goal: Goal::FastBuild,
    }
    .compile(&manifest, Selection::Library)?;
    Ok(())
}

/// Returns a folder inside the target folder for the files of the setup.
pub(crate) fn work_folder(name: &str) -> Result<PathBuf, Failure> {
    let folder = target_folder("setup")?.join(name);
    create_folder(&folder)?;
    Ok(folder)
}

/// Returns a folder inside the target folder.
pub(crate) fn target_folder(name: &str) -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure(format!("cannot find this program: {error}")))?;
    let guests = target_dir_around(&program);
    let folder = guests.with_file_name(name);
    create_folder(&folder)?;
    Ok(folder)
}

/// Creates a folder and its missing parents.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure(format!("cannot create {}: {error}", folder.display())))
}

/// Writes a small file that can be generated again.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask is not part of synix, and needs no file after a crash"
)]
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    fs::write(path, text)
        .map_err(|error| Failure(format!("cannot write {}: {error}", path.display())))
}
