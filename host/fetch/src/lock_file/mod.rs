//! The lock file, which pins the bytes of each plugin of a pipeline.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use synix_core::digest::Digest;
use synix_core::printable;
use synix_manifest::PluginRef;

const VERSION: u32 = 1;
const HEADING: &str = "# The exact bytes of the plugins of this pipeline. Written by synix; keep it under version control.\n";

/// An error about a lock file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockFileError {
    /// The text is not a lock file.
    #[error(
        "{file} is not a valid lock file: {reason}; restore it from version control, or remove it and run `synix plugin update`"
    )]
    Unreadable {
        /// The file.
        file: String,
        /// The problem, with its line.
        reason: String,
    },
    /// A later version of synix wrote the lock file.
    #[error("{file} has version {found}, but this synix supports version {VERSION}; update synix")]
    Newer {
        /// The file.
        file: String,
        /// The version in the file.
        found: u32,
    },
    /// The lock file could not be serialized.
    #[error("{file} cannot be written: {reason}")]
    Unwritable {
        /// The file.
        file: String,
        /// The problem.
        reason: String,
    },
    /// The plugins differ from the pinned ones.
    #[error("the plugins do not match {file}, and --locked (the default in CI) forbids changes to it\n{}\n  to accept: synix plugin update{}", change_lines(.changes), update_arguments(.changes))]
    Differs {
        /// The file.
        file: String,
        /// The differences; at least one.
        changes: Vec<LockFileChange>,
    },
}

fn change_lines(changes: &[LockFileChange]) -> String {
    let lines: Vec<String> = changes.iter().map(|change| format!("  {change}")).collect();
    lines.join("\n")
}

/// Returns no arguments if a pin must be removed, because only an update of the complete file removes pins.
fn update_arguments(changes: &[LockFileChange]) -> String {
    let has_unused = changes
        .iter()
        .any(|change| change.new.is_none() && change.old.is_some());
    if has_unused {
        return String::new();
    }
    changes
        .iter()
        .map(|change| format!(" {}", printable::shell_quote(&change.reference)))
        .collect()
}

/// The identity of the bytes of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The digest of the bytes.
    pub digest: Digest,
    /// The number of bytes.
    pub size: u64,
}

impl Pin {
    /// Returns the pin of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{} ({} bytes)", self.digest, self.size)
    }
}

/// The difference of a reference between two lock files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFileChange {
    /// The reference.
    pub reference: String,
    /// The old pin.
    pub old: Option<Pin>,
    /// The new pin; `None` if the reference is no longer used or not resolved yet.
    pub new: Option<Pin>,
}

impl fmt::Display for LockFileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = &self.reference;
        match (self.old, self.new) {
            (Some(old), Some(new)) => write!(f, "{reference}: {old} -> {new}"),
            (None, Some(new)) => write!(f, "{reference}: new, {new}"),
            (None, None) => write!(f, "{reference}: is not pinned"),
            (Some(old), None) if contradicts(reference, old) => {
                write!(
                    f,
                    "{reference}: pinned to {old}, which contradicts the digest in the reference"
                )
            }
            (Some(old), None) => write!(f, "{reference}: no longer used, was {old}"),
        }
    }
}

/// Returns whether a reference contains a digest that differs from its pin.
fn contradicts(reference: &str, pin: Pin) -> bool {
    PluginRef::parse("transform", reference).is_ok_and(|reference| !reference.accepts(pin.digest))
}

/// The pins of the references of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockFile {
    pins: BTreeMap<String, Pin>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    plugin: Vec<Entry>,
}

/// The version is parsed first, because later versions may have other keys.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reference: String,
    digest: String,
    size: u64,
}

impl LockFile {
    /// Parses a lock file; `file` is its name in errors.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, LockFileError> {
        let unreadable = |reason: String| LockFileError::Unreadable {
            file: file.to_owned(),
            reason,
        };
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
        let toml = |error: toml::de::Error| {
            let before = error.span().map_or(0, |span| span.start);
            let line = text.get(..before).unwrap_or_default().matches('\n').count() + 1;
            unreadable(format!("line {line}: {}", error.message()))
        };
        let Version { version } = toml::from_str(text).map_err(toml)?;
        if version != VERSION {
            return Err(LockFileError::Newer {
                file: file.to_owned(),
                found: version,
            });
        }
        let document: Document = toml::from_str(text).map_err(toml)?;
        let mut pins = BTreeMap::new();
        for entry in document.plugin {
            let digest = entry
                .digest
                .strip_prefix("sha256:")
                .and_then(|hex| hex.parse().ok())
                .ok_or_else(|| unreadable(format!("{:?} is not a digest", entry.digest)))?;
            let size = entry.size;
            if pins
                .insert(entry.reference.clone(), Pin { digest, size })
                .is_some()
            {
                return Err(unreadable(format!("{} is pinned twice", entry.reference)));
            }
        }
        Ok(Self { pins })
    }

    /// Serializes the lock file. Equal lock files have equal texts.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let entry = |(reference, pin): (&String, &Pin)| Entry {
            reference: reference.clone(),
            digest: format!("sha256:{}", pin.digest),
            size: pin.size,
        };
        let document = Document {
            version: VERSION,
            plugin: self.pins.iter().map(entry).collect(),
        };
        Ok(format!("{HEADING}{}", toml::to_string(&document)?))
    }

    /// Returns every reference with its pin.
    pub fn pins(&self) -> impl Iterator<Item = (&str, Pin)> {
        self.pins
            .iter()
            .map(|(reference, pin)| (reference.as_str(), *pin))
    }

    /// Returns the pin of a reference.
    pub fn get(&self, reference: &str) -> Option<Pin> {
        self.pins.get(reference).copied()
    }

    /// Adds or replaces the pin of a reference.
    pub fn pin(&mut self, reference: &str, pin: Pin) {
        self.pins.insert(reference.to_owned(), pin);
    }

    /// Returns the changes from this lock file to `next`, sorted by reference.
    pub fn changes_to(&self, next: &Self) -> Vec<LockFileChange> {
        let mut changes: Vec<LockFileChange> = self
            .pins
            .keys()
            .chain(next.pins.keys())
            .map(|reference| LockFileChange {
                reference: reference.clone(),
                old: self.get(reference),
                new: next.get(reference),
            })
            .filter(|change| change.old != change.new)
            .collect();
        changes.sort_by(|one, other| one.reference.cmp(&other.reference));
        changes.dedup();
        changes
    }
}

#[cfg(test)]
mod tests;
