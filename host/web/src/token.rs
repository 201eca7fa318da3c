//! The secret that an address needs if other machines can reach it.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// A random secret. It is printed once, in the address of the page, and never logged.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Makes a new token.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
        Ok(Self(digits.collect()))
    }

    /// Returns the text, for the address.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns whether somebody knows the token. How long that takes does not depend on what is guessed.
    pub(crate) fn is(&self, guess: &str) -> bool {
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_whole_text_alone() {
        let token = Token::new().unwrap();
        let text = token.text().to_owned();
        assert_eq!(text.len(), 64);
        assert!(token.is(&text));
        for wrong in ["", &text[1..], &format!("{text}0"), &"0".repeat(64)] {
            assert!(!token.is(wrong), "{wrong}");
        }
        assert!(!format!("{token:?}").contains(&text));
        assert_ne!(Token::new().unwrap().text(), text);
    }
}
