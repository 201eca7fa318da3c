//! The environment and the `.env` file beside the pipeline file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ProjectError;
use crate::clock::{Clock, Moment};
use crate::disk;
use crate::llm::Secret;
use crate::pipeline::ProviderProfile;
use crate::request::Wire;

/// What the environment says. Variables that are set win over those in `.env`.
#[derive(Debug, Default)]
pub(super) struct Environment {
    file: BTreeMap<String, String>,
}

impl Environment {
    pub(super) fn read(root: &Path) -> Result<Self, ProjectError> {
        let path = root.join(".env");
        let text = disk::read_if_there(&path)?.unwrap_or_default();
        let text = String::from_utf8(text).map_err(|error| ProjectError::NotText {
            path,
            offset: error.utf8_error().valid_up_to(),
        })?;
        Ok(Self { file: parse(&text) })
    }

    /// Returns a variable.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        process(name).or_else(|| self.file.get(name).cloned())
    }

    /// Returns at which point a test kills this process; 0: at none.
    pub(super) fn crash_at(&self) -> u64 {
        let text = self.get("SYNIX_CRASH_AT");
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Returns a credential; an empty one is none.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .map(|text| Secret::new(&text))
    }

    /// Returns where the environment moves a provider that is known by itself, unless the file says where it is.
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

    /// Returns the folder for components, as downloaded and as compiled; `None` where the user has no cache folder.
    pub(super) fn cache_folder(&self) -> Option<PathBuf> {
        let set = |name| {
            self.get(name)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        let cache = set("SYNIX_CACHE_DIR")
            .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("synix")));
        cache.or_else(|| set("HOME").map(|home| home.join(".cache/synix")))
    }

    /// Returns the user's own configuration folder; what is kept there was never part of a project.
    pub(super) fn config_folder() -> Option<PathBuf> {
        let set = |name| {
            process(name)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        set("SYNIX_CONFIG_DIR")
            .or_else(|| set("XDG_CONFIG_HOME").map(|folder| folder.join("synix")))
            .or_else(|| set("HOME").map(|home| home.join(".config/synix")))
            .filter(|folder| folder.is_absolute())
    }

    /// Says whether a CI service runs this.
    pub(super) fn is_ci(&self) -> bool {
        self.get("CI")
            .is_some_and(|text| !matches!(text.as_str(), "" | "0" | "false"))
    }

    /// Returns where `docker login` keeps passwords.
    pub(super) fn docker_config(&self) -> Option<PathBuf> {
        let folder = |name| self.get(name).filter(|path| !path.is_empty());
        let docker = folder("DOCKER_CONFIG").map(PathBuf::from);
        docker
            .or_else(|| folder("HOME").map(|home| PathBuf::from(home).join(".docker")))
            .map(|folder| folder.join("config.json"))
    }

    /// Returns the clock: pinned where `SYNIX_CLOCK` holds milliseconds since 1970 or `YYYY-MM-DDTHH:MM:SSZ`.
    pub(super) fn clock(&self) -> Result<Clock, ProjectError> {
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

/// Reads `NAME=value` lines; `export`, quotes around the value and `#` lines are understood.
fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(name, value)| {
            let value = value.trim();
            let quoted = ['"', '\'']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            (name.trim().to_owned(), quoted.unwrap_or(value).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_may_quote_and_export() {
        let read = parse("# keys\nA=1\nexport B=\"two words\"\n C = 'x=y' \nnonsense\n");
        let expected = [("A", "1"), ("B", "two words"), ("C", "x=y")];
        assert_eq!(
            read,
            expected
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        );
    }
}
