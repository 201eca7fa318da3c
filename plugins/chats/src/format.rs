//! The formats, and how each is recognised by its structure.

use crate::json::Json;

/// A format that the reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    ChatGpt,
    Claude,
    ClaudeCode,
    Codex,
    DeepSeek,
    Gemini,
    Slack,
    Telegram,
    Text,
    WhatsApp,
}

impl Format {
    /// Returns the name of the service, for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Format::ChatGpt => "ChatGPT",
            Format::Claude => "Claude",
            Format::ClaudeCode => "Claude Code",
            Format::Codex => "Codex",
            Format::DeepSeek => "DeepSeek",
            Format::Gemini => "Gemini",
            Format::Slack => "Slack",
            Format::Telegram => "Telegram",
            Format::Text => "plain text",
            Format::WhatsApp => "WhatsApp",
        }
    }

    /// Returns the value of the metadata `provider`, which labels begin with.
    pub(crate) const fn provider(self) -> &'static str {
        match self {
            Format::ChatGpt => "chatgpt",
            Format::Claude => "claude",
            Format::ClaudeCode => "claude-code",
            Format::Codex => "codex",
            Format::DeepSeek => "deepseek",
            Format::Gemini => "gemini",
            Format::Slack => "slack",
            Format::Telegram => "telegram",
            Format::Text => "text",
            Format::WhatsApp => "whatsapp",
        }
    }
}

/// What an element of a JSON array, or a JSON file, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    ChatGpt,
    ClaudeConversation,
    ClaudeDesign,
    ClaudeMemories,
    ClaudeProject,
    DeepSeek,
    Gemini,
    SlackMessage,
    SlackUser,
    SlackChannel,
    TelegramChat,
    /// A line of a session, in a file that is an array.
    ClaudeCode,
    Codex,
    /// A known part of an export that holds no conversations.
    Companion,
}

impl Record {
    /// Recognises an element, by members that only one format has.
    pub(crate) fn of(value: &Json<'_>) -> Option<Self> {
        if !value.is_object() {
            return None;
        }
        let mapping = value.get("mapping");
        if mapping.is_object() {
            return Some(if is_deepseek(value, mapping) {
                Record::DeepSeek
            } else {
                Record::ChatGpt
            });
        }
        let has = |keys: &[&str]| keys.iter().all(|key| value.has(key));
        let is_list = |key| value.get(key).is_list();
        if is_list("chat_messages") {
            return Some(Record::ClaudeConversation);
        }
        if value.get("conversations_memory").as_text().is_some()
            || value.get("project_memories").is_object()
            || is_list("memory_files")
            || (has(&["account_uuid"]) && (has(&["memory"]) || has(&["content"])))
        {
            return Some(Record::ClaudeMemories);
        }
        if value.has("uuid") && (value.has("prompt_template") || is_list("docs")) {
            return Some(Record::ClaudeProject);
        }
        if value.has("uuid") && is_list("messages") {
            let is_design = value
                .list("messages")
                .iter()
                .any(|message| message.has("role"));
            return Some(if is_design {
                Record::ClaudeDesign
            } else {
                Record::ClaudeConversation
            });
        }
        if has(&["header", "title", "time"]) {
            return Some(if is_gemini(value) {
                Record::Gemini
            } else {
                Record::Companion
            });
        }
        if is_list("messages") && has(&["type"]) && (has(&["id"]) || has(&["name"])) {
            return Some(Record::TelegramChat);
        }
        if is_line_of_claude_code(value) {
            return Some(Record::ClaudeCode);
        }
        if is_line_of_codex(value) {
            return Some(Record::Codex);
        }
        if has(&["ts"]) && (has(&["type"]) || has(&["user"]) || has(&["text"])) {
            return Some(Record::SlackMessage);
        }
        let profile = value.get("profile");
        if has(&["id"]) && (profile.has("real_name") || profile.has("display_name")) {
            return Some(Record::SlackUser);
        }
        if has(&["id", "created"]) && is_list("members") {
            return Some(Record::SlackChannel);
        }
        is_companion(value).then_some(Record::Companion)
    }

    /// Returns the format that the record belongs to.
    pub(crate) const fn format(self) -> Option<Format> {
        match self {
            Record::ChatGpt => Some(Format::ChatGpt),
            Record::ClaudeConversation
            | Record::ClaudeDesign
            | Record::ClaudeMemories
            | Record::ClaudeProject => Some(Format::Claude),
            Record::DeepSeek => Some(Format::DeepSeek),
            Record::Gemini => Some(Format::Gemini),
            Record::SlackMessage => Some(Format::Slack),
            Record::TelegramChat => Some(Format::Telegram),
            Record::ClaudeCode => Some(Format::ClaudeCode),
            Record::Codex => Some(Format::Codex),
            Record::SlackUser | Record::SlackChannel | Record::Companion => None,
        }
    }
}

