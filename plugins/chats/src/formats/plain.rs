//! A conversation as plain text, with a line such as `User:` or `## Assistant` before each turn.

use synix_plugin::reading::Reason;

use crate::body::Body;
use crate::collection::{Collection, name_of};
use crate::conversation::{Conversation, Head, Who};
use crate::format::Format;
use crate::when::Moment;

const USERS: [&str; 6] = ["user", "human", "you", "me", "you said", "prompt"];
const ASSISTANTS: [&str; 16] = [
    "assistant",
    "ai",
    "bot",
    "model",
    "response",
    "chatgpt",
    "chatgpt said",
    "gpt",
    "gpt-4",
    "claude",
    "gemini",
    "copilot",
    "deepseek",
    "llama",
    "mistral",
    "grok",
];
/// The first turn must begin within so many lines.
const LOOKED_AT: usize = 50;

/// Returns whether a text is a conversation: both sides speak.
pub(crate) fn is_chat(text: &str) -> bool {
    let mut lines = text.lines();
    let begins = lines.by_ref().take(LOOKED_AT).find_map(mark);
    let Some(first) = begins else { return false };
    lines.filter_map(mark).any(|found| found.who != first.who)
}

/// The line before a turn.
#[derive(Debug, PartialEq)]
struct Mark<'t> {
    who: Who,
    at: Option<Moment>,
    /// What is said on the same line.
    rest: &'t str,
}

/// Reads `User: text`, `**User:** text`, `## User`, `## User · 2026-01-02T03:04:05Z`.
fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim_end();
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let bare = line.trim_start_matches('#');
    let is_heading = bare.len() < line.len() && bare.starts_with(' ');
    let bare = if is_heading { bare.trim_start() } else { line };
    let inner = bare.strip_prefix("**").unwrap_or(bare);
    let is_bold = inner.len() < bare.len();

    let longest = inner.floor_char_boundary(40);
    let (name, rest) = match inner[..longest].find(':') {
        Some(place) if !inner[..place].contains('·') => (&inner[..place], &inner[place + 1..]),
        _ if is_heading || is_bold => (inner, ""),
        _ => return None,
    };
    let (name, time) = name.split_once('·').unwrap_or((name, ""));
    let name = name.trim().trim_end_matches("**").trim().to_lowercase();
    let who = if USERS.contains(&name.as_str()) {
        Who::User
    } else if ASSISTANTS.contains(&name.as_str()) {
        Who::Assistant
    } else {
        return None;
    };
    let rest = if is_bold {
        rest.trim_start_matches("**")
    } else {
        rest
    };
    Some(Mark {
        who,
        at: Moment::parse(time.trim()),
        rest: rest.trim(),
    })
}

/// Reads a conversation. `name` is the label of its file.
pub(crate) fn read(text: &str, name: &str, collection: &mut Collection<'_>) {
    let mut turns: Vec<(Mark<'_>, Vec<&str>)> = Vec::new();
    let mut before = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        let found = if fence.is_some() || is_fence {
            None
        } else {
            mark(line)
        };
        if is_fence {
            fence = if fence.is_some() { None } else { Some("```") };
        }
        match (found, turns.last_mut()) {
            (Some(mark), _) => turns.push((mark, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => before.push(line),
        }
    }
    let title = before.iter().find_map(|line| {
        let line = line.trim();
        line.strip_prefix("# ")
            .or_else(|| line.strip_prefix("title:"))
            .or_else(|| line.strip_prefix("Title:"))
    });
    let head =
        Head::new(Format::Text, name).with_title(title.map(|title| title.trim_matches(['"', ' '])));
    let label = name_of(&head);
    let is_rest =
        |line: &&str| !line.trim().is_empty() && title.is_none_or(|title| !line.contains(title));
    if before.iter().any(is_rest) {
        collection.message(
            &format!("{label}: the text before the first turn"),
            Reason::Unsupported,
        );
    }
    let turns = turns.into_iter().filter_map(|(mark, lines)| {
        let mut body = Body::new(collection.config);
        body.say(&format!("{}\n{}", mark.rest, lines.join("\n")));
        body.turn(mark.who, mark.at)
    });
    let turns = turns.collect();
    collection.conversation(Conversation { head, turns });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(line: &str) -> Option<(&str, Who)> {
        mark(line).map(|mark| (mark.rest, mark.who))
    }

    #[test]
    fn the_marks_of_turns_are_read_in_many_forms() {
        for (line, rest, who) in [
            ("User: hi", "hi", Who::User),
            ("Human:", "", Who::User),
            ("**You:** hi", "hi", Who::User),
            ("**Assistant**: hi", "hi", Who::Assistant),
            ("## Assistant", "", Who::Assistant),
            ("### ChatGPT said:", "", Who::Assistant),
            ("## User · 2026-01-02T03:04:05Z", "", Who::User),
        ] {
            assert_eq!(marked(line), Some((rest, who)), "{line}");
        }
        for line in [
            "user",
            "Users: hi",
            "Note: hi",
            "",
            "#User: x",
            "The user: x",
            "  User: x",
        ] {
            assert_eq!(marked(line), None, "{line}");
        }
    }

    #[test]
    fn a_text_in_which_one_side_speaks_is_no_conversation() {
        assert!(is_chat("User: a\nAssistant: b"));
        assert!(!is_chat("User: a\nUser: b"));
        assert!(!is_chat("Just a note.\nNote: x"));
    }
}
