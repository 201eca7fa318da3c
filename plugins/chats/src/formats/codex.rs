//! Sessions of the Codex CLI: rollouts, and the old history of prompts.

use std::collections::HashSet;

use synix_plugin::reading::Reason;

use crate::body::{Body, Tool};
use crate::collection::Collection;
use crate::conversation::{Conversation, Head, Turn, Who};
use crate::format::Format;
use crate::formats::claude::blocks::text_of;
use crate::json::Json;
use crate::when::{self, Moment};

/// The lines of one file.
#[derive(Debug, Default)]
pub(crate) struct Session {
    id: Option<String>,
    cwd: Option<String>,
    branch: Option<String>,
    model: Option<String>,
    created: Option<Moment>,
    updated: Option<Moment>,
    /// The same is said as an item and as an event: where there are items, they count.
    items: Vec<Turn>,
    has_items: bool,
    events: Vec<Turn>,
    hidden: usize,
    /// Prompts by session, in the order of the history.
    history: Vec<(String, Vec<Turn>)>,
    has_lines: bool,
}

/// What the program says to the model in the name of the user.
const INJECTED: [&str; 7] = [
    "<environment_context>",
    "<user_instructions>",
    "<permissions instructions>",
    "<turn_context>",
    "<turn_aborted>",
    "<INSTRUCTIONS>",
    "# AGENTS.md instructions",
];

impl Session {
    /// Takes a line.
    pub(crate) fn take(&mut self, value: &Json<'_>, collection: &Collection<'_>) {
        self.has_lines = true;
        if value.has("session_id") && value.has("ts") {
            self.prompt(value, collection);
            return;
        }
        let at = when::of(value.get("timestamp"));
        self.updated = at.max(self.updated);
        let payload = value.get("payload");
        match value.text("type").unwrap_or_default() {
            "session_meta" => self.meta(payload),
            "turn_context" => {
                let model = payload.text("model").map(str::to_owned);
                self.model = model.or(self.model.take());
                let cwd = || payload.text("cwd").map(str::to_owned);
                self.cwd = self.cwd.take().or_else(cwd);
            }
            "response_item" => self.item(payload, at, collection),
            "event_msg" => self.event(payload, at, collection),
            // The first versions have no type around the start of a session, and nothing around its items.
            "" if payload.is_null() && !value.has("role") => self.meta(value),
            _ if payload.is_null() => self.item(value, at, collection),
            _ => {}
        }
    }

    fn meta(&mut self, payload: &Json<'_>) {
        // A fork repeats that of its origin after its own.
        if self.id.is_some() {
            return;
        }
        self.id = payload.id("id");
        self.created = when::of(payload.get("timestamp"));
        self.cwd = payload.text("cwd").map(str::to_owned);
        self.branch = payload.get("git").text("branch").map(str::to_owned);
    }

    fn item(&mut self, item: &Json<'_>, at: Option<Moment>, collection: &Collection<'_>) {
        let mut body = Body::new(collection.config);
        let mut who = Who::Assistant;
        match item.text("type").unwrap_or("message") {
            "message" => {
                let said = text_of(item.get("content"));
                match item.text("role") {
                    Some("user") => who = Who::User,
                    Some("assistant") => {}
                    _ => {
                        self.hidden += usize::from(!said.trim().is_empty());
                        return;
                    }
                }
                self.has_items = true;
                if who == Who::User && is_injected(&said) {
                    self.hidden += 1;
                    return;
                }
                body.say(&said);
                let is_image = |part: &&Json<'_>| part.text("type") == Some("input_image");
                for _ in item.list("content").iter().filter(is_image) {
                    body.attach("image", None);
                }
            }
            "reasoning" => {
                body.think(&text_of(item.get("summary")));
                body.think(&text_of(item.get("content")));
            }
            "function_call" | "custom_tool_call" | "local_shell_call" => {
                let action = item.get("action");
                let shell = if action.is_null() {
                    String::new()
                } else {
                    action.pretty()
                };
                let input = item.text("arguments").or_else(|| item.text("input"));
                body.tool(&Tool {
                    name: item.text("name").unwrap_or("shell"),
                    text: input.unwrap_or(&shell),
                    ..Tool::default()
                });
            }
            "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" => {
                who = Who::Tool;
                let output = item.get("output");
                let text = match text_of(output) {
                    text if text.is_empty() => text_of(output.get("content")),
                    text => text,
                };
                body.tool(&Tool {
                    text: &text,
                    is_result: true,
                    ..Tool::default()
                });
            }
            _ => return,
        }
        self.items.extend(turn(who, at, body));
    }

    fn event(&mut self, event: &Json<'_>, at: Option<Moment>, collection: &Collection<'_>) {
        let (who, field) = match event.text("type").unwrap_or_default() {
            "user_message" => (Who::User, "message"),
            "agent_message" => (Who::Assistant, "message"),
            "agent_reasoning" => (Who::Assistant, "text"),
            _ => return,
        };
        let said = event.text(field).unwrap_or_default();
        if who == Who::User && is_injected(said) {
            return;
        }
        let mut body = Body::new(collection.config);
        if field == "message" {
            body.say(said);
        } else {
            body.think(said);
        }
        self.events.extend(turn(who, at, body));
    }

    fn prompt(&mut self, value: &Json<'_>, collection: &Collection<'_>) {
        let Some(id) = value.id("session_id") else {
            return;
        };
        let mut body = Body::new(collection.config);
        body.say(value.text("text").unwrap_or_default());
        let turn = turn(Who::User, when::of(value.get("ts")), body);
        // The sessions of a history follow each other, but for those that ran at the same time.
        const NEAR: usize = 64;
        match self
            .history
            .iter_mut()
            .rev()
            .take(NEAR)
            .find(|(known, _)| *known == id)
        {
            Some((_, turns)) => turns.extend(turn),
            None => self.history.push((id, turn.into_iter().collect())),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.has_lines
    }

    /// Emits the session of the file. `stem` is the name of the file.
    pub(crate) fn finish(self, stem: &str, collection: &mut Collection<'_>) {
        let mut seen = HashSet::new();
        for (id, turns) in self.history {
            if !seen.insert(id.clone()) {
                collection.message(
                    &format!("more prompts of the session {id}"),
                    Reason::Duplicate,
                );
                continue;
            }
            let mut head = Head::new(Format::Codex, id);
            head.prefix = "codex-history";
            collection.conversation(Conversation { head, turns });
        }
        if self.id.is_none() && self.items.is_empty() && self.events.is_empty() && !seen.is_empty()
        {
            return;
        }
        let mut head = Head::new(Format::Codex, self.id.unwrap_or_else(|| stem.to_owned()));
        head.cwd = self.cwd;
        head.branch = self.branch;
        head.model = self.model;
        head.created = self.created;
        head.updated = self.updated;
        for number in 1..=self.hidden {
            let name = crate::collection::name_of(&head);
            collection.message(&format!("{name} instructions {number}"), Reason::Hidden);
        }
        let turns = if self.has_items {
            self.items
        } else {
            self.events
        };
        collection.session(Conversation { head, turns });
    }
}

fn turn(who: Who, at: Option<Moment>, body: Body<'_>) -> Option<Turn> {
    body.turn(who, at)
}

fn is_injected(text: &str) -> bool {
    let text = text.trim_start();
    INJECTED.iter().any(|start| text.starts_with(start))
}