fn is_line_of_claude_code(value: &Json<'_>) -> bool {
    let others = ["sessionId", "parentUuid", "leafUuid", "isSnapshotUpdate"];
    value.has("type") && others.iter().any(|key| value.has(key))
}

fn is_line_of_codex(value: &Json<'_>) -> bool {
    const KNOWN: [&[&str]; 5] = [
        &["payload", "type"],
        // The history of prompts.
        &["session_id", "ts", "text"],
        // The first line of the first versions, and their items.
        &["id", "timestamp", "instructions"],
        &["id", "timestamp", "git"],
        &["type", "role", "content"],
    ];
    KNOWN
        .iter()
        .any(|keys| keys.iter().all(|key| value.has(key)))
}

/// Both services write `conversations.json` with a `mapping`.
fn is_deepseek(value: &Json<'_>, mapping: &Json<'_>) -> bool {
    let is = |(_, node): &(_, Json<'_>)| {
        let message = node.get("message");
        message.get("fragments").is_list() || message.has("reasoning_content")
    };
    let has_own_times = value.has("inserted_at") && !value.has("create_time");
    has_own_times || mapping.members().iter().any(is)
}

fn is_gemini(value: &Json<'_>) -> bool {
    let is_name = |text: &str| text.starts_with("Gemini") || text.starts_with("Bard");
    let named = |value: &Json<'_>| value.as_text().is_some_and(is_name);
    named(value.get("header")) || value.list("products").iter().any(named)
}

/// Recognises the parts of the exports of ChatGPT, Claude and Slack that hold no conversations by design.
fn is_companion(value: &Json<'_>) -> bool {
    const KNOWN: [&[&str]; 12] = [
        // A manifest of Claude.
        &["data_files"],
        // Users of Claude and ChatGPT.
        &["uuid", "email_address"],
        &["uuid", "full_name"],
        &["id", "email"],
        // Feedback, shared links and model comparisons of ChatGPT.
        &["conversation_id", "rating"],
        &["conversation_id", "is_anonymous"],
        &["conversation_id", "user_id"],
        // Logins of Claude.
        &["ip_address"],
        // A file of Claude's.
        &["uuid", "html"],
        // Beside the transcripts of Claude Code.
        &["agentType"],
        &["agentId", "type"],
        &["display", "project"],
    ];
    KNOWN
        .iter()
        .any(|keys| keys.iter().all(|key| value.has(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Option<Record> {
        Record::of(&Json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn deepseek_under_the_name_and_form_of_chatgpt_is_recognised() {
        let deepseek = r#"{"id": "d", "title": "T", "inserted_at": "2025-01-01T00:00:00Z", "mapping": {"root": {"id": "root"}}}"#;
        assert_eq!(record(deepseek), Some(Record::DeepSeek));
        let fragments = r#"{"mapping": {"1": {"message": {"fragments": []}}}}"#;
        assert_eq!(record(fragments), Some(Record::DeepSeek));
        let chatgpt = r#"{"title": "T", "create_time": 1.0, "mapping": {"1": {"message": null}}}"#;
        assert_eq!(record(chatgpt), Some(Record::ChatGpt));
    }

    #[test]
    fn each_record_is_recognised_by_its_members() {
        for (text, expected) in [
            (
                r#"{"uuid": "a", "chat_messages": []}"#,
                Record::ClaudeConversation,
            ),
            (
                r#"{"uuid": "a", "messages": [{"sender": "human"}]}"#,
                Record::ClaudeConversation,
            ),
            (
                r#"{"uuid": "a", "messages": [{"role": "user"}]}"#,
                Record::ClaudeDesign,
            ),
            (
                r#"{"uuid": "a", "prompt_template": "", "docs": []}"#,
                Record::ClaudeProject,
            ),
            (
                r#"{"conversations_memory": "x", "account_uuid": "a"}"#,
                Record::ClaudeMemories,
            ),
            (
                r#"{"header": "Gemini Apps", "title": "Prompted x", "time": "t"}"#,
                Record::Gemini,
            ),
            (
                r#"{"header": "Maps", "title": "Searched x", "time": "t"}"#,
                Record::Companion,
            ),
            (
                r#"{"type": "message", "user": "U1", "text": "x", "ts": "1.2"}"#,
                Record::SlackMessage,
            ),
            (
                r#"{"name": "A", "type": "personal_chat", "id": 1, "messages": []}"#,
                Record::TelegramChat,
            ),
            (r#"{"type": "user", "sessionId": "s"}"#, Record::ClaudeCode),
            (
                r#"{"type": "session_meta", "timestamp": "t", "payload": {}}"#,
                Record::Codex,
            ),
            (
                r#"{"uuid": "a", "full_name": "A", "email_address": "a@b"}"#,
                Record::Companion,
            ),
        ] {
            assert_eq!(record(text), Some(expected), "{text}");
        }
        for text in ["5", "[]", "{}", r#"{"mapping": 5}"#, r#"{"lorem": 1}"#] {
            assert_eq!(record(text), None, "{text}");
        }
    }
}
