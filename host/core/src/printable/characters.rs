//! Characters that a reader cannot see or that change how other text is shown.

/// Returns the first invisible character of a name: a control or format character.
///
/// Joiners (U+200C, U+200D) are accepted where a script or an emoji needs them, and variation selectors after a
/// character that they can modify. Elsewhere, two names that look the same could differ in them.
pub fn first_invisible(name: &str) -> Option<char> {
    let mut previous = None;
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied();
        let is_stray_selector = is_selector(character) && !accepts_selector(previous, next);
        if is_unsafe(character, previous, next) || is_stray_selector {
            return Some(character);
        }
        previous = Some(character);
    }
    None
}

/// Returns whether a character is invisible or affects other text, given its neighbours.
pub(super) fn is_unsafe(character: char, previous: Option<char>, next: Option<char>) -> bool {
    if character.is_control() {
        return true;
    }
    if matches!(character, '\u{200c}' | '\u{200d}') {
        let joins = |other: Option<char>| other.is_some_and(accepts_joiners);
        return !(joins(previous) && (joins(next) || previous.is_some_and(is_virama)));
    }
    is_invisible(character)
}

/// Invisible format characters (Cf), line separators and blank letters.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}'
    )
}

/// Scripts with joining letters, and emoji.
const fn accepts_joiners(character: char) -> bool {
    matches!(
        character,
        '\u{600}'..='\u{8ff}' // Arabic with Persian and Urdu, Syriac, N'Ko, Mandaic
            | '\u{900}'..='\u{dff}' // the scripts of India and Sri Lanka
            | '\u{1000}'..='\u{109f}' // Myanmar
            | '\u{1780}'..='\u{18af}' // Khmer, Mongolian
            | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}'
            | '\u{fe0f}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2190}'..='\u{2bff}'
            | '\u{1f000}'..='\u{1faff}'
    ) && !matches!(character, '\u{61c}' | '\u{180e}' | '\u{200c}' | '\u{200d}')
}

/// The sign of Indic scripts after which a joiner may also end a word.
const fn is_virama(character: char) -> bool {
    matches!(
        character,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
    )
}

const fn is_selector(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// Returns whether a variation selector may follow `previous`: a visible non-ASCII character, or the base of a keycap.
fn accepts_selector(previous: Option<char>, next: Option<char>) -> bool {
    match previous {
        Some('0'..='9' | '#' | '*') => next == Some('\u{20e3}'),
        Some(character) => {
            !character.is_ascii() && !is_selector(character) && !is_invisible(character)
        }
        None => false,
    }
}
