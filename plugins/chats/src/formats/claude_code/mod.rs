//! Sessions of Claude Code: one file of JSON Lines, to which lines are only added.
//!
//! `line` reads a line, `prompt` the text of a person, `chain` finds the active branch, `draft` joins the lines of a
//! message; here lines become conversations.

mod chain;
mod draft;
mod line;
mod prompt;

use std::collections::{HashMap, HashSet};

use synix_plugin::reading::Reason;

use self::draft::Draft;
use self::line::{Kind, Line};
use crate::collection::Collection;
use crate::conversation::{Conversation, Head, Turn, Who};
use crate::format::Format;
use crate::json::Json;
use crate::label::label;

/// The lines of one file.
#[derive(Debug, Default)]
pub(crate) struct Session {
    has_lines: bool,
    lines: Vec<Line>,
    seen: HashSet<String>,
    titles: Titles,
}

/// A session, and the agent in it.
type Key = (String, Option<String>);

/// Of each kind the last one counts.
#[derive(Debug, Default)]
struct Titles {
    custom: HashMap<String, String>,
    generated: HashMap<String, String>,
    /// With the line that each is about. A file may begin with those of other sessions.
    summaries: Vec<(Option<String>, String)>,
}

impl Session {
    /// Takes a line.
    pub(crate) fn take(&mut self, value: &Json<'_>, collection: &Collection<'_>) {
        self.has_lines = true;
        let session = value.id("sessionId").unwrap_or_default();
        match value.text("type").unwrap_or_default() {
            "summary" => {
                if let Some(summary) = value.text("summary") {
                    let leaf = value.id("leafUuid");
                    self.titles.summaries.push((leaf, summary.to_owned()));
                }
            }
            "custom-title" => {
                let title = value.text("customTitle").or_else(|| value.text("title"));
                self.titles
                    .custom
                    .extend(title.map(|title| (session, title.to_owned())));
            }
            "ai-title" => {
                let title = value.text("aiTitle").or_else(|| value.text("title"));
                self.titles
                    .generated
                    .extend(title.map(|title| (session, title.to_owned())));
            }
            _ => {
                let Some(line) = Line::read(value, collection.config) else {
                    return;
                };
                if !line.uuid.is_empty() && !self.seen.insert(line.uuid.clone()) {
                    collection.message(&format!("message {}", line.uuid), Reason::Duplicate);
                    return;
                }
                self.lines.push(line);
            }
        }
    }

