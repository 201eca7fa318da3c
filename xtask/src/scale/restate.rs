//! The server of Restate, which carries units to workers.

use std::env::consts::{ARCH, OS};
use std::path::PathBuf;

use crate::languages::{Npm, npm_packages};
use crate::probe::target_folder;
use crate::shell::{Failure, say, works};

/// Names the program to the tests.
pub(crate) const VARIABLE: &str = "SYNIX_RESTATE_SERVER";

/// The package from the npm registry. Its server is under the Business Source License 1.1.
const PACKAGE: &str = "@restatedev/restate-server@1.7.12";

/// Returns the program of the server.
pub(crate) fn find_or_install() -> Result<PathBuf, Failure> {
    let folder = target_folder("servers")?.join("restate");
    let platform = platform(OS, ARCH).ok_or_else(|| {
        Failure(format!(
            "{PACKAGE} has no program for {OS} on {ARCH}; run the tests of this tier on Linux or macOS"
        ))
    })?;
    if let Npm::Failed = npm_packages(&folder, &[PACKAGE])? {
        return Err(Failure(format!(
            "the npm registry did not give {PACKAGE}, which the tests of units on other machines need"
        )));
    }
    // Not the script of the package: to kill it would not kill the server.
    let program = folder.join(format!(
        "node_modules/@restatedev/restate-server-{platform}/bin/restate-server"
    ));
    if !works(&program.to_string_lossy(), &["--version"]) {
        return Err(Failure(format!(
            "{} does not run\ndelete {} and run this task again",
            program.display(),
            folder.display()
        )));
    }
    say(&format!("server of Restate: {}", program.display()));
    Ok(program)
}

/// Returns how npm names a platform.
fn platform(system: &str, processor: &str) -> Option<String> {
    let system = match system {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let processor = match processor {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return None,
    };
    Some(format!("{system}-{processor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_of_the_package_has_the_name_that_npm_gives_it() {
        let expected = [
            (("linux", "x86_64"), Some("linux-x64")),
            (("linux", "aarch64"), Some("linux-arm64")),
            (("macos", "x86_64"), Some("darwin-x64")),
            (("macos", "aarch64"), Some("darwin-arm64")),
            (("windows", "x86_64"), None),
            (("linux", "riscv64"), None),
        ];
        for ((system, processor), name) in expected {
            assert_eq!(platform(system, processor).as_deref(), name, "{system}");
        }
    }
}
