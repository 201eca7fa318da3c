//! The file `.env` next to the pipeline file: keys of providers, and nothing else.
//!
//! The file may come with a clone, so it changes no setting. Existing crates for such files substitute variables of the
//! environment in values (`KEY=${OTHER}`), and an attacker's file could name any of them. So this parser substitutes
//! nothing, and messages never contain a value.

mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parse::{Entry, parse};

use super::ProjectError;
use synix_core::printable;
use synix_disk::SymlinkPolicy;
use synix_manifest::Pipeline;
use synix_providers::Secret;

const MAX_BYTES: u64 = 1 << 20;
/// The maximum number of names in a warning.
const MAX_NAMES: usize = 12;

/// Keys that the file may set for every pipeline.
const DEFAULT_KEYS: [&str; 2] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"];

/// The keys that a `.env` file sets for a pipeline.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    keys: BTreeMap<String, Secret>,
    ignored: BTreeSet<String>,
    /// The numbers of the lines that are not `NAME=value`.
    invalid_lines: Vec<usize>,
}

impl DotEnv {
    /// Reads the file if it exists, and never through a link.
    pub(super) fn read(root: &Path, pipeline: &Pipeline) -> Result<Self, ProjectError> {
        let path = root.join(".env");
        let bytes = synix_disk::read_limited_if_exists(&path, MAX_BYTES, SymlinkPolicy::Refuse)?
            .unwrap_or_default();
        let text = String::from_utf8(bytes).map_err(|error| ProjectError::NotText {
            path,
            offset: error.utf8_error().valid_up_to(),
        })?;
        let mut allowed: BTreeSet<&str> = DEFAULT_KEYS.into();
        let providers = pipeline.providers.values();
        allowed.extend(providers.map(|profile| profile.key_variable()));
        Ok(Self::from_text(&text, &allowed))
    }

    fn from_text(text: &str, allowed: &BTreeSet<&str>) -> Self {
        let mut dot_env = Self::default();
        for entry in parse(text) {
            match entry {
                Entry::Value { name, .. } if !allowed.contains(name) => {
                    dot_env.ignored.insert(name.to_owned());
                }
                Entry::Value { value, .. } if value.trim().is_empty() => {}
                Entry::Value { name, value } => {
                    dot_env.keys.insert(name.to_owned(), Secret::new(&value));
                }
                Entry::Invalid { line } => dot_env.invalid_lines.push(line),
            }
        }
        dot_env
    }

    pub(super) fn key(&self, name: &str) -> Option<&Secret> {
        self.keys.get(name)
    }

    /// Returns whether the file sets any key.
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Describes what in the file has no effect, and what to do about it.
    pub(super) fn warning(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.ignored.is_empty() {
            let mut names: Vec<String> = self
                .ignored
                .iter()
                .take(MAX_NAMES)
                .map(|name| printable::escape_line(name))
                .collect();
            let more = self.ignored.len().saturating_sub(MAX_NAMES);
            if more > 0 {
                names.push(format!("{more} more"));
            }
            parts.push(format!(
                "it sets {}, which synix ignores; set variables for synix in the environment of the command",
                names.join(", ")
            ));
        }
        if let Some(first) = self.invalid_lines.first() {
            let more = match self.invalid_lines.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            parts.push(format!(
                "line {first}{more} is not of the form NAME=value, so synix ignores it"
            ));
        }
        let wrong = parts.join("; ");
        (!wrong.is_empty()).then(|| format!(".env can only set keys of providers; {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W1: a file of the project sets keys and nothing else.
    #[test]
    fn only_keys_are_read_and_other_names_are_reported_once() {
        let text = "TEAM_KEY=a\nSYNIX_CACHE_DIR=vendor\nOPENAI_API_KEY=b\nPATH=.\nwords\nANTHROPIC_API_KEY=\n";
        let read = DotEnv::from_text(
            text,
            &["TEAM_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"].into(),
        );
        assert_eq!(read.key("TEAM_KEY"), Some(&Secret::new("a")));
        assert_eq!(read.key("OPENAI_API_KEY"), Some(&Secret::new("b")));
        assert_eq!(read.key("ANTHROPIC_API_KEY"), None);
        assert_eq!(read.key("PATH"), None);
        let warning = read.warning().unwrap();
        assert!(
            warning.contains("PATH, SYNIX_CACHE_DIR,") && warning.contains("line 5 is"),
            "{warning}"
        );
        assert!(!warning.contains("vendor"), "{warning}");
        assert_eq!(DotEnv::from_text("", &BTreeSet::new()).warning(), None);
    }
}
