//! Splits a conversation, as the reader `chats` writes it, at its turns.
//!
//! A turn begins with a heading such as `## User · 2026-01-03T10:00:00Z`. The reader escapes a line of a turn that looks
//! like one, so no fence of code has to be followed here.

use std::ops::Range;

use crate::cut::Rule;

const LEVEL: &str = "## ";
const SEPARATOR: char = '·';
/// The names that head a turn without a time.
const ROLES: [&str; 5] = ["user", "assistant", "tool", "system", "human"];

/// Consecutive turns that are cut together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turns {
    /// The range of bytes in the text.
    pub(crate) range: Range<usize>,
    /// The number of turns; 0 for a text before the first heading.
    pub(crate) count: usize,
}

/// Splits `text` into runs of whole turns that fit a piece of `rule`. A turn that does not fit is a run of its own.
pub(crate) fn runs(text: &str, rule: &Rule) -> Vec<Turns> {
    let mut runs: Vec<Turns> = Vec::new();
    let mut open_size = 0;
    for turn in turns(text) {
        let characters = text[turn.range.clone()].chars();
        let size: usize = characters.map(rule.weight).sum();
        match runs.last_mut() {
            Some(run) if open_size + size <= rule.size => {
                run.range.end = turn.range.end;
                run.count += turn.count;
                open_size += size;
            }
            Some(_) | None => {
                runs.push(turn);
                open_size = size;
            }
        }
    }
    runs
}

fn turns(text: &str) -> Vec<Turns> {
    let mut turns = Vec::new();
    let (mut start, mut at, mut count) = (0, 0, 0);
    for line in text.split_inclusive('\n') {
        if is_heading(line) {
            if start < at {
                turns.push(Turns {
                    range: start..at,
                    count,
                });
            }
            (start, count) = (at, 1);
        }
        at += line.len();
    }
    if start < at {
        turns.push(Turns {
            range: start..at,
            count,
        });
    }
    turns
}

fn is_heading(line: &str) -> bool {
    let Some(name) = line.strip_prefix(LEVEL) else {
        return false;
    };
    let name = name.trim();
    name.contains(SEPARATOR) || ROLES.iter().any(|role| name.eq_ignore_ascii_case(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(size: usize) -> Rule {
        Rule {
            size,
            overlap: 0,
            weight: |_| 1,
            separators: Vec::new(),
        }
    }

    fn divided(text: &str, size: usize) -> Vec<(&str, usize)> {
        runs(text, &rule(size))
            .into_iter()
            .map(|run| (&text[run.range], run.count))
            .collect()
    }

    const CHAT: &str = "# Title\n\n## User · 2026-01-03T10:00:00Z\n\nHi\n\n## Assistant\n\nHello\n\n## Zoë · reply\n\nJa\n";

    #[test]
    fn each_turn_that_does_not_fit_with_the_one_before_begins_a_run() {
        assert_eq!(
            divided(CHAT, 44),
            [
                ("# Title\n\n", 0),
                ("## User · 2026-01-03T10:00:00Z\n\nHi\n\n", 1),
                ("## Assistant\n\nHello\n\n## Zoë · reply\n\nJa\n", 2),
            ]
        );
        assert_eq!(divided(CHAT, 1000), [(CHAT, 3)]);
        assert_eq!(divided("", 10), []);
    }

    #[test]
    fn headings_of_other_kinds_and_escaped_ones_are_text() {
        let text = "## User\n\n## Plan\n### User\n\\## Assistant\n ## Tool\n##User\n";
        assert_eq!(divided(text, 10), [(text, 1)]);
    }
}
