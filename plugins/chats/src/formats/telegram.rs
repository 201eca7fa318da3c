//! Chats of a Telegram export, of one chat or of an account.

use synix_plugin::reading::Reason;

use crate::body::Body;
use crate::collection::{Collection, name_of};
use crate::conversation::{Conversation, Head, Names, Turn};
use crate::format::Format;
use crate::json::Json;
use crate::when::{self, Moment};

/// A chat whose messages arrive one by one.
#[derive(Debug, Default)]
pub(crate) struct Chat {
    id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    names: Names,
    turns: Vec<Turn>,
    /// Reports wait for the name of the chat, which may come after its messages.
    left_out: Vec<(String, Reason)>,
}

impl Chat {
    /// Takes a member of the chat that is not its messages.
    pub(crate) fn field(&mut self, name: &str, value: &Json<'_>) {
        let text = || value.as_text().map(str::to_owned);
        match name {
            "id" => self.id = value.as_id(),
            "name" => self.name = text(),
            "type" => self.kind = text(),
            _ => {}
        }
    }

    pub(crate) fn message(&mut self, message: &Json<'_>, collection: &Collection<'_>) {
        let id = message.id("id").unwrap_or_default();
        if message.text("type") == Some("service") {
            self.left_out.push((id, Reason::Hidden));
            return;
        }
        if !message.is_object() {
            self.left_out.push((id, Reason::Unreadable));
            return;
        }
        let mut body = Body::new(collection.config);
        body.say(&text(message.get("text")));
        for field in ["file_name", "file", "photo"] {
            if let Some(path) = message.text(field) {
                let path = if path.starts_with('(') { field } else { path };
                body.attach(path.rsplit('/').next().unwrap_or(path), None);
                break;
            }
        }
        let sender = message.text("from").or_else(|| message.text("from_id"));
        let sender = self.names.who(sender.unwrap_or("Deleted account"));
        self.turns.extend(body.turn(sender, time(message)));
    }

    pub(crate) fn finish(self, collection: &mut Collection<'_>) {
        let saved = self.kind.as_deref() == Some("saved_messages");
        let Some(id) = self
            .id
            .or_else(|| saved.then(|| "saved-messages".to_owned()))
        else {
            collection.unreadable("a chat without an `id`");
            return;
        };
        let name = self.name.as_deref().filter(|name| !name.trim().is_empty());
        let title = name.unwrap_or(if saved {
            "Saved Messages"
        } else {
            "Deleted account"
        });
        let head = Head::new(Format::Telegram, id).with_title(Some(title));
        let label = name_of(&head);
        for (id, reason) in self.left_out {
            collection.message(&format!("{label} message {id}"), reason);
        }
        collection.conversation(Conversation {
            head,
            turns: self.turns,
        });
    }
}

/// Reads a chat that is held whole.
pub(crate) fn read(value: &Json<'_>, collection: &mut Collection<'_>) {
    let mut chat = Chat::default();
    for (name, member) in value.members() {
        chat.field(name, member);
    }
    for message in value.list("messages") {
        chat.message(message, collection);
    }
    chat.finish(collection);
}

/// The local time is for exports that are older than the other field.
fn time(message: &Json<'_>) -> Option<Moment> {
    when::of(message.get("date_unixtime")).or_else(|| when::of(message.get("date")))
}

/// Puts together a text that is in parts, such as links.
fn text(value: &Json<'_>) -> String {
    if let Some(text) = value.as_text() {
        return text.to_owned();
    }
    let mut out = String::new();
    for part in value.items() {
        if let Some(text) = part.as_text() {
            out.push_str(text);
            continue;
        }
        let text = part.text("text").unwrap_or_default();
        match (part.text("type"), part.text("href")) {
            (Some("pre"), _) => {
                let language = part.text("language").unwrap_or_default();
                out.push_str(&format!("\n```{language}\n{text}\n```\n"));
            }
            (Some("code"), _) => out.push_str(&format!("`{text}`")),
            (_, Some(href)) => out.push_str(&format!("[{text}]({href})")),
            _ => out.push_str(text),
        }
    }
    out
}
