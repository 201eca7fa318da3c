//! Labels from paths and identifiers of other services, which may hold anything.

#[cfg(feature = "files")]
use synix_plugin::label::is_refused;

/// The most characters of a label, as the contract has it.
#[cfg(feature = "files")]
pub const MAX_CHARS: usize = 512;
/// Characters of a digest that keeps two labels apart.
#[cfg(feature = "files")]
const DIGEST_CHARS: usize = 13;

/// Makes a label of a text: at most 512 characters, none of them invisible.
///
/// A text that is a label already stays as it is. Any other one is changed and ends with a digest of the whole text, so
/// that two texts never become one label, and one text becomes the same label always.
#[cfg(feature = "files")]
pub fn safe(text: &str) -> String {
    shortened(text, MAX_CHARS)
}

/// Makes a label as [`safe`] does, and leaves room for an ending of so many characters, such as `-001`.
#[cfg(feature = "files")]
pub fn with_room(text: &str, ending: usize) -> String {
    shortened(text, MAX_CHARS.saturating_sub(ending))
}

/// Removes the extension of a path; a name that begins with a dot has none.
pub fn without_extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].rfind('.') {
        None | Some(0) => path,
        Some(dot) => &path[..name + dot],
    }
}

#[cfg(feature = "files")]
fn shortened(text: &str, most: usize) -> String {
    let is_label =
        !text.is_empty() && !text.chars().any(is_refused) && text.chars().nth(most).is_none();
    if is_label {
        return text.to_owned();
    }
    let visible = text.chars().map(|character| match character {
        character if character.is_control() => ' ',
        character => character,
    });
    let kept: String = visible
        .filter(|&character| !is_refused(character))
        .take(most.saturating_sub(DIGEST_CHARS))
        .collect();
    let kept = kept.trim();
    let digest = digest(text);
    if kept.is_empty() {
        return format!("{digest:012x}");
    }
    format!("{kept}-{digest:012x}")
}

/// 48 bits of FNV-1a: labels of one layer are told apart, nobody is kept out.
#[cfg(feature = "files")]
fn digest(text: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 48)) & 0xffff_ffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_a_label_stays_as_it_is() {
        for text in ["a", "2026/jan", " x ", "Ärger – 日本", &"é".repeat(512)] {
            assert_eq!(safe(text), text);
        }
    }

    #[test]
    fn any_text_becomes_a_label_of_its_own() {
        let long = "x".repeat(600);
        let other = format!("{long}y");
        let texts = ["", "a\nb", "a\rb", "a b\u{200b}", "\u{feff}", &long, &other];
        let labels: Vec<String> = texts.iter().map(|text| safe(text)).collect();
        for (at, label) in labels.iter().enumerate() {
            assert!((1..=512).contains(&label.chars().count()), "{label}");
            assert!(!label.chars().any(is_refused), "{label:?}");
            assert!(!labels[..at].contains(label), "{label}");
        }
        assert_eq!(safe("a\nb"), "a b-b119041503ce");
    }

    #[test]
    fn an_ending_has_room() {
        let label = with_room(&"x".repeat(600), 10);
        assert_eq!(label.chars().count(), 502);
    }

    #[test]
    fn an_extension_is_what_follows_the_last_dot_of_the_name() {
        for (path, without) in [
            ("a/b.c/d.tar.gz", "a/b.c/d.tar"),
            ("a.b/c", "a.b/c"),
            ("a/.b", "a/.b"),
            (".b.md", ".b"),
            ("", ""),
        ] {
            assert_eq!(without_extension(path), without);
        }
    }
}
