//! Words of others, shown so that they cannot steer a terminal, change the order in which text is
//! read, hide, or give a command to a CI system that reads the log.

/// Shows a text in one line.
pub fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    escape(text, |_| false, &mut shown);
    shown
}

/// Shows a text whose line breaks and tabs stay. `\r\n` is one line break.
pub fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    escape(
        &text.replace("\r\n", "\n"),
        |one| matches!(one, '\n' | '\t'),
        &mut shown,
    );
    shown
}

/// Shows a document in JSON, which stays that document: what [`line()`] would write out, and the
/// words that a CI system obeys, become `\u` escapes.
///
/// The characters in question occur within the strings of such a document only.
pub fn json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    let mut before = None;
    for (at, one) in document.char_indices() {
        let next = document[at + one.len_utf8()..].chars().next();
        let kept = matches!(one, '\n' | '\t' | '\r');
        let steered = !kept && steers(one, before, next);
        let second_hash = one == '#' && before == Some('#') && commands(&document[at..]);
        if steered || second_hash {
            for unit in one.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(one);
        }
        before = Some(one);
    }
    shown
}

/// Shows a line of ours that may hold words of others, already printable, so that no CI system
/// takes it for a command: GitHub, Azure and TeamCity read `::name::`, `##[name]` and `##name[`.
///
/// They look behind blanks at the start of a line, and some in the middle of it, so that setting
/// lines in is not enough.
pub fn inert(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let start = line.len() - line.trim_start().len();
    let mut before = None;
    for (at, one) in line.char_indices() {
        let leads = at == start && line[at..].starts_with("::");
        if leads || (one == '#' && before == Some('#') && commands(&line[at..])) {
            shown.extend(one.escape_unicode());
        } else {
            shown.push(one);
        }
        before = Some(one);
    }
    shown
}

/// Says whether `rest`, from the second `#` of two on, goes on as a command does: `#name[`.
fn commands(rest: &str) -> bool {
    rest.trim_start_matches('#')
        .trim_start_matches(|one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_'))
        .starts_with('[')
}

/// Counts things in words: `1 request`, `2 requests`.
pub fn count(number: u64, thing: &str) -> String {
    let ending = match thing {
        _ if number == 1 => "",
        _ if thing.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{number} {thing}{ending}")
}

/// Writes a word for a shell: as it is where that is safe, else in quotes.
///
/// A character that [`line()`] would write out stands as an escape in `$'…'`, so that the word can
/// be pasted as it is shown.
pub fn quoted(word: &str) -> String {
    let plain = |one: char| {
        one.is_ascii_alphanumeric()
            || "-_./:@%+=,".contains(one)
            || (!one.is_ascii() && one.is_alphanumeric())
    };
    if line(word) != word {
        let escaped: String = word
            .chars()
            .map(|one| match one {
                '\'' | '\\' => format!("\\{one}"),
                _ if one.is_control() || !plain(one) && !one.is_ascii() => {
                    format!("\\U{:08x}", u32::from(one))
                }
                _ => one.to_string(),
            })
            .collect();
        return format!("$'{escaped}'");
    }
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Finds the first character of a name that has no form of its own: a control or format character.
///
/// Joiners (U+200C, U+200D) stay where a script or an emoji needs them, as do variation selectors
/// behind what they vary; elsewhere two names that look alike could differ in them.
pub fn first_formless(name: &str) -> Option<char> {
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(one) = rest.next() {
        let next = rest.peek().copied();
        let stray_selector = is_selector(one) && !varies(before, next);
        if steers(one, before, next) || stray_selector {
            return Some(one);
        }
        before = Some(one);
    }
    None
}

fn escape(text: &str, is_kept: impl Fn(char) -> bool, shown: &mut String) {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        if steers(one, before, rest.peek().copied()) && !is_kept(one) {
            shown.extend(one.escape_default());
        } else {
            shown.push(one);
        }
        before = Some(one);
    }
}

/// Says whether a character does something other than to be seen, between these two.
fn steers(one: char, before: Option<char>, next: Option<char>) -> bool {
    if one.is_control() {
        return true;
    }
    if matches!(one, '\u{200c}' | '\u{200d}') {
        let joins = |other: Option<char>| other.is_some_and(takes_joiners);
        return !(joins(before) && (joins(next) || before.is_some_and(is_virama)));
    }
    is_formless(one)
}

/// The format characters (Cf) that are not seen, line separators, and letters without a form.
const fn is_formless(one: char) -> bool {
    matches!(
        one,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}'
    )
}

/// Scripts whose letters join, and emoji.
const fn takes_joiners(one: char) -> bool {
    matches!(
        one,
        '\u{600}'..='\u{8ff}' // Arabic with Persian and Urdu, Syriac, N'Ko, Mandaic
            | '\u{900}'..='\u{dff}' // the scripts of India and Sri Lanka
            | '\u{1000}'..='\u{109f}' // Myanmar
            | '\u{1780}'..='\u{18af}' // Khmer, Mongolian
            | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}'
            | '\u{fe0f}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2190}'..='\u{2bff}'
            | '\u{1f000}'..='\u{1faff}'
    ) && !matches!(one, '\u{61c}' | '\u{180e}' | '\u{200c}' | '\u{200d}')
}

