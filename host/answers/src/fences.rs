//! Finds the fenced blocks of an answer, as Markdown has them.
//!
//! A block begins after a line of at least three backticks or tildes, and ends before a line of at least as many of the
//! same, or at the end of the text. Words may follow the opening fence, such as `json`. Indentation does not matter.

/// The minimum number of characters of a fence.
const MIN_LENGTH: usize = 3;

/// A line that opens or closes a block.
struct Fence<'t> {
    character: char,
    length: usize,
    /// What follows it in its line.
    rest: &'t str,
}

impl<'t> Fence<'t> {
    fn of(line: &'t str) -> Option<Self> {
        let line = line.trim();
        let character = line
            .chars()
            .next()
            .filter(|first| matches!(first, '`' | '~'))?;
        let rest = line.trim_start_matches(character);
        let length = line.len() - rest.len();
        (length >= MIN_LENGTH).then_some(Self {
            character,
            length,
            rest,
        })
    }

    /// Backticks later in the line make it a line of text with code in it.
    fn opens(&self) -> bool {
        !(self.character == '`' && self.rest.contains('`'))
    }

    fn closes(&self, open: &Self) -> bool {
        self.character == open.character && self.length >= open.length && self.rest.is_empty()
    }
}

/// Returns the contents of the fenced blocks of a text.
pub(crate) fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    // The fence of the open block, and where its content begins.
    let mut open: Option<(Fence<'_>, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let fence = Fence::of(line);
        match (&open, fence) {
            (Some((opening, content)), Some(fence)) if fence.closes(opening) => {
                blocks.push(&text[*content..start]);
                open = None;
            }
            (None, Some(fence)) if fence.opens() => open = Some((fence, at)),
            _ => {}
        }
    }
    if let Some((_, content)) = open {
        blocks.push(&text[content..]);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_between_its_fences() {
        for (text, expected) in [
            ("a\n```json\n1\n```\nb", vec!["1\n"]),
            ("a\r\n```\r\n1\r\n```\r\n", vec!["1\r\n"]),
            ("~~~ JSON title\n1\n~~~~", vec!["1\n"]),
            ("  ```\n  1\n  ```", vec!["  1\n"]),
            ("```\n1", vec!["1"]),
            ("```", vec![""]),
            ("```\n1\n```\n\n```\n2\n```", vec!["1\n", "2\n"]),
            ("no fence, ``` in a line\n```1```", vec![]),
        ] {
            assert_eq!(blocks(text), expected, "{text}");
        }
    }

    #[test]
    fn a_longer_fence_holds_shorter_ones() {
        let text = "````\n```json\n1\n```\n````\n";
        assert_eq!(blocks(text), ["```json\n1\n```\n"]);
        assert_eq!(blocks("```\n~~~\n1\n```"), ["~~~\n1\n"]);
    }
}
