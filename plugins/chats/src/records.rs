//! Records of JSON: what each is, and which format's module takes it.

use std::collections::BTreeSet;

use synix_plugin::Error;
use synix_plugin::reading::Reason;

use crate::collection::Collection;
use crate::config::Config;
use crate::format::{Format, Record};
use crate::formats::{chatgpt, claude, claude_code, codex, deepseek, gemini, slack, telegram};
use crate::json::Json;
use crate::repair::parsed;

/// A guest has 256 MiB, and a record is in it several times while it becomes an artifact.
const MAX_RECORD_BYTES: usize = 32 * 1024 * 1024;
/// A file whose first records are all unknown is not read to its end.
const MAX_UNKNOWN: usize = 200;

/// What a file holds, and what its records have become so far.
#[derive(Debug)]
pub(crate) struct Records<'c> {
    pub(crate) collection: Collection<'c>,
    activity: gemini::Activity,
    pub(crate) directory: slack::Directory,
    pub(crate) entry: Entry,
    /// Formats that are in the file, although the layer asks for another one.
    foreign: BTreeSet<Format>,
    /// What the first unknown record looks like.
    unknown: Option<String>,
}

/// What one file of an archive holds.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    claude_code: claude_code::Session,
    codex: codex::Session,
    pub(crate) channel: slack::Channel,
    /// Records of known formats.
    known: usize,
    /// Parts of known exports that hold no conversations.
    companions: usize,
    /// Places of records of no known format, before there was one of a known format.
    unknown: Vec<String>,
    pub(crate) has_channel: bool,
}

impl Entry {
    fn is_session(&self) -> bool {
        !self.claude_code.is_empty() || !self.codex.is_empty()
    }
}

impl<'c> Records<'c> {
    pub(crate) fn new(config: &'c Config) -> Self {
        Records {
            collection: Collection::new(config),
            activity: gemini::Activity::default(),
            directory: slack::Directory::default(),
            entry: Entry::default(),
            foreign: BTreeSet::new(),
            unknown: None,
        }
    }

    /// Takes a record. `place` names it for people, such as `line 3`.
    pub(crate) fn take(&mut self, bytes: &[u8], place: &str) {
        if bytes.len() > MAX_RECORD_BYTES {
            let limit = MAX_RECORD_BYTES >> 20;
            self.unreadable(place, &format!("longer than {limit} MiB"));
            return;
        }
        let taken = parsed(bytes, |value| self.record(value, place));
        if let Err(error) = taken {
            self.unreadable(place, &error);
        }
    }

    /// Leaves out what is at a place, or without one the entry at hand.
    pub(crate) fn unreadable(&mut self, place: &str, why: &str) {
        self.collection.at(place);
        if place.is_empty() {
            self.collection.unreadable(why);
        } else {
            self.collection.unreadable(&format!("{place} ({why})"));
        }
    }

    fn record(&mut self, value: &Json<'_>, place: &str) {
        let Some(record) = Record::of(value) else {
            if self.entry.is_session() && value.text("type").is_some() {
                // Sessions get new types of lines with each version.
            } else if self.entry.known > 0 {
                self.unreadable(place, &value.shape());
            } else {
                self.unknown.get_or_insert_with(|| value.shape());
                self.entry.unknown.push(place.to_owned());
            }
            return;
        };
        if let Some(format) = record.format() {
            if !self.allows(format) {
                return;
            }
            self.known();
        }
        match record {
            Record::ChatGpt => {
                self.collection.at(place);
                chatgpt::read(value, &mut self.collection);
            }
            Record::ClaudeConversation => {
                self.collection.at(place);
                claude::read_conversation(value, &mut self.collection);
            }
            Record::ClaudeDesign => {
                self.collection.at(place);
                claude::read_design(value, &mut self.collection);
            }
            Record::ClaudeMemories => {
                self.collection.at(place);
                claude::read_memories(value, &mut self.collection);
            }
            Record::ClaudeProject => {
                self.collection.at(place);
                claude::read_project(value, &mut self.collection);
            }
            Record::DeepSeek => {
                self.collection.at(place);
                deepseek::read(value, &mut self.collection);
            }
            Record::Gemini => self.activity.take(value, &mut self.collection),
            Record::SlackMessage => {
                self.entry.has_channel = true;
                self.entry
                    .channel
                    .take(value, &self.directory, &self.collection);
            }
            Record::TelegramChat => {
                self.collection.at(place);
                telegram::read(value, &mut self.collection);
            }
            Record::ClaudeCode => self.entry.claude_code.take(value, &self.collection),
            Record::Codex => self.entry.codex.take(value, &self.collection),
            Record::SlackUser => {
                self.entry.companions += 1;
                self.directory.user(value);
            }
            Record::SlackChannel => {
                self.entry.companions += 1;
                self.directory.channel(value);
            }
            Record::Companion => self.entry.companions += 1,
        }
    }

