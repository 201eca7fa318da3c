//! What a guest prints: stdout becomes log lines of level info, stderr of level warn.

use crate::imports::log::{LINE_BYTES, Level, Log, RUN_BYTES};

/// What is kept of stderr to explain a crash.
const TAIL_BYTES: usize = 2 << 10;

/// Both streams of one call.
#[derive(Default)]
pub(super) struct Console {
    lines: Vec<(Level, String)>,
    /// What the lines hold, so that a flood does not fill the memory before the log cuts it.
    held: usize,
    out: Vec<u8>,
    err: Vec<u8>,
    tail: Vec<u8>,
    /// All that was written.
    bytes: u64,
}

impl Console {
    /// Returns how many bytes were written so far.
    pub(super) const fn printed(&self) -> u64 {
        self.bytes
    }

    pub(super) fn drain_into(&mut self, log: &mut Log) {
        self.held = 0;
        for (level, line) in self.lines.drain(..) {
            log.push(level, line);
        }
    }

    /// Ends the last lines; returns the end of what was written to stderr, in one line.
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
        // `split` gives at least one piece; each but the first comes after a line's end.
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
        let room = LINE_BYTES.saturating_sub(partial.len());
        partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn end_line(&mut self, level: Level) {
        let line = std::mem::take(self.partial(level));
        let bytes = line.len() + size_of::<(Level, String)>();
        if self.held + bytes <= RUN_BYTES {
            self.held += bytes;
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
        let said = console.close(&mut log);
        let lines = log.into_lines().into_iter();
        (lines.map(|line| line.message).collect(), said)
    }

    #[test]
    fn a_line_may_come_in_pieces_and_lack_its_end() {
        let (lines, said) = print(Level::Info, &[b"one li", b"ne\r\n\nthree", b" ends"]);
        assert_eq!(lines, ["one line", "", "three ends"]);
        assert_eq!(said, None);
    }

    #[test]
    fn stderr_explains_a_crash_in_one_bounded_line() {
        let (_, said) = print(
            Level::Warn,
            &[b"Traceback\n  at line 1\n\nValueError: no\n"],
        );
        assert_eq!(
            said.as_deref(),
            Some("Traceback | at line 1 | ValueError: no")
        );
        let (_, said) = print(Level::Warn, &[&[b'x'; 100_000], b"end"]);
        assert!(said.is_some_and(|said| said.len() == TAIL_BYTES && said.ends_with("end")));
    }

    #[test]
    fn a_flood_is_cut() {
        let line = [&[b'x'; 10_000][..], b"\n"].concat();
        let (lines, _) = print(Level::Info, &vec![line.as_slice(); 1000]);
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!(lines.iter().all(|line| line.len() == LINE_BYTES) && bytes <= RUN_BYTES);
    }

    /// The log would cut both, too, but only when the call has ended.
    #[test]
    fn a_line_without_end_is_not_held_until_the_call_ends() {
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
    fn a_flood_is_not_held_until_the_call_ends() {
        let mut console = Console::default();
        for _ in 0..100_000 {
            console.write(Level::Info, b"x\n");
        }
        assert!(
            console.held <= RUN_BYTES && console.lines.len() < RUN_BYTES / 16,
            "{}",
            console.lines.len()
        );
    }
}
