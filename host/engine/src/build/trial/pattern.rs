//! Patterns of units: `LAYER`, or `LAYER/GLOB` over the unit keys of the layer.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::label_rule::Name;

/// The units of a layer whose keys match a glob.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitPattern {
    layer: String,
    glob: Option<KeyGlob>,
}

#[derive(Debug, Clone)]
struct KeyGlob {
    text: String,
    matcher: GlobMatcher,
    /// The text before the first special character.
    literal: String,
}

/// Why a text is not a pattern of units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// There is no layer.
    #[error("the name of the layer is empty; write LAYER or LAYER/GLOB, as in facts/2026-*")]
    NoLayer,
    /// There is nothing after the slash.
    #[error("there is no glob after the slash; write LAYER or LAYER/GLOB, as in facts/2026-*")]
    NoGlob,
    /// The glob is invalid.
    #[error("{0:?} is not a glob: {1}")]
    Glob(String, String),
}

impl UnitPattern {
    /// Returns the name of the layer.
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Returns whether the pattern means some units, and not the whole layer.
    pub(super) const fn has_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// Returns whether a unit key matches.
    pub fn is_match(&self, key: &str) -> bool {
        let glob = self.glob.as_ref();
        glob.is_none_or(|glob| glob.matcher.is_match(key))
    }

    /// Returns whether a key that is only partly known can match.
    pub(super) fn may_match(&self, key: &Name) -> bool {
        let Some(glob) = &self.glob else { return true };
        match key {
            Name::Exact(key) => glob.matcher.is_match(key),
            Name::StartsWith(start) if glob.is_literal() => {
                glob.literal.starts_with(start.as_str())
            }
            Name::StartsWith(start) => {
                glob.literal.starts_with(start.as_str()) || start.starts_with(&glob.literal)
            }
        }
    }
}

impl KeyGlob {
    const fn is_literal(&self) -> bool {
        self.literal.len() == self.text.len()
    }
}

impl fmt::Display for UnitPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.layer)?;
        match &self.glob {
            Some(glob) => write!(f, "/{}", glob.text),
            None => Ok(()),
        }
    }
}

impl PartialEq for UnitPattern {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for UnitPattern {}

impl FromStr for UnitPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let (layer, glob) = match text.split_once('/') {
            Some((layer, glob)) => (layer, Some(glob)),
            None => (text, None),
        };
        if layer.is_empty() {
            return Err(InvalidPattern::NoLayer);
        }
        let glob = match glob {
            Some("") => return Err(InvalidPattern::NoGlob),
            Some(glob) => Some(KeyGlob::parse(glob)?),
            None => None,
        };
        Ok(Self {
            layer: layer.to_owned(),
            glob,
        })
    }
}

impl KeyGlob {
    fn parse(text: &str) -> Result<Self, InvalidPattern> {
        // A key may contain slashes, which mean nothing to its user: `*` matches them.
        let glob = GlobBuilder::new(text).backslash_escape(true).build();
        let glob =
            glob.map_err(|error| InvalidPattern::Glob(text.to_owned(), error.kind().to_string()))?;
        let special = text.find(['*', '?', '[', ']', '{', '}', '\\']);
        Ok(Self {
            matcher: glob.compile_matcher(),
            literal: text[..special.unwrap_or(text.len())].to_owned(),
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for UnitPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<UnitPattern> for String {
    fn from(pattern: UnitPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> UnitPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_is_a_layer_and_perhaps_a_glob_over_its_keys() {
        assert!(pattern("facts").is_match("anything/at all"));
        assert!(pattern("facts/mon*").is_match("monday/2"));
        assert!(!pattern("facts/mon*").is_match("tuesday"));
        assert!(pattern("facts/notes/mon?ay").is_match("notes/monday"));
        assert!(pattern("facts/{a,b}").is_match("b"));
        for bad in ["", "/x", "facts/", "facts/[a"] {
            assert!(bad.parse::<UnitPattern>().is_err(), "{bad}");
        }
        assert_eq!(pattern("facts/mon*").to_string(), "facts/mon*");
    }

    #[test]
    fn a_key_that_is_partly_known_may_match() {
        let starts = |text: &str| Name::StartsWith(text.to_owned());
        for (text, key, may_match) in [
            ("facts/monday", starts("mon"), true),
            ("facts/monday", starts("monday-"), false),
            ("facts/note-10", Name::Exact("note-1".to_owned()), false),
            ("facts/mon*", starts("m"), true),
            ("facts/mon*", starts("monday-"), true),
            ("facts/mon*", starts("tue"), false),
            ("facts/*-001", starts("tue"), true),
            ("facts", starts("tue"), true),
        ] {
            assert_eq!(pattern(text).may_match(&key), may_match, "{text} {key:?}");
        }
    }
}
