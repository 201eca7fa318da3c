//! What a guest prints: stdout becomes log lines of level info, stderr of level warn.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::imports::log::{LINE_BYTES, Level, Log, RUN_BYTES};

/// What is kept of stderr to explain a crash.
const TAIL_BYTES: usize = 2 << 10;
/// What a stream takes in one write.
const WRITE_BYTES: usize = 64 << 10;

/// Both streams of one call.
#[derive(Clone, Default)]
pub(super) struct Console(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
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
    pub(super) fn stdout(&self) -> Stream {
        Stream {
            console: self.clone(),
            level: Level::Info,
        }
    }

    pub(super) fn stderr(&self) -> Stream {
        Stream {
            console: self.clone(),
            level: Level::Warn,
        }
    }

    /// Returns how many bytes were written so far.
    pub(super) fn printed(&self) -> u64 {
        self.lock().bytes
    }

    pub(super) fn drain_into(&self, log: &mut Log) {
        let mut written = self.lock();
        written.held = 0;
        for (level, line) in written.lines.drain(..) {
            log.push(level, line);
        }
    }

    /// Ends the last lines; returns the end of what was written to stderr, in one line.
    pub(super) fn close(&self, log: &mut Log) -> Option<String> {
        let mut written = self.lock();
        for level in [Level::Info, Level::Warn] {
            if !written.partial(level).is_empty() {
                written.end_line(level);
            }
        }
        let tail = String::from_utf8_lossy(&written.tail);
        let lines: Vec<&str> = tail
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let said = (!lines.is_empty()).then(|| lines.join(" | "));
        drop(tail);
        drop(written);
        self.drain_into(log);
        said
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        // Nothing under the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn partial(&mut self, level: Level) -> &mut Vec<u8> {
        if level == Level::Warn {
            &mut self.err
        } else {
            &mut self.out
        }
    }

    fn write(&mut self, level: Level, bytes: &[u8]) {
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

/// One of the two.
pub(super) struct Stream {
    console: Console,
    level: Level,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    /// Asked for by the third preview of WASI only, which is not offered.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self {
            console: self.console.clone(),
            level: self.level,
        })
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.console.lock().write(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl Pollable for Stream {
    fn ready<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(level: Level, pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let (console, mut log) = (Console::default(), Log::new());
        for piece in pieces {
            console.lock().write(level, piece);
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
        let console = Console::default();
        for level in [Level::Info, Level::Warn] {
            for _ in 0..100 {
                console.lock().write(level, &[b'x'; 1000]);
            }
            assert_eq!(console.lock().partial(level).len(), LINE_BYTES);
        }
        assert!(console.lock().tail.len() <= TAIL_BYTES);
    }

    #[test]
    fn a_flood_is_not_held_until_the_call_ends() {
        let console = Console::default();
        for _ in 0..100_000 {
            console.lock().write(Level::Info, b"x\n");
        }
        let held = console.lock();
        assert!(
            held.held <= RUN_BYTES && held.lines.len() < RUN_BYTES / 16,
            "{}",
            held.lines.len()
        );
    }
}
