//! The import `log`: lines for the user who runs the build.

use super::State;
use synix_contract::bindings::synix::plugin::log as wit;

pub(crate) const LINE_BYTES: usize = 8 << 10;
pub(crate) const LOG_BYTES: usize = 1 << 20;
/// The cost of a line apart from its text, so that empty lines are limited, too.
const LINE_OVERHEAD_BYTES: usize = 64;
/// A log that is too long is truncated and ends no call, so only this part of a text counts as bytes passed to the
/// host.
const TEXT_DIVISOR: usize = 16;

/// The maximum length of the message of a crash.
const CRASH_BYTES: usize = 4 << 10;
/// How the message of a crash begins in the runtime of Go.
const CRASH_PREFIXES: [&str; 2] = ["panic: ", "fatal error: "];

/// The level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A single step.
    Trace,
    /// A detail for the author of the plugin.
    Debug,
    /// Information for every user.
    Info,
    /// Something unusual.
    Warn,
    /// An error.
    Error,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// A line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The level.
    pub level: Level,
    /// The text.
    pub message: String,
}

/// The log lines of one run.
pub(crate) struct Log {
    lines: Vec<LogLine>,
    bytes_left: usize,
    last_error: Option<String>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            lines: Vec::new(),
            bytes_left: LOG_BYTES,
            last_error: None,
        }
    }

    /// Returns the last line of level error, even if the log was full.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    pub(crate) fn into_lines(self) -> Vec<LogLine> {
        self.lines
    }

    /// Joins the lines in which the runtime of Go reports a crash, which are the last ones, into one message.
    pub(crate) fn join_crash(&mut self) {
        let others = self
            .lines
            .iter()
            .rposition(|line| line.level != Level::Error);
        let start = others.map_or(0, |last| last + 1);
        let is_start = |line: &LogLine| {
            CRASH_PREFIXES
                .iter()
                .any(|prefix| line.message.starts_with(prefix))
        };
        let Some(first) = self.lines[start..].iter().position(is_start) else {
            return;
        };
        let lines: Vec<LogLine> = self.lines.drain(start + first..).collect();
        let messages: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        let mut message = messages.join("\n").trim_end().to_owned();
        message.truncate(message.floor_char_boundary(CRASH_BYTES));
        self.last_error = Some(message.clone());
        self.lines.push(LogLine {
            level: Level::Error,
            message,
        });
    }

    pub(crate) fn push(&mut self, level: Level, mut message: String) {
        message.truncate(message.floor_char_boundary(LINE_BYTES));
        if level == Level::Error {
            self.last_error = Some(message.clone());
        }
        if self.bytes_left <= LINE_OVERHEAD_BYTES {
            self.bytes_left = 0;
            return;
        }
        self.bytes_left -= LINE_OVERHEAD_BYTES;
        message.truncate(message.floor_char_boundary(self.bytes_left));
        self.bytes_left -= message.len();
        message.shrink_to_fit();
        self.lines.push(LogLine { level, message });
    }
}

/// Returns whether lines are a log that a guest could have written.
pub(crate) fn fits(lines: &[LogLine]) -> bool {
    let cost = |line: &LogLine| LINE_OVERHEAD_BYTES + line.message.len();
    lines.iter().all(|line| line.message.len() <= LINE_BYTES)
        && lines.iter().map(cost).fold(0, usize::saturating_add) <= LOG_BYTES
}

impl wit::Host for State {
    fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        self.meter.charge_bytes(message.len());
        self.meter
            .count_transfer(LINE_OVERHEAD_BYTES + message.len() / TEXT_DIVISOR)?;
        let level = match level {
            wit::Level::Trace => Level::Trace,
            wit::Level::Debug => Level::Debug,
            wit::Level::Info => Level::Info,
            wit::Level::Warn => Level::Warn,
            wit::Level::Error => Level::Error,
        };
        // Lines that were printed earlier come first.
        self.wasi.drain_into(&mut self.log);
        self.log.push(level, message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_truncated_between_characters() {
        let mut log = Log::new();
        log.push(Level::Info, "€".repeat(LINE_BYTES));
        assert_eq!(log.into_lines()[0].message, "€".repeat(LINE_BYTES / 3));
    }

    #[test]
    fn a_long_log_is_truncated_but_keeps_its_last_error() {
        let mut log = Log::new();
        for _ in 0..100_000 {
            log.push(Level::Info, String::new());
        }
        log.push(Level::Error, "the reason".to_owned());
        assert_eq!(log.last_error(), Some("the reason"));
        assert!(log.into_lines().len() <= LOG_BYTES / LINE_OVERHEAD_BYTES);
    }

    #[test]
    fn long_lines_use_the_whole_log() {
        let mut log = Log::new();
        for _ in 0..1000 {
            log.push(Level::Info, "x".repeat(LINE_BYTES));
        }
        let bytes: usize = log.into_lines().iter().map(|line| line.message.len()).sum();
        assert!(bytes > LOG_BYTES / 2 && bytes <= LOG_BYTES, "{bytes}");
    }

    #[test]
    fn a_crash_is_one_bounded_message_after_all_other_lines() {
        let mut log = Log::new();
        log.push(Level::Error, "panic: an earlier one".to_owned());
        log.push(Level::Warn, "unusual".to_owned());
        log.push(Level::Error, "wrong".to_owned());
        for line in ["panic: no", "", "goroutine 1", "\tplugin.go:45", ""] {
            log.push(Level::Error, line.to_owned());
        }
        log.join_crash();
        let crash = "panic: no\n\ngoroutine 1\n\tplugin.go:45";
        assert_eq!(log.last_error(), Some(crash));
        let lines = log.into_lines();
        let messages: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(
            messages,
            ["panic: an earlier one", "unusual", "wrong", crash]
        );
        let mut log = Log::new();
        log.push(Level::Error, "fatal error: no".to_owned());
        for _ in 0..1000 {
            log.push(Level::Error, "\tplugin.go:45".to_owned());
        }
        log.join_crash();
        assert_eq!(log.last_error().map(str::len), Some(CRASH_BYTES));
        assert_eq!(log.into_lines().len(), 1);
    }

    #[test]
    fn a_last_error_is_truncated_like_a_line() {
        let mut log = Log::new();
        log.push(Level::Error, "x".repeat(10 * LINE_BYTES));
        assert_eq!(log.last_error().map(str::len), Some(LINE_BYTES));
    }
}
