//! The normal form of a text, and the shingles by which two are compared.

/// Characters in a shingle.
const SHINGLE: usize = 5;

/// Returns a text in lower case with one space for each run of white space, and none around it.
pub(crate) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.chars().flat_map(char::to_lowercase));
    }
    normal
}

/// Returns a digest of each five characters in a row of a normal form; a shorter one is one shingle.
///
/// Of shingles that are equal the second counts as another, so that a text is not like the same text ten times over.
pub(crate) fn shingles(normal: &str) -> Vec<u64> {
    let mut ring = [0_u64; SHINGLE];
    let mut digests = Vec::with_capacity(normal.len());
    let mut length = 0;
    for character in normal.chars() {
        ring.rotate_left(1);
        ring[SHINGLE - 1] = u64::from(character) + 1;
        length += 1;
        if length >= SHINGLE {
            digests.push(ring.iter().fold(0, |digest, &one| mix(digest ^ one)));
        }
    }
    if digests.is_empty() {
        digests.push(ring.iter().fold(0, |digest, &one| mix(digest ^ one)));
    }
    digests.sort_unstable();
    let (mut last, mut times) = (None, 0_u64);
    for digest in &mut digests {
        times = if last == Some(*digest) { times + 1 } else { 0 };
        last = Some(*digest);
        if times > 0 {
            *digest = mix(digest.wrapping_add(times));
        }
    }
    digests
}

/// Spreads the bits of a number over all of it; different numbers stay different.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_form_differs_only_where_more_than_case_and_white_space_does() {
        assert_eq!(normal(" Die  GRÖSSE\r\n\tzählt. "), "die grösse zählt.");
        assert_eq!(normal(" \n"), "");
        assert_ne!(normal("1.5 m"), normal("15 m"));
    }

    #[test]
    fn every_five_characters_in_a_row_are_a_shingle() {
        assert_eq!(shingles("abcdefg").len(), 3);
        assert_eq!(shingles("漢字").len(), 1);
        assert_eq!(shingles("").len(), 1);
        assert_ne!(shingles("a"), shingles("b"));
        assert_ne!(shingles(""), shingles("a"));
    }

    #[test]
    fn shingles_that_are_repeated_count_each_time() {
        let mut of_ten = shingles(&"a".repeat(10));
        let of_seven = shingles(&"a".repeat(7));
        assert_eq!((of_ten.len(), of_seven.len()), (6, 3));
        assert!(of_seven.iter().all(|one| of_ten.contains(one)));
        of_ten.sort_unstable();
        of_ten.dedup();
        assert_eq!(of_ten.len(), 6);
    }
}
