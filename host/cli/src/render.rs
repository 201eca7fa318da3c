//! The only code that writes to the streams of a command.
//!
//! Results go to stdout. Progress, logs and errors go to stderr. Whatever is
//! written may hold words of others, so everything is made printable here and
//! nowhere else: callers hand over [`Lines`], and what breaks a line within one
//! of them is set in below it. A reader that closes the pipe early has read
//! enough: that is no failure.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use clap::builder::StyledStr;
use serde::Serialize;
use serde_json::{Value, json};
use synix_core::printable;
use synix_engine::view::{ErrorView, SCHEMA};
use synix_project::Environment;
use tracing::Dispatch;

use crate::color::Color;
use crate::io::{Output, Streams};
use crate::lines::{Lines, Mark};
use crate::log::Filter;

/// How much is told on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
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
    talk: Verbosity,
    stdin: RefCell<Box<dyn BufRead + Send>>,
    has_person: bool,
    /// An interrupted command ends with an error from another thread.
    stdout: Arc<Mutex<Output>>,
    /// Events of synix's own work go there, too, from any thread.
    stderr: Arc<Mutex<Output>>,
    owns_stderr: bool,
    /// Whether events are told, which would tear moving counts apart.
    logs: Cell<bool>,
}

impl Screen {
    pub(crate) fn new(streams: Streams) -> Self {
        Self {
            json: false,
            talk: Verbosity::Normal,
            stdin: RefCell::new(streams.stdin),
            has_person: streams.has_person,
            stdout: Arc::new(Mutex::new(streams.stdout)),
            stderr: Arc::new(Mutex::new(streams.stderr)),
            owns_stderr: streams.owns_stderr,
            logs: Cell::new(false),
        }
    }

    /// Does from now on what the arguments say, which were not known before.
    pub(crate) fn listen(
        &mut self,
        json: bool,
        talk: Verbosity,
        color: Color,
        environment: &Environment,
    ) {
        self.json = json;
        self.talk = talk;
        let mut stdout = self.stdout();
        stdout.colours = color.is_used(stdout.is_terminal, environment);
        drop(stdout);
        let mut stderr = self.stderr();
        stderr.colours = color.is_used(stderr.is_terminal, environment);
    }

    /// Returns what takes in events of synix's own work.
    pub(crate) fn dispatch(&self, filter: Filter) -> Dispatch {
        let dispatch = filter.dispatch(&self.stderr);
        self.logs.set(dispatch.is_some());
        dispatch.unwrap_or_else(Dispatch::none)
    }

    fn stdout(&self) -> MutexGuard<'_, Output> {
        locked(&self.stdout)
    }

    fn stderr(&self) -> MutexGuard<'_, Output> {
        locked(&self.stderr)
    }

    /// Returns what tells of an error from another thread.
    pub(crate) fn errors(&self) -> Errors {
        Errors {
            json: self.json,
            stdout: Arc::clone(&self.stdout),
            stderr: Arc::clone(&self.stderr),
        }
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
            self.laid_out(&text().into())
        };
        self.print(&answer)
    }

    /// Writes a part of a result in words before the whole is known; JSON comes whole.
    pub(crate) fn part<L: Into<Lines>>(&self, text: impl FnOnce() -> L) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        let part = self.laid_out(&text().into());
        self.print(&part)
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
        } else if raw || !self.stdout().is_terminal {
            text()
        } else {
            printable::escape_lines(&text())
        };
        self.print(&content)
    }

    /// Writes a text of ours as it is, such as a script.
    pub(crate) fn own_text(&self, document: &impl Serialize, text: &str) -> anyhow::Result<()> {
        if self.json {
            self.print(&as_json(document)?)
        } else {
            self.print(text)
        }
    }

    /// Writes a line of talk, unless the user wants none; where nobody listens, nothing is lost.
    pub(crate) fn talk(&self, line: &str) {
        if self.talk > Verbosity::Quiet {
            self.complain(&talk(line));
        }
    }

    /// Says whether the user wants to read this much.
    pub(crate) fn tells(&self, talk: Verbosity) -> bool {
        self.talk >= talk
    }

    /// Asks on the terminal, and returns the line that was typed.
    pub(crate) fn ask(&self, question: &str) -> anyhow::Result<String> {
        let terminal = &mut self.stderr().writer;
        terminal
            .write_all(printable::escape_line(question).as_bytes())
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
        self.talk > Verbosity::Quiet && self.stderr().is_terminal
    }

    /// Says whether counts can move before a person's eyes.
    pub(crate) fn can_draw(&self) -> bool {
        self.owns_stderr && !self.logs.get() && self.is_watched()
    }

    /// Says whether a person can be asked something.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && self.has_person && self.is_watched()
    }

    /// Writes help that was asked for; it is ours, colours and all.
    pub(crate) fn help(&self, help: &StyledStr) -> anyhow::Result<()> {
        let help = coloured(help, self.stdout().colours);
        self.print(&help)
    }

    /// Writes help in place of an error, where no command was given.
    pub(crate) fn help_instead(&self, help: &StyledStr) {
        let mut stderr = self.stderr();
        let text = coloured(help, stderr.colours);
        let _ = write_line(&mut stderr.writer, &text);
    }

    /// Says whether JSON was asked for.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Lays lines out for the place that results go to.
    fn laid_out(&self, lines: &Lines) -> String {
        let stdout = self.stdout();
        lines.render(stdout.width, stdout.colours)
    }

    /// Says whether the process is the command's own, which may end it.
    pub(crate) const fn owns_process(&self) -> bool {
        self.owns_stderr
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        print(&mut self.stdout(), text)
    }

    fn complain(&self, lines: &Lines) {
        complain(&mut self.stderr(), lines);
    }
}

