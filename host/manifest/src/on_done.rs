//! The settings for the end of a build. `synix-project` executes them.

use super::manifest::{CommandEntry, PipelineEntry};

/// What to do when a build ends, with success or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnDone {
    /// The command to run.
    pub command: Option<DoneCommand>,
    /// The URL that receives the status.
    pub url: Option<String>,
    /// Whether this also applies to replays.
    pub in_replay: bool,
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoneCommand {
    /// A shell command line.
    Shell(String),
    /// A program and its arguments.
    Program(Vec<String>),
}

impl From<PipelineEntry> for OnDone {
    fn from(entry: PipelineEntry) -> Self {
        Self {
            command: entry.on_done.map(|command| match command {
                CommandEntry::Shell(line) => DoneCommand::Shell(line),
                CommandEntry::Program(words) => DoneCommand::Program(words),
            }),
            url: entry.on_done_url,
            in_replay: entry.on_done_in_replay,
        }
    }
}

/// The message does not contain the URL, because it may contain a secret.
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest
        .ok_or("start with `https://` or `http://`")?
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("name a host");
    }
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("not contain blanks");
    }
    Ok(())
}
