//! Rules: what the model answers to which request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RawReply;

/// What to answer to requests whose last user message contains a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The text to look for; the empty text is in every message.
    #[serde(default)]
    pub contains: String,
    /// Restricts the rule to single calls or to rows of batches.
    #[serde(default)]
    pub only: Option<Mode>,
    /// What is answered.
    #[serde(default)]
    pub reply: Reply,
    /// Milliseconds between executing a single call and replying; rows ignore it.
    #[serde(default)]
    pub delay_ms: u64,
    /// Whether the reply to a single call waits until another script is set; rows ignore it.
    #[serde(default)]
    pub held: bool,
    /// How often the rule fires; without it, for ever.
    #[serde(default)]
    pub times: Option<u64>,
}

/// How a request reached the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By a sync call.
    Sync,
    /// As a row of a batch.
    Batch,
}

/// What becomes of a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// The text made from the request, as without a rule.
    #[default]
    Made,
    /// This text.
    Text(String),
    /// This text, or the made one, ended for this reason.
    Finish {
        /// The reason in OpenAI's word; `stop`, `length`, `tool_calls` and `content_filter` are translated for Anthropic.
        reason: String,
        /// The text before the end.
        #[serde(default)]
        text: Option<String>,
    },
    /// A refusal with this text.
    Refusal(String),
    /// A complete reply without any choice (Anthropic: without content).
    EmptyChoices,
    /// A choice whose content is null (Anthropic: without content).
    NullContent,
    /// Calls of tools.
    ToolCalls(Vec<ToolCall>),
    /// This status and body; the request is not executed.
    Status(StatusReply),
    /// A proxy's HTML page with status 502; the request is not executed.
    Html502,
    /// Executed and billed, but the reply is lost: the connection closes, the row is absent.
    LoseReply,
    /// Neither executed nor answered: the connection closes, the row is absent.
    Refuse,
    /// Executed, but the last `drop` bytes of the reply or row are cut off.
    Truncate {
        /// How many bytes are cut off.
        drop: usize,
    },
    /// Executed, but the reply or row is no JSON.
    Garbled,
    /// Executed and billed, but the row is absent; a single call is answered.
    MissingRow,
    /// Executed once, but the row comes twice; a single call is answered.
    DuplicateRow,
    /// Executed, and followed by a row with an unknown id; a sync call is answered.
    UnknownRow,
    /// Not executed; the row has `status_code` 0 (Anthropic: `api_error`); a single call is answered.
    StatusZero,
    /// Executed, but the body is `{}`.
    EmptyBody,
    /// Executed; the reply or row has an unusual form.
    Raw(RawReply),
}

/// A tool call of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// The arguments as JSON text, sent as they are to OpenAI clients even if they are no JSON.
    pub arguments: String,
}

/// A reply with another status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusReply {
    /// The HTTP status.
    pub code: u16,
    /// The body; a JSON string is sent as that text, none as the provider's own error for the status.
    #[serde(default)]
    pub body: Option<Value>,
    /// Headers such as `retry-after`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether the call took effect all the same (faults only).
    #[serde(default)]
    pub executed: bool,
}

impl StatusReply {
    /// Returns the provider's own error for `code`.
    #[must_use]
    pub fn new(code: u16) -> Self {
        Self {
            code,
            body: None,
            headers: BTreeMap::new(),
            executed: false,
        }
    }

    /// Returns OpenAI's 429 that no waiting helps against.
    #[must_use]
    pub fn insufficient_quota() -> Self {
        Self::new(429).body(serde_json::json!({"error": {
            "message": "You exceeded your current quota, please check your plan and billing details.",
            "type": "insufficient_quota",
            "param": null,
            "code": "insufficient_quota",
        }}))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Lets the call take effect before the reply (faults only).
    #[must_use]
    pub fn executed(mut self) -> Self {
        self.executed = true;
        self
    }
}

impl Rule {
    /// Returns a rule for last user messages that contain `text`.
    #[must_use]
    pub fn on(text: impl Into<String>) -> Self {
        Self {
            contains: text.into(),
            only: None,
            reply: Reply::Made,
            delay_ms: 0,
            held: false,
            times: None,
        }
    }

    /// Returns a rule for every request.
    #[must_use]
    pub fn any() -> Self {
        Self::on("")
    }

    /// Sets what becomes of the request.
    #[must_use]
    pub fn reply(mut self, reply: Reply) -> Self {
        self.reply = reply;
        self
    }

    /// Answers `text`.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.reply(Reply::Text(text.into()))
    }

    /// Sends the generated answer in an unusual form.
    #[must_use]
    pub fn raw(self, raw: RawReply) -> Self {
        self.reply(Reply::Raw(raw))
    }

    /// Replies with the provider's own error for a status.
    #[must_use]
    pub fn status(self, code: u16) -> Self {
        self.reply(Reply::Status(StatusReply::new(code)))
    }

    /// Replies to single calls after `ms` milliseconds.
    #[must_use]
    pub fn delay_ms(mut self, ms: u64) -> Self {
        self.delay_ms = ms;
        self
    }

    /// Executes single calls at once and replies when another script is set.
    ///
    /// A test that must do something while a call is in flight holds its reply. A delay would only be long enough on a
    /// fast machine.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Fires at most `times` times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Restricts the rule to one mode.
    #[must_use]
    pub fn only(mut self, mode: Mode) -> Self {
        self.only = Some(mode);
        self
    }
}
