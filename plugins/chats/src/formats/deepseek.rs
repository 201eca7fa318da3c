//! Conversations of a DeepSeek export, which has the name and the tree of ChatGPT's.

use synix_plugin::reading::Reason;

use crate::body::{Body, Tool};
use crate::collection::{Collection, name_of};
use crate::config::Config;
use crate::conversation::{Conversation, Head, Turn, Who};
use crate::format::Format;
use crate::json::Json;
use crate::tree::{self, Node};
use crate::when;

/// Reads one element of `conversations.json`.
pub(crate) fn read(value: &Json<'_>, collection: &mut Collection<'_>) {
    let Some(id) = value.id("id") else {
        collection.unreadable("a conversation without an identifier");
        return;
    };
    let members = value.get("mapping").members();
    let nodes: Vec<_> = members.iter().map(|(id, node)| to_node(id, node)).collect();
    let active = tree::active(&nodes, value.text("current_node"));
    let mut head = Head::new(Format::DeepSeek, id).with_title(value.text("title"));
    head.created = when::of(value.get("inserted_at"));
    head.updated = when::of(value.get("updated_at"));
    let name = name_of(&head);
    for place in active.others {
        collection.message(&format!("{name} leaf {}", nodes[place].id), Reason::Branch);
    }
    let mut turns = Vec::new();
    for place in active.path {
        let message = members[place].1.get("message");
        if let Some(model) = message.text("model") {
            head.model = Some(model.to_owned());
        }
        turns.extend(turn(message, collection.config));
    }
    collection.conversation(Conversation { head, turns });
}

fn to_node<'v>(id: &'v str, node: &'v Json<'_>) -> Node<'v> {
    let message = node.get("message");
    Node {
        id,
        parent: node.text("parent"),
        children: node
            .list("children")
            .iter()
            .filter_map(Json::as_text)
            .collect(),
        at: when::of(message.get("inserted_at")).map(when::order),
        is_message: message.is_object(),
        is_finished: true,
    }
}

fn turn(message: &Json<'_>, config: &Config) -> Option<Turn> {
    let mut body = Body::new(config);
    let mut who = Who::Assistant;
    for fragment in message.list("fragments") {
        let text = fragment.text("content").unwrap_or_default();
        match fragment.text("type").unwrap_or_default() {
            "REQUEST" => {
                who = Who::User;
                body.say(text);
            }
            "RESPONSE" => body.say(text),
            "THINK" => body.think(text),
            other => body.tool(&Tool {
                name: other,
                text,
                is_result: true,
                ..Tool::default()
            }),
        }
    }
    // Older exports have the texts in the message itself.
    if message.list("fragments").is_empty() {
        let role = message.text("role").unwrap_or_default();
        if role.eq_ignore_ascii_case("user") {
            who = Who::User;
        }
        body.think(message.text("reasoning_content").unwrap_or_default());
        body.say(message.text("content").unwrap_or_default());
    }
    for file in message.list("files") {
        let name = file.text("file_name").or_else(|| file.text("name"));
        body.attach(name.unwrap_or("file"), file.text("content"));
    }
    let at = when::of(message.get("inserted_at"));
    body.turn(who, at)
}