    /// Returns whether the layer takes the format, and notes one that it does not take.
    pub(crate) fn allows(&mut self, format: Format) -> bool {
        let allows = self.collection.config.format.allows(format);
        if !allows {
            self.foreign.insert(format);
            self.entry.companions += 1;
        }
        allows
    }

    /// Notes that the format of the entry is known: odd records before it are odd ones of this format.
    pub(crate) fn known(&mut self) {
        self.entry.known += 1;
        self.unknown = None;
        for place in std::mem::take(&mut self.entry.unknown) {
            self.unreadable(&place, "of another structure than the others");
        }
    }

    /// Returns whether enough is seen to know that nothing here is known.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.entry.known == 0 && self.entry.unknown.len() >= MAX_UNKNOWN
    }

    /// Ends a file of an archive, or the file itself. `stem` is its name without the extension.
    pub(crate) fn end_entry(&mut self, path: &str, stem: &str) {
        let entry = std::mem::take(&mut self.entry);
        self.collection.at("");
        if !entry.claude_code.is_empty() {
            entry.claude_code.finish(stem, &mut self.collection);
        }
        if !entry.codex.is_empty() {
            entry.codex.finish(stem, &mut self.collection);
        }
        if entry.known > 0 && entry.companions > 0 {
            let count = entry.companions;
            let what = format!("{path}: {count} records of another kind");
            self.collection.message(&what, Reason::Unsupported);
        }
        if entry.known == 0 && (entry.companions > 0 || !entry.unknown.is_empty()) {
            self.collection.unsupported(path);
        }
    }

    /// Notes a part of another form than a record.
    pub(crate) fn unknown(&mut self, path: &str, shape: &str) {
        self.unknown.get_or_insert_with(|| shape.to_owned());
        self.collection.unsupported(path);
    }

    /// Ends the file.
    pub(crate) fn finish(mut self, file: &str) -> Result<(), Error> {
        self.collection.enter("");
        self.activity.finish(&mut self.collection);
        if self.collection.is_taken() {
            return Ok(());
        }
        if let (Some(chosen), false) = (
            self.collection.config.format.format(),
            self.foreign.is_empty(),
        ) {
            let found: Vec<_> = self.foreign.iter().map(|format| format.name()).collect();
            return Err(Error::InvalidInput(format!(
                "{file} holds {}, but the layer sets the `format` of {}: set `format = \"auto\"`, or leave the file out of `source`",
                found.join(" and "),
                chosen.name(),
            )));
        }
        if let (Some(unknown), 0) = (&self.unknown, self.collection.found()) {
            return Err(Error::InvalidInput(format!(
                "{file} has a structure that is not known: found {unknown}; {ACCEPTED}"
            )));
        }
        self.collection.check(file)
    }
}

const ACCEPTED: &str = "`chats` reads exports of ChatGPT, Claude, DeepSeek, Gemini, Slack and Telegram as JSON or zip, \
    sessions of Claude Code and Codex, WhatsApp chats, and texts with lines such as `User:` and `Assistant:`";
