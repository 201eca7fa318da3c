//! Names from answers and configs in error messages.

use std::fmt::Write as _;

use crate::label::is_refused;

/// The maximum number of members in an error.
const SHOWN_MEMBERS: usize = 12;
/// The maximum number of characters of a name or an answer in an error.
pub(super) const SHOWN_CHARS: usize = 60;

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
        if is_refused(one) {
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