/// The sign of Indian scripts behind which a joiner may also end a word.
const fn is_virama(one: char) -> bool {
    matches!(
        one,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
    )
}

const fn is_selector(one: char) -> bool {
    matches!(one, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180d}')
}

/// Says whether a variation selector has something to vary: a sign beyond ASCII, or the digit of a keycap.
fn varies(before: Option<char>, next: Option<char>) -> bool {
    match before {
        Some('0'..='9' | '#' | '*') => next == Some('\u{20e3}'),
        Some(one) => !one.is_ascii() && !is_selector(one) && !is_formless(one),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out() {
        let words = "grün\u{1b}[2J\u{202e}\u{200f}\u{9b}\r\n\tx\r";
        assert_eq!(
            lines(words),
            "grün\\u{1b}[2J\\u{202e}\\u{200f}\\u{9b}\n\tx\\r"
        );
        assert_eq!(
            line(words),
            "grün\\u{1b}[2J\\u{202e}\\u{200f}\\u{9b}\\r\\n\\tx\\r"
        );
    }

    #[test]
    fn every_other_break_of_a_line_is_written_out() {
        for one in ['\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'] {
            let shown = lines(&format!("a{one}::error::b"));
            assert_eq!(shown.lines().count(), 1);
            assert!(shown.chars().all(|one| one.is_ascii_graphic()), "{shown}");
        }
    }

    #[test]
    fn a_name_has_no_character_that_cannot_be_seen() {
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
            assert!(first_formless(bad).is_some(), "{bad:?}");
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
            assert_eq!(first_formless(good), None, "{good:?}");
            assert_eq!(line(good), good);
        }
    }

    #[test]
    fn no_line_is_a_command_of_a_ci_system() {
        assert_eq!(inert("::error::x"), "\\u{3a}:error::x");
        assert_eq!(inert(" \t ::error::x"), " \t \\u{3a}:error::x");
        assert_eq!(inert("a ##[error]x"), "a #\\u{23}[error]x");
        assert_eq!(inert("##vso[task.x]y"), "#\\u{23}vso[task.x]y");
        assert_eq!(inert("###[error]x"), "#\\u{23}\\u{23}[error]x");
        assert_eq!(
            inert("## A heading [link] a::b"),
            "## A heading [link] a::b"
        );
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({
            "a\u{7f}": "\u{9b}31m\u{202e}\u{2028}\u{85}\u{e0041}##[error]x ###vso[y]",
            "b": ["é 👩\u{200d}💻", "\u{1b}\r\n"],
        });
        let shown = json(&serde_json::to_string_pretty(&value).unwrap());
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, value);
        assert!(
            !shown.contains("##[") && !shown.contains("##vso["),
            "{shown}"
        );
        let is_safe = |one: char| one == '\n' || !steers(one, Some('👩'), Some('👩'));
        assert!(shown.chars().all(is_safe), "{shown}");
    }

    #[test]
    fn a_word_for_a_shell_is_one_word() {
        assert_eq!(quoted("oci://ghcr.io/a/b:1"), "oci://ghcr.io/a/b:1");
        assert_eq!(quoted("a b;rm -rf ~"), "'a b;rm -rf ~'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$(x)`y`"), "'$(x)`y`'");
        assert_eq!(quoted("a'\n\u{202e}b"), r"$'a\'\U0000000a\U0000202eb'");
    }
}
