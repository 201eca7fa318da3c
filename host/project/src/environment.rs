//! The environment of the process itself.
//!
//! Nothing here looks at a file of the project: a folder that came from a stranger must not say where caches, tools or
//! the clock are. Keys from `.env` are for [`super::dot_env`].

use std::ffi::OsString;
use std::path::PathBuf;

use super::ProjectError;
use synix_core::clock::{Clock, Moment};
use synix_core::request::Wire;
use synix_manifest::ProviderProfile;
use synix_providers::Secret;

/// What the environment of the process says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Environment;

impl Environment {
    /// Returns a variable.
    #[expect(
        clippy::unused_self,
        reason = "whoever reads a variable was handed the environment"
    )]
    pub(super) fn get(self, name: &str) -> Option<String> {
        process(name)
    }

    fn path(self, name: &str) -> Option<PathBuf> {
        self.get(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }

    /// Returns at which point a test kills this process; 0: at none.
    pub(super) fn crash_at(self) -> u64 {
        let text = self.get("SYNIX_CRASH_AT");
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Returns a credential; an empty one is none.
    pub(super) fn secret(self, name: &str) -> Option<Secret> {
        self.get(name)
            .filter(|text| !text.trim().is_empty())
            .map(|text| Secret::new(&text))
    }

    /// Returns where the environment moves a provider that is known by itself, unless the file says where it is.
    pub(super) fn base_url(self, profile: &ProviderProfile) -> Option<String> {
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

    /// Returns the folder for components, as downloaded and as compiled; `None` where the user has no cache folder.
    pub(super) fn cache_folder(self) -> Option<PathBuf> {
        let cache = self
            .path("SYNIX_CACHE_DIR")
            .or_else(|| self.path("XDG_CACHE_HOME").map(|cache| cache.join("synix")));
        cache.or_else(|| self.path("HOME").map(|home| home.join(".cache/synix")))
    }

    /// Returns the user's own configuration folder; what is kept there was never part of a project.
    ///
    /// A relative path would lead into whatever folder a command runs in, and is passed over.
    pub(super) fn config_folder() -> Option<PathBuf> {
        let set = |name| Self.path(name).filter(|path: &PathBuf| path.is_absolute());
        set("SYNIX_CONFIG_DIR")
            .or_else(|| set("XDG_CONFIG_HOME").map(|folder| folder.join("synix")))
            .or_else(|| set("HOME").map(|home| home.join(".config/synix")))
            .or_else(|| {
                let roaming = set("APPDATA").filter(|_| cfg!(windows));
                roaming.map(|folder| folder.join("synix"))
            })
    }

    /// Returns the user's home folder.
    pub(super) fn home(self) -> Option<PathBuf> {
        self.path("HOME").filter(|home| home.is_absolute())
    }

    /// Returns the folders for programs. A relative one would lead into whatever folder a command runs in.
    pub(super) fn search_path(self) -> Option<OsString> {
        let path = self.get("PATH")?;
        let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        std::env::join_paths(folders).ok()
    }

    /// Says whether a CI service runs this.
    pub(super) fn is_ci(self) -> bool {
        self.get("CI")
            .is_some_and(|text| !matches!(text.as_str(), "" | "0" | "false"))
    }

    /// Returns where `docker login` keeps passwords.
    pub(super) fn docker_config(self) -> Option<PathBuf> {
        self.path("DOCKER_CONFIG")
            .or_else(|| self.path("HOME").map(|home| home.join(".docker")))
            .map(|folder| folder.join("config.json"))
    }

    /// Returns the user that ran `sudo`, where this process is its root.
    pub(super) fn sudo_user(self) -> Option<u32> {
        self.get("SUDO_UID")?.parse().ok()
    }

    /// Returns the clock: pinned where `SYNIX_CLOCK` holds milliseconds since 1970 or `YYYY-MM-DDTHH:MM:SSZ`.
    pub(super) fn clock(self) -> Result<Clock, ProjectError> {
        match self.get("SYNIX_CLOCK").filter(|text| !text.is_empty()) {
            None => Ok(Clock::Real),
            Some(text) => match text
                .parse::<u64>()
                .ok()
                .or_else(|| Moment::parse(&text).map(|moment| moment.0))
            {
                Some(start) => Ok(Clock::pinned(Moment(start))),
                None => Err(ProjectError::Usage(format!(
                    "SYNIX_CLOCK is no time: {text:?}"
                ))),
            },
        }
    }
}

/// Returns a variable of the process itself.
fn process(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the environment"
    )]
    std::env::var(name).ok()
}
