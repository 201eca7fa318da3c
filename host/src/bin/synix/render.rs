//! The only code that writes to stdout and stderr.
//!
//! stdout is the answer, stderr is talk. A reader that closes the pipe early
//! has read enough: that is no failure.

use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;
use synix::printable;
use synix::view::SCHEMA;

/// Where answers and talk go.
#[derive(Debug)]
pub(crate) struct Screen {
    json: bool,
}

impl Screen {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes the answer: `document` where JSON was asked for, else the text.
    pub(crate) fn answer(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let answer = if self.json { json(document)? } else { text() };
        let written = write_line(&mut io::stdout().lock(), &answer);
        finish(written).context("cannot write to stdout")
    }

    /// Writes a part of an answer in words before the whole is known; JSON comes whole.
    pub(crate) fn part(&self, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        finish(write_line(&mut io::stdout().lock(), &text())).context("cannot write to stdout")
    }

    /// Writes a line of talk; where nobody listens, nothing is lost.
    pub(crate) fn talk(&self, line: &str) {
        let _ = write_line(&mut io::stderr().lock(), line);
    }

    /// Says whether a person is watching.
    pub(crate) fn is_watched(&self) -> bool {
        io::stderr().is_terminal()
    }
}

fn json(document: &impl Serialize) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(document)?;
    if let Value::Object(members) = &mut value {
        members.insert("schema".to_owned(), SCHEMA.into());
    }
    Ok(serde_json::to_string_pretty(&value)?)
}

fn write_line(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()
}

fn finish(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Shows words of others; lines after the first are set in, so that none passes for a line of ours.
pub(crate) fn indented(text: &str) -> String {
    printable::lines(text).replace('\n', "\n  ")
}

/// A column of a table, with its heading.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Words.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Column {
    const fn heading(self) -> &'static str {
        match self {
            Self::Left(heading) | Self::Right(heading) => heading,
        }
    }
}

/// Returns rows as lines with aligned columns.
pub(crate) fn table<const N: usize>(columns: [Column; N], rows: &[[String; N]]) -> Vec<String> {
    let headings = columns.map(|column| column.heading().to_owned());
    let width = |at: usize| {
        let cells = std::iter::once(&headings)
            .chain(rows)
            .map(|row| row[at].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells =
            columns
                .iter()
                .zip(row)
                .zip(widths)
                .map(|((column, cell), width)| match column {
                    Column::Left(_) => format!("{cell:width$}"),
                    Column::Right(_) => format!("{cell:>width$}"),
                });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(&headings).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = [
            ["bios".to_owned(), "8".to_owned()],
            ["ü".to_owned(), "10".to_owned()],
        ];
        let lines = table([Column::Left("layer"), Column::Right("units")], &rows);
        assert_eq!(lines, ["layer  units", "bios       8", "ü         10"]);
    }

    #[test]
    fn lines_of_others_are_set_in() {
        assert_eq!(indented("a\u{1b}\nb"), "a\\u{1b}\n  b");
    }

    #[test]
    fn every_document_carries_its_schema() {
        assert_eq!(
            json(&json!({"a": 1})).unwrap(),
            "{\n  \"a\": 1,\n  \"schema\": 1\n}"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert!(finish(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(finish(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
