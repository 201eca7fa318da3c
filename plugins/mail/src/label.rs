//! Labels from the names of messages, which may hold anything.

use sha2::{Digest as _, Sha256};

/// The most characters of a name that are kept.
const NAME_CHARS: usize = 200;

/// Returns the label for a name: the name itself where it is harmless, else what is left of it and its digest.
pub(crate) fn label(prefix: &str, name: &str) -> String {
    let harmless = |char: char| char.is_ascii_alphanumeric() || "@._+=-$%!~".contains(char);
    let kept: String = name
        .chars()
        .take(NAME_CHARS)
        .map(|char| if harmless(char) { char } else { '-' })
        .collect();
    if kept == name && !name.is_empty() {
        return format!("{prefix}-{name}");
    }
    format!("{prefix}-{kept}-{}", digest(name.as_bytes()))
}

/// Returns the first digits of a digest.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_name_becomes_a_label_that_no_other_name_has() {
        assert_eq!(
            label("mail", "CA+x_1@mail.gmail.com"),
            "mail-CA+x_1@mail.gmail.com"
        );
        let (one, other) = (label("mail", "a/b@c"), label("mail", "a:b@c"));
        assert!(
            one.starts_with("mail-a-b@c-") && one != other,
            "{one} {other}"
        );
        let long = label("mail", &"x".repeat(5000));
        assert!(long.chars().count() < 300);
        assert!(
            !label("mail", "a\u{202e}\n\u{0}b").contains(|char: char| !char.is_ascii_graphic())
        );
    }
}
