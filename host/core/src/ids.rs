//! Names that people and guests write, checked once.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::printable;

/// A name that breaks the rule of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} {rule}")]
pub struct InvalidName {
    /// What the name is for, such as `label`.
    pub what: &'static str,
    /// The name, cut to 80 characters.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// The rule that an earlier synix did not have.
const UNSEEN: &str =
    "has a character that cannot be seen or that changes the direction of the text";

impl InvalidName {
    /// Says whether all that is wrong with it is a character that nobody can see.
    pub fn is_unseen(&self) -> bool {
        self.rule == UNSEEN
    }
}

fn invalid(what: &'static str, text: &str, rule: &'static str) -> InvalidName {
    InvalidName {
        what,
        text: text.chars().take(80).collect(),
        rule,
    }
}

/// Checks a new text that a guest or a file chose: `most` characters, each of which can be seen.
fn check_text(what: &'static str, text: &str, most: usize) -> Result<(), InvalidName> {
    check_stored(what, text, most)?;
    if printable::first_formless(text).is_some() {
        return Err(invalid(what, text, UNSEEN));
    }
    Ok(())
}

/// Checks a text from the state, which an earlier synix may have taken under a looser rule.
fn check_stored(what: &'static str, text: &str, most: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(invalid(what, text, "is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(what, text, "has a control character"));
    }
    if text.chars().nth(most).is_some() {
        return Err(invalid(what, text, "is too long"));
    }
    Ok(())
}

/// Checks a name that stands in `synix.toml`: letters, digits, `-`, `_` and `.`, 64 at most.
pub fn check_name(what: &'static str, text: &str) -> Result<(), InvalidName> {
    check_text(what, text, 64)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.chars().all(allowed) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(invalid(
            what,
            text,
            "may hold letters, digits, '-', '_' and '.' and starts with a letter or digit",
        ));
    }
    Ok(())
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $most:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks and wraps `text`.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                check_text($what, text, $most)?;
                Ok(Self(text.into()))
            }

            /// Wraps `text` as the state holds it: an earlier synix took characters that [`Self::parse`] refuses.
            pub fn stored(text: &str) -> Result<Self, InvalidName> {
                check_stored($what, text, $most)?;
                Ok(Self(text.into()))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::stored(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

checked_text!(
    /// The stable name of an artifact within its layer: 1 to 512 characters that can be seen.
    Label, "label", 512
);
checked_text!(
    /// What sort of artifact it is, such as `summary`: 1 to 128 characters.
    Kind, "kind", 128
);
checked_text!(
    /// The name of a unit within its layer: 1 to 512 characters.
    UnitKey, "unit key", 512
);
checked_text!(
    /// The name of a layer in the pipeline file.
    LayerName, "layer", 64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_with_a_control_character_is_refused() {
        assert!(Label::parse("a b/ü").is_ok());
        for bad in ["", "a\nb", "a\0"] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
            assert!(Label::stored(bad).is_err(), "{bad:?}");
        }
        assert!(Label::parse(&"x".repeat(513)).is_err());
    }

    #[test]
    fn a_new_label_can_be_seen_and_an_old_one_is_still_read() {
        for bad in ["a\u{202e}b", "a\u{200b}b", "a\u{200d}b", "\u{2028}"] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
            assert_eq!(Label::stored(bad).unwrap().as_str(), bad);
        }
        for good in ["می\u{200c}خواهم", "👩\u{200d}💻"] {
            assert_eq!(Label::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_name_in_the_file_starts_with_a_letter_or_digit() {
        assert!(check_name("layer", "work-styles.2").is_ok());
        for bad in ["-a", "a b", "a/b", ".", ""] {
            assert!(check_name("layer", bad).is_err(), "{bad:?}");
        }
    }
}
