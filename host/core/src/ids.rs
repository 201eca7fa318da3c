//! Names that users and guests choose. Each type validates its text when it is created.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::printable;

/// A name that violates a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} {rule}")]
pub struct InvalidName {
    /// What the name identifies, such as `label`.
    pub what: &'static str,
    /// The name, truncated to 80 characters.
    pub text: String,
    /// The rule that the name violates.
    pub rule: &'static str,
}

/// The rule that earlier versions of synix did not have.
const INVISIBLE: &str =
    "contains a character that is invisible or changes the direction of the text";

impl InvalidName {
    /// Returns whether an invisible character is the only problem.
    pub fn is_invisible_character(&self) -> bool {
        self.rule == INVISIBLE
    }
}

fn invalid(what: &'static str, text: &str, rule: &'static str) -> InvalidName {
    InvalidName {
        what,
        text: text.chars().take(80).collect(),
        rule,
    }
}

/// Checks a new text from a guest or a file: at most `max_chars` characters, all of them visible.
fn check_new(what: &'static str, text: &str, max_chars: usize) -> Result<(), InvalidName> {
    check_stored(what, text, max_chars)?;
    if printable::first_invisible(text).is_some() {
        return Err(invalid(what, text, INVISIBLE));
    }
    Ok(())
}

/// Checks a text from the state, which an earlier version of synix may have accepted under a looser rule.
fn check_stored(what: &'static str, text: &str, max_chars: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(invalid(what, text, "is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(what, text, "has a control character"));
    }
    if text.chars().nth(max_chars).is_some() {
        return Err(invalid(what, text, "is too long"));
    }
    Ok(())
}

/// Checks a name in `synix.toml`: at most 64 letters, digits, `-`, `_` and `.`.
pub fn check_name(what: &'static str, text: &str) -> Result<(), InvalidName> {
    check_new(what, text, 64)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.chars().all(allowed) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(invalid(
            what,
            text,
            "must consist of letters, digits, '-', '_' and '.', and start with a letter or digit",
        ));
    }
    Ok(())
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max_chars:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Validates a new text.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                check_new($what, text, $max_chars)?;
                Ok(Self(text.into()))
            }

            /// Validates a text from the state. Earlier versions of synix accepted characters that [`Self::parse`] rejects.
            pub fn from_stored(text: &str) -> Result<Self, InvalidName> {
                check_stored($what, text, $max_chars)?;
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
                Self::from_stored(&text)
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
    /// The stable name of an artifact within its layer: 1 to 512 visible characters.
    Label, "label", 512
);
checked_text!(
    /// The sort of an artifact, such as `summary`: 1 to 128 characters.
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
    fn a_label_with_a_control_character_is_rejected() {
        assert!(Label::parse("a b/ü").is_ok());
        for bad in ["", "a\nb", "a\0"] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
            assert!(Label::from_stored(bad).is_err(), "{bad:?}");
        }
        assert!(Label::parse(&"x".repeat(513)).is_err());
    }

    #[test]
    fn invisible_characters_are_rejected_in_new_labels_but_accepted_in_stored_ones() {
        for bad in ["a\u{202e}b", "a\u{200b}b", "a\u{200d}b", "\u{2028}"] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
            assert_eq!(Label::from_stored(bad).unwrap().as_str(), bad);
        }
        for good in ["می\u{200c}خواهم", "👩\u{200d}💻"] {
            assert_eq!(Label::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_name_in_the_pipeline_file_starts_with_a_letter_or_digit() {
        assert!(check_name("layer", "work-styles.2").is_ok());
        for bad in ["-a", "a b", "a/b", ".", ""] {
            assert!(check_name("layer", bad).is_err(), "{bad:?}");
        }
    }
}
