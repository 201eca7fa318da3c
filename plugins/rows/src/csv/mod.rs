//! Splits CSV and TSV into records: RFC 4180, with line breaks in quotes.
//!
//! A quote that is opened and never closed would swallow the rest of the file. So a record has a bound, and one that
//! passes it loses its first line alone: what follows is read anew. Crates for CSV do neither.

mod split;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Read as _};

use memchr::{memchr, memchr_iter};
use synix_reading::json::Fault;

use split::MAX_FIELDS;
pub(crate) use split::{Fields, Splitter};

/// The longest record.
const MAX_RECORD_BYTES: usize = crate::reading::MAX_ROW_BYTES;
/// How many bytes are split again because a record was taken back.
const MAX_RETRIED_BYTES: usize = 128 * 1024 * 1024;
/// Bytes of records that are done with, before they are removed from the buffer.
const KEPT_BYTES: usize = 1024 * 1024;

/// What comes next in the file.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A record, and the line that it starts on.
    Record(&'a Fields, u64),
    /// A line that is no record, and why.
    Bad(String, u64),
    End,
}

/// The records of a file.
#[derive(Debug)]
pub(crate) struct Records<R> {
    reader: R,
    splitter: Splitter,
    buffer: Vec<u8>,
    /// Where the next record starts in the buffer.
    start: usize,
    /// Where the record ends that was returned last.
    end: usize,
    line: u64,
    offset: u64,
    retried: usize,
    has_ended: bool,
    /// Why nothing more can be read.
    fault: Option<Fault>,
}

impl<R: BufRead> Records<R> {
    pub(crate) fn new(reader: R, delimiter: u8) -> Self {
        Self {
            reader,
            splitter: Splitter::new(delimiter),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            line: 1,
            offset: 0,
            retried: 0,
            has_ended: false,
            fault: None,
        }
    }

    /// Passes over one line.
    pub(crate) fn pass_line(&mut self) {
        self.end = self.line_end();
    }

    pub(crate) fn next(&mut self) -> Result<Next<'_>, Fault> {
        self.take();
        self.splitter.restart();
        let line = self.line;
        loop {
            let record = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(length) = self.splitter.feed(record) {
                self.end = self.start + length;
                return Ok(self.found(line));
            }
            if record.len() > MAX_RECORD_BYTES {
                return Ok(self.take_back(line));
            }
            if self.has_ended {
                break;
            }
            self.read_line();
        }
        if let Some(fault) = self.fault.take() {
            // What is there of the last record may be a part of it.
            self.end = self.buffer.len();
            return Err(fault);
        }
        if self.start == self.buffer.len() {
            return Ok(Next::End);
        }
        match self.splitter.finish() {
            Some(length) => {
                self.end = self.start + length;
                Ok(self.found(line))
            }
            None => Ok(self.take_back(line)),
        }
    }

    /// Returns the record that was split, unless its fields would take more memory than its bytes by far.
    fn found(&self, line: u64) -> Next<'_> {
        let fields = &self.splitter.fields;
        if fields.len() > MAX_FIELDS {
            return Next::Bad(format!("it has more than {MAX_FIELDS} fields"), line);
        }
        Next::Record(fields, line)
    }

    /// Takes back the record that was returned last, but for its first line: the caller found that it is none, so a
    /// quote in its first line has joined it with the lines after it.
    pub(crate) fn reject(&mut self) {
        let record = self.buffer.get(self.start..self.end).unwrap_or_default();
        if let Some(found) = memchr(b'\n', record)
            && self.may_retry(record.len())
        {
            self.end = self.start + found + 1;
        }
    }

    fn may_retry(&mut self, bytes: usize) -> bool {
        self.retried += bytes;
        self.retried <= MAX_RETRIED_BYTES
    }

    /// Leaves out the first line of a record that does not end.
    fn take_back(&mut self, line: u64) -> Next<'_> {
        let is_open = self.splitter.is_in_quotes();
        if !self.may_retry(self.buffer.len() - self.start) {
            self.end = self.buffer.len();
            self.has_ended = true;
            let why = "too many quotes are not closed; the rest of the file is left out";
            return Next::Bad(why.to_owned(), line);
        }
        self.end = self.line_end();
        let why = if is_open {
            "a quote is not closed"
        } else {
            "the line is too long"
        };
        Next::Bad(why.to_owned(), line)
    }

    /// Returns the end of the line at the start of the buffer, and passes over what of it was not read.
    fn line_end(&mut self) -> usize {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(found) = memchr(b'\n', rest) {
                return self.start + found + 1;
            }
            if self.has_ended {
                return self.buffer.len();
            }
            if rest.len() > MAX_RECORD_BYTES {
                self.buffer.truncate(self.start);
            }
            self.read_line();
        }
    }

    /// Moves on to what follows the record that was returned last.
    fn take(&mut self) {
        let taken = self.buffer.get(self.start..self.end).unwrap_or_default();
        self.line += memchr_iter(b'\n', taken).count() as u64;
        self.start = self.end;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > KEPT_BYTES && self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.end = self.start;
    }

    /// Reads a line, or a part of a long one.
    fn read_line(&mut self) {
        let mut limited = self.reader.by_ref().take(MAX_RECORD_BYTES as u64);
        match limited.read_until(b'\n', &mut self.buffer) {
            Ok(0) => self.has_ended = true,
            Ok(count) => self.offset += count as u64,
            Err(error) => {
                self.has_ended = true;
                self.fault = Some(Fault::of(error, self.offset));
            }
        }
    }
}