    /// Emits the session of the file, and each of the agents that it holds. `stem` is the name of the file.
    pub(crate) fn finish(self, stem: &str, collection: &mut Collection<'_>) {
        let Session { lines, titles, .. } = self;
        let sessions = group_sessions(&lines, stem);
        let mut groups: Vec<(Key, Vec<Line>)> = Vec::new();
        let mut places = HashMap::new();
        let agents = agents(&lines);
        for (line, agent) in lines.into_iter().zip(agents) {
            let session = sessions.get(&line.session).cloned().unwrap_or_default();
            let key = (session, agent);
            let place = *places.entry(key.clone()).or_insert(groups.len());
            if place == groups.len() {
                groups.push((key, Vec::new()));
            }
            groups[place].1.push(line);
        }
        if groups.is_empty() {
            collection.session(Conversation {
                head: Head::new(Format::ClaudeCode, stem),
                turns: Vec::new(),
            });
        }
        for ((session, agent), lines) in groups {
            let session = if session.is_empty() {
                stem.to_owned()
            } else {
                session
            };
            emit(&session, agent.as_deref(), lines, &titles, collection);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.has_lines
    }
}

/// Maps each session identifier to that of the session that shows it: a fork keeps the history that it copied.
fn group_sessions(lines: &[Line], stem: &str) -> HashMap<String, String> {
    let mut order: Vec<&str> = Vec::new();
    let mut of_line = HashMap::new();
    for line in lines {
        if !order.contains(&line.session.as_str()) && order.len() < MAX_SESSIONS {
            order.push(&line.session);
        }
        of_line.insert(line.uuid.as_str(), line.session.as_str());
    }
    let mut group: Vec<usize> = (0..order.len()).collect();
    let place = |session: &str| order.iter().position(|other| *other == session);
    for line in lines {
        let parent = line
            .parent
            .as_deref()
            .and_then(|parent| of_line.get(parent));
        if let Some(parent) = parent
            && *parent != line.session
            && let (Some(a), Some(b)) = (place(parent), place(&line.session))
        {
            let (old, new) = (group[a], group[b]);
            for entry in group.iter_mut().filter(|entry| **entry == old) {
                *entry = new;
            }
        }
    }
    let mut shown = HashMap::new();
    for (at, session) in order.iter().enumerate() {
        let members = (0..order.len()).filter(|&other| group[other] == group[at]);
        let members: Vec<_> = members.map(|other| order[other]).collect();
        let named = members.iter().find(|member| **member == stem);
        let last = members.iter().rfind(|member| !member.is_empty());
        let id = named.or(last).copied().unwrap_or_default();
        shown.insert((*session).to_owned(), id.to_owned());
    }
    shown
}

/// More sessions in one file are not told apart, so that nobody can make the grouping slow.
const MAX_SESSIONS: usize = 200;

/// Returns for each line the agent whose it is. Old files name none, so there the first line of its chain does.
fn agents(lines: &[Line]) -> Vec<Option<String>> {
    let mut of_line: HashMap<&str, String> = HashMap::new();
    let mut agents = Vec::with_capacity(lines.len());
    for line in lines {
        let agent = line.is_side.then(|| {
            let parents = line
                .parent
                .as_deref()
                .and_then(|parent| of_line.get(parent));
            let own = line.agent.clone();
            own.or_else(|| parents.cloned())
                .unwrap_or_else(|| line.uuid.chars().take(8).collect())
        });
        if let Some(agent) = &agent {
            of_line.insert(&line.uuid, agent.clone());
        }
        agents.push(agent);
    }
    agents
}

fn emit(
    session: &str,
    agent: Option<&str>,
    mut lines: Vec<Line>,
    titles: &Titles,
    collection: &mut Collection<'_>,
) {
    let id = match agent {
        Some(agent) => format!("{session}-{agent}"),
        None => session.to_owned(),
    };
    let mut head = Head::new(Format::ClaudeCode, id);
    let name = label(head.prefix, &head.id, "");
    head.cwd = lines.iter().find_map(|line| line.cwd.clone());
    head.branch = lines.iter().find_map(|line| line.branch.clone());
    head.model = lines.iter().rev().find_map(|line| line.model.clone());
    head.updated = lines.iter().filter_map(|line| line.at).max();
    if agent.is_none() {
        head = head.with_title(title(session, &lines, titles).as_deref());
    }

    let order = chain::order(&lines);
    for place in order.others {
        let leaf = &lines[place].uuid;
        collection.message(&format!("{name} leaf {leaf}"), Reason::Branch);
    }
    let mut turns: Vec<Turn> = Vec::new();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut of_message: HashMap<String, usize> = HashMap::new();
    for place in order.active {
        let line = &mut lines[place];
        if line.is_hidden {
            collection.message(&format!("{name} message {}", line.uuid), Reason::Hidden);
            continue;
        }
        let message = line.message.take().filter(|_| line.kind == Kind::Assistant);
        let known = message.as_ref().and_then(|message| of_message.get(message));
        let draft = *known.unwrap_or(&drafts.len());
        if draft == drafts.len() {
            drafts.push(Draft::of(line));
        }
        of_message.extend(message.map(|message| (message, draft)));
        for fragment in line.fragments.drain(..) {
            drafts[draft].merge(fragment);
        }
    }
    turns.extend(drafts.into_iter().filter_map(Draft::finish));
    if is_probe(&turns) {
        collection.message(&name, Reason::Hidden);
    } else {
        collection.session(Conversation { head, turns });
    }
}

/// Recognises the sessions that the program begins by itself, to warm up an agent or to ask for its quota.
fn is_probe(turns: &[Turn]) -> bool {
    let mut prompts = turns.iter().filter(|turn| turn.who == Who::User);
    let first = prompts.next().map(|turn| &*turn.text);
    matches!(first, Some("Warmup" | "quota")) && prompts.next().is_none()
}

fn title(session: &str, lines: &[Line], titles: &Titles) -> Option<String> {
    let own =
        |titles: &HashMap<String, String>| titles.get(session).or_else(|| titles.get("")).cloned();
    let uuids: HashSet<_> = lines.iter().map(|line| line.uuid.as_str()).collect();
    let has = |leaf: &str| uuids.contains(leaf);
    let summary = || {
        let mut summaries = titles.summaries.iter().rev();
        let found = summaries.find(|(leaf, _)| leaf.as_deref().is_none_or(has));
        found.map(|(_, summary)| summary.clone())
    };
    own(&titles.custom)
        .or_else(|| own(&titles.generated))
        .or_else(summary)
        .or_else(|| lines.iter().find_map(|line| line.slug.clone()))
}
