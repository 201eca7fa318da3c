//! Conversations of a ChatGPT account export.

mod marks;
mod message;

use synix_plugin::reading::Reason;

use crate::collection::{Collection, name_of};
use crate::conversation::{Conversation, Head, Who};
use crate::format::Format;
use crate::json::Json;
use crate::tree::{self, Node};
use crate::when;

/// Reads one element of `conversations.json`.
pub(crate) fn read(value: &Json<'_>, collection: &mut Collection<'_>) {
    let nodes = nodes(value.get("mapping"));
    let messages: Vec<_> = value
        .get("mapping")
        .members()
        .iter()
        .map(|(_, node)| node.get("message"))
        .collect();
    let active = tree::active(&nodes, value.text("current_node"));
    // Without an identifier the first message names the conversation: it is the same in each export.
    let first = active.path.iter().find(|&&place| nodes[place].is_message);
    let first_id = || first.map(|&place| nodes[place].id.to_owned());
    let own_id = value.id("conversation_id").or_else(|| value.id("id"));
    let Some(id) = own_id.or_else(first_id) else {
        collection.unreadable("a conversation without an identifier or a message");
        return;
    };

    let mut head = Head::new(Format::ChatGpt, id).with_title(value.text("title"));
    head.created = when::of(value.get("create_time"));
    head.updated = when::of(value.get("update_time"));
    head.project = project(value);
    let name = name_of(&head);
    for place in active.others {
        let leaf = nodes[place].id;
        collection.message(&format!("{name} leaf {leaf}"), Reason::Branch);
    }
    let mut model = None;
    let mut turns = Vec::new();
    for place in active.path {
        let message = messages[place];
        if !message.is_object() {
            continue;
        }
        match message::turn(message, collection.config) {
            Ok(Some(turn)) => {
                if turn.who == Who::Assistant {
                    let slug = message.get("metadata").text("model_slug");
                    model = slug.map(str::to_owned).or(model);
                }
                turns.push(turn);
            }
            Ok(None) => {}
            Err(reason) => {
                collection.message(&format!("{name} message {}", nodes[place].id), reason);
            }
        }
    }
    let default = value.text("default_model_slug");
    head.model = model.or_else(|| default.map(str::to_owned));
    collection.conversation(Conversation { head, turns });
}

fn nodes<'v>(mapping: &'v Json<'_>) -> Vec<Node<'v>> {
    let members = mapping.members().iter();
    members
        .map(|(id, node)| {
            let message = node.get("message");
            Node {
                id,
                parent: node.text("parent"),
                children: node
                    .list("children")
                    .iter()
                    .filter_map(Json::as_text)
                    .collect(),
                at: message.number("create_time"),
                is_message: message.is_object(),
                is_finished: true,
            }
        })
        .collect()
}

/// The export names no project; its identifier is all there is.
fn project(value: &Json<'_>) -> Option<String> {
    let id = value
        .text("gizmo_id")
        .or_else(|| value.text("conversation_template_id"))?;
    let is_project = value.text("gizmo_type") == Some("snorlax") || id.starts_with("g-p-");
    is_project.then(|| id.to_owned())
}
