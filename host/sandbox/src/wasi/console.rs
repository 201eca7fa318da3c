//! The output of a guest: stdout becomes log lines of level info, and stderr of level warn.

use crate::imports::log::{LINE_BYTES, LOG_BYTES, Level, Log};

/// How much of the end of stderr is kept to explain a crash.
const TAIL_BYTES: usize = 2 << 10;

/// The two output streams of one call.
#[derive(Default)]
pub(super) struct Console {
    lines: Vec<(Level, String)>,
    /// The size of `lines`, so that a long output does not fill the memory before the log truncates it.
    buffered_bytes: usize,
    out: Vec<u8>,
    err: Vec<u8>,
    tail: Vec<u8>,
    /// All bytes that were written.
    bytes: u64,
}

impl Console {
    /// Returns the number of bytes written so far.
    pub(super) const fn bytes_printed(&self) -> u64 {
        self.bytes
    }

    pub(super) fn drain_into(&mut self, log: &mut Log) {
        self.buffered_bytes = 0;
        for (level, line) in self.lines.drain(..) {
            log.push(level, line);
        }
    }

    /// Ends the last lines and returns the end of stderr in one line.
    pub(super) fn close(mut self, log: &mut Log) -> Option<String> {
        for level in [Level::Info, Level::Warn] {
            if !self.partial(level).is_empty() {
                self.end_line(level);
            }
        }
        self.drain_into(log);
        let tail = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = tail
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        (!lines.is_empty()).then(|| lines.join(" | "))
    }

    fn partial(&mut self, level: Level) -> &mut Vec<u8> {
        if level == Level::Warn {
            &mut self.err
        } else {
            &mut self.out
        }
    }

    pub(super) fn write(&mut self, level: Level, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if level == Level::Warn {
            self.tail.extend_from_slice(bytes);
            let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
            self.tail.drain(..surplus);
        }
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        // `split` returns at least one piece. A line break precedes each one but the first.
        if let Some(first) = pieces.next() {
            self.add(level, first);
        }
        for piece in pieces {
            self.end_line(level);
            self.add(level, piece);
        }
    }

    fn add(&mut self, level: Level, piece: &[u8]) {
        let partial = self.partial(level);
        let space = LINE_BYTES.saturating_sub(partial.len());
        partial.extend_from_slice(&piece[..piece.len().min(space)]);
    }

    fn end_line(&mut self, level: Level) {
        let line = std::mem::take(self.partial(level));
        let bytes = line.len() + size_of::<(Level, String)>();
        if self.buffered_bytes + bytes <= LOG_BYTES {
            self.buffered_bytes += bytes;
            let line = String::from_utf8_lossy(&line);
            self.lines
                .push((level, line.trim_end_matches('\r').to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(level: Level, pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let (mut console, mut log) = (Console::default(), Log::new());
        for piece in pieces {
            console.write(level, piece);
        }
        let stderr_tail = console.close(&mut log);
        let lines = log.into_lines().into_iter();
        (lines.map(|line| line.message).collect(), stderr_tail)
    }

    #[test]
    fn a_line_may_be_written_in_pieces_and_without_a_line_break() {
        let (lines, stderr_tail) = print(Level::Info, &[b"one li", b"ne\r\n\nthree", b" ends"]);
        assert_eq!(lines, ["one line", "", "three ends"]);
        assert_eq!(stderr_tail, None);
    }

    #[test]
    fn stderr_explains_a_crash_in_one_bounded_line() {
        let (_, stderr_tail) = print(
            Level::Warn,
            &[b"Traceback\n  at line 1\n\nValueError: no\n"],
        );
        assert_eq!(
            stderr_tail.as_deref(),
            Some("Traceback | at line 1 | ValueError: no")
        );
        let (_, stderr_tail) = print(Level::Warn, &[&[b'x'; 100_000], b"end"]);
        assert!(stderr_tail.is_some_and(
            |stderr_tail| stderr_tail.len() == TAIL_BYTES && stderr_tail.ends_with("end")
        ));
    }

    #[test]
    fn a_long_output_is_truncated() {
        let line = [&[b'x'; 10_000][..], b"\n"].concat();
        let (lines, _) = print(Level::Info, &vec![line.as_slice(); 1000]);
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!(lines.iter().all(|line| line.len() == LINE_BYTES) && bytes <= LOG_BYTES);
    }

    /// The log truncates the lines, too, but only when the call ends.
    #[test]
    fn a_line_without_a_line_break_uses_bounded_memory() {
        let mut console = Console::default();
        for level in [Level::Info, Level::Warn] {
            for _ in 0..100 {
                console.write(level, &[b'x'; 1000]);
            }
            assert_eq!(console.partial(level).len(), LINE_BYTES);
        }
        assert!(console.tail.len() <= TAIL_BYTES);
    }

    #[test]
    fn many_lines_use_bounded_memory() {
        let mut console = Console::default();
        for _ in 0..100_000 {
            console.write(Level::Info, b"x\n");
        }
        assert!(
            console.buffered_bytes <= LOG_BYTES && console.lines.len() < LOG_BYTES / 16,
            "{}",
            console.lines.len()
        );
    }
}
