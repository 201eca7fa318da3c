//! Marks of citations in the texts of ChatGPT, which point to what the export does not have.
//!
//! A mark begins with U+E200 and ends with U+E201, with fields between that U+E202 divides: `cite`, then `turn0search1`.
//! Older ones are `【1†source】`. Only a mark `entity` holds words that the reader of the page saw.

use std::borrow::Cow;

use crate::json::Json;

const BEGIN: char = '\u{e200}';
const END: char = '\u{e201}';
const DIVIDER: char = '\u{e202}';
/// A mark without an end is cut off here.
const MAX_MARK_BYTES: usize = 4096;
/// What is longer in its brackets is text. Each bracket costs a search of this length.
const MAX_BRACKET_BYTES: usize = 256;

/// Removes the marks.
pub(super) fn remove(text: &str) -> Cow<'_, str> {
    let is_mark = |c: char| c == '【' || ('\u{e000}'..='\u{f8ff}').contains(&c);
    if !text.contains(is_mark) && !text.contains("turn") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(is_mark) {
        let (before, from) = rest.split_at(place);
        out.push_str(before);
        rest = if from.starts_with(BEGIN) {
            private_mark(from, &mut out)
        } else if from.starts_with('【') {
            bracket_mark(from, &mut out)
        } else {
            let mut chars = from.chars();
            chars.next();
            chars.as_str()
        };
    }
    out.push_str(rest);
    Cow::Owned(without_pointers(&out))
}

/// Reads the mark that `from` begins with and returns what follows it.
fn private_mark<'a>(from: &'a str, out: &mut String) -> &'a str {
    let inside = &from[BEGIN.len_utf8()..];
    let near = &inside[..inside.floor_char_boundary(MAX_MARK_BYTES)];
    let Some(end) = near.find(END) else {
        // Without its end, the mark is what is left of the word.
        let end = near.find(char::is_whitespace).unwrap_or(near.len());
        return &inside[end..];
    };
    let mut fields = inside[..end].split(DIVIDER);
    if fields.next() == Some("entity")
        && let Some(entity) = fields.next()
        && let Ok(entity) = Json::parse(entity.as_bytes())
        && let Some(name) = entity.items().get(1).and_then(Json::as_text)
    {
        out.push_str(name);
    }
    &inside[end + END.len_utf8()..]
}

/// Leaves out `【1†source】` and `【1:0†source】`, and keeps what is only in such brackets.
fn bracket_mark<'a>(from: &'a str, out: &mut String) -> &'a str {
    let inside = &from['【'.len_utf8()..];
    let near = &inside[..inside.floor_char_boundary(MAX_BRACKET_BYTES)];
    if let Some(end) = near.find('】') {
        let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == ':');
        let number = inside[..end].split_once('†');
        if number.is_some_and(|(number, _)| !number.is_empty() && is_number(number)) {
            return &inside[end + '】'.len_utf8()..];
        }
    }
    out.push('【');
    inside
}

/// Removes words such as `turn0search1`, which a mark leaves behind where its ends were lost.
fn without_pointers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find("turn") {
        let starts_word = !rest[..place].ends_with(char::is_alphanumeric);
        let from = &rest[place..];
        match pointer(from) {
            Some(length) if starts_word => {
                out.push_str(&rest[..place]);
                rest = &from[length..];
            }
            _ => {
                out.push_str(&rest[..place + 4]);
                rest = &from[4..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns the length of the pointer that `text` begins with.
fn pointer(text: &str) -> Option<usize> {
    /// Longer ones are words. Each `turn` costs a look at so many bytes.
    const MAX_PART_BYTES: usize = 16;
    let run = |start: usize, is_part: fn(&u8) -> bool| {
        let bytes = text.as_bytes().get(start..).unwrap_or_default();
        let length = bytes
            .iter()
            .take(MAX_PART_BYTES)
            .take_while(|byte| is_part(byte))
            .count();
        (length > 0).then_some(start + length)
    };
    let number = run("turn".len(), u8::is_ascii_digit)?;
    let name = run(number, u8::is_ascii_lowercase)?;
    let end = run(name, u8::is_ascii_digit)?;
    let after = &text[end..];
    let goes_on = after.starts_with(char::is_alphanumeric) && !after.starts_with("turn");
    (!goes_on).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_citations_are_removed() {
        for (text, expected) in [
            (
                "Rome\u{e200}cite\u{e202}turn0search1\u{e202}turn2news3\u{e201}.",
                "Rome.",
            ),
            ("Rome【1†source】 and【12:0†a.pdf】.", "Rome and."),
            ("a\u{e203}b\u{f8ff}c", "abc"),
            ("See turn0search1turn0search12.", "See ."),
            (
                "\u{e200}entity\u{e202}[\"city\",\"Rome\",\"in Italy\"]\u{e201}!",
                "Rome!",
            ),
            ("open \u{e200}cite\u{e202}turn0search1 on", "open  on"),
        ] {
            assert_eq!(remove(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_mark_is_kept() {
        for text in [
            "【重要】 turn left",
            "turn0",
            "turn1x",
            "return0search1",
            "【x†y】",
            "【1†open",
            "turning",
        ] {
            assert_eq!(remove(text), text, "{text:?}");
        }
    }
}
