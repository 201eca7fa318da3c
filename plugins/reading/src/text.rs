//! Text in UTF-8 and UTF-16.

use std::io::{self, BufRead, Read};

/// What a file's bytes are text in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16 with the low byte first, after a byte order mark.
    Utf16Le,
    /// UTF-16 with the high byte first, after a byte order mark.
    Utf16Be,
}

/// Bytes that are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {} text: byte {offset} is invalid", if *.encoding == Encoding::Utf8 { "UTF-8" } else { "UTF-16" })]
pub struct NotText {
    /// What the bytes claim to be.
    pub encoding: Encoding,
    /// The offset of the first invalid byte.
    pub offset: u64,
}

/// Returns the encoding that the byte order mark says, and the length of the mark.
pub fn encoding(start: &[u8]) -> (Encoding, usize) {
    match start {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
        [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
        _ => (Encoding::Utf8, 0),
    }
}

/// Decodes a whole text and removes its byte order mark.
pub fn decode(mut bytes: Vec<u8>) -> Result<String, NotText> {
    let (encoding, mark) = encoding(&bytes);
    if encoding == Encoding::Utf8 {
        bytes.drain(..mark);
        return String::from_utf8(bytes).map_err(|error| NotText {
            encoding,
            offset: (error.utf8_error().valid_up_to() + mark) as u64,
        });
    }
    let not_text = |offset: usize| NotText {
        encoding,
        offset: offset as u64,
    };
    let (pairs, odd) = bytes[mark..].as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut offset = mark;
    for character in char::decode_utf16(pairs.iter().map(|&pair| unit(encoding, pair))) {
        let character = character.map_err(|_| not_text(offset))?;
        text.push(character);
        offset += 2 * character.len_utf16();
    }
    if odd.is_empty() {
        Ok(text)
    } else {
        Err(not_text(offset))
    }
}

const fn unit(encoding: Encoding, pair: [u8; 2]) -> u16 {
    match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(pair),
        Encoding::Utf8 | Encoding::Utf16Le => u16::from_le_bytes(pair),
    }
}

/// Passes text on as UTF-8, without a byte order mark.
///
/// UTF-8 passes unchecked, because who parses it checks each part. What is invalid in UTF-16 becomes U+FFFD.
#[derive(Debug)]
pub struct Utf8<R> {
    inner: R,
    encoding: Encoding,
    /// Bytes that were read to find the mark, or that were decoded.
    ready: Vec<u8>,
    taken: usize,
    /// A byte or a high surrogate that waits for the rest of its character.
    pending: Vec<u8>,
}

impl<R: BufRead> Utf8<R> {
    /// Reads the byte order mark.
    pub fn new(mut inner: R) -> io::Result<Self> {
        let mut start = Vec::with_capacity(3);
        inner.by_ref().take(2).read_to_end(&mut start)?;
        if start == [0xef, 0xbb] {
            inner.by_ref().take(1).read_to_end(&mut start)?;
        }
        let (encoding, mark) = encoding(&start);
        Ok(Self {
            inner,
            encoding,
            ready: start,
            taken: mark,
            pending: Vec::new(),
        })
    }

    /// Returns what the bytes were text in.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn transcode(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        // A chunk may end within a character and so decode to nothing.
        while self.ready.is_empty() {
            let chunk = self.inner.fill_buf()?;
            let (length, is_end) = (chunk.len(), chunk.is_empty());
            let mut bytes = std::mem::take(&mut self.pending);
            bytes.extend_from_slice(chunk);
            self.inner.consume(length);
            let (pairs, odd) = bytes.as_chunks::<2>();
            let encoding = self.encoding;
            let is_high = |pair: &[u8; 2]| (0xd800..0xdc00).contains(&unit(encoding, *pair));
            let held = usize::from(!is_end && pairs.last().is_some_and(is_high));
            let whole = &pairs[..pairs.len() - held];
            let decoded = char::decode_utf16(whole.iter().map(|&pair| unit(encoding, pair)))
                .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER));
            let tail = (!odd.is_empty() && is_end).then_some(char::REPLACEMENT_CHARACTER);
            let text: String = decoded.chain(tail).collect();
            self.ready.extend_from_slice(text.as_bytes());
            if is_end {
                return Ok(());
            }
            self.pending = bytes[2 * whole.len()..].to_vec();
        }
        Ok(())
    }
}

impl<R: BufRead> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.ready.len() {
            if self.encoding == Encoding::Utf8 {
                return self.inner.fill_buf();
            }
            self.transcode()?;
        }
        Ok(&self.ready[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        if self.taken == self.ready.len() && self.encoding == Encoding::Utf8 {
            self.inner.consume(count);
        } else {
            self.taken = (self.taken + count).min(self.ready.len());
        }
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn utf16(text: &str, encoding: Encoding) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(|unit| match encoding {
            Encoding::Utf16Be => unit.to_be_bytes(),
            Encoding::Utf16Le | Encoding::Utf8 => unit.to_le_bytes(),
        });
        let mark = if encoding == Encoding::Utf16Be {
            [0xfe, 0xff]
        } else {
            [0xff, 0xfe]
        };
        mark.into_iter().chain(units).collect()
    }

    fn streamed(bytes: &[u8], step: usize) -> String {
        let mut text = String::new();
        let inner = BufReader::with_capacity(step, bytes);
        Utf8::new(inner).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_mark_says_the_encoding_and_is_removed() {
        for bytes in [
            b"a\xc3\xa9".to_vec(),
            b"\xef\xbb\xbfa\xc3\xa9".to_vec(),
            utf16("aé", Encoding::Utf16Le),
            utf16("aé", Encoding::Utf16Be),
        ] {
            assert_eq!(decode(bytes.clone()).as_deref(), Ok("aé"));
            assert_eq!(streamed(&bytes, 1), "aé");
        }
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
    }

    #[test]
    fn an_invalid_byte_is_named_by_its_offset() {
        for (bytes, offset) in [
            (&b"ab\xff"[..], 2),
            (b"\xef\xbb\xbfab\xff", 5),
            (b"ab\xc3", 2),
            (b"\xff\xfea\0\0\xd8b\0", 4),
            (b"\xff\xfea\0b", 4),
            (b"\xfe\xff\xdc\0", 2),
        ] {
            let error = decode(bytes.to_vec()).unwrap_err();
            assert_eq!(error.offset, offset, "{bytes:?}");
        }
        let error = decode(b"a\xff".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "not UTF-8 text: byte 1 is invalid");
    }

    proptest! {
        #[test]
        fn a_stream_is_the_same_whatever_its_chunks_are(text in "\\PC{0,40}", step in 1_usize..9) {
            for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
                prop_assert_eq!(&streamed(&utf16(&text, encoding), step), &text);
            }
            prop_assert_eq!(&streamed(text.as_bytes(), step), &text);
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..40), step in 1_usize..9) {
            for mark in [[0xff, 0xfe], [0xfe, 0xff]] {
                bytes.splice(..0, mark);
                let _ = streamed(&bytes, step);
                let _ = decode(bytes.clone());
            }
        }
    }
}
