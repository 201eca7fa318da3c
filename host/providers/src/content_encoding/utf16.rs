//! Reads UTF-16 as UTF-8.

use std::io::{self, Read};

use super::CHUNK_BYTES;

/// Reads UTF-16 as UTF-8; an unpaired surrogate becomes U+FFFD.
pub(super) struct Utf16Reader<R> {
    bytes: io::Bytes<io::BufReader<R>>,
    from_bytes: fn([u8; 2]) -> u16,
    /// A code unit that was read while looking for a low surrogate.
    next_unit: Option<u16>,
    decoded: Vec<u8>,
    position: usize,
}

impl<R: Read> Utf16Reader<R> {
    pub(super) fn new(reader: R, from_bytes: fn([u8; 2]) -> u16) -> Self {
        Self {
            bytes: io::BufReader::with_capacity(CHUNK_BYTES, reader).bytes(),
            from_bytes,
            next_unit: None,
            decoded: Vec::new(),
            position: 0,
        }
    }

    fn read_unit(&mut self) -> io::Result<Option<u16>> {
        if let Some(next_unit) = self.next_unit.take() {
            return Ok(Some(next_unit));
        }
        let Some(first) = self.bytes.next().transpose()? else {
            return Ok(None);
        };
        // A last byte without its pair is half of a code unit.
        let second = self.bytes.next().transpose()?;
        Ok(Some(second.map_or(0xfffd, |second| {
            (self.from_bytes)([first, second])
        })))
    }

    fn read_character(&mut self) -> io::Result<Option<char>> {
        let Some(unit) = self.read_unit()? else {
            return Ok(None);
        };
        let mark = char::REPLACEMENT_CHARACTER;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(Some(char::from_u32(u32::from(unit)).unwrap_or(mark)));
        }
        match self.read_unit()? {
            Some(low) if (0xdc00..0xe000).contains(&low) => {
                let mut pair = char::decode_utf16([unit, low]);
                Ok(Some(pair.next().and_then(Result::ok).unwrap_or(mark)))
            }
            other => {
                self.next_unit = other;
                Ok(Some(mark))
            }
        }
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.decoded.len() {
            self.decoded.clear();
            self.position = 0;
            while self.decoded.len() < CHUNK_BYTES {
                let Some(character) = self.read_character()? else {
                    break;
                };
                let mut utf8 = [0; 4];
                let utf8 = character.encode_utf8(&mut utf8);
                self.decoded.extend_from_slice(utf8.as_bytes());
            }
        }
        let rest = &self.decoded[self.position..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}
