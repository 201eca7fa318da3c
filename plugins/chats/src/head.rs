//! What a file is, by its first bytes: an array, an object, lines of JSON, or text.

use std::io::{self, BufRead, Cursor, Read as _};

use synix_reading::json::Scanner;

use crate::format::Record;
use crate::repair::parsed;

/// Bytes that are looked at.
const HEAD_BYTES: u64 = 64 * 1024;
/// Lines that are looked at for one that is JSON.
const LOOKED_AT: usize = 5;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Empty,
    Array,
    Object,
    Lines,
    Text,
    Html,
    Binary,
}

/// Reads the first bytes, and returns them with a reader that starts with them again.
pub(crate) fn open<R: BufRead>(mut reader: R) -> io::Result<(Form, impl BufRead)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let form = form(&head);
    Ok((form, Cursor::new(head).chain(reader)))
}

fn form(head: &[u8]) -> Form {
    let start = head.trim_ascii_start();
    match start.first() {
        None => Form::Empty,
        Some(b'[') if is_array(&start[1..]) => Form::Array,
        Some(b'{') => object(start),
        Some(_) if head.contains(&0) => Form::Binary,
        Some(b'<') => Form::Html,
        Some(_) if is_mostly_lines(start) => Form::Lines,
        Some(_) => {
            // A character may be cut at the end of the head.
            let valid =
                std::str::from_utf8(head).map_or_else(|error| error.valid_up_to(), str::len);
            let is_text = head.len() - valid < 4
                || String::from_utf8_lossy(head).matches('\u{fffd}').count() * 50 < head.len();
            if is_text { Form::Text } else { Form::Binary }
        }
    }
}

/// Tells an array from a line of a chat that begins with `[24.12.25, 18:03]`, and from a link in Markdown.
fn is_array(inside: &[u8]) -> bool {
    let inside = inside.trim_ascii_start();
    let Some(first) = inside.first() else {
        return true;
    };
    if first.is_ascii_digit() {
        let digits = inside
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let rest = &inside[digits..];
        let is_date = matches!(rest, [b'/' | b'-' | b'.', ..])
            && rest[1..]
                .iter()
                .take(12)
                .any(|byte| matches!(byte, b'/' | b'-' | b':'));
        return !is_date;
    }
    let is_word = ["null", "true", "false"]
        .iter()
        .any(|word| inside.starts_with(word.as_bytes()));
    is_word || matches!(first, b'{' | b'[' | b']' | b'"' | b'-')
}

fn object(start: &[u8]) -> Form {
    let mut scanner = Scanner::new(start);
    let first = scanner.value().ok().map(<[u8]>::to_vec);
    if let Some(first) = first {
        if matches!(scanner.peek(), Ok(Some(b'{'))) {
            return Form::Lines;
        }
        return if is_line(&first) {
            Form::Lines
        } else {
            Form::Object
        };
    }
    // The first value is longer than the head: its first names must do.
    let mut scanner = Scanner::new(start);
    let mut names = Vec::new();
    if let Ok(true) = scanner.enter(b'{') {
        while let Ok(Some(name)) = scanner.next_member() {
            names.push(name);
            if scanner.pass().is_err() {
                break;
            }
        }
    }
    let is_of_line = |name: &String| {
        matches!(
            name.as_str(),
            "sessionId" | "parentUuid" | "payload" | "isSidechain"
        )
    };
    if names.iter().any(is_of_line) {
        Form::Lines
    } else {
        Form::Object
    }
}

/// Returns whether an object is a line of a session.
fn is_line(bytes: &[u8]) -> bool {
    let record = parsed(bytes, Record::of).ok().flatten();
    matches!(record, Some(Record::ClaudeCode | Record::Codex))
}

/// Returns whether there are lines of JSON below one that is none.
fn is_mostly_lines(start: &[u8]) -> bool {
    let lines = start.split(|byte| *byte == b'\n').take(LOOKED_AT);
    lines
        .map(<[u8]>::trim_ascii)
        .any(|line| line.starts_with(b"{") && line.ends_with(b"}") && is_line(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_known_by_the_first_bytes() {
        let long = format!(
            "{{\"parentUuid\": null, \"message\": \"{}",
            "x".repeat(70_000)
        );
        let array = format!("{{\"conversations\": [{}", "5,".repeat(40_000));
        for (text, expected) in [
            (" \n", Form::Empty),
            ("[]", Form::Array),
            ("[\n {", Form::Array),
            ("[null, {}]", Form::Array),
            ("[5, {}]", Form::Array),
            ("[24.12.25, 18:03:09] A: x", Form::Text),
            ("[2025/12/24 18:03:09] A: x", Form::Text),
            ("[see](https://a)", Form::Text),
            ("{\"a\": 1}", Form::Object),
            ("{\"a\": 1}\n{\"a\": 2}", Form::Lines),
            ("{\"type\": \"user\", \"sessionId\": \"s\"}\n", Form::Lines),
            (
                "cut}\n{\"type\": \"user\", \"sessionId\": \"s\"}\n",
                Form::Lines,
            ),
            (&long, Form::Lines),
            (&array, Form::Object),
            ("<html>", Form::Html),
            ("GIF\0\u{1}", Form::Binary),
            ("User: é", Form::Text),
        ] {
            assert_eq!(
                form(text.as_bytes()),
                expected,
                "{}",
                &text[..text.len().min(40)]
            );
        }
        assert_eq!(form(&[0x89, 0xff, 0xfe, 0x90, 0xf0, 0x80]), Form::Binary);
    }
}
