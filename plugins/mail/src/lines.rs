//! The lines of a file, in a buffer of one size: a line may be longer than the memory.

use std::io::{self, Read};

/// The most bytes of a line that come at once.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 4 * PIECE_BYTES;

/// A line, or a piece of one that is too long.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// With the line end, if this is the end of the line.
    pub(crate) bytes: &'a [u8],
    /// Whether a line begins here, rather than going on.
    pub(crate) begins: bool,
}

impl Line<'_> {
    /// Returns the offset behind it.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Returns the text without the line end.
    pub(crate) fn text(&self) -> &[u8] {
        let text = self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes);
        text.strip_suffix(b"\r").unwrap_or(text)
    }
}

/// Reads the lines one after the other.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Box<[u8]>,
    /// What is unread in `buffer`.
    start: usize,
    end: usize,
    offset: u64,
    inside: bool,
}

impl<R: Read> Lines<R> {
    /// Reads from `reader`, whose first byte is at `offset`.
    pub(crate) fn new(reader: R, offset: u64) -> Self {
        Self::with_size(reader, offset, u64::MAX)
    }

    /// Reads from `reader`, which has `size` bytes: a small message needs no large buffer.
    pub(crate) fn with_size(reader: R, offset: u64, size: u64) -> Self {
        let bytes = usize::try_from(size).unwrap_or(BUFFER_BYTES);
        Self {
            reader,
            buffer: vec![0; bytes.clamp(1, BUFFER_BYTES)].into_boxed_slice(),
            start: 0,
            end: 0,
            offset,
            inside: false,
        }
    }

    /// Returns the next line, or nothing at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        let length = loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(found) = memchr::memchr(b'\n', &unread[searched..]) {
                break (searched + found + 1).min(PIECE_BYTES);
            }
            searched = unread.len();
            if searched >= PIECE_BYTES {
                break PIECE_BYTES;
            }
            if !self.fill()? {
                break searched;
            }
        };
        if length == 0 {
            return Ok(None);
        }
        let start = self.start;
        self.start += length;
        let bytes = &self.buffer[start..self.start];
        let line = Line {
            offset: self.offset,
            bytes,
            begins: !self.inside,
        };
        self.offset += length as u64;
        self.inside = !bytes.ends_with(b"\n");
        Ok(Some(line))
    }

    /// Reads more, and returns whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let read = self.reader.read(&mut self.buffer[self.end..])?;
        self.end += read;
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Lines::new(bytes, 0);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((line.offset, line.bytes.to_vec(), line.begins));
        }
        all
    }

    #[test]
    fn a_line_longer_than_the_buffer_comes_in_pieces() {
        let mut text = vec![b'x'; 3 * PIECE_BYTES + 5];
        text.extend(b"\nnext");
        let all = lines(&text);
        let begins: Vec<bool> = all.iter().map(|line| line.2).collect();
        assert_eq!(begins, [true, false, false, false, true]);
        assert_eq!(all[4], (3 * PIECE_BYTES as u64 + 6, b"next".to_vec(), true));
    }

    #[test]
    fn a_line_end_of_two_bytes_is_not_part_of_the_text() {
        let mut lines = Lines::new(&b"a\r\n"[..], 7);
        let line = lines.next().unwrap().unwrap();
        assert_eq!((line.text(), line.offset, line.end()), (&b"a"[..], 7, 10));
    }

    proptest! {
        #[test]
        fn lines_are_the_file_again(text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a')], 0..300), repeat in 1..3000_usize) {
            let text = text.repeat(repeat);
            let all = lines(&text);
            let mut offset = 0;
            let mut joined = Vec::new();
            for (at, bytes, begins) in all {
                prop_assert_eq!(at, offset);
                prop_assert_eq!(begins, joined.is_empty() || joined.ends_with(b"\n"));
                offset += bytes.len() as u64;
                joined.extend(bytes);
            }
            prop_assert_eq!(joined, text);
        }
    }
}
