//! Walks through JSON value by value, and holds one value at a time.

use std::io::{self, BufRead};

use super::held::Held;
use super::span::Span;

/// The longest value that is held, unless the reader sets a lower limit.
pub const MAX_VALUE_BYTES: usize = 64 * 1024 * 1024;
/// Names that an error shows.
const SHOWN_NAMES: usize = 12;

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The bytes end inside of a value, or cannot be unpacked any further because they are cut off.
    #[error("the file is cut off at byte {offset}")]
    Cut {
        /// Where.
        offset: u64,
    },
    /// The value is longer than the limit. The next one can be read.
    #[error("it is longer than {} MiB", .limit >> 20)]
    TooLong {
        /// Where it starts.
        offset: u64,
        /// The longest value that is held.
        limit: usize,
    },
    /// This is no JSON.
    #[error("byte {offset} is {}, where {expected} is expected", shown(*.found))]
    Syntax {
        /// Where.
        offset: u64,
        /// The byte that is there.
        found: u8,
        /// What may be there.
        expected: &'static str,
    },
    /// A JSON Pointer leads nowhere.
    #[error("there is nothing at `{pointer}`{}", beside(.names))]
    Missing {
        /// The part of the pointer that was not found.
        pointer: String,
        /// The first names that are there.
        names: Vec<String>,
    },
    /// The bytes cannot be read.
    #[error("{0}")]
    Io(io::Error),
}

impl Fault {
    /// Makes a fault of an error while reading; bytes that are cut off are told apart from damaged ones.
    pub fn of(error: io::Error, offset: u64) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Cut { offset }
        } else {
            Self::Io(error)
        }
    }

    /// Returns whether values after it can be read.
    pub fn is_passable(&self) -> bool {
        matches!(self, Self::TooLong { .. })
    }
}

/// Walks through JSON from front to back.
#[derive(Debug)]
pub struct Scanner<R> {
    reader: R,
    offset: u64,
    value: Held,
}

