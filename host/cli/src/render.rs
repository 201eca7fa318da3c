//! The only code that writes to the streams of a command.
//!
//! Results go to stdout. Progress, logs and errors go to stderr. Whatever is
//! written may hold words of others, so everything is made printable here and
//! nowhere else: callers hand over [`Lines`], and what breaks a line within one
//! of them is set in below it. A reader that closes the pipe early has read
//! enough: that is no failure.

use std::cell::RefCell;
use std::io::{self, BufRead, Write};

use anyhow::Context as _;
use clap::builder::StyledStr;
use serde::Serialize;
use serde_json::{Value, json};
use synix_core::printable;
use synix_engine::view::{ErrorView, SCHEMA};

use crate::io::{Output, Streams};
use crate::table::{self, Column};

/// How much is told on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Talk {
    /// Errors alone.
    Quiet,
    /// Progress, warnings and errors.
    Normal,
    /// Also each failed unit and what plugins log.
    Verbose,
}

/// Where results and talk go.
pub(crate) struct Screen {
    json: bool,
    talk: Talk,
    stdin: RefCell<Box<dyn BufRead + Send>>,
    has_person: bool,
    stdout: RefCell<Output>,
    stderr: RefCell<Output>,
    owns_stderr: bool,
}

impl Screen {
    pub(crate) fn new(json: bool, talk: Talk, streams: Streams) -> Self {
        Self {
            json,
            talk,
            stdin: RefCell::new(streams.stdin),
            has_person: streams.has_person,
            stdout: RefCell::new(streams.stdout),
            stderr: RefCell::new(streams.stderr),
            owns_stderr: streams.owns_stderr,
        }
    }

    /// Does from now on what the arguments say, which were not known before.
    pub(crate) const fn listen(&mut self, json: bool, talk: Talk) {
        self.json = json;
        self.talk = talk;
    }

    /// Writes the result: `document` where JSON was asked for, else the text.
    pub(crate) fn answer<L: Into<Lines>>(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> L,
    ) -> anyhow::Result<()> {
        let answer = if self.json {
            as_json(document)?
        } else {
            text().into().render(self.width())
        };
        self.print(&answer)
    }

    /// Writes a part of a result in words before the whole is known; JSON comes whole.
    pub(crate) fn part<L: Into<Lines>>(&self, text: impl FnOnce() -> L) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        self.print(&text().into().render(self.width()))
    }

    /// Writes a content as it is where a program reads it or `raw` is set, and printable to a terminal.
    pub(crate) fn content(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
        raw: bool,
    ) -> anyhow::Result<()> {
        let content = if self.json {
            as_json(document)?
        } else if raw || !self.stdout.borrow().is_terminal {
            text()
        } else {
            printable::lines(&text())
        };
        self.print(&content)
    }

    /// Writes a line of talk, unless the user wants none; where nobody listens, nothing is lost.
    pub(crate) fn talk(&self, line: &str) {
        if self.talk > Talk::Quiet {
            self.complain(&Lines::from(line.to_owned()));
        }
    }

    /// Says whether the user wants to read this much.
    pub(crate) fn tells(&self, talk: Talk) -> bool {
        self.talk >= talk
    }

    /// Asks on the terminal, and returns the line that was typed.
    pub(crate) fn ask(&self, question: &str) -> anyhow::Result<String> {
        let terminal = &mut self.stderr.borrow_mut().writer;
        terminal
            .write_all(printable::line(question).as_bytes())
            .and_then(|()| terminal.flush())
            .context("cannot ask on the terminal")?;
        let mut answer = String::new();
        let mut stdin = self.stdin.borrow_mut();
        stdin
            .read_line(&mut answer)
            .context("cannot read the answer")?;
        Ok(answer)
    }

    /// Says whether a person is watching.
    pub(crate) fn is_watched(&self) -> bool {
        self.talk > Talk::Quiet && self.stderr.borrow().is_terminal
    }

    /// Says whether counts can move before a person's eyes.
    pub(crate) fn can_draw(&self) -> bool {
        self.owns_stderr && self.is_watched()
    }

    /// Says whether a person can be asked something.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && self.has_person && self.is_watched()
    }

    /// Writes an error: in words to stderr and, where JSON was asked for, as a document to stdout.
    pub(crate) fn error(&self, error: &ErrorView) {
        self.complain(&in_words(error));
        if self.json
            && let Ok(document) = as_json(&json!({ "error": error }))
        {
            // There is no other place to say that even this failed.
            let _ = self.print(&document);
        }
    }

    /// Writes help that was asked for; it is ours, colours and all.
    pub(crate) fn help(&self, help: &StyledStr) -> anyhow::Result<()> {
        let help = coloured(help, self.stdout.borrow().is_terminal);
        self.print(&help)
    }

    /// Writes help in place of an error, where no command was given.
    pub(crate) fn help_instead(&self, help: &StyledStr) {
        let stderr = &mut *self.stderr.borrow_mut();
        let text = coloured(help, stderr.is_terminal);
        let _ = write_line(&mut stderr.writer, &text);
    }

    /// Says whether JSON was asked for.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Returns the width of the terminal that results go to; `None`: no terminal, nothing is cut.
    fn width(&self) -> Option<usize> {
        self.stdout.borrow().width
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        let stdout = &mut self.stdout.borrow_mut().writer;
        finish(write_line(stdout, text)).context("cannot write to stdout")
    }

    fn complain(&self, lines: &Lines) {
        let stderr = &mut self.stderr.borrow_mut().writer;
        let _ = write_line(stderr, &lines.render(None));
    }
}

