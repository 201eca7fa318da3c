//! Untrusted text, made safe to print: it cannot send control sequences to a terminal, reorder or hide text, or send
//! commands to a CI system that reads the log.

mod characters;

pub use characters::first_invisible;

use characters::is_unsafe;

/// Escapes a text so that it prints as one line.
pub fn escape_line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    escape(text, |_| false, &mut escaped);
    escaped
}

/// Escapes a text but keeps its line breaks and tabs. `\r\n` becomes `\n`.
pub fn escape_lines(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    escape(
        &text.replace("\r\n", "\n"),
        |character| matches!(character, '\n' | '\t'),
        &mut escaped,
    );
    escaped
}

/// Replaces unsafe characters and CI commands in a JSON document by `\u` escapes, without changing its meaning.
///
/// This is possible because such characters only occur inside the strings of a document.
pub fn escape_json(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    let mut previous = None;
    for (at, character) in document.char_indices() {
        let next = document[at + character.len_utf8()..].chars().next();
        let is_allowed = matches!(character, '\n' | '\t' | '\r');
        let must_escape = !is_allowed && is_unsafe(character, previous, next);
        let is_second_hash =
            character == '#' && previous == Some('#') && is_hash_command(&document[at..]);
        if must_escape || is_second_hash {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
        previous = Some(character);
    }
    escaped
}

/// Changes a printable line so that no CI system takes it for a command. GitHub, Azure and TeamCity interpret
/// `::name::`, `##[name]` and `##name[`.
///
/// Indentation is not enough: they skip leading blanks, and some look in the middle of a line.
pub fn defuse_ci_commands(line: &str) -> String {
    let mut defused = String::with_capacity(line.len());
    let start = line.len() - line.trim_start().len();
    let mut previous = None;
    for (at, character) in line.char_indices() {
        let is_colon_command = at == start && line[at..].starts_with("::");
        let is_second_hash =
            character == '#' && previous == Some('#') && is_hash_command(&line[at..]);
        if is_colon_command || is_second_hash {
            defused.extend(character.escape_unicode());
        } else {
            defused.push(character);
        }
        previous = Some(character);
    }
    defused
}

/// Returns whether `rest`, which starts at the second of two `#`, continues like a command: `#name[`.
fn is_hash_command(rest: &str) -> bool {
    rest.trim_start_matches('#')
        .trim_start_matches(|character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
        })
        .starts_with('[')
}

/// Formats a number of things: `1 request`, `2 requests`.
pub fn pluralize(number: u64, thing: &str) -> String {
    let ending = match thing {
        _ if number == 1 => "",
        _ if thing.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{number} {thing}{ending}")
}

/// Quotes a word for a shell, if it needs quotes.
///
/// Characters that [`escape_line()`] escapes are written as escapes in `$'…'`, so that the printed word can be pasted.
pub fn shell_quote(word: &str) -> String {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric()
            || "-_./:@%+=,".contains(character)
            || (!character.is_ascii() && character.is_alphanumeric())
    };
    if escape_line(word) != word {
        let escaped: String = word
            .chars()
            .map(|character| match character {
                '\'' | '\\' => format!("\\{character}"),
                _ if character.is_control() || !is_plain(character) && !character.is_ascii() => {
                    format!("\\U{:08x}", u32::from(character))
                }
                _ => character.to_string(),
            })
            .collect();
        return format!("$'{escaped}'");
    }
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn escape(text: &str, is_allowed: impl Fn(char) -> bool, escaped: &mut String) {
    let mut previous = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if is_unsafe(character, previous, rest.peek().copied()) && !is_allowed(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
        previous = Some(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_characters_are_escaped() {
        let words = "grün\u{1b}[2J\u{202e}\u{200f}\u{9b}\r\n\tx\r";
        assert_eq!(
            escape_lines(words),
            "grün\\u{1b}[2J\\u{202e}\\u{200f}\\u{9b}\n\tx\\r"
        );
        assert_eq!(
            escape_line(words),
            "grün\\u{1b}[2J\\u{202e}\\u{200f}\\u{9b}\\r\\n\\tx\\r"
        );
    }

    #[test]
    fn every_line_separator_except_a_newline_is_escaped() {
        for one in ['\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'] {
            let shown = escape_lines(&format!("a{one}::error::b"));
            assert_eq!(shown.lines().count(), 1);
            assert!(shown.chars().all(|one| one.is_ascii_graphic()), "{shown}");
        }
    }

    #[test]
    fn invisible_characters_are_found_except_where_a_script_needs_them() {
        for bad in [
            "a\u{200b}b",
            "a\u{202e}b",
            "\u{feff}a",
            "a\u{ad}b",
            "a\u{2028}b",
            "a\u{e0041}",
            "a\u{200d}b",
            "é\u{200c}é",
            "ن\u{200c}",
            "a\u{fe0f}",
            "❤\u{fe0f}\u{fe0f}",
            "a\u{61c}b",
            "a\u{3164}b",
            "a\u{7f}",
        ] {
            assert!(first_invisible(bad).is_some(), "{bad:?}");
        }
        for good in [
            "naïve · 日本語",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👩\u{200d}💻",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}👨",
            "1\u{fe0f}\u{20e3}",
            "葛\u{e0100}",
        ] {
            assert_eq!(first_invisible(good), None, "{good:?}");
            assert_eq!(escape_line(good), good);
        }
    }

    #[test]
    fn no_line_is_a_ci_command() {
        assert_eq!(defuse_ci_commands("::error::x"), "\\u{3a}:error::x");
        assert_eq!(defuse_ci_commands(" \t ::error::x"), " \t \\u{3a}:error::x");
        assert_eq!(defuse_ci_commands("a ##[error]x"), "a #\\u{23}[error]x");
        assert_eq!(defuse_ci_commands("##vso[task.x]y"), "#\\u{23}vso[task.x]y");
        assert_eq!(defuse_ci_commands("###[error]x"), "#\\u{23}\\u{23}[error]x");
        assert_eq!(
            defuse_ci_commands("## A heading [link] a::b"),
            "## A heading [link] a::b"
        );
    }

    #[test]
    fn an_escaped_json_document_has_the_same_value() {
        let value = serde_json::json!({
            "a\u{7f}": "\u{9b}31m\u{202e}\u{2028}\u{85}\u{e0041}##[error]x ###vso[y]",
            "b": ["é 👩\u{200d}💻", "\u{1b}\r\n"],
        });
        let shown = escape_json(&serde_json::to_string_pretty(&value).unwrap());
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, value);
        assert!(
            !shown.contains("##[") && !shown.contains("##vso["),
            "{shown}"
        );
        let is_safe =
            |character: char| character == '\n' || !is_unsafe(character, Some('👩'), Some('👩'));
        assert!(shown.chars().all(is_safe), "{shown}");
    }

    #[test]
    fn a_quoted_word_is_one_word_for_a_shell() {
        assert_eq!(shell_quote("oci://ghcr.io/a/b:1"), "oci://ghcr.io/a/b:1");
        assert_eq!(shell_quote("a b;rm -rf ~"), "'a b;rm -rf ~'");
        assert_eq!(shell_quote("it's"), r"'it'\''s'");
        assert_eq!(shell_quote(""), "''");
        assert_eq!(shell_quote("$(x)`y`"), "'$(x)`y`'");
        assert_eq!(shell_quote("a'\n\u{202e}b"), r"$'a\'\U0000000a\U0000202eb'");
    }
}