/// The places that an error goes to, for any thread.
#[derive(Clone)]
pub(crate) struct Errors {
    json: bool,
    stdout: Arc<Mutex<Output>>,
    stderr: Arc<Mutex<Output>>,
}

impl Errors {
    /// Writes an error: in words to stderr and, where JSON was asked for, as a document to stdout.
    pub(crate) fn tell(&self, error: &ErrorView) {
        complain(&mut locked(&self.stderr), &in_words(error));
        if self.json
            && let Ok(document) = as_json(&json!({ "error": error }))
        {
            // There is no other place to say that even this failed.
            let _ = print(&mut locked(&self.stdout), &document);
        }
    }
}

fn locked(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print(stdout: &mut Output, text: &str) -> anyhow::Result<()> {
    finish(write_line(&mut stdout.writer, text)).context("cannot write to stdout")
}

fn complain(stderr: &mut Output, lines: &Lines) {
    let text = lines.render(None, stderr.colours);
    let _ = write_line(&mut stderr.writer, &text);
}

fn coloured(help: &StyledStr, colours: bool) -> String {
    if colours {
        help.ansi().to_string()
    } else {
        help.to_string()
    }
}

/// Returns a line of talk; a warning is marked as one.
fn talk(line: &str) -> Lines {
    let mut lines = Lines::default();
    match line.strip_prefix("warning: ") {
        Some(warning) => lines.marked(Mark::Warning, warning),
        None => lines.push(line),
    }
    lines
}

fn in_words(error: &ErrorView) -> Lines {
    let mut lines = Lines::default();
    lines.marked(Mark::Error, &error.message);
    for cause in &error.causes {
        lines.push(format!("  because: {cause}"));
    }
    if let Some(hint) = &error.hint {
        lines.marked(Mark::Help, hint);
    }
    lines
}

fn as_json(document: &impl Serialize) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(document)?;
    if let Value::Object(members) = &mut value {
        members.insert("schema".to_owned(), SCHEMA.into());
    }
    Ok(printable::escape_json(&serde_json::to_string_pretty(
        &value,
    )?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_ends_with_what_to_do() {
        let error = ErrorView {
            kind: "state".to_owned(),
            message: "no\nstate".to_owned(),
            causes: vec!["gone".to_owned()],
            hint: Some("run `synix build`".to_owned()),
        };
        assert_eq!(
            in_words(&error).render(None, false),
            "error: no\n  state\n  because: gone\nhelp: run `synix build`\n"
        );
        // The words of others stay without a style, whatever they hold.
        assert_eq!(
            in_words(&error).render(None, true),
            "\u{1b}[1;31merror:\u{1b}[0m no\n  state\n  because: gone\n\u{1b}[1;36mhelp:\u{1b}[0m run `synix build`\n"
        );
        let hostile = talk("warning: \u{1b}[2Jerror: x").render(None, true);
        assert_eq!(
            hostile,
            "\u{1b}[1;33mwarning:\u{1b}[0m \\u{1b}[2Jerror: x\n"
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
