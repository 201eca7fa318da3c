//! Names from answers and configs in error messages.

use std::fmt::Write as _;

/// The maximum number of members in an error.
const SHOWN_MEMBERS: usize = 12;
/// The maximum number of characters of a name or an answer in an error.
pub(super) const SHOWN_CHARS: usize = 60;

/// Returns whether a character is invisible or changes the direction of text.
pub(super) const fn is_invisible(one: char) -> bool {
    matches!(
        one,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns a list of the existing names.
pub(crate) fn names_there<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    match names.as_slice() {
        [] => "it has none".to_owned(),
        [one] => format!("it has {one}"),
        [first @ .., last] if names.len() <= SHOWN_MEMBERS => {
            format!("it has {} and {last}", first.join(", "))
        }
        many => format!(
            "it has {} and {} more",
            many[..SHOWN_MEMBERS].join(", "),
            many.len() - SHOWN_MEMBERS
        ),
    }
}

/// Quotes an untrusted name.
pub(crate) fn quoted(name: &str) -> String {
    let mut shown = String::from("`");
    for one in name.chars().take(SHOWN_CHARS) {
        if one.is_control() || is_invisible(one) {
            let _ = write!(shown, "{}", one.escape_default());
        } else {
            shown.push(one);
        }
    }
    if name.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown.push('`');
    shown
}
