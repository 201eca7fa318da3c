//! Where objects are in the store.

/// The namespace of a URL that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// The folders of a namespace, which a namespace cannot contain.
const FOLDERS: [&str; 3] = ["answers", "claims", "holders"];

/// Returns whether a text can name a namespace: segments separated by `/`, at most 128 bytes in all.
///
/// A segment has ASCII letters, digits, `-`, `_` and `.`, does not begin with `.`, and is not the name of a folder of the
/// layout.
pub fn is_namespace(text: &str) -> bool {
    text.len() <= 128 && text.split('/').all(is_segment)
}

fn is_segment(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty()
        && text.bytes().all(is_allowed)
        && !text.starts_with('.')
        && !FOLDERS.contains(&text)
}
