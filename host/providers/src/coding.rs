//! Content codings: bytes that were compressed or written in UTF-16 on their way.
//!
//! synix asks for none of them. Some proxies send them all the same, with or
//! without the header that says so.

use std::io::{self, Read};

use brotli_decompressor::Decompressor;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Bytes handed on at once.
const PIECE: usize = 1 << 16;

/// A coding that can be taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Utf16Le,
    Utf16Be,
}

/// Why a coding could not be taken off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Coded {
    /// What came is not what the coding allows, or breaks off.
    #[error("{name} that does not decode ({reason})")]
    Broken {
        /// The coding.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A coding that synix does not know.
    #[error("the content coding {0:?}, which synix does not read")]
    Unknown(String),
    /// More bytes than are taken.
    #[error("more than {0} bytes once it is decoded")]
    TooLong(u64),
    /// What was decoded could not be handed on.
    #[error("it cannot be kept")]
    Kept(#[source] io::Error),
}

impl Coding {
    /// Returns how bytes that start like this are coded, where a mark says so.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // Text never starts so, nor does JSON.
            [0xff, 0xfe, ..] => Some(Self::Utf16Le),
            [0xfe, 0xff, ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Returns what a header calls a coding; `None` for none.
    pub(super) fn named(header: &str, start: &[u8]) -> Result<Option<Self>, Coded> {
        let mut names = header.split(',').map(str::trim).filter(|name| {
            let plain = ["", "identity", "none", "utf-8", "aws-chunked"];
            !plain.iter().any(|plain| name.eq_ignore_ascii_case(plain))
        });
        let Some(name) = names.next_back() else {
            return Ok(None);
        };
        Ok(Some(match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::Gzip,
            // The standard means zlib by it, some servers do not.
            "deflate" if is_zlib(start) => Self::Zlib,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            _ => return Err(Coded::Unknown(name.chars().take(40).collect())),
        }))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib | Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
        }
    }

    /// Takes the coding off what `coded` gives, and hands at most `most` bytes to `take`.
    pub(super) fn take_off(
        self,
        coded: impl Read,
        most: u64,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Coded> {
        let mut reader: Box<dyn Read + '_> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(coded)),
            Self::Zlib => Box::new(ZlibDecoder::new(coded)),
            Self::Deflate => Box::new(DeflateDecoder::new(coded)),
            Self::Brotli => Box::new(Decompressor::new(coded, PIECE)),
            Self::Utf16Le => Box::new(Wide::new(coded, u16::from_le_bytes)),
            Self::Utf16Be => Box::new(Wide::new(coded, u16::from_be_bytes)),
        };
        let mut piece = vec![0; PIECE];
        let mut taken = 0_u64;
        loop {
            let read = match reader.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Coded::Broken {
                        name: self.name(),
                        reason: error.to_string(),
                    });
                }
            };
            taken += read as u64;
            if taken > most {
                return Err(Coded::TooLong(most));
            }
            take(&piece[..read]).map_err(Coded::Kept)?;
        }
    }
}

/// Takes every coding off a reply that is held in memory.
pub(super) fn plain(mut bytes: Vec<u8>, header: &str, most: usize) -> Result<Vec<u8>, Coded> {
    /// A proxy behind a proxy may code twice.
    const MOST_TIMES: usize = 2;
    let mut coding = match Coding::named(header, &bytes) {
        // Some servers say so of what is plain.
        Ok(Some(Coding::Gzip)) if Coding::of(&bytes) != Some(Coding::Gzip) && is_json(&bytes) => {
            None
        }
        Ok(Some(coding)) => Some(coding),
        Ok(None) => Coding::of(&bytes),
        Err(_) if is_json(&bytes) => None,
        Err(unknown) => return Err(unknown),
    };
    for _ in 0..MOST_TIMES {
        let Some(found) = coding else {
            break;
        };
        let mut decoded = Vec::new();
        found.take_off(bytes.as_slice(), most as u64, |piece| {
            decoded.extend_from_slice(piece);
            Ok(())
        })?;
        bytes = decoded;
        coding = Coding::of(&bytes);
    }
    Ok(bytes)
}

/// Returns whether bytes start as a document does.
fn is_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

/// Returns whether bytes have the head of RFC 1950.
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        _ => false,
    }
}

/// Reads UTF-16 as UTF-8; a half of a character becomes U+FFFD.
struct Wide<R> {
    coded: io::Bytes<io::BufReader<R>>,
    order: fn([u8; 2]) -> u16,
    /// A unit that was read too early.
    held: Option<u16>,
    ready: Vec<u8>,
    at: usize,
}

