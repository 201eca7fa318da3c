//! Finds the central directory of a zip, which is at its end.

use std::io;

use super::record::{CENTRAL, END, Fields};
use super::source::Source;

/// The length of the record at the end, without its comment.
const END_BYTES: usize = 22;
/// The longest comment behind it.
const COMMENT_BYTES: usize = 65535;
/// The length of the pointer to the end record of 64 bits, which stands before the other.
const POINTER_BYTES: u64 = 20;

/// Where the central directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) start: u64,
    pub(super) entries: u64,
    /// What was put before the archive, such as a program that unpacks it; offsets do not count it.
    pub(super) shift: u64,
}

/// What the end of the archive says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Directory(Directory),
    /// The archive goes on in another file.
    Split,
    /// It is cut off, or no zip.
    Nothing,
}

/// Searches backwards for an end record that leads to a directory.
pub(super) fn find(source: &dyn Source) -> io::Result<Found> {
    let size = source.size();
    let span = (END_BYTES + COMMENT_BYTES).min(usize::try_from(size).unwrap_or(usize::MAX));
    let mut tail = vec![0; span];
    let start = size - span as u64;
    let filled = source.fill_at(start, &mut tail)?;
    tail.truncate(filled);
    for at in memchr::memmem::rfind_iter(&tail, &END) {
        let record = tail.get(at..at + END_BYTES);
        if let Some(record) = record {
            let found = read_end(source, start + at as u64, record)?;
            if found != Found::Nothing {
                return Ok(found);
            }
        }
    }
    Ok(Found::Nothing)
}

fn read_end(source: &dyn Source, position: u64, record: &[u8]) -> io::Result<Found> {
    let fields = Fields(record);
    let disk = fields.u16(4);
    let mut entries = u64::from(fields.u16(10));
    let mut length = u64::from(fields.u32(12));
    let mut offset = u64::from(fields.u32(16));
    let mut end = position;
    if let Some(wide) = read_wide(source, position)? {
        (entries, length, offset, end) = wide;
    } else if disk != 0 && disk != u16::MAX {
        // The record is in the last part of several.
        return Ok(Found::Split);
    }
    let Some(start) = end.checked_sub(length) else {
        return Ok(Found::Nothing);
    };
    let Some(shift) = start.checked_sub(offset) else {
        return Ok(Found::Nothing);
    };
    let mut magic = [0; 4];
    let has_entry = source.fill_at(start, &mut magic)? == magic.len() && magic == CENTRAL;
    if !has_entry && entries > 0 {
        return Ok(Found::Nothing);
    }
    Ok(Found::Directory(Directory {
        start,
        entries,
        shift,
    }))
}

/// Reads the end record of 64 bits: the number of entries, the directory's length and offset, and its own position.
fn read_wide(source: &dyn Source, end: u64) -> io::Result<Option<(u64, u64, u64, u64)>> {
    let Some(pointer_at) = end.checked_sub(POINTER_BYTES) else {
        return Ok(None);
    };
    let mut pointer = [0; 20];
    if source.fill_at(pointer_at, &mut pointer)? != 20 || !pointer.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let mut record = [0; 56];
    // Bytes before the archive move the record, so the place right before the pointer counts as well.
    for at in [
        Fields(&pointer).u64(8),
        pointer_at.saturating_sub(record.len() as u64),
    ] {
        if source.fill_at(at, &mut record)? == record.len() && record.starts_with(b"PK\x06\x06") {
            let fields = Fields(&record);
            return Ok(Some((fields.u64(32), fields.u64(40), fields.u64(48), at)));
        }
    }
    Ok(None)
}
