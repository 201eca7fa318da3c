//! The environment of a command as a value: its variables and its current folder.
//!
//! This module reads no file of the project, because an untrusted folder must not choose the locations of caches and
//! tools, or the time. [`super::dot_env`] reads the keys in `.env`. The crate `etcetera` takes a user's
//! folders from the environment of the process, not from such a value, so it is not used.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use super::ProjectError;
use synix_core::clock::{Clock, Timestamp};
use synix_core::request::Wire;
use synix_manifest::ProviderProfile;
use synix_providers::Secret;

/// The environment of a command. The default has no variables, and the current folder of the process.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Arc<BTreeMap<OsString, OsString>>,
    /// The current folder. `None`: that of the process; paths then stay relative, so that messages show them as typed.
    folder: Option<PathBuf>,
}

impl Environment {
    /// Reads the environment of the process.
    pub fn from_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the only place that reads the environment"
        )]
        let variables = std::env::vars_os();
        Self {
            variables: Arc::new(variables.map(|(name, value)| (key(&name), value)).collect()),
            folder: None,
        }
    }

    /// Creates an environment with these variables and this current folder.
    pub fn new<N: AsRef<OsStr>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
        folder: PathBuf,
    ) -> Self {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (key(name.as_ref()), value.into()));
        Self {
            variables: Arc::new(variables.collect()),
            folder: Some(std::path::absolute(&folder).unwrap_or(folder)),
        }
    }

    /// Changes the current folder. The environment of the process changes that of the process.
    pub fn change_folder(&mut self, folder: &Path) -> io::Result<()> {
        match &mut self.folder {
            Some(current) => {
                let target = current.join(folder);
                if !target.metadata()?.is_dir() {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
                *current = target;
                Ok(())
            }
            None =>
            {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the only place that changes it, before the command does anything else"
                )]
                std::env::set_current_dir(folder)
            }
        }
    }

    /// Resolves a path relative to the current folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        match &self.folder {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    /// Returns the current folder.
    pub(super) fn current_folder(&self) -> Result<PathBuf, ProjectError> {
        let absolute = match &self.folder {
            Some(folder) => std::path::absolute(folder),
            None =>
            {
                #[expect(clippy::disallowed_methods, reason = "the only place that reads it")]
                std::env::current_dir()
            }
        };
        absolute.map_err(|source| ProjectError::System { source })
    }

    /// Returns a variable. A value that is not UTF-8 counts as not set.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = self.variables.get(&key(OsStr::new(name)))?;
        value.to_str().map(str::to_owned)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }

    /// Returns the crash point at which a test kills this process; 0 means none.
    pub(super) fn crash_point(&self) -> u64 {
        let text = self.get("SYNIX_CRASH_AT");
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Returns the name of this machine, if it is known: most shells have it, and do not pass it on.
    pub(super) fn host_name(&self) -> Option<String> {
        let set = ["HOSTNAME", "COMPUTERNAME"]
            .into_iter()
            .find_map(|name| self.get(name));
        set.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok())
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
    }

    /// Returns the rate of the clock of shared answers in eighths. Only a test of a debug build changes it.
    pub(super) fn clock_eighths(&self) -> u32 {
        let text = self.get("SYNIX_CLOCK_EIGHTHS");
        let set = text.and_then(|text| text.parse().ok());
        set.filter(|_| cfg!(debug_assertions)).unwrap_or(8)
    }

    /// Returns a credential. An empty one counts as not set.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name)
            .filter(|text| !text.trim().is_empty())
            .map(|text| Secret::new(&text))
    }

    /// Returns the server that the environment sets for a built-in provider, unless the pipeline file sets one.
    pub(super) fn base_url(&self, profile: &ProviderProfile) -> Option<String> {
        let variable = match (profile.name.as_str(), profile.api) {
            ("openai", Wire::OpenAi) => "OPENAI_BASE_URL",
            ("anthropic", Wire::Anthropic) => "ANTHROPIC_BASE_URL",
            _ => return None,
        };
        if profile.base_url.is_some() {
            return None;
        }
        self.get(variable).filter(|url| !url.is_empty())
    }

    /// Returns the cache folder for downloaded and compiled components; `None` if the user has none.
    pub(super) fn cache_folder(&self) -> Option<PathBuf> {
        let cache = self
            .path("SYNIX_CACHE_DIR")
            .or_else(|| self.path("XDG_CACHE_HOME").map(|cache| cache.join("synix")))
            .or_else(|| self.path("HOME").map(|home| home.join(".cache/synix")))
            .or_else(|| {
                let local = self.windows_path("LOCALAPPDATA");
                local.map(|folder| folder.join("synix").join("cache"))
            });
        cache.map(|folder| self.resolve(&folder))
    }

    /// Returns the user's configuration folder, which is never part of a project.
    ///
    /// Ignores relative paths, because they would depend on the folder that a command runs in.
    pub(super) fn config_folder(&self) -> Option<PathBuf> {
        let set = |name| self.path(name).filter(|path: &PathBuf| path.is_absolute());
        set("SYNIX_CONFIG_DIR")
            .or_else(|| set("XDG_CONFIG_HOME").map(|folder| folder.join("synix")))
            .or_else(|| set("HOME").map(|home| home.join(".config/synix")))
            .or_else(|| {
                let roaming = self
                    .windows_path("APPDATA")
                    .filter(|path| path.is_absolute());
                roaming.map(|folder| folder.join("synix"))
            })
    }

    /// Returns the user's home folder.
    pub(super) fn home(&self) -> Option<PathBuf> {
        self.path("HOME")
            .or_else(|| self.windows_path("USERPROFILE"))
            .filter(|home| home.is_absolute())
    }

    /// Returns a folder that Windows itself names.
    fn windows_path(&self, name: &str) -> Option<PathBuf> {
        self.path(name).filter(|_| cfg!(windows))
    }

    /// Returns the folders for programs, without relative ones: they would depend on the folder that a command runs in.
    pub(super) fn search_path(&self) -> Option<OsString> {
        let path = self.get("PATH")?;
        let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        std::env::join_paths(folders).ok()
    }

    /// Returns the store of shared answers that the user has chosen.
    pub(super) fn shared_url(&self) -> Option<String> {
        self.get("SYNIX_SHARED_URL").filter(|url| !url.is_empty())
    }

    /// Returns where the user runs units: `restate=URL` or `local`.
    pub(super) fn engine(&self) -> Option<String> {
        self.get("SYNIX_ENGINE").filter(|text| !text.is_empty())
    }

    /// Returns the store through which workers get components and inputs, if the user has chosen one.
    pub(super) fn engine_content(&self) -> Option<String> {
        self.get("SYNIX_ENGINE_CONTENT")
            .filter(|url| !url.is_empty())
    }

    /// Returns whether shared answers are only read.
    pub(super) fn shares_read_only(&self) -> bool {
        self.get("SYNIX_SHARED_READ_ONLY")
            .is_some_and(|text| !matches!(text.as_str(), "" | "0" | "false"))
    }

    /// Returns whether a CI service runs this command.
    pub(super) fn is_ci(&self) -> bool {
        self.get("CI")
            .is_some_and(|text| !matches!(text.as_str(), "" | "0" | "false"))
    }

    /// Returns the file in which `docker login` stores passwords.
    pub(super) fn docker_config(&self) -> Option<PathBuf> {
        self.path("DOCKER_CONFIG")
            .or_else(|| self.path("HOME").map(|home| home.join(".docker")))
            .or_else(|| {
                let profile = self.windows_path("USERPROFILE");
                profile.map(|home| home.join(".docker"))
            })
            .map(|folder| self.resolve(&folder).join("config.json"))
    }

    /// Returns the user that ran `sudo`, if the process runs as its root.
    pub(super) fn sudo_user(&self) -> Option<u32> {
        self.get("SUDO_UID")?.parse().ok()
    }

    /// Returns the clock. It is simulated if `SYNIX_CLOCK` is set: to milliseconds since 1970, or `YYYY-MM-DDTHH:MM:SSZ`.
    pub fn clock(&self) -> Result<Clock, ProjectError> {
        match self.get("SYNIX_CLOCK").filter(|text| !text.is_empty()) {
            None => Ok(Clock::Real),
            Some(text) => match text
                .parse::<u64>()
                .ok()
                .or_else(|| Timestamp::parse(&text).map(|moment| moment.0))
            {
                Some(start) => Ok(Clock::simulated(Timestamp(start))),
                None => Err(ProjectError::Usage(format!(
                    "SYNIX_CLOCK must be a time such as 2026-01-01T00:00:00Z, not {text:?}"
                ))),
            },
        }
    }
}

