//! Which characters the bytes of a page or an XML file are.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Where a page says it.
const START_BYTES: usize = 4096;

/// Returns the text of a page, by its byte order mark, its own word, or its bytes, in this order.
pub fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(rest).0.into_owned();
    }
    let encoding = match declared(bytes) {
        // Bytes that are UTF-8 are hardly ever anything else, whatever an editor left in the page.
        Some(encoding) if encoding != UTF_8 && !is_utf8(bytes) => encoding,
        Some(encoding) if is_seven_bit_encoding(encoding) => encoding,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        Some(_) => UTF_8,
        None => WINDOWS_1252,
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Whether text in the encoding can be ASCII bytes that mean something else.
fn is_seven_bit_encoding(encoding: &'static Encoding) -> bool {
    !encoding.is_ascii_compatible()
        && encoding != encoding_rs::UTF_16LE
        && encoding != encoding_rs::UTF_16BE
}

fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// Returns what `charset=` or `encoding=` near the start names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes
        .get(..START_BYTES)
        .unwrap_or(bytes)
        .to_ascii_lowercase();
    ["charset", "encoding"].iter().find_map(|key| {
        let found = start
            .windows(key.len())
            .enumerate()
            .filter(|(_, word)| *word == key.as_bytes());
        found.into_iter().find_map(|(at, _)| {
            let rest = start.get(at + key.len()..)?;
            let rest = rest
                .trim_ascii_start()
                .strip_prefix(b"=")?
                .trim_ascii_start();
            let rest = rest
                .strip_prefix(b"\"")
                .or(rest.strip_prefix(b"'"))
                .unwrap_or(rest);
            let length = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_:".contains(byte))
                .count();
            Encoding::for_label(rest.get(..length)?)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_page_says_its_charset() {
        for (bytes, expected) in [
            (&b"<meta charset=iso-8859-1>\xe9"[..], "é"),
            (b"<meta charset='windows-1251'>\xe9", "й"),
            (b"<meta http-equiv=Content-Type content=\"text/html; charset = Shift_JIS\">\x82\xa0", "あ"),
            (b"<?xml version='1.0' encoding='iso-8859-15'?>\xa4", "€"),
            (b"<meta charset=utf-8>\xc3\xa9", "é"),
            (b"<meta charset=latin1>\xc3\xa9", "é"),
            (b"\xe9 without a word", "é without a word"),
            (b"\xff\xfee\x00\xe9\x00", "eé"),
            (b"\xef\xbb\xbf\xc3\xa9", "é"),
            (b"<meta charset=nonsense>\xc3\xa9", "é"),
            (b"<meta charset=utf-8>\xff", "\u{fffd}"),
        ] {
            let decoded = decode(bytes);
            assert!(decoded.ends_with(expected), "{decoded:?} does not end with {expected:?}");
            assert!(!decoded.starts_with('\u{feff}'), "{decoded:?}");
        }
    }
}
