//! What a plugin's author works with outside any project: a sandbox, and tools from the environment.

use std::path::{Path, PathBuf};

use super::ProjectError;
use super::environment::Environment;
use synix_authoring::build::Tools;
use synix_sandbox::{Compiler, Sandbox};

/// A sandbox and tools.
pub struct PluginTools {
    /// Loads what was built.
    pub sandbox: Sandbox,
    /// Programs of the folder that `SYNIX_TOOLS` names, then those on `PATH`.
    pub tools: Tools,
}

impl PluginTools {
    /// Reads the environment and starts the sandbox, whose components `compiler` compiles.
    pub fn open(environment: &Environment, compiler: Compiler) -> Result<Self, ProjectError> {
        let cache = environment.compile_cache(&environment.at(Path::new(".")));
        let sandbox = Sandbox::with_compiler(1, cache, compiler).map_err(Box::new)?;
        let set = environment
            .get("SYNIX_TOOLS")
            .filter(|path| !path.is_empty());
        // Tools run in other folders than this one.
        let set = set
            .map(|path| std::path::absolute(environment.at(Path::new(&path))))
            .transpose();
        let mut folders: Vec<PathBuf> =
            Vec::from_iter(set.map_err(|source| ProjectError::Here { source })?);
        let path = environment.search_path().unwrap_or_default();
        folders.extend(std::env::split_paths(&path));
        Ok(Self {
            sandbox,
            tools: Tools::new(folders),
        })
    }
}

impl std::fmt::Debug for PluginTools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginTools")
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}
