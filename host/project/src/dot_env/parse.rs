//! Parses the text of a `.env` file without substituting variables.

/// An entry of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Value { name: &'a str, value: String },
    Invalid { line: usize },
}

/// Parses `NAME=value` as shells and the usual libraries do, but substitutes no variable.
///
/// It accepts a byte order mark, `export`, blanks around names and values, CRLF, quotes, and comments after a value. In
/// double quotes, `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes. A quoted value may span several lines.
pub(super) fn parse(text: &str) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (first, after) = first_line(rest);
        let entry = match parse_line_start(first) {
            LineStart::Blank => None,
            LineStart::Invalid => Some((Entry::Invalid { line }, after)),
            LineStart::Name { name, value } => Some(match quoted(&rest[value..]) {
                None => {
                    let value = unquoted(&first[value..]).to_owned();
                    (Entry::Value { name, value }, after)
                }
                Some(Quoted {
                    value: Some(read),
                    length,
                }) => {
                    let (tail, after) = first_line(&rest[value + length..]);
                    if is_blank(tail) {
                        (Entry::Value { name, value: read }, after)
                    } else {
                        (Entry::Invalid { line }, after)
                    }
                }
                // An unclosed quote makes its own line invalid, and no other.
                Some(Quoted { value: None, .. }) => (Entry::Invalid { line }, after),
            }),
        };
        let after = match entry {
            Some((entry, after)) => {
                entries.push(entry);
                after
            }
            None => after,
        };
        line += rest[..rest.len() - after.len()].matches('\n').count();
        rest = after;
    }
    entries
}

/// Splits off the first line, without its line ending.
fn first_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), rest)
}

enum LineStart<'a> {
    /// A blank line or a comment.
    Blank,
    Invalid,
    /// A name, and the position of its value in the line.
    Name {
        name: &'a str,
        value: usize,
    },
}

fn parse_line_start(line: &str) -> LineStart<'_> {
    if is_blank(line) {
        return LineStart::Blank;
    }
    let Some((left, right)) = line.split_once('=') else {
        return LineStart::Invalid;
    };
    let left = left.trim();
    let name = match left.strip_prefix("export") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => left,
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(allowed) {
        return LineStart::Invalid;
    }
    let blanks = right.len() - right.trim_start().len();
    // A `#` begins a comment only after a blank.
    let blanks = if right[blanks..].starts_with('#') {
        0
    } else {
        blanks
    };
    LineStart::Name {
        name,
        value: line.len() - right.len() + blanks,
    }
}

/// Returns whether the text has at most a comment.
fn is_blank(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty() || text.starts_with('#')
}

fn unquoted(text: &str) -> &str {
    let mut before = None;
    let comment = text.char_indices().find(|(_, c)| {
        let starts = *c == '#' && before.is_some_and(char::is_whitespace);
        before = Some(*c);
        starts
    });
    comment.map_or(text, |(at, _)| &text[..at]).trim()
}

/// A value in quotes; `None` if the closing quote is missing.
struct Quoted {
    value: Option<String>,
    /// The length in bytes, with the quotes.
    length: usize,
}

fn quoted(text: &str) -> Option<Quoted> {
    let mut chars = text.char_indices();
    let (_, quote) = chars.next().filter(|(_, c)| matches!(c, '"' | '\''))?;
    let mut value = String::new();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some(Quoted {
                value: Some(value),
                length: at + c.len_utf8(),
            });
        }
        if c != '\\' || quote == '\'' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some((_, 'n')) => value.push('\n'),
            Some((_, 'r')) => value.push('\r'),
            Some((_, 't')) => value.push('\t'),
            Some((_, c @ ('"' | '\\' | '$'))) => value.push(c),
            Some((_, other)) => value.extend(['\\', other]),
            None => break,
        }
    }
    Some(Quoted {
        value: None,
        length: text.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(&str, String)> {
        let read = parse(text).into_iter();
        read.filter_map(|entry| match entry {
            Entry::Value { name, value } => Some((name, value)),
            Entry::Invalid { .. } => None,
        })
        .collect()
    }

    #[track_caller]
    fn value(line: &str) -> String {
        let mut read = values(line);
        assert_eq!(read.len(), 1, "{line:?}");
        read.remove(0).1
    }

    /// X10: a comment after a value is not part of it.
    #[test]
    fn a_value_ends_where_it_ends_for_a_shell() {
        for line in [
            "K=sk-1",
            "K=sk-1 # mine",
            "K=sk-1\t# mine",
            "K=sk-1  ",
            "K=\"sk-1\" # mine",
            "K='sk-1'# mine",
            "K = 'sk-1'  ",
            " K\t=\tsk-1\r\n",
            "export K=sk-1",
            "export\tK=sk-1 # mine",
            "\u{feff}K=sk-1",
            "\u{feff}export K=\"sk-1\"\r\n",
            "# K=other\nK=sk-1\n",
        ] {
            assert_eq!(value(line), "sk-1", "{line:?}");
        }
        assert_eq!(value("K=a#b"), "a#b");
        assert_eq!(value("K=\"a # b\""), "a # b");
        assert_eq!(value("K=x=y"), "x=y");
        assert_eq!(value("K="), "");
        assert_eq!(value("K= # none"), "");
        assert_eq!(value("exported=1"), "1");
    }

    #[test]
    fn a_quoted_value_may_span_lines() {
        let text = "A=\"one\\n\\\"two\\\"\"\nB='x\ny' # z\nC=3\n";
        let expected = [("A", "one\n\"two\""), ("B", "x\ny"), ("C", "3")];
        assert_eq!(
            values(text),
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }

    /// An attacker's file could name any variable of the real environment.
    #[test]
    fn variables_are_not_substituted() {
        for text in [
            "$HOME",
            "${HOME}",
            "\"$HOME\"",
            "\"${HOME}\"",
            "`id`",
            "$(id)",
        ] {
            assert_eq!(value(&format!("K={text}")), text.trim_matches('"'));
        }
    }

    #[test]
    fn an_invalid_entry_is_reported_by_its_line() {
        let text = "A=1\nnonsense\n\nB=\"no end\nC=\"x\" y\n1 2=3\nD=4\n";
        let lines: Vec<usize> = parse(text)
            .iter()
            .filter_map(|entry| match entry {
                Entry::Invalid { line } => Some(*line),
                Entry::Value { .. } => None,
            })
            .collect();
        // The quote of line 4 closes in line 5, before other text.
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(values(text).last(), Some(&("D", "4".to_owned())));
    }
}
