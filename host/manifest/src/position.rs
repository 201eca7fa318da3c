//! Where each key and value of the pipeline file stands.
//!
//! Keys are named by JSON pointer (RFC 6901), so that a schema's finding and
//! a rule's finding are placed in the same way.

use std::collections::BTreeMap;
use std::fmt;

/// A place in a text; both numbers count from 1, columns in characters.
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

/// Turns byte offsets of a text into positions.
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

/// Whether a finding is about a key or about what it is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Key,
    Value,
}

/// The positions of a file's keys and values.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions(BTreeMap<String, (Position, Position)>);

impl Positions {
    pub(super) fn insert(&mut self, pointer: String, key: Position, value: Position) {
        self.0.insert(pointer, (key, value));
    }

    /// Returns whether the file has the key.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.0.contains_key(pointer)
    }

    /// Returns the position of a key or value; where the file does not have it, of the nearest table above.
    pub(super) fn find(&self, pointer: &str, side: Side) -> Position {
        if let Some((key, value)) = self.0.get(pointer) {
            return match side {
                Side::Key => *key,
                Side::Value => *value,
            };
        }
        match pointer.rsplit_once('/') {
            Some((above, _)) => self.find(above, Side::Value),
            None => Position::START,
        }
    }
}

/// Returns the pointer to `name` below `pointer`.
pub(super) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns the names along a pointer.
pub(super) fn names(pointer: &str) -> impl Iterator<Item = String> {
    pointer
        .split('/')
        .skip(1)
        .map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// Returns the pointer as people write it in the file: `layers.x.config`.
pub(super) fn dotted(pointer: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let parts: Vec<String> = names(pointer)
        .map(|name| {
            if !name.is_empty() && name.chars().all(bare) {
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
    fn what_the_file_lacks_is_placed_at_the_table_above() {
        let mut positions = Positions::default();
        let at = |line| Position { line, column: 1 };
        positions.insert("/a".to_owned(), at(1), at(2));
        assert_eq!(positions.find("/a/b/c", Side::Key), at(2));
        assert_eq!(positions.find("/x", Side::Key), Position::START);
    }

    #[test]
    fn an_odd_name_is_quoted_in_a_dotted_path() {
        let pointer = below(&below("/layers", "a/b~"), "config");
        assert_eq!(pointer, "/layers/a~1b~0/config");
        assert_eq!(dotted(&pointer), "layers.\"a/b~\".config");
    }
}
