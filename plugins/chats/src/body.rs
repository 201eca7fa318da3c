//! The text of one turn, put together from its parts in one Markdown form for all formats.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::config::{Config, Extra};
use crate::conversation::{Turn, Who, one_line};
use crate::when::Moment;

/// The parts of a turn that are shown, in order.
#[derive(Debug)]
pub(crate) struct Body<'c> {
    config: &'c Config,
    text: String,
}

impl<'c> Body<'c> {
    pub(crate) const fn new(config: &'c Config) -> Self {
        Body {
            config,
            text: String::new(),
        }
    }

    /// Adds what the person or the model said.
    pub(crate) fn say(&mut self, text: &str) {
        let text = clean(text);
        let text = text.trim_start_matches('\n').trim_end();
        if !text.trim_start().is_empty() {
            self.paragraph().push_str(text);
        }
    }

    /// Adds code that is part of what was said.
    pub(crate) fn say_code(&mut self, language: &str, text: &str) {
        if !text.trim().is_empty() {
            fence(self.paragraph(), language, text);
        }
    }

    /// Adds what the model thought.
    pub(crate) fn think(&mut self, text: &str) {
        if self.config.shows(Extra::Thinking) && !text.trim().is_empty() {
            let text = clean(text);
            let out = self.paragraph();
            out.push_str("**Thinking**\n");
            for line in text.trim().lines() {
                out.push_str(if line.is_empty() { "\n>" } else { "\n> " });
                out.push_str(line);
            }
        }
    }

    /// Adds a call of a tool, or its result. Code that the model ran is shown with `code` as well as with `tools`.
    pub(crate) fn tool(&mut self, what: &Tool<'_>) {
        let is_shown =
            self.config.shows(Extra::Tools) || (what.is_code && self.config.shows(Extra::Code));
        if !is_shown || (what.text.trim().is_empty() && what.name.is_empty()) {
            return;
        }
        let out = self.paragraph();
        let title = if what.is_result { "Result" } else { "Call" };
        out.push_str("**");
        out.push_str(title);
        if !what.name.is_empty() {
            let _ = write!(out, " of {}", one_line(what.name).replace('*', ""));
        }
        out.push_str("**");
        if !what.text.trim().is_empty() {
            out.push_str("\n\n");
            fence(out, what.language, what.text);
        }
    }

    /// Adds a line for an attached file, and its text where the config asks for it.
    pub(crate) fn attach(&mut self, name: &str, text: Option<&str>) {
        let name = one_line(name);
        let name = if name.is_empty() { "file" } else { &name };
        let out = self.paragraph();
        let _ = write!(out, "[attachment: {name}]");
        if let Some(text) = text.filter(|text| !text.trim().is_empty())
            && self.config.shows(Extra::Attachments)
        {
            fence(self.paragraph(), "", text);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the turn, unless there is nothing to show.
    pub(crate) fn turn(self, who: Who, at: Option<Moment>) -> Option<Turn> {
        let text = self.finish()?.into_boxed_str();
        Some(Turn {
            who,
            at,
            is_reply: false,
            text,
        })
    }

    pub(crate) fn finish(self) -> Option<String> {
        Some(self.text).filter(|text| !text.is_empty())
    }

    fn paragraph(&mut self) -> &mut String {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        &mut self.text
    }
}

/// A call of a tool, or what it returned.
#[derive(Debug, Default)]
pub(crate) struct Tool<'a> {
    pub(crate) name: &'a str,
    pub(crate) language: &'a str,
    pub(crate) text: &'a str,
    pub(crate) is_result: bool,
    pub(crate) is_code: bool,
}

/// Writes a fenced block whose fence is longer than any in the text.
fn fence(out: &mut String, language: &str, text: &str) {
    let text = clean(text);
    let text = text.trim_start_matches('\n').trim_end();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let mark = "`".repeat(longest.saturating_add(1).max(3));
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+-#_.".contains(c);
    let language = if language.chars().all(is_word) {
        language
    } else {
        ""
    };
    let _ = write!(out, "{mark}{language}\n{text}\n{mark}");
}

/// Returns a text with `\n` as the line end and without control characters.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' {
            if chars.peek() != Some(&'\n') {
                out.push('\n');
            }
        } else if is_kept(c) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(include: &[Extra]) -> Config {
        Config {
            include: include.to_vec(),
            ..Config::default()
        }
    }

    #[test]
    fn control_characters_and_foreign_line_ends_are_removed() {
        assert_eq!(clean("a\r\nb\rc\u{0}\u{1b}[31md\te"), "a\nb\nc[31md\te");
    }

    #[test]
    fn a_fence_is_longer_than_those_in_its_text() {
        let config = config(&[]);
        let mut body = Body::new(&config);
        body.say_code("py\nx", "a\n````\nb");
        assert_eq!(body.finish().unwrap(), "`````\na\n````\nb\n`````");
    }

    #[test]
    fn only_what_the_config_includes_is_shown() {
        let parts = |include: &[Extra]| {
            let config = config(include);
            let mut body = Body::new(&config);
            body.say("Hello\n");
            body.think("hm\n\nyes");
            let code = Tool {
                name: "python",
                language: "python",
                text: "1+1",
                is_code: true,
                ..Tool::default()
            };
            body.tool(&code);
            body.tool(&Tool {
                name: "web",
                text: "found",
                is_result: true,
                ..Tool::default()
            });
            body.attach("a.txt", Some("inside"));
            body.finish().unwrap()
        };
        assert_eq!(parts(&[]), "Hello\n\n[attachment: a.txt]");
        assert_eq!(
            parts(&[Extra::Code]),
            "Hello\n\n**Call of python**\n\n```python\n1+1\n```\n\n[attachment: a.txt]"
        );
        assert_eq!(
            parts(&[Extra::Tools, Extra::Thinking, Extra::Attachments]),
            "Hello\n\n**Thinking**\n\n> hm\n>\n> yes\n\n**Call of python**\n\n```python\n1+1\n```\n\n\
             **Result of web**\n\n```\nfound\n```\n\n[attachment: a.txt]\n\n```\ninside\n```"
        );
    }

    #[test]
    fn blank_text_is_nothing() {
        let config = config(&[Extra::Tools, Extra::Thinking]);
        let mut body = Body::new(&config);
        body.say(" \n");
        body.say_code("", "\n");
        body.think(" ");
        body.tool(&Tool::default());
        assert!(body.is_empty());
        assert_eq!(body.finish(), None);
    }
}
