//! The file `.env` beside the pipeline file: keys, and nothing else.
//!
//! The file may come with a clone, so it decides nothing. A crate for such files would put variables of the real
//! environment into its values (`KEY=${OTHER}`), and a stranger's file could name any of them. Here a value is what is
//! written, and a message never holds one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::ProjectError;
use synix_core::printable;
use synix_disk::SymlinkPolicy;
use synix_manifest::Pipeline;
use synix_providers::Secret;

/// The most bytes that are read.
const MOST: u64 = 1 << 20;
/// Names that are shown in a warning.
const SHOWN: usize = 12;

/// Keys that the file may give to any pipeline.
const USUAL: [&str; 2] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"];

/// The keys that a `.env` gives to a pipeline.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    keys: BTreeMap<String, Secret>,
    ignored: BTreeSet<String>,
    /// Lines that are no `NAME=value`.
    unreadable: Vec<usize>,
}

impl DotEnv {
    /// Reads the file, if there is one. It is never read through a link.
    pub(super) fn read(root: &Path, pipeline: &Pipeline) -> Result<Self, ProjectError> {
        let path = root.join(".env");
        let bytes = synix_disk::read_limited_if_exists(&path, MOST, SymlinkPolicy::Refuse)?
            .unwrap_or_default();
        let text = String::from_utf8(bytes).map_err(|error| ProjectError::NotText {
            path,
            offset: error.utf8_error().valid_up_to(),
        })?;
        let mut admitted: BTreeSet<&str> = USUAL.into();
        let providers = pipeline.providers.values();
        admitted.extend(providers.map(|profile| profile.key_variable()));
        Ok(Self::of(&text, &admitted))
    }

    fn of(text: &str, admitted: &BTreeSet<&str>) -> Self {
        let mut read = Self::default();
        for entry in parse(text) {
            match entry {
                Entry::Value { name, .. } if !admitted.contains(name) => {
                    read.ignored.insert(name.to_owned());
                }
                Entry::Value { value, .. } if value.trim().is_empty() => {}
                Entry::Value { name, value } => {
                    read.keys.insert(name.to_owned(), Secret::new(&value));
                }
                Entry::Unreadable { line } => read.unreadable.push(line),
            }
        }
        read
    }

    /// Returns a key.
    pub(super) fn key(&self, name: &str) -> Option<&Secret> {
        self.keys.get(name)
    }

    /// Says whether the file gives any key.
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Says what in the file has no effect, and what to do about it.
    pub(super) fn warning(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.ignored.is_empty() {
            let mut names: Vec<String> = self
                .ignored
                .iter()
                .take(SHOWN)
                .map(|name| printable::escape_line(name))
                .collect();
            let more = self.ignored.len().saturating_sub(SHOWN);
            if more > 0 {
                names.push(format!("{more} more"));
            }
            parts.push(format!(
                "it sets {}, which is ignored: set what is meant for synix in the environment of the command instead",
                names.join(", ")
            ));
        }
        if let Some(first) = self.unreadable.first() {
            let more = match self.unreadable.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            parts.push(format!(
                "line {first}{more} is not of the form NAME=value and is ignored"
            ));
        }
        let wrong = parts.join("; ");
        (!wrong.is_empty()).then(|| format!(".env gives keys of providers only; {wrong}"))
    }
}

/// What the file says at one place.
#[derive(Debug, PartialEq, Eq)]
enum Entry<'a> {
    Value { name: &'a str, value: String },
    Unreadable { line: usize },
}

