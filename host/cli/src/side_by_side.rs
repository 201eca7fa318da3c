//! Formats two texts side by side, if the output is wide enough for both.

use synix_core::printable;
use unicode_width::UnicodeWidthStr as _;

use crate::table::pad;

/// The minimum width of an output for two columns.
const MIN_WIDTH: usize = 100;
const INDENT: &str = "  ";
/// The width of the mark between the columns, with the blanks around it.
const GAP: usize = 3;
/// The maximum number of lines that one line of a text takes. More of it would hide the other lines.
const MAX_WRAPPED: usize = 20;
/// Characters without a width, such as accents without letters, can be in a column beyond number.
const MAX_CHARACTERS: usize = 4;

/// Lines of two texts. They may contain untrusted text.
#[derive(Debug, Default)]
pub(crate) struct SideBySide {
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    /// A line of each text, or of one of them.
    Lines(Option<String>, Option<String>, Sides),
    /// Text that neither column has, such as that something is left out.
    Note(String),
}

/// How the two lines of a row compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sides {
    /// They are the same.
    Same,
    /// They differ, or there is only one of them.
    Different,
}

impl SideBySide {
    pub(crate) fn push(&mut self, left: Option<String>, right: Option<String>, sides: Sides) {
        self.rows.push(Row::Lines(left, right, sides));
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.rows.push(Row::Note(note.into()));
    }

    /// Removes all rows but the first `max`, and returns how many were removed.
    pub(crate) fn truncate(&mut self, max: usize) -> usize {
        let more = self.rows.len().saturating_sub(max);
        self.rows.truncate(max);
        more
    }

    /// Returns the printable lines of two columns; `None` if the output is too narrow.
    pub(crate) fn format(&self, width: Option<usize>) -> Option<Vec<String>> {
        let width = width.filter(|width| *width >= MIN_WIDTH)?;
        let column = (width - INDENT.len() - GAP) / 2;
        let mut lines = Vec::new();
        for row in &self.rows {
            match row {
                Row::Note(note) => lines.push(format!("{INDENT}{}", printable_line(note))),
                Row::Lines(left, right, sides) => {
                    let mark = match (left, right, sides) {
                        (_, _, Sides::Same) => ' ',
                        (Some(_), None, Sides::Different) => '<',
                        (None, Some(_), Sides::Different) => '>',
                        (_, _, Sides::Different) => '|',
                    };
                    let wrapped = |side: &Option<String>| {
                        let side = side.as_deref().map(printable_line);
                        side.map_or_else(Vec::new, |side| wrap(&side, column))
                    };
                    let (left, right) = (wrapped(left), wrapped(right));
                    for at in 0..left.len().max(right.len()) {
                        let cell = |side: &[String]| side.get(at).cloned().unwrap_or_default();
                        let (left, right) = (pad(&cell(&left), column), cell(&right));
                        let line = format!("{INDENT}{left} {mark} {right}");
                        lines.push(line.trim_end().to_owned());
                    }
                }
            }
        }
        Some(lines)
    }
}

/// Returns a line that moves no cursor. Its width is known, because it has no tabs.
fn printable_line(line: &str) -> String {
    printable::defuse_ci_commands(&printable::escape_line(&line.replace('\t', "    ")))
}

/// Breaks a printable line into lines of at most this width, between words if possible.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = line;
    while lines.len() < MAX_WRAPPED {
        let fitting = fitting(rest, width);
        if fitting == rest.len() {
            lines.push(rest.to_owned());
            return lines;
        }
        let (head, tail) = match rest[..fitting].rfind(' ') {
            // The blank between two words is in neither line.
            Some(blank) if blank > 0 => (&rest[..blank], &rest[blank + 1..]),
            _ => rest.split_at(fitting),
        };
        lines.push(head.to_owned());
        rest = tail;
    }
    if let Some(last) = lines.last_mut() {
        let fitting = fitting(last, width - 1);
        last.truncate(fitting);
        last.push('…');
    }
    lines
}

/// Returns the length in bytes of the longest start that fits the width, and is not empty.
fn fitting(text: &str, width: usize) -> usize {
    let mut fitting = 0;
    for (number, (at, one)) in text.char_indices().enumerate() {
        // Characters can combine, so this measures the whole start.
        let end = at + one.len_utf8();
        let is_too_long = text[..end].width() > width || number >= MAX_CHARACTERS * width;
        if is_too_long && number > 0 {
            return fitting;
        }
        fitting = end;
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 105;

    fn formatted(rows: &[(Option<&str>, Option<&str>, Sides)]) -> Vec<String> {
        let mut texts = SideBySide::default();
        for (left, right, sides) in rows {
            texts.push(left.map(str::to_owned), right.map(str::to_owned), *sides);
        }
        texts.format(Some(WIDTH)).unwrap()
    }

    #[test]
    fn a_narrow_output_and_a_pipe_have_no_columns() {
        let texts = SideBySide::default();
        assert_eq!(texts.format(None), None);
        assert_eq!(texts.format(Some(99)), None);
        assert_eq!(texts.format(Some(100)), Some(Vec::new()));
    }

    #[test]
    fn lines_are_beside_each_other_with_a_mark_where_they_differ() {
        let blanks = |count: usize| " ".repeat(count);
        assert_eq!(
            formatted(&[
                (Some("same"), Some("same"), Sides::Same),
                (Some("old"), Some("new"), Sides::Different),
                (Some("gone"), None, Sides::Different),
                (None, Some("added"), Sides::Different),
            ]),
            [
                format!("  same{}   same", blanks(46)),
                format!("  old{} | new", blanks(47)),
                format!("  gone{} <", blanks(46)),
                format!("  {} > added", blanks(50)),
            ]
        );
    }

    /// A wide character takes two columns and a combining one none, and no line is wider than the output.
    #[test]
    fn long_lines_are_wrapped_by_their_width() {
        let texts = [
            "word ".repeat(40),
            "語".repeat(120),
            "e\u{301}".repeat(300),
            "👩\u{200d}💻".repeat(60),
            "x".repeat(9000),
            "\u{301}".repeat(100_000),
        ];
        for text in texts {
            let lines = formatted(&[(Some(&text), Some(&text), Sides::Same)]);
            assert!(lines.len() <= MAX_WRAPPED, "{text:.20}");
            for line in &lines {
                assert!(line.width() <= WIDTH, "{line:.200}");
            }
        }
        let lines = formatted(&[(Some(&"word ".repeat(12)), Some("short"), Sides::Different)]);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  word word") && lines[0].ends_with(" | short"));
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["word", "word", "|"]);
    }

    #[test]
    fn hostile_text_stays_in_its_column() {
        let hostile = "\u{1b}[2J\r\u{202e}x\ty\u{9b}\n::error::";
        let lines = formatted(&[(Some("::error::a"), Some(hostile), Sides::Different)]);
        assert_eq!(
            lines,
            [format!(
                "  \\u{{3a}}:error::a{} | \\u{{1b}}[2J\\r\\u{{202e}}x    y\\u{{9b}}\\n::error::",
                " ".repeat(35)
            )]
        );
    }
}
