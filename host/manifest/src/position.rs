//! The locations of all keys and values of a pipeline file.
//!
//! Keys are identified by JSON pointers (RFC 6901), so that errors from a schema and errors from other rules are located
//! in the same way.

use std::collections::BTreeMap;
use std::fmt;

use super::overrides::is_at_or_below;

/// A location in a text. Lines and columns count from 1, and columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Position {
    /// The start of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Converts byte offsets of a text to positions.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }
}

/// Whether an error is about a key or about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyOrValue {
    Key,
    Value,
}

/// The positions of all keys and values of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions {
    known: BTreeMap<String, (Position, Position)>,
    /// The keys that the command line changed, or could not change, with the key of the option.
    changed: BTreeMap<String, String>,
}

impl Positions {
    pub(super) fn insert(&mut self, pointer: String, key: Position, value: Position) {
        self.known.insert(pointer, (key, value));
    }

    /// Returns whether the file contains the key.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.known.contains_key(pointer)
    }

    /// Records that an option of the command line, for the key `option`, is about a key.
    pub(super) fn mark_changed(&mut self, pointer: String, option: &str) {
        self.changed.insert(pointer, option.to_owned());
    }

    /// Returns the key of the option of the command line that is about this key.
    pub(super) fn changed(&self, pointer: &str) -> Option<&str> {
        let mut changed = self.changed.iter();
        changed
            .find(|(changed, _)| is_at_or_below(pointer, changed))
            .map(|(_, option)| option.as_str())
    }

    /// Adds a key that is not in the file. Its location is that of the nearest parent.
    pub(super) fn add_changed(&mut self, pointer: &str) {
        let key = self.find(pointer, KeyOrValue::Key);
        let value = self.find(pointer, KeyOrValue::Value);
        self.known.insert(pointer.to_owned(), (key, value));
    }

    /// Removes a key, and the keys below it.
    pub(super) fn remove(&mut self, pointer: &str) {
        self.known
            .retain(|known, _| !is_at_or_below(known, pointer));
    }

    /// Replaces the keys below a key by those of its new value.
    pub(super) fn replace_changed(&mut self, pointer: &str, value: &serde_json::Value) {
        self.known
            .retain(|known, _| known == pointer || !is_at_or_below(known, pointer));
        self.add_changed(pointer);
        match value {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    self.replace_changed(&child(pointer, name), member);
                }
            }
            serde_json::Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.replace_changed(&child(pointer, &number.to_string()), item);
                }
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }

    /// Returns the position of a key or value. If the file does not contain it, returns that of the nearest parent.
    pub(super) fn find(&self, pointer: &str, part: KeyOrValue) -> Position {
        if let Some((key, value)) = self.known.get(pointer) {
            return match part {
                KeyOrValue::Key => *key,
                KeyOrValue::Value => *value,
            };
        }
        match pointer.rsplit_once('/') {
            Some((parent, _)) => self.find(parent, KeyOrValue::Value),
            None => Position::START,
        }
    }
}

/// Appends a name to a JSON pointer.
pub(super) fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns the names in a JSON pointer.
pub(super) fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer
        .split('/')
        .skip(1)
        .map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// Converts a JSON pointer to TOML syntax: `layers.x.config`.
pub(super) fn dotted(pointer: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let parts: Vec<String> = segments(pointer)
        .map(|name| {
            if !name.is_empty() && name.chars().all(is_bare) {
                name
            } else {
                format!("{name:?}")
            }
        })
        .collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("a\nüb = 1\r\n");
        assert_eq!(lines.position(0), Position { line: 1, column: 1 });
        assert_eq!(lines.position(4), Position { line: 2, column: 2 });
        assert_eq!(lines.position(11), Position { line: 3, column: 1 });
    }

    #[test]
    fn the_position_of_a_missing_key_is_that_of_its_parent() {
        let mut positions = Positions::default();
        let at = |line| Position { line, column: 1 };
        positions.insert("/a".to_owned(), at(1), at(2));
        assert_eq!(positions.find("/a/b/c", KeyOrValue::Key), at(2));
        assert_eq!(positions.find("/x", KeyOrValue::Key), Position::START);
    }

    #[test]
    fn special_names_are_quoted_in_a_dotted_path() {
        let pointer = child(&child("/layers", "a/b~"), "config");
        assert_eq!(pointer, "/layers/a~1b~0/config");
        assert_eq!(dotted(&pointer), "layers.\"a/b~\".config");
    }
}
