//! The import `log`: lines for the person who runs the build.

use super::State;
use synix_contract::bindings::synix::plugin::log as wit;

pub(crate) const LINE_BYTES: usize = 8 << 10;
pub(crate) const RUN_BYTES: usize = 1 << 20;
/// What each call costs apart from its text, so that empty lines are bounded too.
const CALL_BYTES: usize = 64;
/// A flood is cut rather than stopped, so a text counts for this part of what the guest hands over.
const TEXT_DIVISOR: usize = 16;

/// What is kept of the words of a crash.
const CRASH_BYTES: usize = 4 << 10;
/// How Go's runtime begins them.
const CRASHES: [&str; 2] = ["panic: ", "fatal error: "];

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Each step.
    Trace,
    /// For the plugin's author.
    Debug,
    /// For everyone.
    Info,
    /// Something odd.
    Warn,
    /// Something wrong.
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
    /// How much it matters.
    pub level: Level,
    /// The text.
    pub message: String,
}

/// The lines of one run.
pub(crate) struct Log {
    lines: Vec<LogLine>,
    room: usize,
    last_error: Option<String>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            lines: Vec::new(),
            room: RUN_BYTES,
            last_error: None,
        }
    }

    /// Returns the last line of level error, also where the run's log was full.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    pub(crate) fn into_lines(self) -> Vec<LogLine> {
        self.lines
    }

    /// Makes one message of the lines in which the runtime of Go tells of a crash, the last that it did.
    pub(crate) fn join_crash(&mut self) {
        let others = self
            .lines
            .iter()
            .rposition(|line| line.level != Level::Error);
        let start = others.map_or(0, |last| last + 1);
        let begins = |line: &LogLine| CRASHES.iter().any(|word| line.message.starts_with(word));
        let Some(first) = self.lines[start..].iter().position(begins) else {
            return;
        };
        let lines: Vec<LogLine> = self.lines.drain(start + first..).collect();
        let words: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        let mut message = words.join("\n").trim_end().to_owned();
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
        if self.room <= CALL_BYTES {
            self.room = 0;
            return;
        }
        self.room -= CALL_BYTES;
        message.truncate(message.floor_char_boundary(self.room));
        self.room -= message.len();
        message.shrink_to_fit();
        self.lines.push(LogLine { level, message });
    }
}

impl wit::Host for State {
    fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        self.meter.charge_bytes(message.len());
        self.meter
            .hand_over(CALL_BYTES + message.len() / TEXT_DIVISOR)?;
        let level = match level {
            wit::Level::Trace => Level::Trace,
            wit::Level::Debug => Level::Debug,
            wit::Level::Info => Level::Info,
            wit::Level::Warn => Level::Warn,
            wit::Level::Error => Level::Error,
        };
        // What was printed before stands before.
        self.wasi.drain_into(&mut self.log);
        self.log.push(level, message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let mut log = Log::new();
        log.push(Level::Info, "€".repeat(LINE_BYTES));
        assert_eq!(log.into_lines()[0].message, "€".repeat(LINE_BYTES / 3));
    }

    #[test]
    fn a_flood_is_cut_and_its_last_error_is_kept() {
        let mut log = Log::new();
        for _ in 0..100_000 {
            log.push(Level::Info, String::new());
        }
        log.push(Level::Error, "the reason".to_owned());
        assert_eq!(log.last_error(), Some("the reason"));
        assert!(log.into_lines().len() <= RUN_BYTES / CALL_BYTES);
    }

    #[test]
    fn long_lines_fill_a_log_as_many_short_ones_do() {
        let mut log = Log::new();
        for _ in 0..1000 {
            log.push(Level::Info, "x".repeat(LINE_BYTES));
        }
        let bytes: usize = log.into_lines().iter().map(|line| line.message.len()).sum();
        assert!(bytes > RUN_BYTES / 2 && bytes <= RUN_BYTES, "{bytes}");
    }

    #[test]
    fn the_words_of_a_crash_are_one_bounded_message_after_all_other_lines() {
        let mut log = Log::new();
        log.push(Level::Error, "panic: an earlier one".to_owned());
        log.push(Level::Warn, "odd".to_owned());
        log.push(Level::Error, "wrong".to_owned());
        for line in ["panic: no", "", "goroutine 1", "\tplugin.go:45", ""] {
            log.push(Level::Error, line.to_owned());
        }
        log.join_crash();
        let words = "panic: no\n\ngoroutine 1\n\tplugin.go:45";
        assert_eq!(log.last_error(), Some(words));
        let lines = log.into_lines();
        let messages: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(messages, ["panic: an earlier one", "odd", "wrong", words]);
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
    fn a_last_error_is_no_longer_than_a_line() {
        let mut log = Log::new();
        log.push(Level::Error, "x".repeat(10 * LINE_BYTES));
        assert_eq!(log.last_error().map(str::len), Some(LINE_BYTES));
    }
}
