//! Which characters need other treatment than words between spaces.

/// Returns whether a character belongs to a script that has no spaces between words, or to Korean.
pub(crate) const fn is_spaceless(character: char) -> bool {
    !is_mark(character)
        && matches!(character,
            '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e46}' // Thai
            | '\u{e81}'..='\u{ec6}' | '\u{edc}'..='\u{edf}' // Lao
            | '\u{1000}'..='\u{103f}' | '\u{1050}'..='\u{108f}' // Burmese
            | '\u{1780}'..='\u{17b3}' // Khmer
            | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303c}'
            | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' // Hiragana
            | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // Katakana
            | '\u{3105}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' // Bopomofo
            | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7a3}' // Korean
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Chinese characters
            | '\u{ff66}'..='\u{ff9d}' // Katakana of half the width
            | '\u{20000}'..='\u{323af}')
}

/// Returns whether a character is a vowel sign or a tone mark in a script without spaces. Words are compared without
/// them, as the tokenizer compares Latin words without accents.
pub(crate) const fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}'
        | '\u{102b}'..='\u{103e}' | '\u{1056}'..='\u{1059}' | '\u{105e}'..='\u{1060}' | '\u{1062}'..='\u{1064}'
        | '\u{1067}'..='\u{106d}' | '\u{1071}'..='\u{1074}' | '\u{1082}'..='\u{108d}' | '\u{108f}'
        | '\u{17b4}'..='\u{17d3}' | '\u{17dd}')
}

/// Returns whether a character is a symbol that is a word of its own, such as an emoji.
pub(crate) const fn is_symbol(character: char) -> bool {
    matches!(character,
        '\u{a6}' | '\u{a9}' | '\u{ae}' | '\u{b0}' | '\u{2100}'..='\u{214f}' | '\u{2190}'..='\u{245f}'
        | '\u{249c}'..='\u{24e9}' | '\u{2500}'..='\u{2bff}' | '\u{3200}'..='\u{33ff}' | '\u{4dc0}'..='\u{4dff}'
        | '\u{1d000}'..='\u{1d1ff}' | '\u{1f000}'..='\u{1faff}')
}
