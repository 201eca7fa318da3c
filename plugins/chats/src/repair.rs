//! JSON that is almost JSON: what writers in the field get wrong, put right in a copy.
//!
//! Exports hold halves of surrogate pairs where a text was cut in the middle of an emoji, raw control characters within
//! texts, and bytes that are not UTF-8. Each would lose a whole conversation.

use crate::json::Json;

/// A repair makes copies, for which a guest must have room.
const MAX_REPAIRED_BYTES: usize = 16 * 1024 * 1024;

/// Parses `bytes`, if necessary after a repair, and hands the value over.
pub(crate) fn parsed<R>(bytes: &[u8], then: impl FnOnce(&Json<'_>) -> R) -> Result<R, String> {
    match Json::parse(bytes) {
        Ok(value) => Ok(then(&value)),
        Err(first) if bytes.len() > MAX_REPAIRED_BYTES => Err(first.to_string()),
        Err(first) => {
            let repaired = repaired(bytes);
            match Json::parse(repaired.as_bytes()) {
                Ok(value) => Ok(then(&value)),
                // The first says more about the file as it is.
                Err(_) => Err(first.to_string()),
            }
        }
    }
}

fn repaired(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    let mut in_text = false;
    while let Some(place) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        let (before, from) = rest.split_at(place);
        out.push_str(before);
        let mut chars = from.chars();
        let found = chars.next();
        rest = chars.as_str();
        match found {
            Some('"') => {
                in_text = !in_text;
                out.push('"');
            }
            Some('\\') => rest = escape(from, &mut out),
            Some(control) if in_text => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            Some(space) => out.push(space),
            None => {}
        }
    }
    out.push_str(rest);
    out
}

/// Copies the escape that `from` begins with and returns what follows it. Half a surrogate pair becomes U+FFFD.
fn escape<'a>(from: &'a str, out: &mut String) -> &'a str {
    let end = match surrogate(from) {
        None => {
            let mut ends = from.char_indices().map(|(start, _)| start);
            ends.nth(2).unwrap_or(from.len())
        }
        Some(true) if from.get(6..).and_then(surrogate) == Some(false) => 12,
        Some(_) => {
            out.push_str("\\ufffd");
            return from.get(6..).unwrap_or_default();
        }
    };
    let (whole, rest) = from.split_at(end);
    out.push_str(whole);
    rest
}

/// Returns whether the escape at the start of `text` is the first half of a surrogate pair (`true`) or the second.
fn surrogate(text: &str) -> Option<bool> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(true),
        0xdc00..=0xdfff => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        parsed(bytes, |value| value.text("t").unwrap().to_owned()).unwrap()
    }

    #[test]
    fn half_a_surrogate_pair_does_not_lose_the_text() {
        assert_eq!(
            text(br#"{"t": "a\ud83d b\ude00 c\ud83d\ude00"}"#),
            "a\u{fffd} b\u{fffd} c\u{1f600}"
        );
        assert_eq!(text(br#"{"t": "a\ud83d\\ud83d"}"#), "a\u{fffd}\\ud83d");
    }

    #[test]
    fn raw_control_characters_and_bytes_that_are_not_text_do_not_lose_the_text() {
        assert_eq!(text(b"{\n\"t\": \"a\nb\x01\"}"), "a\nb\u{1}");
        assert_eq!(text(b"{\"t\": \"a\xff\"}"), "a\u{fffd}");
    }

    #[test]
    fn what_cannot_be_repaired_is_an_error() {
        for bad in [
            &b"{\"t\": "[..],
            b"{\"t\": \"a\\",
            b"{\"t\": \"\\u12",
            b"\\",
            b"",
        ] {
            assert!(parsed(bad, |_| ()).is_err(), "{bad:?}");
        }
    }
}
