//! The name of a file for a label: it cannot leave its folder, and it is the same on every file system.
//!
//! The name depends on the label alone, so a release never renames a file because of another one. Two labels never have
//! the same name, not even where case does not count or characters are normalised: a label that some file system would
//! change gets a part of its digest.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use synix_core::device_name::is_device_name;
use synix_core::digest::Digest;

/// The maximum length of a label that is a name as it is. Path names on Windows have at most 260 characters.
const MAX_PLAIN_BYTES: usize = 90;

/// The maximum length of what remains of another label.
const MAX_REMAINDER_BYTES: usize = 60;

/// The digits of the digest in a name.
const DIGITS: usize = 16;

/// Separates the digest. No label that is a name as it is contains it.
const MARK: char = '~';

/// Returns the name of the file of a label, without an extension.
///
/// ```
/// use synix_release::file_name;
///
/// assert_eq!(file_name("chatgpt-42"), "chatgpt-42");
/// assert_eq!(file_name("../etc/passwd"), "etc-passwd~7fef78f53440346c");
/// ```
pub fn file_name(label: &str) -> String {
    if is_plain(label) {
        return label.to_owned();
    }
    let digest = Digest::of(label.as_bytes()).to_string();
    format!("{}{MARK}{}", remainder(label), &digest[..DIGITS])
}

/// Returns whether every file system has the label as a name, and as no other label's.
fn is_plain(label: &str) -> bool {
    label.len() <= MAX_PLAIN_BYTES
        && label.starts_with(|c: char| is_kept(c) && c.is_alphanumeric())
        && label.chars().all(is_kept)
        && !label.ends_with('.')
        && !is_device_name(label)
        && is_stable(label)
}

fn is_kept(character: char) -> bool {
    matches!(character, 'a'..='z' | '0'..='9' | '-' | '_' | '.')
        || (!character.is_ascii() && character.is_alphanumeric())
}

/// Returns whether neither normalisation nor folding of case changes a text.
fn is_stable(text: &str) -> bool {
    if text.is_ascii() {
        return !text.bytes().any(|byte| byte.is_ascii_uppercase());
    }
    let folded = |c: char| c.to_uppercase().flat_map(char::to_lowercase).eq([c]);
    text.chars().all(folded)
        && ComposingNormalizerBorrowed::new_nfc().normalize(text) == Cow::Borrowed(text)
        && DecomposingNormalizerBorrowed::new_nfd().normalize(text) == Cow::Borrowed(text)
}

/// Returns what people can recognise the label by.
fn remainder(label: &str) -> String {
    let mut kept = String::new();
    for character in label.chars() {
        let is_readable = character.is_ascii_uppercase()
            || (is_kept(character) && is_stable(character.encode_utf8(&mut [0; 4])));
        let character = if is_readable { character } else { '-' };
        let repeats = matches!(character, '-' | '.') && kept.ends_with(['-', '.']);
        if repeats || (kept.is_empty() && !character.is_alphanumeric()) {
            continue;
        }
        if kept.len() + character.len_utf8() > MAX_REMAINDER_BYTES {
            break;
        }
        kept.push(character);
    }
    // Characters that are stable one by one may combine.
    if !is_stable(&kept.to_ascii_lowercase()) {
        kept.retain(|character| character.is_ascii());
    }
    if is_device_name(&kept) {
        kept = kept.replace('.', "-");
    }
    let kept = kept.trim_matches(['-', '.', '_']);
    if kept.is_empty() {
        "artifact".to_owned()
    } else {
        kept.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    /// Returns what a file system makes of a name that distinguishes neither case nor normal forms.
    fn blurred(name: &str) -> String {
        let upper = name.to_uppercase().to_lowercase().to_uppercase();
        ComposingNormalizerBorrowed::new_nfc()
            .normalize(&upper)
            .into_owned()
    }

    fn assert_safe(label: &str) {
        let name = file_name(label);
        let mut parts = Path::new(&name).components();
        assert!(
            matches!(
                (parts.next(), parts.next()),
                (Some(Component::Normal(_)), None)
            ),
            "{label:?}: {name:?}"
        );
        assert!(name.len() <= 100, "{name}");
        assert!(
            !is_device_name(&name) && !is_device_name(&format!("{name}.md")),
            "{name}"
        );
        assert!(!name.starts_with(['.', '-', '~', ' ']), "{name}");
        assert!(!name.ends_with(['.', ' ']), "{name}");
        let forbidden = |c: char| c.is_control() || "<>:\"/\\|?*".contains(c);
        assert!(!name.contains(forbidden), "{name}");
    }

    #[test]
    fn ordinary_labels_are_names_as_they_are() {
        for label in [
            "a",
            "chatgpt-6749a1b2",
            "2024-05",
            "v1.2_x",
            "写真",
            "заметки",
        ] {
            assert_eq!(file_name(label), label);
        }
    }

    #[test]
    fn what_remains_of_a_label_is_readable() {
        for (label, start) in [
            ("Ann Lee", "Ann-Lee~"),
            ("../../etc/passwd", "etc-passwd~"),
            ("con", "con~"),
            ("con.foo", "con-foo~"),
            ("...", "artifact~"),
            ("a.", "a~"),
            ("C:\\x", "C-x~"),
            ("caf\u{e9}", "caf~"),
            ("\u{202e}abc", "abc~"),
        ] {
            let name = file_name(label);
            assert!(name.starts_with(start), "{label}: {name}");
            assert_eq!(name.len(), start.len() + DIGITS, "{name}");
            assert_safe(label);
        }
        assert!(file_name(&"x".repeat(300)).len() < 100);
        // The name depends on nothing but the label, also in later versions.
        assert_eq!(file_name("Ann"), "Ann~17239b6e25011033");
    }

    #[test]
    fn twins_have_names_that_no_file_system_confuses() {
        for (one, other) in [
            ("ann", "Ann"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("stra\u{df}e", "strasse"),
            ("\u{3c3}\u{3b1}\u{3c2}", "\u{3c3}\u{3b1}\u{3c3}"),
            ("a b", "a-b"),
            ("a/b", "a\\b"),
            ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
            ("\u{212a}", "k"),
        ] {
            assert_ne!(blurred(&file_name(one)), blurred(&file_name(other)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_label_has_a_safe_name(label in "\\PC{1,300}") {
            assert_safe(&label);
        }

        #[test]
        fn no_two_labels_share_a_name(
            one in "[aAbB.~ \u{e9}e\u{301}\u{df}s\u{3c3}\u{3c2}\u{130}i\u{131}-]{1,4}",
            other in "[aAbB.~ \u{e9}e\u{301}\u{df}s\u{3c3}\u{3c2}\u{130}i\u{131}-]{1,4}",
        ) {
            prop_assume!(one != other);
            prop_assert_ne!(blurred(&file_name(&one)), blurred(&file_name(&other)));
        }
    }
}
