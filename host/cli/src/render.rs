//! The only code that writes to the streams of a command.
//!
//! Results go to stdout. Progress, logs and errors go to stderr. Whatever is
//! written may hold words of others, so everything is made printable here and
//! nowhere else: callers hand over [`Lines`], and what breaks a line within one
//! of them is set in below it. A reader that closes the pipe early has read
//! enough: that is no failure.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use clap::ValueEnum as _;
use clap::builder::StyledStr;
use serde::Serialize;
use serde_json::{Value, json};
use synix_core::printable;
use synix_engine::view::{ErrorView, SCHEMA};

use synix_project::Environment;
use tracing::Dispatch;

use crate::io::{Output, Streams};
use crate::log::Filter;
use crate::table::{self, Column};

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
    stdout: RefCell<Output>,
    /// Events of synix's own work go there, too, from any thread.
    stderr: Arc<Mutex<Output>>,
    owns_stderr: bool,
    /// Whether events are told, which would tear moving counts apart.
    logs: Cell<bool>,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// Where a terminal shows them, unless the environment says otherwise.
    #[default]
    Auto,
    /// Also in a file or a pipe.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Returns what `--color` says among arguments that may be wrong.
    pub(crate) fn among<'a>(arguments: impl Iterator<Item = &'a OsString>) -> Self {
        let mut said = Self::default();
        let mut is_next = false;
        for argument in arguments {
            let argument = argument.to_string_lossy();
            let value = argument.strip_prefix("--color=");
            if let Some(value) = value.or(is_next.then_some(&argument)) {
                said = Self::from_str(value, false).unwrap_or(said);
            }
            is_next = argument == "--color";
        }
        said
    }

    /// Decides for a stream.
    fn is_used(self, is_terminal: bool, environment: &Environment) -> bool {
        let says = |name| environment.get(name).filter(|text| !text.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if says("NO_COLOR").is_some() => false,
            Self::Auto if says("CLICOLOR_FORCE").is_some_and(|text| text != "0") => true,
            Self::Auto if says("TERM").is_some_and(|text| text == "dumb") => false,
            Self::Auto => is_terminal,
        }
    }
}

impl Screen {
    pub(crate) fn new(streams: Streams) -> Self {
        Self {
            json: false,
            talk: Verbosity::Normal,
            stdin: RefCell::new(streams.stdin),
            has_person: streams.has_person,
            stdout: RefCell::new(streams.stdout),
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
        let stdout = self.stdout.get_mut();
        stdout.colours = color.is_used(stdout.is_terminal, environment);
        let mut stderr = self.stderr();
        stderr.colours = color.is_used(stderr.is_terminal, environment);
    }

    /// Returns what takes in events of synix's own work.
    pub(crate) fn dispatch(&self, filter: Filter) -> Dispatch {
        let dispatch = filter.dispatch(&self.stderr);
        self.logs.set(dispatch.is_some());
        dispatch.unwrap_or_else(Dispatch::none)
    }

    fn stderr(&self) -> MutexGuard<'_, Output> {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner)
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
        } else if raw || !self.stdout.borrow().is_terminal {
            text()
        } else {
            printable::lines(&text())
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
        let help = coloured(help, self.stdout.borrow().colours);
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
        let stdout = self.stdout.borrow();
        lines.render(stdout.width, stdout.colours)
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        let stdout = &mut self.stdout.borrow_mut().writer;
        finish(write_line(stdout, text)).context("cannot write to stdout")
    }

    fn complain(&self, lines: &Lines) {
        let mut stderr = self.stderr();
        let text = lines.render(None, stderr.colours);
        let _ = write_line(&mut stderr.writer, &text);
    }
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
    Marked(Mark, String),
    Table(Vec<Column>, Vec<Vec<String>>),
}

/// The first word of a line, which stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
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

    /// Returns how a terminal is told to show it.
    const fn style(self) -> &'static str {
        match self {
            Self::Error => "\u{1b}[1;31m",
            Self::Warning => "\u{1b}[1;33m",
            Self::Help => "\u{1b}[1;36m",
        }
    }
}

/// How headings of tables are shown, and the end of any style.
const HEADING: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Lines {
    fn marked(&mut self, mark: Mark, text: &str) {
        self.0.push(Line::Marked(mark, text.to_owned()));
    }

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

    /// Returns the text of the lines. Styles are put around what is safe already.
    fn render(&self, width: Option<usize>, colours: bool) -> String {
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
                Line::Table(columns, rows) => {
                    let table = table::lay_out(columns, rows, width);
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
            lines.render(None, false),
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
    fn colours_follow_the_flag_then_the_environment_then_the_terminal() {
        let environment = |variables: &[(&str, &str)]| {
            let variables = variables.iter().copied();
            Environment::new(variables, std::path::PathBuf::from("/"))
        };
        let cases: [(Color, bool, &[(&str, &str)], bool); 9] = [
            (Color::Auto, true, &[], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            (Color::Auto, true, &[("NO_COLOR", "")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ];
        for (color, is_terminal, variables, used) in cases {
            let environment = environment(variables);
            let found = color.is_used(is_terminal, &environment);
            assert_eq!(found, used, "{color:?} {is_terminal} {variables:?}");
        }
        let among = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            Color::among(words.iter())
        };
        assert_eq!(among(&["bild", "--color", "always"]), Color::Always);
        assert_eq!(among(&["--color=never", "bild"]), Color::Never);
        assert_eq!(among(&["--color", "loud"]), Color::Auto);
    }

    #[test]
    fn the_headings_of_a_table_stand_out_and_nothing_else() {
        let mut lines = Lines::default();
        lines.table([Column::Left("layer")], vec![["a".to_owned()]]);
        assert_eq!(lines.render(None, true), "\u{1b}[1mlayer\u{1b}[0m\na\n");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert!(finish(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(finish(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
