//! The cache of compiled plugins, and the environment of a replay in another process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::checkout;
use super::environment::Environment;
use synix_sandbox::CompileCache;

impl Environment {
    /// Returns the cache of compiled code. It is never in a checkout: an attacker may have filled that folder, and the
    /// folder of secrets as well.
    ///
    /// Returns `None` if the user has no folder for it. Each command then compiles what it needs.
    pub(super) fn compile_cache(&self, project: &Path) -> Option<CompileCache> {
        let folder = self.cache_folder()?;
        let secrets = self.config_folder()?;
        if [&folder, &secrets].map(|folder| checkout::contains(project, folder)) == [false; 2] {
            return Some(CompileCache { folder, secrets });
        }
        tracing::warn!(
            folder = %folder.display(),
            secrets = %secrets.display(),
            "one of these folders is in the project or its repository, so compiled plugins are not cached"
        );
        None
    }
}

/// Returns the variables for a replay in another process: the locations of programs, caches and temporary files.
///
/// No other variable is passed on, because it could change the result.
pub fn replay_environment(environment: &Environment) -> Vec<(&'static str, OsString)> {
    let mut variables: Vec<(&'static str, OsString)> = INHERITED
        .into_iter()
        .filter_map(|name| Some((name, environment.get(name)?.into())))
        .collect();
    let absolute = |path: PathBuf| std::path::absolute(path).ok();
    let cache = environment.cache_folder().and_then(absolute);
    variables.extend(cache.map(|path| ("SYNIX_CACHE_DIR", path.into())));
    let config = environment.config_folder();
    variables.extend(config.map(|path| ("SYNIX_CONFIG_DIR", path.into())));
    variables
}

const INHERITED: [&str; 7] = [
    "PATH", "HOME", "TMPDIR", WINDOWS[0], WINDOWS[1], WINDOWS[2], WINDOWS[3],
];

/// The variables that programs on Windows need to start, and to find a folder for temporary files.
pub(super) const WINDOWS: [&str; 4] = ["SYSTEMROOT", "USERPROFILE", "TEMP", "TMP"];
