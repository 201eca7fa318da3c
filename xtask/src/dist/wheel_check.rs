//! Checks the wheel, which this workspace packs itself, with the standard tools for Python packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::languages;
use crate::probe::target_folder;
use crate::shell::{self, Failure, say};

const PACKAGES: [&str; 3] = [
    "check-wheel-contents==0.6.3",
    "twine==7.0.0",
    "wheel==0.48.0",
];

/// Installs the tools from the Python registry, unless they are installed. Returns their interpreter.
pub(crate) fn setup() -> Result<PathBuf, Failure> {
    let environment = target_folder("languages")?.join("wheel");
    languages::python_packages(&environment, &PACKAGES)?;
    Ok(languages::interpreter(&environment))
}

/// Fails if a tool finds a fault in a wheel in `folder`.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    let unpacked = target_folder("unpacked-wheel")?;
    let python = setup().map_err(|Failure(reason)| {
        let folder = folder.display();
        Failure(format!(
            "the wheel in {folder} is packed, but it was not checked: {reason}"
        ))
    })?;
    let entries = fs::read_dir(folder)
        .map_err(|error| Failure(format!("cannot read {}: {error}", folder.display())))?;
    for wheel in entries.flatten().map(|entry| entry.path()) {
        if wheel.extension().is_some_and(|ending| ending == "whl") {
            for arguments in checks(&unpacked) {
                let mut command = Command::new(&python);
                shell::read(command.args(arguments).arg(&wheel))?;
            }
            say(&format!("checked: {}", wheel.display()));
        }
    }
    Ok(())
}

/// Returns the arguments of each check, to which the wheel is added.
fn checks(unpacked: &Path) -> [Vec<String>; 3] {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut unpack = words("-m wheel unpack --dest");
    // It compares each file with RECORD.
    unpack.push(unpacked.display().to_string());
    [
        words("-m twine check --strict"),
        // W007: the wheel has a program and no Python library.
        words("-m check_wheel_contents --ignore W007"),
        unpack,
    ]
}
