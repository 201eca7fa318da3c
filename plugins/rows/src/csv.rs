//! Splits CSV and TSV into records: RFC 4180, with line breaks in quotes.
//!
//! A quote that is opened and never closed would swallow the rest of the file. So a record has a bound, and one that
//! passes it loses its first line alone: what follows is read anew. Crates for CSV do neither.

use std::io::{BufRead, Read as _};

use memchr::{memchr, memchr_iter, memchr2};
use synix_reading::json::Fault;

/// The longest record.
const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;
/// How many bytes are split again because a record was taken back.
const MAX_RETRIED_BYTES: usize = 128 * 1024 * 1024;
/// Bytes of records that are done with, before they are removed from the buffer.
const KEPT_BYTES: usize = 1024 * 1024;

/// The fields of a record, unquoted.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| self.bytes.get(start..end).unwrap_or_default())
    }

    /// Returns whether the record is an empty line.
    pub(crate) fn is_blank(&self) -> bool {
        self.len() <= 1 && self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// Splits a record that may arrive in parts.
#[derive(Debug)]
pub(crate) struct Splitter {
    delimiter: u8,
    state: State,
    /// How much of the record was split.
    at: usize,
    pub(crate) fields: Fields,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// A quote within quotes: the end of them, or the first of two.
    Quote,
}

impl Splitter {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::Start,
            at: 0,
            fields: Fields::default(),
        }
    }

    pub(crate) fn restart(&mut self) {
        self.state = State::Start;
        self.at = 0;
        self.fields.clear();
    }

    /// Goes on with the bytes of a record, those before included; returns its length once it is whole.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(rest) = bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            match self.state {
                State::Start => {
                    let is_quoted = rest[0] == b'"';
                    self.state = if is_quoted {
                        State::Quoted
                    } else {
                        State::Plain
                    };
                    self.at += usize::from(is_quoted);
                }
                State::Plain => {
                    let found = memchr2(self.delimiter, b'\n', rest);
                    let text = &rest[..found.unwrap_or(rest.len())];
                    self.fields.bytes.extend_from_slice(text);
                    self.at += text.len() + usize::from(found.is_some());
                    let Some(found) = found else { break };
                    let is_last = rest[found] == b'\n' && self.delimiter != b'\n';
                    if is_last {
                        self.end_line(text);
                        return Some(self.at);
                    }
                    self.fields.end_field();
                    self.state = State::Start;
                }
                State::Quoted => {
                    let found = memchr(b'"', rest);
                    let text = &rest[..found.unwrap_or(rest.len())];
                    self.fields.bytes.extend_from_slice(text);
                    self.at += text.len() + usize::from(found.is_some());
                    if found.is_some() {
                        self.state = State::Quote;
                    }
                }
                State::Quote => {
                    if rest[0] == b'"' {
                        self.fields.bytes.push(b'"');
                        self.at += 1;
                        self.state = State::Quoted;
                    } else {
                        self.state = State::Plain;
                    }
                }
            }
        }
        None
    }

    /// Ends the record with the file; returns its length unless a quote is open.
    pub(crate) fn finish(&mut self) -> Option<usize> {
        if self.state == State::Quoted {
            return None;
        }
        self.fields.end_field();
        Some(self.at)
    }

    /// Ends the record where the bytes end, within quotes or not.
    pub(crate) fn end_anywhere(&mut self) {
        self.fields.end_field();
    }

    /// Ends the last field of a line; the carriage return belongs to the line break.
    fn end_line(&mut self, text: &[u8]) {
        if text.ends_with(b"\r") {
            self.fields.bytes.pop();
        }
        self.fields.end_field();
    }
}

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
                return Ok(Next::Record(&self.splitter.fields, line));
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
                Ok(Next::Record(&self.splitter.fields, line))
            }
            None => Ok(self.take_back(line)),
        }
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
        let is_open = self.splitter.state == State::Quoted;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(text: &[u8], delimiter: u8) -> Vec<(u64, Vec<String>)> {
        let reader = std::io::BufReader::with_capacity(3, text);
        let mut records = Records::new(reader, delimiter);
        let mut found = Vec::new();
        loop {
            match records.next().unwrap() {
                Next::Record(fields, line) => {
                    let fields = fields
                        .iter()
                        .map(|field| String::from_utf8_lossy(field).into_owned());
                    found.push((line, fields.collect()));
                }
                Next::Bad(why, line) => found.push((line, vec![format!("BAD {why}")])),
                Next::End => return found,
            }
        }
    }

    fn rows(expected: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
        let row = |&(line, fields): &(u64, &[&str])| {
            (line, fields.iter().map(ToString::to_string).collect())
        };
        expected.iter().map(row).collect()
    }

    #[test]
    fn records_are_split_as_rfc_4180_says() {
        for (text, expected) in [
            ("", rows(&[])),
            ("a,b\n1,2", rows(&[(1, &["a", "b"]), (2, &["1", "2"])])),
            ("a,b\r\n1,\r\n", rows(&[(1, &["a", "b"]), (2, &["1", ""])])),
            (
                "\"a,\"\"x\"\"\",\"b\nc\r\nd\"\ne,f\n",
                rows(&[(1, &["a,\"x\"", "b\nc\r\nd"]), (4, &["e", "f"])]),
            ),
            ("a\n\nb\n", rows(&[(1, &["a"]), (2, &[""]), (3, &["b"])])),
            ("5\" pipe,\"x\"y\n", rows(&[(1, &["5\" pipe", "xy"])])),
            ("\"a\r\"\r\n\"\"", rows(&[(1, &["a\r"]), (2, &[""])])),
        ] {
            assert_eq!(records(text.as_bytes(), b','), expected, "{text:?}");
        }
        assert_eq!(records(b"a;b,c\n", b';'), rows(&[(1, &["a", "b,c"])]));
    }

    #[test]
    fn a_quote_that_is_not_closed_loses_its_line_alone() {
        let text = b"a,b\n1,\"x\n2,y\n3,z\n";
        let expected = rows(&[
            (1, &["a", "b"]),
            (2, &["BAD a quote is not closed"]),
            (3, &["2", "y"]),
            (4, &["3", "z"]),
        ]);
        assert_eq!(records(text, b','), expected);
    }

    /// Taking back costs time, so a file may do it only so often.
    #[test]
    fn too_many_open_quotes_end_the_file() {
        let mut records = Records::new(&b"\"a\nb\n"[..], b',');
        records.retried = MAX_RETRIED_BYTES;
        let Next::Bad(why, 1) = records.next().unwrap() else {
            panic!("a record");
        };
        assert!(why.starts_with("too many quotes are not closed"), "{why}");
        assert!(matches!(records.next().unwrap(), Next::End));
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut text = b"a\n".to_vec();
        text.resize(3 * MAX_RECORD_BYTES, b'x');
        text.extend(b"\nb\n");
        let mut records = Records::new(&text[..], b',');
        let mut lines = Vec::new();
        loop {
            match records.next().unwrap() {
                Next::Record(fields, line) => lines.push((line, fields.len())),
                Next::Bad(why, line) => {
                    assert_eq!(why, "the line is too long");
                    lines.push((line, 0));
                }
                Next::End => break,
            }
        }
        assert_eq!(lines, [(1, 1), (2, 0), (3, 1)]);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(rows in prop::collection::vec(prop::collection::vec("[a,;\"\r\n é]{0,6}", 2..4), 1..5)) {
            let line = |row: &Vec<String>| {
                let quoted: Vec<String> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
                quoted.join(",") + "\r\n"
            };
            let text: String = rows.iter().map(line).collect();
            let found: Vec<_> = records(text.as_bytes(), b',').into_iter().map(|(_, row)| row).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn no_bytes_make_it_panic_or_lose_a_line(text in "[a,\"\r\n]{0,60}") {
            let found = records(text.as_bytes(), b',');
            let lines = text.split_inclusive('\n').count() as u64;
            prop_assert!(found.iter().all(|(line, _)| *line <= lines));
            prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}
