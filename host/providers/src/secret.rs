//! A credential that cannot be printed by accident.

use std::fmt;

const MASK: &str = "***";

/// Shorter keys are placeholders such as `none`; masking them would distort messages.
const MIN_MASKED_BYTES: usize = 8;

/// A provider's key. It has no `Display` or `Serialize`, and its `Debug` prints a mask.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key, without the white space that files and shells may leave around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Masks every occurrence of the key in `text`.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < MIN_MASKED_BYTES {
            return text.to_owned();
        }
        text.replace(&self.0, MASK)
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({MASK})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_a_mask() {
        assert_eq!(format!("{:?}", Secret::new("sk-12345678")), "Secret(***)");
    }

    #[test]
    fn every_occurrence_of_a_key_is_masked() {
        let secret = Secret::new(" sk-12345678\n");
        assert_eq!(
            secret.redact("bad key sk-12345678, sk-12345678!"),
            "bad key ***, ***!"
        );
    }
}
