//! The only module that writes to the streams of a command.
//!
//! Results go to stdout. Progress, logs and errors go to stderr. All output may contain untrusted text, so this module
//! makes everything printable: callers pass [`Lines`], and line breaks in them are indented. If a reader closes the pipe
//! early, it has read enough, so this is not an error.

mod output;
mod watched;

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::Context as _;
use clap::builder::StyledStr;
use serde::Serialize;
use synix_core::printable;
use synix_project::Environment;
use tracing::Dispatch;

pub(crate) use output::Errors;
use output::{
    STDOUT_FAILED, as_json, coloured, finish, locked, note_lines, print, write_line, write_lines,
};
use watched::Watched;

use crate::color::Color;
use crate::io::{Output, Streams};
use crate::lines::Lines;
use crate::log::Filter;

/// How much is written to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Progress, warnings and errors.
    Normal,
    /// Also each failed unit and what plugins log.
    Verbose,
}

/// The outputs of a command.
pub(crate) struct Screen {
    json: bool,
    verbosity: Verbosity,
    stdin: RefCell<Box<dyn BufRead + Send>>,
    is_interactive: bool,
    /// Shared, because an interrupted command reports its error from another thread.
    stdout: Arc<Mutex<Output>>,
    /// Shared, because log events come from any thread.
    stderr: Arc<Mutex<Output>>,
    owns_stderr: bool,
    /// Whether events are logged, which would disturb progress bars.
    logs: Cell<bool>,
}

impl Screen {
    pub(crate) fn new(streams: Streams) -> Self {
        Self {
            json: false,
            verbosity: Verbosity::Normal,
            stdin: RefCell::new(streams.stdin),
            is_interactive: streams.is_interactive,
            stdout: Arc::new(Mutex::new(streams.stdout)),
            stderr: Arc::new(Mutex::new(streams.stderr)),
            owns_stderr: streams.owns_stderr,
            logs: Cell::new(false),
        }
    }

    /// Applies the arguments once they are parsed.
    pub(crate) fn configure(
        &mut self,
        json: bool,
        verbosity: Verbosity,
        color: Color,
        environment: &Environment,
    ) {
        self.json = json;
        self.verbosity = verbosity;
        let mut stdout = self.stdout();
        stdout.colours = color.is_used(stdout.is_terminal, environment);
        drop(stdout);
        let mut stderr = self.stderr();
        stderr.colours = color.is_used(stderr.is_terminal, environment);
    }

    /// Returns the dispatcher for log events.
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

    /// Returns a reporter of errors for other threads.
    pub(crate) fn errors(&self) -> Errors {
        Errors {
            json: self.json,
            stdout: Arc::clone(&self.stdout),
            stderr: Arc::clone(&self.stderr),
        }
    }

    /// Prints the result: `document` with `--json`, otherwise the text.
    pub(crate) fn print_result<L: Into<Lines>>(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> L,
    ) -> anyhow::Result<()> {
        let answer = if self.json {
            as_json(document)?
        } else {
            self.render_result(&text().into())
        };
        self.print(&answer)
    }

    /// Prints a part of a text result before the rest is known. JSON is printed as a whole.
    pub(crate) fn print_part<L: Into<Lines>>(
        &self,
        text: impl FnOnce() -> L,
    ) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        let part = self.render_result(&text().into());
        self.print(&part)
    }

    /// Prints a content unchanged to a program or with `raw`, and made printable to a terminal.
    pub(crate) fn print_content(
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

    /// Prints what `write` writes: unchanged to a program, and made printable to a terminal.
    pub(crate) fn stream(
        &self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.stdout().is_terminal {
            let mut written = Vec::new();
            write(&mut written)?;
            return self.print(&printable::escape_lines(&String::from_utf8_lossy(&written)));
        }
        let mut stdout = self.stdout();
        let mut out = Watched::new(BufWriter::with_capacity(STREAM_BYTES, &mut stdout.writer));
        let result = write(&mut out).and_then(|()| Ok(out.flush()?));
        match (result, out.failure) {
            // The output failed, whatever `write` made of it.
            (Err(_), Some(failure)) => finish(Err(failure)).context(STDOUT_FAILED),
            (other, _) => other,
        }
    }

    /// Prints a trusted text unchanged, such as a script.
    pub(crate) fn print_verbatim(
        &self,
        document: &impl Serialize,
        text: &str,
    ) -> anyhow::Result<()> {
        if self.json {
            self.print(&as_json(document)?)
        } else {
            self.print(text)
        }
    }

    /// Takes stdin, for a command that talks to a program. Nothing else can be read from it then.
    pub(crate) fn take_stdin(&self) -> Box<dyn BufRead + Send> {
        self.stdin.replace(Box::new(std::io::empty()))
    }

    /// Returns stdout for another thread, unchanged. The caller must not print anything else.
    pub(crate) fn raw_stdout(&self) -> impl Write + Send + 'static {
        output::RawStdout::new(Arc::clone(&self.stdout))
    }

    /// Prints a message to stderr, unless the user wants errors only.
    pub(crate) fn note(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.write_lines(&note_lines(line));
        }
    }

    /// Returns whether messages of this verbosity are printed.
    pub(crate) fn shows(&self, verbosity: Verbosity) -> bool {
        self.verbosity >= verbosity
    }

    /// Asks the user on the terminal, and returns the answer.
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

    /// Returns whether the user sees messages on a terminal.
    pub(crate) fn is_watched(&self) -> bool {
        self.verbosity > Verbosity::Quiet && self.stderr().is_terminal
    }

    /// Returns whether progress bars can be shown.
    pub(crate) fn can_draw(&self) -> bool {
        self.owns_stderr && !self.logs.get() && self.is_watched()
    }

    /// Returns whether the user can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && self.is_interactive && self.is_watched()
    }

    /// Prints the requested help, which is trusted and may have colours.
    pub(crate) fn help(&self, help: &StyledStr) -> anyhow::Result<()> {
        let help = coloured(help, self.stdout().colours);
        self.print(&help)
    }

    /// Prints help to stderr because no command was given.
    pub(crate) fn help_instead(&self, help: &StyledStr) {
        let mut stderr = self.stderr();
        let text = coloured(help, stderr.colours);
        let _ = write_line(&mut stderr.writer, &text);
    }

    /// Returns whether the result is printed as JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Renders lines for stdout.
    fn render_result(&self, lines: &Lines) -> String {
        let stdout = self.stdout();
        lines.render(stdout.width, stdout.colours)
    }

    /// Returns whether the command may end the process.
    pub(crate) const fn owns_process(&self) -> bool {
        self.owns_stderr
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        print(&mut self.stdout(), text)
    }

    fn write_lines(&self, lines: &Lines) {
        write_lines(&mut self.stderr(), lines);
    }
}

/// The buffer of a stream: a pipe takes this much at a time.
const STREAM_BYTES: usize = 1 << 16;
