//! Removes the content encoding of a file that was compressed on its way.

use std::io::{BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::row_scanner::RowScanner;
use crate::content_encoding::{ContentEncoding, DecodeError};

/// The number of leading bytes that identify an encoding.
pub(super) const START_BYTES: usize = 64;

/// Returns the encoding of a file, if it has one.
pub(super) fn detect_encoding(
    header: &str,
    start: &[u8],
) -> Result<Option<ContentEncoding>, DecodeError> {
    // Rows begin with a brace, so a header that names an encoding is wrong.
    let text = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Ok(None);
    }
    match ContentEncoding::detect(start) {
        Some(found) => Ok(Some(found)),
        None if start.is_empty() => Ok(None),
        None => ContentEncoding::from_header(header, start),
    }
}

/// Writes a decoded copy of a file.
pub(super) fn decode(
    encoding: ContentEncoding,
    encoded: &NamedTempFile,
    folder: &Path,
    max_bytes: u64,
) -> Result<(NamedTempFile, RowScanner), DecodeError> {
    let mut source = encoded.as_file();
    source.rewind().map_err(DecodeError::Sink)?;
    let temporary = NamedTempFile::new_in(folder).map_err(DecodeError::Sink)?;
    let mut writer = BufWriter::with_capacity(1 << 18, temporary);
    let mut scanner = RowScanner::default();
    encoding.decode_to(BufReader::new(source), max_bytes, |chunk| {
        scanner.scan(chunk);
        writer.write_all(chunk)
    })?;
    let temporary = writer.into_inner();
    let temporary = temporary.map_err(|error| DecodeError::Sink(error.into_error()))?;
    Ok((temporary, scanner))
}
