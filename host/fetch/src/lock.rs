//! The lock file: which bytes each reference of a pipeline stands for.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use synix_core::digest::Digest;
use synix_core::printable;
use synix_manifest::TransformRef;

const VERSION: u32 = 1;
const HEADING: &str = "# Which bytes the plugins of this pipeline are. Written by synix; keep it under version control.\n";

/// A lock file, or what of it, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The text is no lock file.
    #[error(
        "{file} is no lock file of synix: {reason}; take it back from version control, or remove it and run `synix plugin update`"
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong, with its line.
        reason: String,
    },
    /// It comes from a later synix.
    #[error("{file} has version {found}; this synix knows version {VERSION}")]
    Newer {
        /// The file.
        file: String,
        /// Its version.
        found: u32,
    },
    /// It cannot be put in words.
    #[error("{file} cannot be written: {reason}")]
    Unwritable {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The plugins are not those that are pinned.
    #[error("the plugins are not those of {file}, and --locked (the default in CI) keeps it as it is\n{}\n  to accept: synix plugin update{}", listed(.changes), named(.changes))]
    Differs {
        /// The file.
        file: String,
        /// What differs; at least one.
        changes: Vec<LockChange>,
    },
}

fn listed(changes: &[LockChange]) -> String {
    let lines: Vec<String> = changes.iter().map(|change| format!("  {change}")).collect();
    lines.join("\n")
}

/// Dropping what is no longer used is a matter of the whole file.
fn named(changes: &[LockChange]) -> String {
    let all = changes
        .iter()
        .any(|change| change.new.is_none() && change.old.is_some());
    if all {
        return String::new();
    }
    changes
        .iter()
        .map(|change| format!(" {}", printable::quoted(&change.reference)))
        .collect()
}

/// The bytes of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Their digest.
    pub digest: Digest,
    /// How many.
    pub size: u64,
}

impl Pin {
    /// Pins these bytes.
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

/// How a reference differs between two lock files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockChange {
    /// The reference.
    pub reference: String,
    /// What it was pinned to.
    pub old: Option<Pin>,
    /// What it stands for now; `None` where it is no longer used, or not known yet.
    pub new: Option<Pin>,
}

impl fmt::Display for LockChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = &self.reference;
        match (self.old, self.new) {
            (Some(old), Some(new)) => write!(f, "{reference}: {old} -> {new}"),
            (None, Some(new)) => write!(f, "{reference}: new, {new}"),
            (None, None) => write!(f, "{reference}: is not pinned"),
            (Some(old), None) if contradicts(reference, old) => {
                write!(
                    f,
                    "{reference}: pinned to {old}, which its own digest contradicts"
                )
            }
            (Some(old), None) => write!(f, "{reference}: no longer used, was {old}"),
        }
    }
}

/// Says whether a reference states a digest, and another than its pin.
fn contradicts(reference: &str, pin: Pin) -> bool {
    TransformRef::parse(reference).is_ok_and(|reference| !reference.admits(pin.digest))
}

/// What references are pinned to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    pins: BTreeMap<String, Pin>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    plugin: Vec<Entry>,
}

/// Read first: a later version may have other keys.
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

