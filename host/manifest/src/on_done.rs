//! What `[pipeline]` says about the end of a build. Running it is for `synix-project`.

use super::manifest::{CommandEntry, PipelineEntry};

/// What happens when a build ends, however it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnDone {
    /// The command to run.
    pub command: Option<DoneCommand>,
    /// Where the status is sent to.
    pub url: Option<String>,
    /// Whether both happen after a replay, too.
    pub in_replay: bool,
}

/// A command as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoneCommand {
    /// A line for the shell.
    Shell(String),
    /// A program and its arguments.
    Words(Vec<String>),
}

impl From<PipelineEntry> for OnDone {
    fn from(entry: PipelineEntry) -> Self {
        Self {
            command: entry.on_done.map(|command| match command {
                CommandEntry::Shell(line) => DoneCommand::Shell(line),
                CommandEntry::Words(words) => DoneCommand::Words(words),
            }),
            url: entry.on_done_url,
            in_replay: entry.on_done_in_replay,
        }
    }
}

/// A URL with a secret in it is not repeated by whoever reports the rule.
pub(super) fn url_rule(url: &str) -> Result<(), &'static str> {
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
        return Err("have no blanks");
    }
    Ok(())
}
