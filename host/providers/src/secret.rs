//! A credential that cannot be shown by accident.

use std::fmt;

/// Shown in place of a credential.
const MASK: &str = "***";

/// Shorter texts are stand-ins such as `none`, and masking them would garble messages.
const SHORTEST_MASKED: usize = 8;

/// A provider's key. It has no `Display` or `Serialize`, and its `Debug` is a mask.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key, without the white space that files and shells leave around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Replaces the key wherever it stands in `text`.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < SHORTEST_MASKED {
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
    fn debug_shows_a_mask() {
        assert_eq!(format!("{:?}", Secret::new("sk-12345678")), "Secret(***)");
    }

    #[test]
    fn a_key_is_masked_wherever_it_stands() {
        let secret = Secret::new(" sk-12345678\n");
        assert_eq!(
            secret.redact("bad key sk-12345678, sk-12345678!"),
            "bad key ***, ***!"
        );
    }
}