impl Lock {
    /// Reads the bytes of a lock file; `file` is its name in errors.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, LockError> {
        let unreadable = |reason: String| LockError::Unreadable {
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
            return Err(LockError::Newer {
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
                .ok_or_else(|| unreadable(format!("{:?} is no digest", entry.digest)))?;
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

    /// Returns the text of the file, which has one form for one content.
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

    /// Returns every reference with what it is pinned to.
    pub fn pins(&self) -> impl Iterator<Item = (&str, Pin)> {
        self.pins
            .iter()
            .map(|(reference, pin)| (reference.as_str(), *pin))
    }

    /// Returns what a reference is pinned to.
    pub fn get(&self, reference: &str) -> Option<Pin> {
        self.pins.get(reference).copied()
    }

    /// Pins a reference.
    pub fn pin(&mut self, reference: &str, pin: Pin) {
        self.pins.insert(reference.to_owned(), pin);
    }

    /// Returns how `next` differs, by reference.
    pub fn changes_to(&self, next: &Self) -> Vec<LockChange> {
        let mut changes: Vec<LockChange> = self
            .pins
            .keys()
            .chain(next.pins.keys())
            .map(|reference| LockChange {
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
mod tests {
    use super::*;

    fn lock(pins: &[(&str, &[u8])]) -> Lock {
        let mut lock = Lock::default();
        for (reference, bytes) in pins {
            lock.pin(reference, Pin::of(bytes));
        }
        lock
    }

    #[test]
    fn the_file_is_sorted_and_reads_back() {
        let written = lock(&[("./b \"x\".wasm", b"b"), ("./a.wasm", b"a")]);
        let text = written.to_text().unwrap();
        let expected = format!(
            "{HEADING}version = 1\n\n[[plugin]]\nreference = \"./a.wasm\"\ndigest = \"sha256:{}\"\nsize = 1\n",
            Digest::of(b"a")
        );
        assert!(text.starts_with(&expected), "{text}");
        assert_eq!(Lock::parse("synix.lock", text.as_bytes()), Ok(written));
        let empty = Lock::default().to_text().unwrap();
        assert_eq!(
            Lock::parse("synix.lock", empty.as_bytes()),
            Ok(Lock::default())
        );
    }

    #[test]
    fn what_is_no_lock_file_is_told_with_its_line() {
        let message = |text: &str| {
            Lock::parse("synix.lock", text.as_bytes())
                .unwrap_err()
                .to_string()
        };
        let conflict = message("version = 1\n<<<<<<< ours\n");
        assert!(
            conflict.contains("line 2") && conflict.contains("version control"),
            "{conflict}"
        );
        assert!(message("version = 2\nnew = true\n").contains("has version 2"));
        let entry = "[[plugin]]\nreference = \"a\"\ndigest = \"sha256:";
        assert!(message(&format!("version = 1\n{entry}0\"\nsize = 1\n")).contains("is no digest"));
        let good = format!("{entry}{}\"\nsize = 1\n", Digest::of(b"a"));
        assert!(message(&format!("version = 1\n{good}{good}")).contains("pinned twice"));
    }

    #[test]
    fn a_pin_that_its_reference_contradicts_is_not_called_unused() {
        let change = |stated: &[u8]| LockChange {
            reference: format!("https://a.example/x.wasm#sha256={}", Digest::of(stated)),
            old: Some(Pin::of(b"1")),
            new: None,
        };
        assert!(
            change(b"2")
                .to_string()
                .contains("its own digest contradicts")
        );
        assert!(change(b"1").to_string().contains("no longer used"));
    }

    #[test]
    fn changes_name_old_and_new() {
        let before = lock(&[("a", b"1"), ("b", b"1"), ("same", b"1")]);
        let after = lock(&[("a", b"2"), ("c", b"1"), ("same", b"1")]);
        let changes = before.changes_to(&after);
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let (one, two) = (Pin::of(b"1"), Pin::of(b"2"));
        assert_eq!(
            told,
            [
                format!("a: {one} -> {two}"),
                format!("b: no longer used, was {one}"),
                format!("c: new, {one}")
            ]
        );
    }

    #[test]
    fn a_refusal_says_what_to_run() {
        let differs = |changes| {
            LockError::Differs {
                file: "synix.lock".to_owned(),
                changes,
            }
            .to_string()
        };
        let moved = lock(&[("a", b"1")]).changes_to(&lock(&[("a", b"2")]));
        assert!(differs(moved).ends_with("synix plugin update a"));
        let dropped = lock(&[("a", b"1")]).changes_to(&Lock::default());
        assert!(differs(dropped).ends_with("synix plugin update"));
    }
}
