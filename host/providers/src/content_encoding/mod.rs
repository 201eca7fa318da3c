//! Content encodings: replies that were compressed, or converted to UTF-16, on their way.
//!
//! synix requests none of them. Some proxies apply them anyway, with or
//! without the header that names them.

mod utf16;

use std::io::{self, Read};

use brotli_decompressor::Decompressor;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use utf16::Utf16Reader;

/// The size of the buffers.
const CHUNK_BYTES: usize = 1 << 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentEncoding {
    Gzip,
    Zlib,
    Deflate,
    Brotli,
    Utf16Le,
    Utf16Be,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// The bytes are not valid in this encoding, or end too early.
    #[error("{name} that cannot be decoded ({reason})")]
    Malformed { name: &'static str, reason: String },
    #[error("the content encoding {0:?}, which synix does not support")]
    Unknown(String),
    #[error("more than {0} decoded bytes")]
    TooLong(u64),
    #[error("the decoded bytes cannot be written")]
    Sink(#[source] io::Error),
}

impl ContentEncoding {
    /// Detects an encoding by its magic number or byte order mark.
    pub(super) fn detect(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // No UTF-8 text starts with these bytes.
            [0xff, 0xfe, ..] => Some(Self::Utf16Le),
            [0xfe, 0xff, ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Reads the header `content-encoding`; `None` if the bytes are not encoded.
    pub(super) fn from_header(header: &str, start: &[u8]) -> Result<Option<Self>, DecodeError> {
        let mut names = header.split(',').map(str::trim).filter(|name| {
            let unencoded = ["", "identity", "none", "utf-8", "aws-chunked"];
            !unencoded
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        });
        let Some(name) = names.next_back() else {
            return Ok(None);
        };
        Ok(Some(match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::Gzip,
            // RFC 9110 defines `deflate` as zlib, but some servers send a raw deflate stream.
            "deflate" if is_zlib(start) => Self::Zlib,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            _ => return Err(DecodeError::Unknown(name.chars().take(40).collect())),
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

    /// Decodes what `reader` yields, and passes at most `max_bytes` to `sink`.
    pub(super) fn decode_to(
        self,
        reader: impl Read,
        max_bytes: u64,
        mut sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), DecodeError> {
        let mut decoder: Box<dyn Read + '_> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(reader)),
            Self::Zlib => Box::new(ZlibDecoder::new(reader)),
            Self::Deflate => Box::new(DeflateDecoder::new(reader)),
            Self::Brotli => Box::new(Decompressor::new(reader, CHUNK_BYTES)),
            Self::Utf16Le => Box::new(Utf16Reader::new(reader, u16::from_le_bytes)),
            Self::Utf16Be => Box::new(Utf16Reader::new(reader, u16::from_be_bytes)),
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut decoded = 0_u64;
        loop {
            let read = match decoder.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(DecodeError::Malformed {
                        name: self.name(),
                        reason: error.to_string(),
                    });
                }
            };
            decoded += read as u64;
            if decoded > max_bytes {
                return Err(DecodeError::TooLong(max_bytes));
            }
            sink(&chunk[..read]).map_err(DecodeError::Sink)?;
        }
    }
}

/// Decodes a reply in memory; `header` is its `content-encoding`.
pub(super) fn decode(
    mut bytes: Vec<u8>,
    header: &str,
    max_bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    /// Two proxies in a row may both encode the reply.
    const MAX_LAYERS: usize = 2;
    let mut encoding = match ContentEncoding::from_header(header, &bytes) {
        // Some servers send this header with plain JSON.
        Ok(Some(ContentEncoding::Gzip))
            if ContentEncoding::detect(&bytes) != Some(ContentEncoding::Gzip)
                && is_json(&bytes) =>
        {
            None
        }
        Ok(Some(encoding)) => Some(encoding),
        Ok(None) => ContentEncoding::detect(&bytes),
        Err(_) if is_json(&bytes) => None,
        Err(unknown) => return Err(unknown),
    };
    for _ in 0..MAX_LAYERS {
        let Some(found) = encoding else {
            break;
        };
        let mut decoded = Vec::new();
        found.decode_to(bytes.as_slice(), max_bytes as u64, |chunk| {
            decoded.extend_from_slice(chunk);
            Ok(())
        })?;
        bytes = decoded;
        encoding = ContentEncoding::detect(&bytes);
    }
    Ok(bytes)
}

/// Returns whether bytes start like a JSON document.
fn is_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

/// Returns whether bytes start with the header of RFC 1950.
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = br#"{"text":"Hello, hello, hello"}"#;
    const MAX_BYTES: usize = 1 << 20;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::best());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn decoded(bytes: &[u8], header: &str) -> Vec<u8> {
        decode(bytes.to_vec(), header, MAX_BYTES).unwrap()
    }

    /// X3
    #[test]
    fn gzip_and_deflate_are_decoded() {
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
    fn brotli_is_decoded() {
        // The output of `brotli` for "hello": an uncompressed block.
        let coded = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        assert_eq!(decoded(&coded, "br"), b"hello");
    }

    #[test]
    fn utf_16_with_a_byte_order_mark_is_decoded() {
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
    fn plain_json_is_kept_whatever_the_header_says() {
        for header in ["", "identity", "gzip", "zstd"] {
            assert_eq!(decoded(TEXT, header), TEXT, "{header}");
        }
    }

    #[test]
    fn an_invalid_encoding_is_reported() {
        let cut = &gzip(TEXT)[..20];
        let error = decode(cut.to_vec(), "gzip", MAX_BYTES).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("gzip that cannot be decoded (")
        );
        let error = decode(b"\x28\xb5\x2f\xfd".to_vec(), "zstd", MAX_BYTES).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the content encoding \"zstd\", which synix does not support"
        );
    }

    /// C: a few compressed bytes cannot fill the memory.
    #[test]
    fn a_decompression_bomb_is_limited() {
        let bomb = gzip(&vec![b' '; 8 << 20]);
        assert!(bomb.len() < 20_000);
        let error = decode(bomb, "gzip", MAX_BYTES).unwrap_err();
        assert!(matches!(error, DecodeError::TooLong(_)));
    }
}
