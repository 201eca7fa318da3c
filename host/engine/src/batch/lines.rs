//! The lines of a file of rows. The length of each is limited, whatever the file contains.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::BatchError;
use synix_core::request::{RequestKind, Wire};
use synix_providers::{Row, overlong_row, read_rows};

/// The maximum length of a row.
const MAX_LINE_BYTES: usize = 64 << 20;

/// How much of a longer line is kept. The id is near its start.
const OVERLONG_START_BYTES: usize = 64 << 10;

/// The maximum size of a batch's file of unreadable rows.
const MAX_UNREADABLE_BYTES: u64 = 64 << 20;

/// A line that is not blank.
#[derive(Debug)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its bytes, or only its start if it is too long.
    pub(super) bytes: Vec<u8>,
    is_overlong: bool,
}

impl Line {
    /// Parses the rows in the line.
    pub(super) fn rows(&self, wire: Wire, kind: RequestKind) -> Vec<Row> {
        if self.is_overlong {
            return vec![overlong_row(&self.bytes, MAX_LINE_BYTES)];
        }
        read_rows(wire, kind, &self.bytes)
    }
}

/// The lines of a file, one after the other.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    number: u64,
    max_bytes: usize,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, BatchError> {
        let file = File::open(path).map_err(|source| unreadable(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            reader: BufReader::with_capacity(1 << 16, file),
            number: 0,
            max_bytes: MAX_LINE_BYTES,
        })
    }

    fn line(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let mut bytes = Vec::new();
            let most = self.max_bytes as u64 + 1;
            let read = (&mut self.reader)
                .take(most)
                .read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let is_overlong = bytes.last() != Some(&b'\n') && bytes.len() > self.max_bytes;
            if is_overlong {
                bytes.truncate(OVERLONG_START_BYTES);
                bytes.shrink_to_fit();
                skip_line(&mut self.reader)?;
            }
            if bytes.iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(Line {
                    number: self.number,
                    bytes,
                    is_overlong,
                }));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Line, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.line();
        line.map_err(|source| unreadable(&self.path, source))
            .transpose()
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> BatchError {
    BatchError::File {
        path: path.to_owned(),
        source,
    }
}

/// Skips the rest of a line.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// The file of unreadable rows. They are kept unchanged, because they were billed.
#[derive(Debug)]
pub(super) struct UnreadableRowFile {
    path: PathBuf,
    bytes: u64,
}

impl UnreadableRowFile {
    pub(super) fn open(path: PathBuf) -> Self {
        let bytes = std::fs::metadata(&path).map_or(0, |found| found.len());
        Self { path, bytes }
    }

    /// Appends a line, and returns the path; `None` if the file is full or cannot be written.
    pub(super) fn append(&mut self, line: &[u8]) -> Option<&Path> {
        let line = line.trim_ascii_end();
        let more = line.len() as u64 + 1;
        if self.bytes + more > MAX_UNREADABLE_BYTES {
            return None;
        }
        let written = || -> std::io::Result<()> {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            let mut file = options.open(&self.path)?;
            file.write_all(line)?;
            file.write_all(b"\n")
        };
        // A row that cannot be kept is still reported.
        written().ok()?;
        self.bytes += more;
        Some(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], max_bytes: usize) -> Vec<(u64, Vec<u8>, bool)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        synix_disk::replace(&path, text).unwrap();
        let mut lines = Lines::open(&path).unwrap();
        lines.max_bytes = max_bytes;
        lines
            .map(|line| line.unwrap())
            .map(|line| (line.number, line.bytes, line.is_overlong))
            .collect()
    }

    #[test]
    fn lines_are_counted_and_blank_ones_skipped() {
        let read = lines(b"a\n\n \nb\r\nc", 10);
        let expected = [(1, "a\n"), (4, "b\r\n"), (5, "c")];
        let expected = expected.map(|(number, text)| (number, text.as_bytes().to_vec(), false));
        assert_eq!(read, expected);
    }

    /// W13
    #[test]
    fn an_overlong_line_is_truncated_without_losing_the_next() {
        let read = lines(b"12345678901\n1234567890\n", 10);
        assert_eq!(read[0], (1, b"12345678901".to_vec(), true));
        assert_eq!(read[1], (2, b"1234567890\n".to_vec(), false));
        let long = Line {
            number: 1,
            bytes: br#"{"custom_id":"a","response":"#.to_vec(),
            is_overlong: true,
        };
        let rows = long.rows(Wire::OpenAi, RequestKind::Completion);
        assert_eq!(rows[0].custom_id.as_deref(), Some("a"));
        assert!(
            rows[0]
                .outcome
                .as_ref()
                .unwrap_err()
                .reason
                .contains("longer than")
        );
    }

    /// X4
    #[test]
    fn unreadable_rows_are_kept_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unreadable.jsonl");
        let mut file = UnreadableRowFile::open(path.clone());
        assert!(file.append(b"<a>\r\n").is_some());
        assert!(file.append(b"\xff").is_some());
        assert_eq!(std::fs::read(&path).unwrap(), b"<a>\n\xff\n");
        let mut full = UnreadableRowFile {
            path,
            bytes: MAX_UNREADABLE_BYTES,
        };
        assert!(full.append(b"x").is_none());
    }
}
