//! What every format becomes before it is written.

use std::collections::HashSet;
use std::rc::Rc;

use crate::format::Format;
use crate::when::Moment;

/// What is known of an artifact beside its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    pub(crate) provider: &'static str,
    /// What the label begins with; for most artifacts the provider.
    pub(crate) prefix: &'static str,
    /// The provider's identifier, or what takes its place.
    pub(crate) id: String,
    /// Empty until the text gives one.
    pub(crate) title: String,
    pub(crate) created: Option<Moment>,
    pub(crate) updated: Option<Moment>,
    pub(crate) model: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) cwd: Option<String>,
    pub(crate) branch: Option<String>,
}

impl Head {
    pub(crate) fn new(format: Format, id: impl Into<String>) -> Self {
        Head {
            provider: format.provider(),
            prefix: format.provider(),
            id: id.into(),
            title: String::new(),
            created: None,
            updated: None,
            model: None,
            project: None,
            account: None,
            cwd: None,
            branch: None,
        }
    }

    pub(crate) fn with_title(mut self, title: Option<&str>) -> Self {
        self.title = title.map(one_line).unwrap_or_default();
        self
    }
}

/// A conversation with what a reader of it sees: the active branch, without what is hidden or not included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conversation {
    pub(crate) head: Head,
    pub(crate) turns: Vec<Turn>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    pub(crate) who: Who,
    pub(crate) at: Option<Moment>,
    /// Whether it answers another turn in a thread.
    pub(crate) is_reply: bool,
    /// Markdown, never empty.
    pub(crate) text: Box<str>,
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Who {
    User,
    Assistant,
    Tool,
    /// Somebody in a chat between people.
    Named(Rc<str>),
}

/// The names of a chat, each held once.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<Rc<str>>);

impl Names {
    pub(crate) fn who(&mut self, name: &str) -> Who {
        if let Some(name) = self.0.get(name) {
            return Who::Named(Rc::clone(name));
        }
        let name: Rc<str> = name.into();
        self.0.insert(Rc::clone(&name));
        Who::Named(name)
    }
}

/// The most characters of a title or of a name.
const MAX_LINE_CHARS: usize = 200;
/// The most characters of a title that the first turn gives.
const MAX_TAKEN_CHARS: usize = 80;

impl Conversation {
    /// Fills in what the format does not say but the turns do.
    pub(crate) fn complete(&mut self) {
        let times = || self.turns.iter().filter_map(|turn| turn.at);
        let head = &mut self.head;
        head.created = head.created.or_else(|| times().next());
        head.updated = head.updated.or_else(|| times().max()).or(head.created);
        if head.title.is_empty() {
            let prompt = self.turns.iter().find(|turn| turn.who == Who::User);
            head.title = prompt
                .or(self.turns.first())
                .map(|turn| title_from(&turn.text))
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| "Untitled".to_owned());
        }
    }
}

/// Returns the first line of a text, short enough for a title.
pub(crate) fn title_from(text: &str) -> String {
    let first = text.lines().map(one_line).find(|line| !line.is_empty());
    let line = first.unwrap_or_default();
    let mut ends = line.char_indices().map(|(start, _)| start);
    match ends.nth(MAX_TAKEN_CHARS) {
        None => line,
        Some(end) => {
            let cut = &line[..end];
            let cut = cut.rsplit_once(' ').map_or(cut, |(words, _)| words);
            format!("{}…", cut.trim_end())
        }
    }
}

/// Returns a text as one line without control or invisible characters, for titles, names and headings.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let shown = text.chars().filter(|c| !is_invisible(*c));
    let spaced = shown.map(|c| {
        if c.is_whitespace() || c.is_control() {
            ' '
        } else {
            c
        }
    });
    let mut count = 0;
    for c in spaced {
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if count == MAX_LINE_CHARS {
            line.push('…');
            break;
        }
        line.push(c);
        count += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// Marks of direction and order, which make a name look like another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_control_characters_and_an_end() {
        assert_eq!(one_line(" a\r\n\tb\u{202e}\u{0}c  "), "a b c");
        assert_eq!(one_line(&"x".repeat(1000)).chars().count(), 201);
        assert_eq!(one_line("\n \u{200e}"), "");
    }

    #[test]
    fn a_long_first_line_is_cut_at_a_word() {
        let text = format!("\n\n{}\nnext", "word ".repeat(40));
        let title = title_from(&text);
        assert!(
            title.ends_with("word…") && title.chars().count() <= 81,
            "{title}"
        );
        assert_eq!(title_from("短い"), "短い");
    }
}