/// Shows the names only, because values may be keys.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("folder", &self.folder)
            .finish()
    }
}

/// Returns the name under which a variable is stored: on Windows, `Path` is `PATH`.
fn key(name: &OsStr) -> OsString {
    if cfg!(windows) {
        name.to_ascii_uppercase()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_windows_are_used_on_windows_only() {
        let named = if cfg!(windows) {
            r"C:\Users\anna"
        } else {
            "/users/anna"
        };
        let named = Path::new(named);
        let names = ["APPDATA", "LOCALAPPDATA", "USERPROFILE"];
        let set = names.map(|name| (name, named.join(name)));
        let environment = Environment::new(set, "/here".into());
        let expected = |parts: &[&str]| cfg!(windows).then(|| named.join(parts.join("/")));
        assert_eq!(environment.config_folder(), expected(&["APPDATA", "synix"]));
        let cache = expected(&["LOCALAPPDATA", "synix", "cache"]);
        assert_eq!(environment.cache_folder(), cache);
        assert_eq!(environment.home(), expected(&["USERPROFILE"]));
        let docker = expected(&["USERPROFILE", ".docker", "config.json"]);
        assert_eq!(environment.docker_config(), docker);
    }

    #[test]
    fn a_value_is_never_shown() {
        let environment = Environment::new([("OPENAI_API_KEY", "sk-secret")], "/here".into());
        let shown = format!("{environment:?}");
        assert!(shown.contains("OPENAI_API_KEY"), "{shown}");
        assert!(!shown.contains("sk-secret"), "{shown}");
    }

    #[test]
    fn a_path_is_relative_to_the_current_folder() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("below")).unwrap();
        let mut environment = Environment::new([("HOME", "home")], temp.path().to_owned());
        environment.change_folder(Path::new("below")).unwrap();
        let file = environment.resolve(Path::new("synix.toml"));
        assert_eq!(file, temp.path().join("below/synix.toml"));
        assert!(environment.change_folder(Path::new("nowhere")).is_err());
        // A relative home would be another one in each folder.
        assert_eq!(environment.home(), None);
        let process = Environment::default();
        assert_eq!(process.resolve(Path::new("a")), Path::new("a"));
    }
}
