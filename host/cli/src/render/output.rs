//! Writes lines, documents and errors to an output.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use clap::builder::StyledStr;
use serde::Serialize;
use serde_json::{Value, json};
use synix_core::printable;
use synix_engine::view::{ErrorView, SCHEMA};

use crate::io::Output;
use crate::lines::{Lines, Mark};

/// What an error of stdout says, whatever was written.
pub(super) const STDOUT_FAILED: &str = "cannot write to stdout";

/// Reports errors from any thread.
#[derive(Clone)]
pub(crate) struct Errors {
    pub(super) json: bool,
    pub(super) stdout: Arc<Mutex<Output>>,
    pub(super) stderr: Arc<Mutex<Output>>,
}

impl Errors {
    /// Writes an error as text to stderr and, with `--json`, also as a document to stdout.
    pub(crate) fn report(&self, error: &ErrorView) {
        write_lines(&mut locked(&self.stderr), &error_lines(error));
        if self.json
            && let Ok(document) = as_json(&json!({ "error": error }))
        {
            // If this fails, there is no other way to report it.
            let _ = print(&mut locked(&self.stdout), &document);
        }
    }
}

/// Stdout for a thread that speaks a protocol on it.
pub(super) struct RawStdout(Arc<Mutex<Output>>);

impl RawStdout {
    pub(super) const fn new(stdout: Arc<Mutex<Output>>) -> Self {
        Self(stdout)
    }
}

impl Write for RawStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        locked(&self.0).writer.flush()
    }
}

pub(super) fn locked(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn print(stdout: &mut Output, text: &str) -> anyhow::Result<()> {
    finish(write_line(&mut stdout.writer, text)).context(STDOUT_FAILED)
}

pub(super) fn write_lines(stderr: &mut Output, lines: &Lines) {
    let text = lines.render(None, stderr.colours);
    let _ = write_line(&mut stderr.writer, &text);
}

pub(super) fn coloured(help: &StyledStr, colours: bool) -> String {
    if colours {
        help.ansi().to_string()
    } else {
        help.to_string()
    }
}

/// Returns a message as lines, with a highlighted `warning:`.
pub(super) fn note_lines(line: &str) -> Lines {
    let mut lines = Lines::default();
    match line.strip_prefix("warning: ") {
        Some(warning) => lines.marked(Mark::Warning, warning),
        None => lines.push(line),
    }
    lines
}

fn error_lines(error: &ErrorView) -> Lines {
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

pub(super) fn as_json(document: &impl Serialize) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(document)?;
    if let Value::Object(members) = &mut value {
        members.insert("schema".to_owned(), SCHEMA.into());
    }
    Ok(printable::escape_json(&serde_json::to_string_pretty(
        &value,
    )?))
}

pub(super) fn write_line(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// A closed pipe is no error: its reader has read enough.
pub(super) fn finish(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_ends_with_its_hint() {
        let error = ErrorView {
            kind: "state".to_owned(),
            message: "no\nstate".to_owned(),
            causes: vec!["gone".to_owned()],
            hint: Some("run `synix build`".to_owned()),
        };
        assert_eq!(
            error_lines(&error).render(None, false),
            "error: no\n  state\n  because: gone\nhelp: run `synix build`\n"
        );
        // Untrusted text gets no style, whatever it contains.
        assert_eq!(
            error_lines(&error).render(None, true),
            "\u{1b}[1;31merror:\u{1b}[0m no\n  state\n  because: gone\n\u{1b}[1;36mhelp:\u{1b}[0m run `synix build`\n"
        );
        let hostile = note_lines("warning: \u{1b}[2Jerror: x").render(None, true);
        assert_eq!(
            hostile,
            "\u{1b}[1;33mwarning:\u{1b}[0m \\u{1b}[2Jerror: x\n"
        );
    }

    #[test]
    fn every_document_has_its_schema_and_no_control_characters() {
        assert_eq!(
            as_json(&json!({"a": "\u{9b}\u{202e}"})).unwrap(),
            "{\n  \"a\": \"\\u009b\\u202e\",\n  \"schema\": 1\n}"
        );
    }

    #[test]
    fn a_closed_pipe_is_not_an_error() {
        assert!(finish(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(finish(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
