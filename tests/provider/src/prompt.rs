//! The prompt in a request body, independent of the wire format.
//!
//! Owns reading and checking bodies. The refusals are worded per provider by
//! `openai` and `anthropic`.

use serde_json::Value;

use crate::digest::BodyDigest;
use crate::endpoint::Wire;
use crate::parts::is_content;

/// A request body, read.
#[derive(Debug)]
pub(crate) struct Prompt<'b> {
    pub(crate) wire: Wire,
    pub(crate) body: BodyDigest,
    pub(crate) model: &'b str,
    /// Digest of model and messages, which decides the made answer.
    pub(crate) question: BodyDigest,
    pub(crate) last_user: String,
    pub(crate) input_tokens: u64,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) format: Format<'b>,
    pub(crate) choices: usize,
}

/// The requested format of the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format<'b> {
    Text,
    Object,
    Schema(&'b Value),
}

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadPrompt {
    NoObject,
    Missing(&'static str),
    NoTokens,
    Stream,
    /// A message whose content is neither a text nor a list of texts and pictures.
    Content,
}

impl<'b> Prompt<'b> {
    /// Reads the body of a request in one wire format.
    pub(crate) fn read(wire: Wire, body: &'b Value) -> Result<Self, BadPrompt> {
        if !body.is_object() {
            return Err(BadPrompt::NoObject);
        }
        let model = body
            .get("model")
            .and_then(Value::as_str)
            .filter(|model| !model.is_empty());
        let model = model.ok_or(BadPrompt::Missing("model"))?;
        let messages = body
            .get("messages")
            .and_then(Value::as_array)
            .filter(|messages| !messages.is_empty());
        let messages = messages.ok_or(BadPrompt::Missing("messages"))?;
        if body.get("stream").and_then(Value::as_bool) == Some(true) {
            return Err(BadPrompt::Stream);
        }
        let number = |name: &str| body.get(name).and_then(Value::as_u64);
        let max_tokens = match wire {
            Wire::OpenAi => number("max_completion_tokens").or(number("max_tokens")),
            Wire::Anthropic => Some(number("max_tokens").ok_or(BadPrompt::Missing("max_tokens"))?),
        };
        if max_tokens == Some(0) {
            return Err(BadPrompt::NoTokens);
        }

        let system = body.get("system").unwrap_or(&Value::Null);
        let mut input_tokens = count_words(&text_of(system));
        let mut last_user = String::new();
        for message in messages {
            let content = message.get("content").unwrap_or(&Value::Null);
            if !is_content(wire, content) {
                return Err(BadPrompt::Content);
            }
            let text = text_of(content);
            input_tokens += count_words(&text);
            if message.get("role").and_then(Value::as_str) == Some("user") {
                last_user = text;
            }
        }
        let questioned = [&body["model"], system, &body["messages"]];
        let choices = number("n")
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1)
            .clamp(1, 128);
        Ok(Self {
            wire,
            body: BodyDigest::of(body),
            model,
            question: BodyDigest::of_all(&questioned),
            last_user,
            input_tokens,
            max_tokens,
            format: Format::of(wire, body),
            choices,
        })
    }

    /// Returns the dated name of the requested model.
    pub(crate) fn snapshot(&self) -> String {
        snapshot(self.wire, self.model)
    }
}

impl<'b> Format<'b> {
    fn of(wire: Wire, body: &'b Value) -> Self {
        let (format, schema) = match wire {
            Wire::OpenAi => (body.get("response_format"), "/json_schema/schema"),
            Wire::Anthropic => (
                body.pointer("/output_config/format")
                    .or(body.get("output_format")),
                "/schema",
            ),
        };
        let Some(format) = format else {
            return Self::Text;
        };
        match (
            format.get("type").and_then(Value::as_str),
            format.pointer(schema),
        ) {
            (Some("json_schema"), Some(schema)) => Self::Schema(schema),
            (Some("json_schema" | "json_object"), _) => Self::Object,
            _ => Self::Text,
        }
    }
}

/// Counts words, which are the tokens of this server.
pub(crate) fn count_words(text: &str) -> u64 {
    text.split_ascii_whitespace().count() as u64
}

/// Joins the texts of a content, which is a text or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

/// Returns the dated name of a model.
pub(crate) fn snapshot(wire: Wire, model: &str) -> String {
    let digits = model.rsplit_once('-').map_or("", |(_, end)| end);
    let date = match (wire, model) {
        _ if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            return model.to_owned();
        }
        _ if is_dated(model) => return model.to_owned(),
        (Wire::OpenAi, "gpt-4o") => "2024-08-06",
        (Wire::OpenAi, "gpt-4.1" | "gpt-4.1-mini" | "gpt-4.1-nano") => "2025-04-14",
        (Wire::OpenAi, _) => "2024-07-18",
        (Wire::Anthropic, _) => "20251001",
    };
    format!("{model}-{date}")
}

fn is_dated(model: &str) -> bool {
    let tail = model
        .len()
        .checked_sub(11)
        .and_then(|start| model.as_bytes().get(start..));
    tail.is_some_and(|tail| {
        tail.iter().enumerate().all(|(place, byte)| match place {
            0 | 5 | 8 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_the_words_of_all_messages() {
        let body = json!({"model": "m", "max_tokens": 9, "system": "be brief", "messages": [
            {"role": "user", "content": [{"type": "text", "text": "one two"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lGODlh"}}]},
        ]});
        assert_eq!(
            Prompt::read(Wire::Anthropic, &body).unwrap().input_tokens,
            4
        );
    }

    #[test]
    fn an_alias_is_answered_by_a_dated_snapshot() {
        assert_eq!(
            snapshot(Wire::OpenAi, "gpt-4o-mini"),
            "gpt-4o-mini-2024-07-18"
        );
        assert_eq!(
            snapshot(Wire::Anthropic, "claude-haiku-4-5"),
            "claude-haiku-4-5-20251001"
        );
    }

    #[test]
    fn a_dated_name_stays_as_it_is() {
        assert_eq!(
            snapshot(Wire::OpenAi, "gpt-4o-2024-05-13"),
            "gpt-4o-2024-05-13"
        );
        assert_eq!(
            snapshot(Wire::Anthropic, "claude-haiku-4-5-20251001"),
            "claude-haiku-4-5-20251001"
        );
    }

    #[test]
    fn anthropic_bodies_need_max_tokens() {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
        assert_eq!(
            Prompt::read(Wire::Anthropic, &body).unwrap_err(),
            BadPrompt::Missing("max_tokens")
        );
    }
}
