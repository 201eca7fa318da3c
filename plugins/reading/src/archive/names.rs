//! The names of entries: as text, and whether they are worth reading.

use std::borrow::Cow;

/// What code page 437 has for the bytes from 0x80, in which zips without Unicode have their names.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// What to do with an entry of that name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Read,
    /// The operating system put it there.
    Ignore,
    /// It would lead out of the folder that the archive is unpacked to.
    Refuse,
}

/// Decodes a name, with `/` as the separator.
pub(super) fn decode(name: &[u8]) -> String {
    let text: Cow<'_, str> = match std::str::from_utf8(name) {
        Ok(text) => text.into(),
        Err(_) => name.iter().map(|&byte| from_437(byte)).collect(),
    };
    text.replace('\\', "/")
}

fn from_437(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(place) => CODE_PAGE_437
            .chars()
            .nth(place.into())
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// Judges a decoded name.
pub(super) fn judge(name: &str) -> Verdict {
    let has_drive = matches!(name.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic());
    let leads_out = name.starts_with('/') || has_drive || name.split('/').any(|part| part == "..");
    if leads_out || name.is_empty() || name.contains('\0') {
        return Verdict::Refuse;
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let is_system = name.split('/').any(|part| part == "__MACOSX")
        || last.starts_with("._")
        || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini");
    if is_system {
        Verdict::Ignore
    } else {
        Verdict::Read
    }
}

/// Returns whether a name has an extension, in upper or lower case.
pub(super) fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_unicode_is_in_code_page_437() {
        assert_eq!(decode(b"caf\x82\\menu.txt"), "café/menu.txt");
        assert_eq!(decode("café".as_bytes()), "café");
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(decode(b"\xff"), "\u{a0}");
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in [
            "../a",
            "a/../b",
            "/a",
            "C:/a",
            "c:a",
            "..",
            "",
            "a\0b",
            &decode(b"..\\a"),
        ] {
            assert_eq!(judge(name), Verdict::Refuse, "{name:?}");
        }
        for name in ["a..b/c", "...", "a/b.json"] {
            assert_eq!(judge(name), Verdict::Read, "{name:?}");
        }
    }

    #[test]
    fn what_the_system_put_there_is_ignored() {
        for name in [
            "__MACOSX/._a.json",
            "a/__MACOSX/b",
            "a/._b.json",
            "a/.DS_Store",
        ] {
            assert_eq!(judge(name), Verdict::Ignore, "{name:?}");
        }
    }
}