/// Reads `NAME=value` as shells and the usual libraries do, but puts nothing into a value.
///
/// A byte order mark, `export`, blanks around names and values, CRLF, quotes and comments after a value are understood.
/// In double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes; a quoted value may go over several lines.
fn parse(text: &str) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (first, after) = first_line(rest);
        let entry = match head(first) {
            Head::Nothing => None,
            Head::Wrong => Some((Entry::Unreadable { line }, after)),
            Head::Name { name, value } => Some(match quoted(&rest[value..]) {
                None => {
                    let value = unquoted(&first[value..]).to_owned();
                    (Entry::Value { name, value }, after)
                }
                Some(Quoted {
                    value: Some(read),
                    length,
                }) => {
                    let (tail, after) = first_line(&rest[value + length..]);
                    if is_nothing(tail) {
                        (Entry::Value { name, value: read }, after)
                    } else {
                        (Entry::Unreadable { line }, after)
                    }
                }
                // A quote without an end takes no other line with it.
                Some(Quoted { value: None, .. }) => (Entry::Unreadable { line }, after),
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

/// Splits off the first line, without its end.
fn first_line(text: &str) -> (&str, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), rest)
}

enum Head<'a> {
    /// A blank line or a comment.
    Nothing,
    Wrong,
    /// A name, and where in the line its value begins.
    Name {
        name: &'a str,
        value: usize,
    },
}

fn head(line: &str) -> Head<'_> {
    if is_nothing(line) {
        return Head::Nothing;
    }
    let Some((left, right)) = line.split_once('=') else {
        return Head::Wrong;
    };
    let left = left.trim();
    let name = match left.strip_prefix("export") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => left,
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(allowed) {
        return Head::Wrong;
    }
    let blanks = right.len() - right.trim_start().len();
    // The blank before a `#` is what makes it a comment.
    let blanks = if right[blanks..].starts_with('#') {
        0
    } else {
        blanks
    };
    Head::Name {
        name,
        value: line.len() - right.len() + blanks,
    }
}

/// Says whether there is nothing but a comment.
fn is_nothing(text: &str) -> bool {
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

/// A value in quotes; `None` where the quote has no end.
struct Quoted {
    value: Option<String>,
    /// In bytes, quotes included.
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
            Entry::Unreadable { .. } => None,
        })
        .collect()
    }

    #[track_caller]
    fn value(line: &str) -> String {
        let mut read = values(line);
        assert_eq!(read.len(), 1, "{line:?}");
        read.remove(0).1
    }

    /// X10: what stands behind a value is no part of it.
    #[test]
    fn a_value_ends_where_shells_end_it() {
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
    fn a_quoted_value_may_go_over_lines() {
        let text = "A=\"one\\n\\\"two\\\"\"\nB='x\ny' # z\nC=3\n";
        let expected = [("A", "one\n\"two\""), ("B", "x\ny"), ("C", "3")];
        assert_eq!(
            values(text),
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }

    /// A stranger's file could name any variable of the real environment.
    #[test]
    fn no_variable_is_put_into_a_value() {
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
    fn what_is_no_value_is_named_by_its_line() {
        let text = "A=1\nnonsense\n\nB=\"no end\nC=\"x\" y\n1 2=3\nD=4\n";
        let lines: Vec<usize> = parse(text)
            .iter()
            .filter_map(|entry| match entry {
                Entry::Unreadable { line } => Some(*line),
                Entry::Value { .. } => None,
            })
            .collect();
        // The quote of line 4 ends in line 5, before something else.
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(values(text).last(), Some(&("D", "4".to_owned())));
    }

    /// W1: a file of the project gives keys, and moves nothing.
    #[test]
    fn only_keys_are_taken_and_the_rest_is_named_once() {
        let text = "TEAM_KEY=a\nSYNIX_CACHE_DIR=vendor\nOPENAI_API_KEY=b\nPATH=.\nwords\nANTHROPIC_API_KEY=\n";
        let read = DotEnv::of(
            text,
            &["TEAM_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"].into(),
        );
        assert_eq!(read.key("TEAM_KEY"), Some(&Secret::new("a")));
        assert_eq!(read.key("OPENAI_API_KEY"), Some(&Secret::new("b")));
        assert_eq!(read.key("ANTHROPIC_API_KEY"), None);
        assert_eq!(read.key("PATH"), None);
        let warning = read.warning().unwrap();
        assert!(
            warning.contains("PATH, SYNIX_CACHE_DIR,") && warning.contains("line 5 is"),
            "{warning}"
        );
        assert!(!warning.contains("vendor"), "{warning}");
        assert_eq!(DotEnv::of("", &BTreeSet::new()).warning(), None);
    }
}
