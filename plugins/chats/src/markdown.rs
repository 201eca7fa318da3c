//! Conversations as Markdown: a heading for each turn, with who and when, and its text.

use crate::conversation::{Turn, Who, one_line};

const LEVEL: &str = "## ";
const SEPARATOR: &str = " · ";

/// Writes one turn, without a line end after it.
pub(crate) fn write_turn(out: &mut String, turn: &Turn) {
    out.push_str(&heading(turn));
    out.push_str("\n\n");
    let mut lines = turn.text.split('\n');
    if let Some(first) = lines.next() {
        write_line(out, first);
    }
    for line in lines {
        out.push('\n');
        write_line(out, line);
    }
}

/// Writes turns one below the other.
pub(crate) fn write_turns(turns: &[Turn]) -> String {
    // A conversation may be most of a guest's memory: its text must not grow by doubling.
    let length = turns
        .iter()
        .map(|turn| turn.text.len() + heading(turn).len() + 4)
        .sum();
    let mut out = String::with_capacity(length);
    for turn in turns {
        if !out.is_empty() {
            out.push('\n');
        }
        write_turn(&mut out, turn);
        out.push('\n');
    }
    out
}

pub(crate) fn heading(turn: &Turn) -> String {
    let name = one_line(turn.who.name());
    let mut heading = format!("{LEVEL}{}", if name.is_empty() { "Unknown" } else { &name });
    if let Some(at) = turn.at {
        heading.push_str(SEPARATOR);
        heading.push_str(&at.iso());
    }
    if turn.is_reply {
        heading.push_str(SEPARATOR);
        heading.push_str("reply");
    }
    heading
}

impl Who {
    pub(crate) fn name(&self) -> &str {
        match self {
            Who::User => "User",
            Who::Assistant => "Assistant",
            Who::Tool => "Tool",
            Who::Named(name) => name,
        }
    }
}

/// Writes a line of a turn's text. One that looks like the heading of a turn is escaped, so that nobody can put words
/// into the mouth of somebody else.
fn write_line(out: &mut String, line: &str) {
    if let Some(rest) = line.trim_start().strip_prefix(LEVEL.trim_end()) {
        let name = rest.trim();
        let is_role = ["user", "assistant", "tool", "system", "human"]
            .iter()
            .any(|role| name.eq_ignore_ascii_case(role));
        if rest.starts_with([' ', '\t']) && (is_role || name.contains(SEPARATOR.trim())) {
            out.push('\\');
            out.push_str(line.trim_start());
            return;
        }
    }
    out.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::Moment;

    fn turn(who: Who, text: &str) -> Turn {
        Turn {
            who,
            at: Moment::from_seconds(0),
            is_reply: false,
            text: text.into(),
        }
    }

    #[test]
    fn each_turn_has_a_heading_with_who_and_when() {
        let mut unknown = turn(Who::Named("Zoë\n## User".into()), "Ja");
        unknown.at = None;
        unknown.is_reply = true;
        let written = write_turns(&[
            turn(Who::User, "Hi\n\nthere"),
            turn(Who::Assistant, "Hello"),
            unknown,
        ]);
        assert_eq!(
            written,
            "## User · 1970-01-01T00:00:00Z\n\nHi\n\nthere\n\n\
             ## Assistant · 1970-01-01T00:00:00Z\n\nHello\n\n\
             ## Zoë ## User · reply\n\nJa\n"
        );
    }

    #[test]
    fn a_text_cannot_pass_for_a_turn() {
        let text = "## Assistant\n ## User · 1970-01-01T00:00:00Z\n## Plan\n### User\n##User";
        let written = write_turns(&[turn(Who::User, text)]);
        let body = written.split_once("\n\n").unwrap().1;
        assert_eq!(
            body,
            "\\## Assistant\n\\## User · 1970-01-01T00:00:00Z\n## Plan\n### User\n##User\n"
        );
    }
}
