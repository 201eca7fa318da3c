//! SQLite's own tokenizer, applied to single texts: which words a query has, and where they are in a text.
//!
//! Only SQLite knows exactly what its tokenizer makes of a text. So words are found and marked by a small table in memory
//! with the tokenizer of the index, never by rules of our own.

use std::ops::Range;

use rusqlite::Connection;

use crate::schema::TOKENIZER;
use crate::segment::{Segments, segment};

/// The characters that mark a match. They cannot be in a text, because they are replaced there.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// The maximum number of bytes of a text that is searched for matches to show.
const MAX_SHOWN_BYTES: usize = 512 << 10;

/// The parts of an artifact in which words are found, by the names of the columns.
pub(crate) const PARTS: [&str; 4] = ["label", "title", "content", "metadata"];

/// A table in memory with the tokenizer of the index.
pub(crate) struct Tokenizer {
    connection: Connection,
}

/// The texts of an artifact, in the order of [`PARTS`].
#[derive(Debug, Default, Clone)]
pub(crate) struct Texts {
    pub(crate) parts: [String; 4],
}

impl Tokenizer {
    pub(crate) fn new() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE probe USING fts5(text, {TOKENIZER});
             CREATE VIRTUAL TABLE word USING fts5vocab(probe, instance);
             CREATE VIRTUAL TABLE shown USING fts5(label, title, content, metadata, {TOKENIZER});"
        ))?;
        Ok(Self { connection })
    }

    /// Returns whether a text that is cut for the tokenizer has a word.
    pub(crate) fn has_word(&self, cut: &str) -> rusqlite::Result<bool> {
        self.connection.execute("DELETE FROM probe", [])?;
        self.connection
            .execute("INSERT INTO probe(rowid, text) VALUES (1, ?1)", [cut])?;
        self.connection
            .prepare_cached("SELECT 1 FROM word LIMIT 1")?
            .exists([])
    }

    /// Takes the texts of an artifact, to be asked about.
    pub(crate) fn take(&self, texts: &Texts) -> rusqlite::Result<()> {
        let [label, title, content, metadata] = &texts.parts;
        let cut = |text: &str| segment(shown_part(text)).into_owned();
        self.connection.execute("DELETE FROM shown", [])?;
        self.connection.execute(
            "INSERT INTO shown(rowid, label, title, content, metadata) VALUES (1, ?1, ?2, ?3, ?4)",
            [cut(label), cut(title), cut(content), cut(metadata)],
        )?;
        Ok(())
    }

    /// Returns whether the texts match an expression of FTS5.
    pub(crate) fn matches(&self, expression: &str) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM shown WHERE shown MATCH ?1")?
            .exists([expression])
    }

    /// Returns the ranges of a text that match an expression of FTS5, in order and without overlaps.
    pub(crate) fn ranges(
        &self,
        text: &str,
        expression: &str,
    ) -> rusqlite::Result<Vec<Range<usize>>> {
        let text = shown_part(text);
        let segments = Segments::of(text);
        self.connection.execute("DELETE FROM probe", [])?;
        // The marks are characters of three bytes, and so is what replaces them.
        let marked_free = segments.text.replace([OPEN, CLOSE], "\u{fffd}");
        self.connection.execute(
            "INSERT INTO probe(rowid, text) VALUES (1, ?1)",
            [&marked_free],
        )?;
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT highlight(probe, 0, '{OPEN}', '{CLOSE}') FROM probe WHERE probe MATCH ?1"
        ))?;
        let mut rows = statement.query([expression])?;
        let Some(row) = rows.next()? else {
            return Ok(Vec::new());
        };
        let marked: String = row.get(0)?;
        let mut ranges: Vec<Range<usize>> = marks(&marked)
            .iter()
            .filter_map(|range| segments.origin(range))
            .filter(|range| !range.is_empty())
            .collect();
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        ranges.dedup_by(|next, last| {
            let overlaps = next.start < last.end;
            if overlaps {
                last.end = last.end.max(next.end);
            }
            overlaps
        });
        Ok(ranges)
    }
}

/// Returns the ranges between marks, in the text without them.
fn marks(marked: &str) -> Vec<Range<usize>> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    for character in marked.chars() {
        match character {
            OPEN => start = at,
            CLOSE => found.push(start..at),
            other => at += other.len_utf8(),
        }
    }
    found
}

/// Returns the beginning of a text in which matches are shown.
fn shown_part(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_SHOWN_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_marked_where_they_are_in_the_text() {
        let tokenizer = Tokenizer::new().unwrap();
        let marked = |text: &str, expression: &str| {
            let ranges = tokenizer.ranges(text, expression).unwrap();
            let words = ranges.into_iter().map(|range| text[range].to_owned());
            words.collect::<Vec<_>>()
        };
        assert_eq!(marked("Das Café, das CAFE.", "\"cafe\""), ["Café", "CAFE"]);
        assert_eq!(marked("東京都の夜", "\"東京 京都\""), ["東京都"]);
        assert_eq!(marked("東京都の夜", "\"都\""), ["都"]);
        assert_eq!(marked("a snake_case b", "\"snake_case\""), ["snake_case"]);
        assert_eq!(marked("ein Donaudampfer", "\"donau\" *"), ["Donaudampfer"]);
        assert_eq!(marked("\u{e000}a\u{e001} b", "\"b\""), ["b"]);
        assert!(marked("nothing", "\"else\"").is_empty());
    }

    #[test]
    fn a_text_without_words_is_known() {
        let tokenizer = Tokenizer::new().unwrap();
        assert!(tokenizer.has_word("a").unwrap());
        assert!(tokenizer.has_word("🎉").unwrap());
        assert!(!tokenizer.has_word("...!").unwrap());
    }
}
