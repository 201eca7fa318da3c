//! The second pass: messages are taken apart, and threads handed over.

use sha2::{Digest as _, Sha256};
use synix_plugin::reading::{self, Reason};

use crate::letter::Letter;
use crate::load::Raw;
use crate::pile::Counts;
use crate::quotes::fold;
use crate::scan::Header;
use crate::threads::{Name, anonymous};
use crate::write::{self, Message};
use crate::{Config, Quotes, Unit};

/// Hands over what the messages of a file say.
pub(crate) struct Writer<'a> {
    /// The path of the file.
    pub(crate) file: &'a str,
    pub(crate) config: &'a Config,
    pub(crate) counts: Counts,
}

impl Writer<'_> {
    /// Takes a message apart, and reports one that says nothing.
    pub(crate) fn message(&mut self, header: &Header, raw: &Raw) -> Option<Message> {
        reading::at(&header.place);
        let name = header.anonymous.unwrap_or_default();
        let Some(message) = parse(raw, header.delivered, &name, &header.place, self.config) else {
            self.counts.unreadable += 1;
            reading::skip(&header.place, Reason::Unreadable);
            return None;
        };
        let message = with_text(message);
        self.counts.empty += usize::from(message.is_none());
        message
    }

    /// Hands over the messages of a thread, or one message.
    pub(crate) fn thread(&mut self, thread: &[Header], messages: &[Message]) {
        let (Some(header), Some(first)) = (thread.first(), messages.first()) else {
            return;
        };
        reading::at(&header.place);
        self.counts.written += messages.len();
        reading::emit(match self.config.unit {
            Unit::Thread => write::thread(self.file, first, messages),
            Unit::Message => write::message(self.file, first, self.config),
        });
    }

    /// Hands over a message in a file of its own. It may have no headers that can be read: then nothing is returned.
    pub(crate) fn alone(&mut self, raw: &Raw) -> Option<()> {
        let name = anonymous(Sha256::new().chain_update(&raw.bytes));
        let message = parse(raw, None, &name, "the message", self.config)?;
        if excluded(&message.letter, self.config) {
            reading::skip(message.title(), Reason::Filtered);
        } else if let Some(message) = with_text(message) {
            reading::emit(write::message(self.file, &message, self.config));
        }
        Some(())
    }
}

/// Takes a message apart; `place` names it for people.
fn parse(
    raw: &Raw,
    delivered: Option<i64>,
    anonymous: &Name,
    place: &str,
    config: &Config,
) -> Option<Message> {
    if raw.nested {
        return None;
    }
    if raw.cut {
        reading::skip(
            &format!("the rest of {place}, which is too long"),
            Reason::Unsupported,
        );
    }
    let mut letter = Letter::from_message(&raw.bytes)?;
    letter.date = letter.date.or(delivered);
    if config.quotes == Quotes::Fold {
        letter.text = fold(&letter.text);
    }
    let name = match &letter.id {
        Some(id) => id.clone(),
        None => anonymous
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    };
    Some(Message { name, letter })
}

/// Returns the message if it says anything, else reports why not.
fn with_text(message: Message) -> Option<Message> {
    let letter = &message.letter;
    if !letter.text.is_empty() || (!letter.attachments.is_empty() && !letter.encrypted) {
        return Some(message);
    }
    let reason = if letter.encrypted {
        Reason::NoText
    } else {
        Reason::Empty
    };
    reading::skip(message.title(), reason);
    None
}

/// Whether the config leaves the message out.
pub(crate) fn excluded(letter: &Letter, config: &Config) -> bool {
    config
        .exclude_labels
        .iter()
        .any(|label| letter.gmail_labels.contains(label))
}
