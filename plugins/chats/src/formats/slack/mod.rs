//! Channels of a Slack export: a folder for each, with a file for each day.

mod markup;

use std::collections::{BTreeMap, HashMap};

use synix_plugin::reading::Reason;

use crate::body::Body;
use crate::collection::{Collection, name_of};
use crate::conversation::{Conversation, Head, Names, Turn};
use crate::format::{Format, Record};
use crate::json::Json;
use crate::repair::parsed;
use crate::when::Moment;

/// Returns whether an element of an array is a message.
pub(crate) fn is_message(bytes: &[u8]) -> bool {
    let record = parsed(bytes, Record::of).ok().flatten();
    record == Some(Record::SlackMessage)
}

/// Who and what the identifiers of an export mean.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    users: HashMap<String, String>,
    /// Titles of conversations without a name of their own, by identifier.
    members: HashMap<String, Vec<String>>,
    /// Identifiers of direct conversations.
    channels: HashMap<String, String>,
}

impl Directory {
    /// Takes an element of `users.json`.
    pub(crate) fn user(&mut self, value: &Json<'_>) {
        if let (Some(id), Some(name)) = (value.id("id"), user_name(value, value.get("profile"))) {
            self.users.insert(id, name);
        }
    }

    /// Takes an element of `channels.json`, `groups.json`, `dms.json` or `mpims.json`.
    pub(crate) fn channel(&mut self, value: &Json<'_>) {
        let Some(id) = value.id("id") else { return };
        match value.text("name") {
            Some(name) => {
                self.channels.insert(id, name.to_owned());
            }
            None => {
                let members = value.list("members").iter().filter_map(Json::as_id);
                self.members.insert(id, members.collect());
            }
        }
    }

    fn user_of(&self, message: &Json<'_>) -> String {
        let id = message.id("user");
        let known = id.as_ref().and_then(|id| self.users.get(id)).cloned();
        known
            .or_else(|| user_name(message.get("user_profile"), message.get("user_profile")))
            .or_else(|| message.text("username").map(str::to_owned))
            .or_else(|| message.get("bot_profile").text("name").map(str::to_owned))
            .or(id)
            .or_else(|| message.id("bot_id"))
            .unwrap_or_else(|| "Unknown".to_owned())
    }

    fn title(&self, channel: &str) -> String {
        match self.members.get(channel) {
            None => format!("#{channel}"),
            Some(members) => {
                let name = |id: &String| self.users.get(id).unwrap_or(id).clone();
                members.iter().map(name).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

fn user_name(value: &Json<'_>, profile: &Json<'_>) -> Option<String> {
    let name = profile
        .text("display_name")
        .or_else(|| profile.text("real_name"));
    let name = name
        .or_else(|| value.text("real_name"))
        .or_else(|| value.text("name"));
    name.map(str::to_owned)
}

/// A channel whose messages arrive one by one.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    names: Names,
    messages: Vec<Message>,
    left_out: Vec<(String, Reason)>,
}

#[derive(Debug)]
struct Message {
    ts: String,
    /// The message that it answers.
    thread: Option<String>,
    turn: Turn,
}

/// Subtypes that are no messages of anybody, beside those of channels and groups.
const EVENTS: [&str; 8] = [
    "bot_add",
    "bot_remove",
    "pinned_item",
    "unpinned_item",
    "reminder_add",
    "tombstone",
    "sh_room_created",
    "huddle_thread",
];

impl Channel {
    pub(crate) fn take(
        &mut self,
        value: &Json<'_>,
        directory: &Directory,
        collection: &Collection<'_>,
    ) {
        let Some(ts) = value.id("ts") else {
            self.left_out
                .push(("without a time".to_owned(), Reason::Unreadable));
            return;
        };
        let subtype = value.text("subtype").unwrap_or_default();
        let is_event = subtype.starts_with("channel_")
            || subtype.starts_with("group_")
            || EVENTS.contains(&subtype);
        if is_event || value.is_true("hidden") {
            self.left_out.push((ts, Reason::Hidden));
            return;
        }
        let mut body = Body::new(collection.config);
        let text = value.text("text").unwrap_or_default();
        body.say(&markup::to_markdown(
            text,
            &directory.users,
            &directory.channels,
        ));
        if body.is_empty() {
            // What an app writes may be in its attachments alone.
            for attachment in value.list("attachments") {
                let text = attachment
                    .text("text")
                    .or_else(|| attachment.text("fallback"));
                let text = text.unwrap_or_default();
                body.say(&markup::to_markdown(
                    text,
                    &directory.users,
                    &directory.channels,
                ));
            }
        }
        for file in value.list("files") {
            let name = file.text("name").or_else(|| file.text("title"));
            body.attach(name.unwrap_or("file"), None);
        }
        let who = self.names.who(&directory.user_of(value));
        let at = ts.parse().ok().and_then(Moment::from_number);
        let Some(turn) = body.turn(who, at) else {
            return;
        };
        let thread = value.id("thread_ts").filter(|thread| *thread != ts);
        self.messages.push(Message {
            turn: Turn {
                is_reply: thread.is_some(),
                ..turn
            },
            ts,
            thread,
        });
    }

    pub(crate) fn finish(
        mut self,
        name: &str,
        suffix: &str,
        directory: &Directory,
        collection: &mut Collection<'_>,
    ) {
        let title = directory.title(name);
        let head = Head::new(Format::Slack, format!("{name}{suffix}")).with_title(Some(&title));
        let label = name_of(&head);
        for (ts, reason) in self.left_out {
            collection.message(&format!("{label} message {ts}"), reason);
        }
        let key = |message: &Message| (message.turn.at, message.ts.clone());
        self.messages.sort_by_cached_key(key);
        let starts: HashMap<String, usize> = self
            .messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.thread.is_none())
            .map(|(place, message)| (message.ts.clone(), place))
            .collect();
        // Replies are below the message that they answer, wherever their day is.
        let mut order: BTreeMap<(usize, usize), Turn> = BTreeMap::new();
        for (place, message) in self.messages.into_iter().enumerate() {
            let start = message
                .thread
                .as_ref()
                .and_then(|thread| starts.get(thread));
            let place = start.map_or((place, 0), |start| (*start, place + 1));
            order.insert(place, message.turn);
        }
        let turns = order.into_values().collect();
        collection.conversation(Conversation { head, turns });
    }
}
