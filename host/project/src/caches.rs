//! Where compiled code is kept, and what of the environment a replay by another process needs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::checkout;
use super::environment::Environment;
use synix_sandbox::CompileCache;

impl Environment {
    /// Returns where compiled code is kept: never in a checkout, which may be a stranger's, and neither is its secret.
    ///
    /// `None` where the user has no folder for it; then each command compiles what it needs.
    pub(super) fn compile_cache(&self, project: &Path) -> Option<CompileCache> {
        let folder = self.cache_folder()?;
        let secrets = self.config_folder()?;
        if [&folder, &secrets].map(|folder| checkout::holds(project, folder)) == [false; 2] {
            return Some(CompileCache { folder, secrets });
        }
        tracing::warn!(
            folder = %folder.display(),
            secrets = %secrets.display(),
            "one of these folders is in the project or its repository, so compiled plugins are not kept"
        );
        None
    }
}

/// Returns what a replay by a process of its own needs of the environment: where programs, caches and temporary
/// files are, and nothing that changes what it does.
pub fn passed_on(here: &Environment) -> Vec<(&'static str, OsString)> {
    let mut passed: Vec<(&'static str, OsString)> = KEPT
        .into_iter()
        .filter_map(|name| Some((name, here.get(name)?.into())))
        .collect();
    let absolute = |path: PathBuf| std::path::absolute(path).ok();
    let cache = here.cache_folder().and_then(absolute);
    passed.extend(cache.map(|path| ("SYNIX_CACHE_DIR", path.into())));
    let config = here.config_folder();
    passed.extend(config.map(|path| ("SYNIX_CONFIG_DIR", path.into())));
    passed
}

const KEPT: [&str; 7] = [
    "PATH", "HOME", "TMPDIR", SYSTEM[0], SYSTEM[1], SYSTEM[2], SYSTEM[3],
];

/// What programs on Windows do not start without, or write into the folder of the system without.
pub(super) const SYSTEM: [&str; 4] = ["SYSTEMROOT", "USERPROFILE", "TEMP", "TMP"];
