//! The cargo run inside a build: flags, environment, target folder.
//!
//! The same crate always compiles to the same bytes: each package is compiled alone, so that no other package enables
//! features; the caller's flags are removed; paths of the machine are removed from the output.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BuildError;
use crate::toolchain::{StandardLibrary, TARGET, Toolchain, run};

/// The targets of a package to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Its library.
    Library,
    /// Each of its examples.
    Examples,
}

/// What matters about the modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// They are small, because the cost of a fresh instance grows with their size.
    SmallModules,
    /// Their code is fast: for readers. A run over a large file takes so long that its instance costs nothing beside it.
    FastModules,
    /// They are compiled in half the time and are a third larger: for the guests of tests, each of which runs a few times.
    FastBuild,
}

impl Goal {
    const fn link_time_optimization(self) -> &'static str {
        match self {
            Self::SmallModules | Self::FastModules => "fat",
            Self::FastBuild => "off",
        }
    }

    const fn optimization_level(self) -> &'static str {
        match self {
            Self::FastModules => "3",
            Self::SmallModules | Self::FastBuild => "s",
        }
    }

    /// Returns instructions beyond those that every engine has. Relaxed ones, whose results depend on the machine, are
    /// never among them.
    const fn target_features(self) -> Option<&'static str> {
        match self {
            Self::FastModules => Some("-Ctarget-feature=+simd128"),
            Self::SmallModules | Self::FastBuild => None,
        }
    }
}

/// Compiles packages to core modules.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// Cargo and rustc.
    pub toolchain: Toolchain,
    /// Where the target's standard library comes from.
    pub standard_library: StandardLibrary,
    /// The root folder of the packages; its path does not appear in the modules.
    pub root: PathBuf,
    /// A separate target folder, because that of the caller is locked while a build script runs.
    pub target_dir: PathBuf,
    /// Whether the lock file must exist and be complete.
    pub locked: bool,
    /// What matters about the modules.
    pub goal: Goal,
}

/// What the profiles of all guests have in common.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

/// Variables of the outer cargo run that would change the inner one.
const REMOVED: [&str; 12] = [
    "CARGO_BUILD_",
    "CARGO_CFG_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_FEATURE_",
    "CARGO_INCREMENTAL",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

/// Returns the target folder for guests that goes with the target folder around `inside`.
///
/// All profiles and build scripts share it, so that a guest is compiled once.
pub fn target_dir_around(inside: &Path) -> PathBuf {
    // Cargo writes this file into its target folders.
    let target = inside
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(inside).join("guests")
}

impl Compiler {
    /// Compiles the package of `manifest` and returns the folder with its modules.
    pub fn compile(&self, manifest: &Path, selection: Selection) -> Result<PathBuf, BuildError> {
        let mut command = Command::new(&self.toolchain.cargo);
        // A failure shows only the errors of the compiler, not its progress.
        command.args(["build", "--quiet", "--release", "--target", TARGET]);
        if self.locked {
            command.arg("--locked");
        }
        command.arg("--manifest-path").arg(manifest);
        command.arg("--target-dir").arg(&self.target_dir);
        command.arg(match selection {
            Selection::Library => "--lib",
            Selection::Examples => "--examples",
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "a build script is told everything by its environment"
        )]
        let variables = env::vars_os();
        for (name, _) in variables {
            if is_removed(&name) {
                command.env_remove(name);
            }
        }
        if self.standard_library == StandardLibrary::FromSource {
            command
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC_BOOTSTRAP", "1");
        }
        command.envs(PROFILE);
        command.env(
            "CARGO_PROFILE_RELEASE_LTO",
            self.goal.link_time_optimization(),
        );
        command.env(
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            self.goal.optimization_level(),
        );
        // The build folder from the user's configuration would be the one that the outer cargo has locked.
        command.env("CARGO_BUILD_BUILD_DIR", &self.target_dir);
        command.env("CARGO_ENCODED_RUSTFLAGS", self.flags()?);
        run(&mut command)?;
        let modules = self.target_dir.join(TARGET).join("release");
        Ok(match selection {
            Selection::Library => modules,
            Selection::Examples => modules.join("examples"),
        })
    }

    fn flags(&self) -> Result<OsString, BuildError> {
        let source = self.toolchain.sysroot()?.join("lib/rustlib/src/rust");
        let mut flags = OsString::from("-Clink-arg=-zstack-size=65536");
        if let Some(features) = self.goal.target_features() {
            flags.push("\u{1f}");
            flags.push(features);
        }
        // The last match takes precedence.
        let cut = [
            (Some(self.root.clone()), "/synix"),
            (cargo_home(), "/cargo"),
            (Some(source), "/rustc"),
        ];
        for (from, to) in cut {
            let Some(from) = from else { continue };
            flags.push("\u{1f}--remap-path-prefix=");
            flags.push(from);
            flags.push("=");
            flags.push(to);
        }
        Ok(flags)
    }
}

fn is_removed(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    REMOVED.iter().any(|start| name.starts_with(start))
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the registry's sources are is cargo's setting"
)]
fn cargo_home() -> Option<PathBuf> {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_the_caller_do_not_reach_a_guest() {
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
        ] {
            assert!(is_removed(OsStr::new(name)), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_X_INDEX",
            "PATH",
            "CARGO_MAKEFLAGS",
        ] {
            assert!(!is_removed(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_package_that_does_not_exist_fails_with_the_error_of_cargo() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("no-such-folder");
        let compiler = Compiler {
            toolchain: Toolchain::from_environment(),
            standard_library: StandardLibrary::Installed,
            root: folder.clone(),
            target_dir: folder.join("target"),
            locked: true,
            goal: Goal::FastBuild,
        };
        let report = match compiler.compile(&folder.join("Cargo.toml"), Selection::Library) {
            Err(error) => error.report(),
            Ok(folder) => panic!("compiled to {}", folder.display()),
        };
        assert!(report.contains("no-such-folder"), "{report}");
    }
}
