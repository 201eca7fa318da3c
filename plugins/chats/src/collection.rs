//! The one place that hands artifacts over and counts what a file holds.

use serde_json::json;
use synix_plugin::reading::{self, Reason};
use synix_plugin::{Error, Output};

use crate::body::clean;
use crate::config::Config;
use crate::conversation::{Conversation, Head};
use crate::{label, markdown, split};

/// What is found in one file.
#[derive(Debug)]
pub(crate) struct Collection<'c> {
    pub(crate) config: &'c Config,
    /// The path of the entry at hand within an archive; empty in a file of its own.
    entry: String,
    taken: usize,
    empty: usize,
    unreadable: usize,
    /// Parts that are left out for another reason, such as pictures in an archive.
    other: usize,
}

impl<'c> Collection<'c> {
    pub(crate) const fn new(config: &'c Config) -> Self {
        Collection {
            config,
            entry: String::new(),
            taken: 0,
            empty: 0,
            unreadable: 0,
            other: 0,
        }
    }

    /// Begins an entry of an archive.
    pub(crate) fn enter(&mut self, path: &str) {
        self.entry = path.to_owned();
        reading::at(path);
    }

    /// Names the place within the entry at hand.
    pub(crate) fn at(&self, place: &str) {
        let separator = if self.entry.is_empty() || place.is_empty() {
            ""
        } else {
            ", "
        };
        reading::at(&format!("{}{separator}{place}", self.entry));
    }

    /// Emits a conversation, in the pieces that the config asks for.
    pub(crate) fn conversation(&mut self, mut conversation: Conversation) {
        if conversation.turns.is_empty() {
            self.empty(&name_of(&conversation.head));
            return;
        }
        conversation.complete();
        self.taken += 1;
        let head = conversation.head;
        for piece in split::pieces(conversation.turns, self.config) {
            let is_whole = piece.suffix.is_empty();
            let mut times = piece.turns.iter().filter_map(|turn| turn.at);
            // The metadata of a piece do not change when the conversation grows.
            let (created, updated) = if is_whole {
                (head.created, head.updated)
            } else {
                let first = times.next();
                let last = times.max().max(first);
                (first.or(head.created), last.or(head.created))
            };
            let label = label::label(head.prefix, &head.id, &piece.suffix);
            let text = markdown::write_turns(&piece.turns);
            let own = Head {
                created,
                updated,
                ..head.clone()
            };
            let output = with_head(Output::text(label, "conversation", text), &own);
            reading::emit(output.with_metadata("messages", &json!(piece.turns.len())));
        }
    }

    /// Emits the conversation of a file that holds no more than one. That nothing was said in it is no fault of the file.
    pub(crate) fn session(&mut self, conversation: Conversation) {
        if conversation.turns.is_empty() {
            reading::skip(&name_of(&conversation.head), Reason::Empty);
        } else {
            self.conversation(conversation);
        }
    }

    /// Emits a text that is no conversation.
    pub(crate) fn text(&mut self, kind: &str, head: &Head, text: &str) {
        let text = clean(text);
        if text.trim().is_empty() {
            self.empty(&name_of(head));
            return;
        }
        self.taken += 1;
        let label = label::label(head.prefix, &head.id, "");
        let text = format!("{}\n", text.trim_end());
        reading::emit(with_head(Output::text(label, kind, text), head));
    }

    pub(crate) fn empty(&mut self, what: &str) {
        self.empty += 1;
        reading::skip(what, Reason::Empty);
    }

    pub(crate) fn unreadable(&mut self, what: &str) {
        self.unreadable += 1;
        reading::skip(what, Reason::Unreadable);
    }

    /// Leaves out a part of the file that is of no known kind, or holds no conversations by design.
    pub(crate) fn unsupported(&mut self, what: &str) {
        self.other += 1;
        reading::skip(what, Reason::Unsupported);
    }

    /// Leaves out a message of a conversation; it counts for nothing but the report.
    pub(crate) fn message(&self, what: &str, reason: Reason) {
        reading::skip(what, reason);
    }

    pub(crate) const fn found(&self) -> usize {
        self.taken + self.empty + self.unreadable
    }

    pub(crate) const fn is_taken(&self) -> bool {
        self.taken > 0
    }

    /// Returns an error where a file of a known format has records and yields nothing.
    pub(crate) fn check(&self, what: &str) -> Result<(), Error> {
        if self.taken > 0 || self.found() == 0 {
            return Ok(());
        }
        Err(Error::InvalidInput(format!(
            "none of the {} conversations in {what} can be used: {} empty, {} unreadable; \
             export the data again, or leave the file out of `source`",
            self.found(),
            self.empty,
            self.unreadable,
        )))
    }
}

/// Says for people which conversation it is.
pub(crate) fn name_of(head: &Head) -> String {
    label::label(head.prefix, &head.id, "")
}

fn with_head(output: Output, head: &Head) -> Output {
    let title = if head.title.is_empty() {
        "Untitled"
    } else {
        &head.title
    };
    let mut output = output
        .with_metadata("provider", &json!(head.provider))
        .with_metadata("id", &json!(clean(&head.id)))
        .with_metadata("title", &json!(title));
    if let Some(created) = head.created {
        output = output
            .with_metadata("created", &json!(created.iso()))
            .with_metadata("date", &json!(created.date()))
            .with_metadata("month", &json!(created.month()));
    }
    if let Some(updated) = head.updated {
        output = output.with_metadata("updated", &json!(updated.iso()));
    }
    let texts = [
        ("model", &head.model),
        ("project", &head.project),
        ("account", &head.account),
        ("cwd", &head.cwd),
        ("branch", &head.branch),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            output = output.with_metadata(key, &json!(clean(value)));
        }
    }
    output
}
