//! Measures a file of rows while its bytes pass: length, lines, digest, and how it ends.

use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use crate::event_stream;
use synix_core::digest::Digest;

/// A last line that is longer than this counts as cut off.
const MAX_LAST_LINE_BYTES: usize = 16 << 20;

/// What is known of the bytes so far.
#[derive(Default)]
pub(super) struct RowScanner {
    pub(super) length: u64,
    pub(super) lines: u64,
    hasher: Sha256,
    /// The bytes after the last line break.
    last_line: Vec<u8>,
}

impl RowScanner {
    pub(super) fn scan(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.length += chunk.len() as u64;
        self.lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        keep_last_line(&mut self.last_line, chunk);
    }

    pub(super) fn finish(self) -> (FileSize, Digest, FileEnd) {
        let end = match self.last_line.as_slice() {
            [] => FileEnd::Newline,
            row if row.len() <= MAX_LAST_LINE_BYTES && is_row(row) => FileEnd::Row,
            _ => FileEnd::WithinRow,
        };
        let size = FileSize {
            length: self.length,
            lines: self.lines,
        };
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        (size, digest, end)
    }
}

fn is_row(row: &[u8]) -> bool {
    let is_json = serde_json::from_slice::<IgnoredAny>(row).is_ok();
    is_json || event_stream::parse_documents(row).is_ok_and(|chunks| !chunks.values.is_empty())
}

/// The size of a file, decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileSize {
    pub(super) length: u64,
    pub(super) lines: u64,
}

/// Keeps the bytes after the last line break, at most one byte more than [`MAX_LAST_LINE_BYTES`]: such a line is no
/// complete row.
pub(super) fn keep_last_line(last_line: &mut Vec<u8>, chunk: &[u8]) {
    let mut rest = chunk;
    if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
        last_line.clear();
        rest = &chunk[at + 1..];
    }
    let room = (MAX_LAST_LINE_BYTES + 1).saturating_sub(last_line.len());
    last_line.extend_from_slice(&rest[..rest.len().min(room)]);
}

/// How a file of rows ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileEnd {
    Newline,
    /// With a complete row, but without a line break.
    Row,
    /// Within a row.
    WithinRow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_after_the_last_line_break_are_kept() {
        let mut last_line = Vec::new();
        for (chunk, expected) in [
            ("a", "a"),
            ("b\nc", "c"),
            ("d", "cd"),
            ("x\ny\n", ""),
            ("e", "e"),
        ] {
            keep_last_line(&mut last_line, chunk.as_bytes());
            assert_eq!(last_line, expected.as_bytes());
        }
        keep_last_line(&mut last_line, &vec![b' '; MAX_LAST_LINE_BYTES]);
        keep_last_line(&mut last_line, b"1");
        assert_eq!(last_line.len(), MAX_LAST_LINE_BYTES + 1);
    }
}
