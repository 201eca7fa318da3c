//! Lines of a file, one by one, with their numbers.

use std::io::BufRead;

use memchr::memchr;

use super::held::Held;
use super::scanner::{Fault, MAX_VALUE_BYTES};

/// LF, which does not count.
const LINE_BREAK_BYTES: usize = 1;

/// A line without its line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its number, from 1.
    pub number: u64,
    /// Whether a line break follows. A last line without one may be cut off while it is written.
    pub is_ended: bool,
}

/// Reads lines that end with LF or CRLF.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    number: u64,
    offset: u64,
    line: Held,
    has_failed: bool,
}

impl<R: BufRead> Lines<R> {
    /// Starts with line 1.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            number: 0,
            offset: 0,
            line: Held::new(MAX_VALUE_BYTES + LINE_BREAK_BYTES),
            has_failed: false,
        }
    }

    /// Holds no line that is longer than `limit`.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.line = Held::new(limit + LINE_BREAK_BYTES);
        self
    }

    /// Returns the number of the line that was read last.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line. After an error that is not [passable](Fault::is_passable) there is none.
    #[expect(clippy::should_implement_trait, reason = "a line is lent, not given")]
    pub fn next(&mut self) -> Result<Option<Line<'_>>, Fault> {
        self.line.clear();
        let start = self.offset;
        let mut is_ended = false;
        if self.has_failed {
            return Ok(None);
        }
        while !is_ended {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) => {
                    self.has_failed = true;
                    self.number += 1;
                    return Err(Fault::of(error, self.offset));
                }
            };
            if chunk.is_empty() {
                break;
            }
            let found = memchr(b'\n', chunk);
            is_ended = found.is_some();
            let length = found.map_or(chunk.len(), |at| at + 1);
            self.line.extend(&chunk[..length]);
            self.reader.consume(length);
            self.offset += length as u64;
        }
        if self.offset == start {
            return Ok(None);
        }
        self.number += 1;
        let bytes = self.line.whole(start)?;
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        Ok(Some(Line {
            bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
            number: self.number,
            is_ended,
        }))
    }
}