impl<R: BufRead> Scanner<R> {
    /// Starts at the first byte; a byte order mark is removed by [`Utf8`](crate::text::Utf8).
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            offset: 0,
            value: Held::new(MAX_VALUE_BYTES),
        }
    }

    /// Holds no value that is longer than `limit`.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.value = Held::new(limit);
        self
    }

    /// Returns how many bytes are behind.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Passes over white space and returns the next byte, which stays.
    pub fn peek(&mut self) -> Result<Option<u8>, Fault> {
        // The mark between records of a JSON text sequence counts as space.
        self.peek_after(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e))
    }

    /// Takes `[` or `{`, if it is next.
    pub fn enter(&mut self, bracket: u8) -> Result<bool, Fault> {
        let is_next = self.peek()? == Some(bracket);
        if is_next {
            self.take(1);
        }
        Ok(is_next)
    }

    /// Moves to the next element of an array that was entered; false at its end, which is taken.
    pub fn next_element(&mut self) -> Result<bool, Fault> {
        match self.peek_after_comma()? {
            None => Err(self.cut()),
            Some(b']') => {
                self.take(1);
                Ok(false)
            }
            Some(found @ (b'}' | b':')) => Err(self.syntax(found, "an element or `]`")),
            Some(_) => Ok(true),
        }
    }

    /// Moves to the value of the next member of an object that was entered, and returns the name; none at its end, which
    /// is taken.
    pub fn next_member(&mut self) -> Result<Option<String>, Fault> {
        match self.peek_after_comma()? {
            None => return Err(self.cut()),
            Some(b'}') => {
                self.take(1);
                return Ok(None);
            }
            Some(b'"') => {}
            Some(found) => return Err(self.syntax(found, "a name or `}`")),
        }
        let text = self.value()?;
        let name = serde_json::from_slice(text)
            .unwrap_or_else(|_| String::from_utf8_lossy(text).into_owned());
        match self.peek()? {
            Some(b':') => self.take(1),
            Some(found) => return Err(self.syntax(found, "`:`")),
            None => return Err(self.cut()),
        }
        Ok(Some(name))
    }

    /// Reads the next value whole. That it is JSON is for its parser to say.
    pub fn value(&mut self) -> Result<&[u8], Fault> {
        self.value.clear();
        let start = self.scan(true)?;
        self.value.whole(start)
    }

    /// Passes over the next value.
    pub fn pass(&mut self) -> Result<(), Fault> {
        self.scan(false).map(|_| ())
    }

    /// Moves to the value at a JSON Pointer, whose parts [`pointer`](super::pointer) returns.
    pub fn seek(&mut self, parts: &[String]) -> Result<(), Fault> {
        for (at, part) in parts.iter().enumerate() {
            let mut names = Vec::new();
            let is_found = if self.enter(b'{')? {
                self.seek_member(part, &mut names)?
            } else if self.enter(b'[')? {
                self.seek_element(part)?
            } else {
                false
            };
            if !is_found {
                let pointer: String = parts[..=at].iter().map(|part| format!("/{part}")).collect();
                return Err(Fault::Missing { pointer, names });
            }
        }
        Ok(())
    }

    fn seek_member(&mut self, wanted: &str, names: &mut Vec<String>) -> Result<bool, Fault> {
        while let Some(name) = self.next_member()? {
            if name == wanted {
                return Ok(true);
            }
            if names.len() < SHOWN_NAMES {
                names.push(name.chars().take(60).collect());
            }
            self.pass()?;
        }
        Ok(false)
    }

    fn seek_element(&mut self, index: &str) -> Result<bool, Fault> {
        let Ok(index) = index.parse::<u64>() else {
            return Ok(false);
        };
        for _ in 0..index {
            if !self.next_element()? {
                return Ok(false);
            }
            self.pass()?;
        }
        self.next_element()
    }

    /// Scans a value and returns where it starts.
    fn scan(&mut self, keeps: bool) -> Result<u64, Fault> {
        match self.peek()? {
            None => return Err(self.cut()),
            Some(found @ (b']' | b'}' | b',' | b':')) => return Err(self.syntax(found, "a value")),
            Some(_) => {}
        }
        let start = self.offset;
        let mut span = Span::new();
        loop {
            let offset = self.offset;
            let chunk = self
                .reader
                .fill_buf()
                .map_err(|error| Fault::of(error, offset))?;
            if chunk.is_empty() {
                return if span.may_end() {
                    Ok(start)
                } else {
                    Err(self.cut())
                };
            }
            let fed = span.feed(chunk);
            if keeps {
                self.value.extend(&chunk[..fed.bytes]);
            }
            self.take(fed.bytes);
            if fed.is_over {
                return Ok(start);
            }
        }
    }

    fn peek_after_comma(&mut self) -> Result<Option<u8>, Fault> {
        self.peek_after(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','))
    }

    fn peek_after(&mut self, is_passed: impl Fn(u8) -> bool) -> Result<Option<u8>, Fault> {
        loop {
            let offset = self.offset;
            let chunk = self
                .reader
                .fill_buf()
                .map_err(|error| Fault::of(error, offset))?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let length = chunk.len();
            let found = chunk.iter().position(|&byte| !is_passed(byte));
            let next = found.map(|at| chunk[at]);
            self.take(found.unwrap_or(length));
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.reader.consume(count);
        self.offset += count as u64;
    }

    fn cut(&self) -> Fault {
        Fault::Cut {
            offset: self.offset,
        }
    }

    fn syntax(&self, found: u8, expected: &'static str) -> Fault {
        Fault::Syntax {
            offset: self.offset,
            found,
            expected,
        }
    }
}

fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() {
        format!("`{}`", char::from(byte))
    } else {
        format!("0x{byte:02x}")
    }
}

fn beside(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("; there are {}", names.join(", "))
}
