//! One line of a session.

use std::borrow::Cow;

use super::prompt::{self, Prompt};
use crate::body::Body;
use crate::config::Config;
use crate::formats::claude::blocks;
use crate::json::Json;
use crate::when::{self, Moment};

/// What is kept of a line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Empty for a prompt that was typed while tools ran.
    pub(super) uuid: String,
    pub(super) parent: Option<String>,
    pub(super) session: String,
    pub(super) agent: Option<String>,
    /// Whether a sub-agent wrote it.
    pub(super) is_side: bool,
    pub(super) kind: Kind,
    /// Several lines share it where they are one message.
    pub(super) message: Option<String>,
    pub(super) at: Option<Moment>,
    pub(super) cwd: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) model: Option<String>,
    pub(super) slug: Option<String>,
    /// Whether it has words that Claude Code does not show.
    pub(super) is_hidden: bool,
    pub(super) fragments: Vec<Fragment>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Assistant,
    /// The results of tools, without words of a person.
    Result,
    /// A line that only links others.
    #[default]
    Link,
}

/// A block, as Markdown.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    pub(super) text: String,
}

impl Line {
    /// Returns nothing for a line that is neither a message nor a link.
    pub(super) fn read(value: &Json<'_>, config: &Config) -> Option<Self> {
        let owned = |key| value.text(key).map(str::to_owned);
        let compacted = || value.id("logicalParentUuid");
        let mut line = Line {
            uuid: value.id("uuid").unwrap_or_default(),
            parent: value.id("parentUuid").or_else(compacted),
            session: value.id("sessionId").unwrap_or_default(),
            agent: value.id("agentId"),
            is_side: value.is_true("isSidechain"),
            at: when::of(value.get("timestamp")),
            cwd: owned("cwd"),
            branch: owned("gitBranch"),
            slug: owned("slug"),
            ..Line::default()
        };
        let message = value.get("message");
        let content = message.get("content");
        match value.text("type") {
            Some("user") => line.user(content, config),
            Some("assistant") => {
                line.kind = Kind::Assistant;
                line.message = message.id("id");
                let model = message.text("model");
                line.model = model
                    .filter(|model| !model.starts_with('<'))
                    .map(str::to_owned);
                if let Some(text) = content.as_text() {
                    line.say(text, config);
                }
                line.blocks(content.items(), config);
            }
            Some("attachment") => {
                let attachment = value.get("attachment");
                if attachment.text("type") == Some("queued_command") {
                    line.kind = Kind::User;
                    let text = blocks::text_of(attachment.get("prompt"));
                    line.prompt(&text, config);
                }
            }
            _ => {}
        }
        let flags = [
            "isMeta",
            "isCompactSummary",
            "isApiErrorMessage",
            "isVisibleInTranscriptOnly",
        ];
        if flags.iter().any(|flag| value.is_true(flag)) && line.kind != Kind::Link {
            line.fragments.clear();
            line.is_hidden = line.kind != Kind::Result;
        }
        let is_part = line.kind != Kind::Link || !line.uuid.is_empty();
        is_part.then_some(line)
    }

    fn user(&mut self, content: &Json<'_>, config: &Config) {
        self.kind = Kind::User;
        if let Some(text) = content.as_text() {
            self.prompt(text, config);
            return;
        }
        let items = content.items();
        let is_result = |block: &Json<'_>| block.text("type") == Some("tool_result");
        if !items.is_empty() && items.iter().all(is_result) {
            self.kind = Kind::Result;
        }
        for block in items {
            if blocks::is_text(block) {
                self.prompt(block.text("text").unwrap_or_default(), config);
            } else {
                self.blocks(std::slice::from_ref(block), config);
            }
        }
        // Hidden words beside visible ones are none of a message.
        self.is_hidden &= self.fragments.is_empty();
    }

    fn prompt(&mut self, text: &str, config: &Config) {
        match prompt::read(text) {
            Prompt::Said(text) => self.say(&text, config),
            Prompt::Hidden => self.is_hidden = true,
            Prompt::Nothing => {}
        }
    }

    fn say(&mut self, text: &str, config: &Config) {
        let mut body = Body::new(config);
        body.say(text);
        self.fragments.extend(body.finish().map(|text| Fragment {
            id: None,
            kind: "text".to_owned(),
            text,
        }));
    }

    fn blocks(&mut self, items: &[Json<'_>], config: &Config) {
        for block in items {
            let mut body = Body::new(config);
            blocks::fill(&mut body, std::slice::from_ref(block));
            let kind = block.text("type").unwrap_or_default();
            let id = block.text("id").or_else(|| block.text("tool_use_id"));
            let id: Option<Cow<'_, str>> = id.map(Cow::Borrowed);
            self.fragments.extend(body.finish().map(|text| Fragment {
                id: id.map(Cow::into_owned),
                kind: kind.to_owned(),
                text,
            }));
        }
    }
}
