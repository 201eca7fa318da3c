//! The parts of a Claude account export.

pub(crate) mod blocks;
mod memories;
mod project;

use std::collections::HashSet;

use synix_plugin::reading::Reason;

use crate::body::Body;
use crate::collection::{Collection, name_of};
use crate::conversation::{Conversation, Head, Turn, Who};
use crate::format::Format;
use crate::json::Json;
use crate::tree::{self, Node};
use crate::when;

pub(crate) use memories::read as read_memories;
pub(crate) use project::read as read_project;

/// Reads one element of `conversations.json`, or a snapshot that was shared.
pub(crate) fn read_conversation(value: &Json<'_>, collection: &mut Collection<'_>) {
    let Some(id) = value.id("uuid") else {
        collection.unreadable("a conversation without a `uuid`");
        return;
    };
    let title = value.text("name").or_else(|| value.text("snapshot_name"));
    let mut head = head(value, id).with_title(title);
    let project = value.at(&["project", "name"]).as_text();
    let project = project.filter(|name| !name.trim().is_empty());
    head.project = project
        .or_else(|| value.text("project_uuid"))
        .or_else(|| value.get("project").text("uuid"))
        .map(str::to_owned);
    head.model = value.text("model").map(str::to_owned);
    let messages = match value.list("chat_messages") {
        [] => value.list("messages"),
        messages => messages,
    };
    let name = name_of(&head);
    let turns = active(
        messages,
        value.text("current_leaf_message_uuid"),
        &name,
        collection,
    )
    .into_iter()
    .filter_map(|message| turn(message, &name, collection))
    .collect();
    collection.conversation(Conversation { head, turns });
}

/// Reads a conversation about a design, whose identifiers of projects are not those of other conversations.
pub(crate) fn read_design(value: &Json<'_>, collection: &mut Collection<'_>) {
    let Some(id) = value.id("uuid") else {
        collection.unreadable("a design conversation without a `uuid`");
        return;
    };
    let mut head = head(value, id).with_title(value.text("title"));
    head.prefix = "claude-design";
    head.project = value.get("project").text("name").map(str::to_owned);
    let mut turns = Vec::new();
    for message in value.list("messages") {
        let content = message.get("content");
        let mut body = Body::new(collection.config);
        let blocks = content.list("contentBlocks");
        if !blocks.iter().any(blocks::is_text) {
            let said = content.text("content").or_else(|| message.text("content"));
            body.say(said.unwrap_or_default());
        }
        blocks::fill(&mut body, blocks);
        turns.extend(body.turn(
            who(message.text("role").unwrap_or_default()),
            when::of(message.get("created_at")),
        ));
    }
    collection.conversation(Conversation { head, turns });
}

fn head(value: &Json<'_>, id: String) -> Head {
    let mut head = Head::new(Format::Claude, id);
    head.created = when::of(value.get("created_at"));
    head.updated = when::of(value.get("updated_at"));
    head.account = value.get("account").id("uuid");
    head
}

fn who(sender: &str) -> Who {
    match sender {
        "human" | "user" => Who::User,
        _ => Who::Assistant,
    }
}

/// Returns the messages of the active branch. Without links the order of the array counts.
fn active<'v, 'a>(
    messages: &'v [Json<'a>],
    current: Option<&str>,
    name: &str,
    collection: &Collection<'_>,
) -> Vec<&'v Json<'a>> {
    let nodes: Vec<_> = messages.iter().map(node).collect();
    let ids: HashSet<_> = nodes.iter().map(|node| node.id).collect();
    let is_linked = nodes
        .iter()
        .any(|node| node.parent.is_some_and(|parent| ids.contains(parent)));
    if !is_linked {
        return messages.iter().collect();
    }
    let active = tree::active(&nodes, current);
    for place in active.others {
        collection.message(&format!("{name} leaf {}", nodes[place].id), Reason::Branch);
    }
    active.path.iter().map(|&place| &messages[place]).collect()
}

fn node<'v>(message: &'v Json<'_>) -> Node<'v> {
    let has_text =
        message.text("text").is_some() || message.list("content").iter().any(blocks::is_text);
    Node {
        id: message.text("uuid").unwrap_or_default(),
        parent: message.text("parent_message_uuid"),
        children: Vec::new(),
        at: when::of(message.get("created_at")).map(when::order),
        is_message: true,
        is_finished: has_text || message.text("sender") == Some("human"),
    }
}

fn turn(message: &Json<'_>, name: &str, collection: &Collection<'_>) -> Option<Turn> {
    if !message.is_object() {
        collection.message(&format!("{name} message"), Reason::Unreadable);
        return None;
    }
    let sender = message.text("sender").or_else(|| message.text("role"));
    let Some(sender) = sender else {
        let id = message.text("uuid").unwrap_or("without a sender");
        collection.message(&format!("{name} message {id}"), Reason::Unreadable);
        return None;
    };
    let mut body = Body::new(collection.config);
    let content = message.list("content");
    // `text` repeats the blocks, with placeholders for what an old device does not show.
    if !content.iter().any(blocks::is_text) {
        let said = message.text("text").or_else(|| message.text("content"));
        body.say(&blocks::without_placeholders(said.unwrap_or_default()));
    }
    blocks::fill(&mut body, content);
    let mut seen = HashSet::new();
    for attachment in message.list("attachments") {
        let name = attachment.text("file_name").unwrap_or("pasted text");
        seen.insert(name);
        body.attach(name, attachment.text("extracted_content"));
    }
    for list in ["files", "files_v2"] {
        for file in message.list(list) {
            let name = file.text("file_name").unwrap_or("file");
            if seen.insert(name) {
                body.attach(name, None);
            }
        }
    }
    let at = when::of(message.get("created_at"));
    body.turn(who(sender), at)
}
