//! Accents that a program draws as glyphs of their own, as TeX does with its old fonts: `st¨oren` is `stören`.

/// For each accent, letters and what they become.
const COMPOSED: [(char, &str); 6] = [
    ('¨', "aäeëiïoöuüyÿıïAÄEËIÏOÖUÜ"),
    ('´', "aáeéiíoóuúyýcćnńsśzźıíAÁEÉIÍOÓUÚYÝCĆNŃSŚZŹ"),
    ('ˆ', "aâeêiîoôuûıîAÂEÊIÎOÔUÛ"),
    ('˜', "aãnñoõAÃNÑOÕ"),
    ('ˇ', "cčdďeěnňrřsšzžCČDĎEĚNŇRŘSŠZŽ"),
    ('˚', "aåuůAÅUŮ"),
];

/// Appends the text of a glyph, whose first letter an accent before it may change.
pub(super) fn push(line: &mut String, text: &str) {
    let composed = line.chars().next_back().and_then(|accent| {
        let letter = text.chars().next()?;
        Some((accent, letter, compose(accent, letter)?))
    });
    match composed {
        Some((accent, letter, composed)) => {
            line.truncate(line.len() - accent.len_utf8());
            line.push(composed);
            line.push_str(&text[letter.len_utf8()..]);
        }
        None => line.push_str(text),
    }
}

fn compose(accent: char, letter: char) -> Option<char> {
    let (_, pairs) = COMPOSED.iter().find(|(own, _)| *own == accent)?;
    let mut pairs = pairs.chars();
    while let (Some(base), Some(composed)) = (pairs.next(), pairs.next()) {
        if base == letter {
            return Some(composed);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accent_and_its_letter_are_one_character() {
        for (glyphs, expected) in [
            (&["st", "¨", "oren"][..], "stören"),
            (&["´", "Etude, na", "¨", "ı", "ve"], "Étude, naïve"),
            (&["a ˜", "b", "¨ ", "o", "¨", ""], "a ˜b¨ o¨"),
        ] {
            let mut line = String::new();
            for glyph in glyphs {
                push(&mut line, glyph);
            }
            assert_eq!(line, expected);
        }
    }
}