fn coloured(help: &StyledStr, is_terminal: bool) -> String {
    if is_terminal {
        help.ansi().to_string()
    } else {
        help.to_string()
    }
}

fn in_words(error: &ErrorView) -> Lines {
    let mut lines = Lines::default();
    lines.push(format!("error: {}", error.message));
    for cause in &error.causes {
        lines.push(format!("  because: {cause}"));
    }
    if let Some(hint) = &error.hint {
        lines.push(format!("help: {hint}"));
    }
    lines
}

fn as_json(document: &impl Serialize) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(document)?;
    if let Value::Object(members) = &mut value {
        members.insert("schema".to_owned(), SCHEMA.into());
    }
    Ok(printable::json(&serde_json::to_string_pretty(&value)?))
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

/// Lines of ours, which may hold words of others.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Line>);

#[derive(Debug)]
enum Line {
    Text(String),
    Table(Vec<Column>, Vec<Vec<String>>),
}

impl Lines {
    /// Adds a line; a break within it comes from somebody else.
    pub(crate) fn push(&mut self, line: impl Into<String>) {
        self.0.push(Line::Text(line.into()));
    }

    /// Adds a heading with an empty line above it.
    pub(crate) fn heading(&mut self, heading: impl Into<String>) {
        self.push("");
        self.push(heading);
    }

    /// Adds a table, which is laid out for the place where it is shown.
    pub(crate) fn table<const N: usize>(&mut self, columns: [Column; N], rows: Vec<[String; N]>) {
        let rows = rows.into_iter().map(Vec::from).collect();
        self.0.push(Line::Table(columns.to_vec(), rows));
    }

    /// Keeps the first lines and says how many there were.
    pub(crate) fn cut(&mut self, most: usize) -> usize {
        let count = self.0.len();
        self.0.truncate(most);
        count
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    fn render(&self, width: Option<usize>) -> String {
        let mut shown = String::new();
        for line in &self.0 {
            match line {
                Line::Text(text) => write_safely(text, &mut shown),
                Line::Table(columns, rows) => {
                    for line in table::lay_out(columns, rows, width) {
                        write_safely(&line, &mut shown);
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

/// Writes one line of ours. Further lines within it stand below, set in further than it is.
fn write_safely(line: &str, shown: &mut String) {
    let safe = printable::lines(line.trim_end_matches(['\r', '\n']));
    let indent = safe.len() - safe.trim_start_matches(' ').len() + 2;
    for (number, part) in safe.split('\n').enumerate() {
        if number > 0 && !part.is_empty() {
            shown.push_str(&" ".repeat(indent));
        }
        shown.push_str(&printable::inert(part));
        shown.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_begin_no_line_and_give_no_command() {
        let mut lines = Lines::default();
        lines.push("  notes/a: no\u{1b}[2J\r\n::error::x\u{2028}y\n\n##[error]z");
        lines.push("::error::a file of that name");
        assert_eq!(
            lines.render(None),
            "  notes/a: no\\u{1b}[2J\n    \\u{3a}:error::x\\u{2028}y\n\n    #\\u{23}[error]z\n\
             \\u{3a}:error::a file of that name\n"
        );
    }

    #[test]
    fn an_error_ends_with_what_to_do() {
        let error = ErrorView {
            kind: "state".to_owned(),
            message: "no\nstate".to_owned(),
            causes: vec!["gone".to_owned()],
            hint: Some("run `synix build`".to_owned()),
        };
        assert_eq!(
            in_words(&error).render(None),
            "error: no\n  state\n  because: gone\nhelp: run `synix build`\n"
        );
    }

    #[test]
    fn every_document_carries_its_schema_and_steers_nothing() {
        assert_eq!(
            as_json(&json!({"a": "\u{9b}\u{202e}"})).unwrap(),
            "{\n  \"a\": \"\\u009b\\u202e\",\n  \"schema\": 1\n}"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert!(finish(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(finish(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