impl<R: Read> Wide<R> {
    fn new(coded: R, order: fn([u8; 2]) -> u16) -> Self {
        Self {
            coded: io::BufReader::with_capacity(PIECE, coded).bytes(),
            order,
            held: None,
            ready: Vec::new(),
            at: 0,
        }
    }

    fn unit(&mut self) -> io::Result<Option<u16>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let Some(first) = self.coded.next().transpose()? else {
            return Ok(None);
        };
        // An odd last byte is half of a unit.
        let second = self.coded.next().transpose()?;
        Ok(Some(
            second.map_or(0xfffd, |second| (self.order)([first, second])),
        ))
    }

    fn character(&mut self) -> io::Result<Option<char>> {
        let Some(unit) = self.unit()? else {
            return Ok(None);
        };
        let mark = char::REPLACEMENT_CHARACTER;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(Some(char::from_u32(u32::from(unit)).unwrap_or(mark)));
        }
        match self.unit()? {
            Some(low) if (0xdc00..0xe000).contains(&low) => {
                let mut pair = char::decode_utf16([unit, low]);
                Ok(Some(pair.next().and_then(Result::ok).unwrap_or(mark)))
            }
            other => {
                self.held = other;
                Ok(Some(mark))
            }
        }
    }
}

impl<R: Read> Read for Wide<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            while self.ready.len() < PIECE {
                let Some(character) = self.character()? else {
                    break;
                };
                let bytes = character.encode_utf8(&mut [0; 4]).len();
                let mut coded = [0; 4];
                character.encode_utf8(&mut coded);
                self.ready.extend_from_slice(&coded[..bytes]);
            }
        }
        let rest = &self.ready[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = br#"{"text":"Hello, hello, hello"}"#;
    const MOST: usize = 1 << 20;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::best());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn decoded(bytes: &[u8], header: &str) -> Vec<u8> {
        plain(bytes.to_vec(), header, MOST).unwrap()
    }

    /// X3
    #[test]
    fn gzip_and_deflate_are_taken_off() {
        assert_eq!(decoded(&gzip(TEXT), "gzip"), TEXT);
        assert_eq!(decoded(&gzip(TEXT), ""), TEXT);
        assert_eq!(decoded(&gzip(&gzip(TEXT)), "gzip, gzip"), TEXT);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(TEXT).unwrap();
        assert_eq!(decoded(&zlib.finish().unwrap(), "deflate"), TEXT);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(TEXT).unwrap();
        assert_eq!(decoded(&raw.finish().unwrap(), "Deflate"), TEXT);
    }

    #[test]
    fn brotli_is_taken_off() {
        // What `brotli` makes of "hello": a block that is stored as it is.
        let coded = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        assert_eq!(decoded(&coded, "br"), b"hello");
    }

    #[test]
    fn utf_16_is_taken_off_where_its_mark_says_so() {
        let text = "{\"a\":\"é\u{1f600}\"}";
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let expected = format!("\u{feff}{text}");
        assert_eq!(decoded(&little, ""), expected.as_bytes());
        assert_eq!(decoded(&big, ""), expected.as_bytes());
        let broken = [0xff, 0xfe, 0x3d, 0xd8, b'a', 0, b'b'];
        assert_eq!(decoded(&broken, ""), "\u{feff}\u{fffd}a\u{fffd}".as_bytes());
    }

    #[test]
    fn what_is_plain_stays_whatever_a_header_says() {
        for header in ["", "identity", "gzip", "zstd"] {
            assert_eq!(decoded(TEXT, header), TEXT, "{header}");
        }
    }

    #[test]
    fn what_does_not_decode_is_named() {
        let cut = &gzip(TEXT)[..20];
        let error = plain(cut.to_vec(), "gzip", MOST).unwrap_err();
        assert!(error.to_string().starts_with("gzip that does not decode ("));
        let error = plain(b"\x28\xb5\x2f\xfd".to_vec(), "zstd", MOST).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the content coding \"zstd\", which synix does not read"
        );
    }

    /// C: a few bytes do not become all of the memory.
    #[test]
    fn a_bomb_is_bounded() {
        let bomb = gzip(&vec![b' '; 8 << 20]);
        assert!(bomb.len() < 20_000);
        let error = plain(bomb, "gzip", MOST).unwrap_err();
        assert!(matches!(error, Coded::TooLong(_)));
    }
}
