//! Labels, which are the same in each export.

use synix_reading::label;

/// Characters that are kept free for what follows the label of a conversation in those of its pieces.
const ROOM: usize = 16;

/// Makes the label of an artifact. `suffix` tells the pieces of a conversation apart.
pub(crate) fn label(prefix: &str, id: &str, suffix: &str) -> String {
    let mut label = label::with_room(&format!("{prefix}-{id}"), ROOM);
    label.push_str(suffix);
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_identifier_makes_a_label_that_the_host_accepts() {
        for id in ["a\u{202e}\n", &"x".repeat(5000), ""] {
            let label = label("chatgpt", id, "-2026-01-01");
            assert!(label.chars().count() <= 512, "{label}");
            assert!(
                label.starts_with("chatgpt-") && label.ends_with("-2026-01-01"),
                "{label}"
            );
            assert!(!label.contains(['\n', '\u{202e}']), "{label}");
        }
        assert_eq!(super::label("claude", "0a-1", ""), "claude-0a-1");
    }
}
