//! The normal form of a text, and the shingles by which two are compared.

/// The number of characters in a shingle.
const SHINGLE: u32 = 5;
/// The number of bits for a character.
const CHARACTER_BITS: u32 = 21;
const WINDOW: u128 = (1 << (SHINGLE * CHARACTER_BITS)) - 1;

/// Returns a text in lower case, with one space for each run of white space and none at the ends.
pub(crate) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        if word.is_ascii() {
            let start = normal.len();
            normal.push_str(word);
            normal[start..].make_ascii_lowercase();
        } else {
            normal.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    normal
}

/// Calls `give` with a digest of each five consecutive characters of a normal form; a shorter text is one shingle.
pub(crate) fn shingles(normal: &str, mut give: impl FnMut(u64)) {
    let mut window = 0_u128;
    let mut length = 0;
    for character in normal.chars() {
        window = (window << CHARACTER_BITS | u128::from(u32::from(character) + 1)) & WINDOW;
        length += 1;
        if length >= SHINGLE {
            give(digest(window));
        }
    }
    if length < SHINGLE {
        give(digest(window));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the high half goes in as well"
)]
const fn digest(window: u128) -> u64 {
    mix(window as u64 ^ mix((window >> 64) as u64))
}

/// Mixes the bits of a number; different numbers remain different.
pub(crate) const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_form_differs_only_where_more_than_case_and_white_space_does() {
        assert_eq!(
            normal(" Die  GRÖSSE\r\n\tZÄHLT. Ja "),
            "die grösse zählt. ja"
        );
        assert_eq!(normal(" \n"), "");
        assert_ne!(normal("1.5 m"), normal("15 m"));
    }

    fn all(normal: &str) -> Vec<u64> {
        let mut all = Vec::new();
        shingles(normal, |digest| all.push(digest));
        all
    }

    #[test]
    fn every_five_characters_in_a_row_are_a_shingle() {
        assert_eq!(all("abcdefg").len(), 3);
        assert_eq!(all("abcdefg")[1..], all("bcdefg"));
        assert_eq!(all("漢字").len(), 1);
        assert_ne!(all("a"), all("b"));
        assert_eq!(all("").len(), 1);
        assert_ne!(all(""), all("a"));
    }
}
