//! Finds the compiler and the standard library of the target.
//!
//! `cargo xtask setup` installs what is missing.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BuildError;

/// The target that guests are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Where the target's standard library comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardLibrary {
    /// The sysroot has it compiled.
    Installed,
    /// Cargo compiles it from the source in the sysroot.
    FromSource,
}

/// The cargo and rustc of the build that is running.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// Path or name of cargo.
    pub cargo: OsString,
    /// Path or name of rustc.
    pub rustc: OsString,
}

impl Toolchain {
    /// Uses the programs that cargo names in the environment of the processes that it starts, or those on the path.
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo speaks through the environment"
    )]
    pub fn from_environment() -> Self {
        Self {
            cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            rustc: env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        }
    }

    /// Returns the compiler's version, such as `1.95.0`.
    pub fn version(&self) -> Result<String, BuildError> {
        let line = self.query_rustc(&["--version"])?;
        Ok(line.split(' ').nth(1).unwrap_or_default().to_owned())
    }

    /// Returns the folder of the compiler's libraries.
    pub fn sysroot(&self) -> Result<PathBuf, BuildError> {
        Ok(PathBuf::from(self.query_rustc(&["--print", "sysroot"])?))
    }

    /// Finds the standard library for [`TARGET`].
    pub fn standard_library(&self) -> Result<StandardLibrary, BuildError> {
        let libraries = self.query_rustc(&["--print", "target-libdir", "--target", TARGET])?;
        if has_std(Path::new(&libraries)) {
            Ok(StandardLibrary::Installed)
        } else if source_library(&self.sysroot()?)
            .join("std/Cargo.toml")
            .is_file()
        {
            Ok(StandardLibrary::FromSource)
        } else {
            Err(BuildError::NoStandardLibrary)
        }
    }

    fn query_rustc(&self, arguments: &[&str]) -> Result<String, BuildError> {
        run(Command::new(&self.rustc).args(arguments))
    }
}

/// Returns where cargo looks for the source of the standard library.
pub fn source_library(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust/library")
}

fn has_std(libraries: &Path) -> bool {
    fs::read_dir(libraries)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// Runs a command to its end and returns its standard output without the last line break.
pub(crate) fn run(command: &mut Command) -> Result<String, BuildError> {
    let shown = || {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let shown = shown();
    match command.output() {
        Err(source) => Err(BuildError::Start {
            command: shown,
            source,
        }),
        Ok(output) if !output.status.success() => Err(BuildError::Failed {
            command: shown,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_compiler_is_named() {
        let toolchain = Toolchain {
            cargo: "cargo".into(),
            rustc: "no-such-rustc".into(),
        };
        let report = toolchain.standard_library().unwrap_err().report();
        assert!(
            report.starts_with("cannot start `no-such-rustc --print target-libdir"),
            "{report}"
        );
    }

    #[test]
    fn a_folder_without_std_is_not_a_standard_library() {
        assert!(!has_std(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }
}
