//! Splits a record into its fields.

use memchr::{memchr, memchr2};

/// The most fields of a record. Each one costs some hundred bytes beside its text.
pub(super) const MAX_FIELDS: usize = 100_000;

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
        // One more says that there are too many.
        if self.ends.len() <= MAX_FIELDS {
            self.ends.push(self.bytes.len());
        }
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

    pub(crate) fn is_in_quotes(&self) -> bool {
        self.state == State::Quoted
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
