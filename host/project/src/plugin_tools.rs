//! The sandbox and the tools for authors of plugins, outside any project.

use std::path::{Path, PathBuf};

use super::ProjectError;
use super::environment::Environment;
use synix_authoring::build::Tools;
use synix_sandbox::{Compiler, Sandbox};

/// A sandbox and the tools to build for it.
pub struct PluginToolchain {
    /// Loads the built components.
    pub sandbox: Sandbox,
    /// The programs in the folder that `SYNIX_TOOLS` names, then those on `PATH`.
    pub tools: Tools,
}

impl PluginToolchain {
    /// Reads the environment and starts the sandbox, with `compiler` to compile its components.
    pub fn open(environment: &Environment, compiler: Compiler) -> Result<Self, ProjectError> {
        let cache = environment.compile_cache(&environment.resolve(Path::new(".")));
        let sandbox = Sandbox::with_compiler(1, cache, compiler).map_err(Box::new)?;
        let tools_folder = environment
            .get("SYNIX_TOOLS")
            .filter(|path| !path.is_empty());
        // Absolute, because tools run in other folders.
        let tools_folder = tools_folder
            .map(|path| std::path::absolute(environment.resolve(Path::new(&path))))
            .transpose();
        let mut folders: Vec<PathBuf> =
            Vec::from_iter(tools_folder.map_err(|source| ProjectError::System { source })?);
        let path = environment.search_path().unwrap_or_default();
        folders.extend(std::env::split_paths(&path));
        Ok(Self {
            sandbox,
            tools: Tools::new(folders),
        })
    }
}

impl std::fmt::Debug for PluginToolchain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginToolchain")
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}
