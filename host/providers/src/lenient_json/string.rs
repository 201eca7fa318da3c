//! Strings and their escapes.

use super::{JsonError, Parser};

const ENDS_IN_STRING: &str = "the text ends within a string";

impl Parser<'_> {
    /// Parses a string; what is not valid Unicode becomes U+FFFD.
    pub(super) fn parse_string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(self.error(ENDS_IN_STRING));
            };
            self.at += 1;
            match byte {
                b'"' => {
                    return Ok(match String::from_utf8(bytes) {
                        Ok(text) => text,
                        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                    });
                }
                b'\\' => {
                    let character = self.parse_escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => bytes.push(other),
            }
        }
    }

    /// Parses an escape after its backslash.
    fn parse_escape(&mut self) -> Result<char, JsonError> {
        let Some(byte) = self.peek() else {
            return Err(self.error(ENDS_IN_STRING));
        };
        self.at += 1;
        Ok(match byte {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.parse_unicode_escape(),
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            _ => {
                // An unknown escape becomes U+FFFD. A character that is not ASCII is read again as text.
                self.at -= usize::from(!byte.is_ascii());
                char::REPLACEMENT_CHARACTER
            }
        })
    }

    /// Parses the digits after `\u`, and a second escape if the two are a surrogate pair.
    fn parse_unicode_escape(&mut self) -> char {
        let Some(unit) = self.parse_four_digits() else {
            return char::REPLACEMENT_CHARACTER;
        };
        let is_high = (0xd800..0xdc00).contains(&unit);
        if is_high && self.text[self.at..].starts_with(b"\\u") {
            let after_first = self.at;
            self.at += 2;
            match self.parse_four_digits() {
                Some(low) if (0xdc00..0xe000).contains(&low) => {
                    let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                }
                // The second escape is not a low surrogate, so it is a character of its own.
                Some(_) | None => self.at = after_first,
            }
        }
        char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Parses four hexadecimal digits, or reads nothing.
    fn parse_four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let are_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| are_hex)?;
        let unit = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }
}
