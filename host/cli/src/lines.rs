//! Lines of text output, made printable and highlighted.

use synix_core::printable;

use crate::side_by_side::SideBySide;
use crate::table::{self, Column};

/// Lines of text. They may contain untrusted text.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Line>);

#[derive(Debug)]
enum Line {
    Text(String),
    Marked(Mark, String),
    /// The parts of one line, and whether each is highlighted.
    Pieces(Vec<(String, bool)>),
    Table(Vec<Column>, Vec<Vec<String>>),
    /// Two columns, and what is shown instead if the output is too narrow for them.
    SideBySide(SideBySide, Lines),
}

/// The highlighted first word of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Error,
    Warning,
    Help,
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error:",
            Self::Warning => "warning:",
            Self::Help => "help:",
        }
    }

    /// Returns the control sequence for its style.
    const fn style(self) -> &'static str {
        match self {
            Self::Error => "\u{1b}[1;31m",
            Self::Warning => "\u{1b}[1;33m",
            Self::Help => "\u{1b}[1;36m",
        }
    }
}

/// The control sequences for headings of tables, and for the end of any style.
const HEADING: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Lines {
    pub(crate) fn marked(&mut self, mark: Mark, text: &str) {
        self.0.push(Line::Marked(mark, text.to_owned()));
    }

    /// Adds a line. Line breaks in it come from untrusted text.
    pub(crate) fn push(&mut self, line: impl Into<String>) {
        self.0.push(Line::Text(line.into()));
    }

    /// Adds a line with highlighted parts.
    pub(crate) fn pieces(&mut self, pieces: Vec<(String, bool)>) {
        self.0.push(Line::Pieces(pieces));
    }

    /// Adds a heading with an empty line above it.
    pub(crate) fn heading(&mut self, heading: impl Into<String>) {
        self.push("");
        self.push(heading);
    }

    /// Adds a table, which is formatted for the width of the output.
    pub(crate) fn table<const N: usize>(&mut self, columns: [Column; N], rows: Vec<[String; N]>) {
        let rows = rows.into_iter().map(Vec::from).collect();
        self.0.push(Line::Table(columns.to_vec(), rows));
    }

    /// Adds two texts side by side, or `narrow` if the output is too narrow for both.
    pub(crate) fn side_by_side(&mut self, texts: SideBySide, narrow: Self) {
        self.0.push(Line::SideBySide(texts, narrow));
    }

    /// Removes all lines but the first `max`, and returns the previous number of lines.
    pub(crate) fn truncate(&mut self, max: usize) -> usize {
        let count = self.0.len();
        self.0.truncate(max);
        count
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Returns the text of the lines. Styles are added after the text is made printable.
    pub(crate) fn render(&self, width: Option<usize>, colours: bool) -> String {
        let mut shown = String::new();
        for line in &self.0 {
            match line {
                Line::Text(text) => write_safely(text, &mut shown),
                Line::Marked(mark, text) => {
                    let mut marked = String::new();
                    write_safely(&format!("{} {text}", mark.word()), &mut marked);
                    match marked.strip_prefix(mark.word()).filter(|_| colours) {
                        Some(rest) => {
                            shown.push_str(mark.style());
                            shown.push_str(mark.word());
                            shown.push_str(PLAIN);
                            shown.push_str(rest);
                        }
                        None => shown.push_str(&marked),
                    }
                }
                Line::Pieces(pieces) if !colours => {
                    let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
                    write_safely(&text, &mut shown);
                }
                Line::Pieces(pieces) => write_pieces(pieces, &mut shown),
                Line::SideBySide(texts, narrow) => match texts.format(width) {
                    Some(lines) => lines.iter().for_each(|line| {
                        shown.push_str(line);
                        shown.push('\n');
                    }),
                    None => shown.push_str(&narrow.render(width, colours)),
                },
                Line::Table(columns, rows) => {
                    let table = table::format_table(columns, rows, width);
                    for (number, line) in table.lines.iter().enumerate() {
                        let is_styled = colours && number == 0 && table.has_headings;
                        shown.push_str(if is_styled { HEADING } else { "" });
                        write_safely(line, &mut shown);
                        if is_styled {
                            shown.truncate(shown.trim_end_matches('\n').len());
                            shown.push_str(PLAIN);
                            shown.push('\n');
                        }
                    }
                }
            }
        }
        shown
    }
}

impl Extend<String> for Lines {
    fn extend<T: IntoIterator<Item = String>>(&mut self, lines: T) {
        self.0.extend(lines.into_iter().map(Line::Text));
    }
}

impl From<Vec<String>> for Lines {
    fn from(lines: Vec<String>) -> Self {
        Self(lines.into_iter().map(Line::Text).collect())
    }
}

impl From<String> for Lines {
    fn from(line: String) -> Self {
        Self(vec![Line::Text(line)])
    }
}

impl From<&str> for Lines {
    fn from(line: &str) -> Self {
        line.to_owned().into()
    }
}

/// Writes one line with its highlighted parts.
fn write_pieces(pieces: &[(String, bool)], shown: &mut String) {
    for (text, is_highlighted) in pieces {
        let safe = printable::defuse_ci_commands(&printable::escape_line(text));
        if *is_highlighted {
            shown.push_str(HEADING);
            shown.push_str(&safe);
            shown.push_str(PLAIN);
        } else {
            shown.push_str(&safe);
        }
    }
    shown.push('\n');
}

/// Writes one line. Line breaks in it start further lines that are indented more.
fn write_safely(line: &str, shown: &mut String) {
    let safe = printable::escape_lines(line.trim_end_matches(['\r', '\n']));
    let indent = safe.len() - safe.trim_start_matches(' ').len() + 2;
    for (number, part) in safe.split('\n').enumerate() {
        if number > 0 && !part.is_empty() {
            shown.push_str(&" ".repeat(indent));
        }
        shown.push_str(&printable::defuse_ci_commands(part));
        shown.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_begins_no_line_and_contains_no_ci_command() {
        let mut lines = Lines::default();
        lines.push("  notes/a: no\u{1b}[2J\r\n::error::x\u{2028}y\n\n##[error]z");
        lines.push("::error::a file of that name");
        assert_eq!(
            lines.render(None, false),
            "  notes/a: no\\u{1b}[2J\n    \\u{3a}:error::x\\u{2028}y\n\n    #\\u{23}[error]z\n\
             \\u{3a}:error::a file of that name\n"
        );
    }

    #[test]
    fn parts_of_a_line_are_highlighted_after_they_are_made_safe() {
        let mut lines = Lines::default();
        let pieces = [("a\u{1b}[2J ", false), ("b\u{1b}[m", true)];
        lines.pieces(
            pieces
                .map(|(text, is_match)| (text.to_owned(), is_match))
                .to_vec(),
        );
        assert_eq!(lines.render(None, false), "a\\u{1b}[2J b\\u{1b}[m\n");
        assert_eq!(
            lines.render(None, true),
            "a\\u{1b}[2J \u{1b}[1mb\\u{1b}[m\u{1b}[0m\n"
        );
    }

    #[test]
    fn only_the_headings_of_a_table_are_highlighted() {
        let mut lines = Lines::default();
        lines.table([Column::Left("layer")], vec![["a".to_owned()]]);
        assert_eq!(lines.render(None, true), "\u{1b}[1mlayer\u{1b}[0m\na\n");
    }
}
