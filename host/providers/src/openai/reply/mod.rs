//! Parses chat completions.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::content::Content;
use crate::error_reply::ErrorReply;
use crate::excerpt;
use crate::finish_reason::FinishReason;
use crate::outcome::{self, ModelReply, ParsedReply, text_member};
use crate::usage::{self, UsagePaths};
use synix_core::request::{Outcome, Usage};

/// Parses the body of a reply with status 200.
pub(crate) fn parse(body: &Value) -> ParsedReply {
    let body = match outcome::unwrap_document(body) {
        Ok(body) => body,
        Err(reason) => return ParsedReply::Unusable(reason),
    };
    let choices = body.get("choices").and_then(Value::as_array);
    let mut first_failure = None;
    for choice in choices.into_iter().flatten() {
        let parse = parse_choice(&body, choice);
        if matches!(parse, ParsedReply::Final(Outcome::Answered(_))) {
            return parse;
        }
        first_failure.get_or_insert(parse);
    }
    // If no choice is an answer, the error says why.
    if let Some(error) = member_error(&body, usage(&body)) {
        return error;
    }
    first_failure.unwrap_or_else(|| parse_without_choices(&body))
}

/// Returns the error that a reply has instead of what was asked for.
pub(crate) fn error_of(body: &Value, usage: Usage) -> Option<ParsedReply> {
    member_error(body, usage).or_else(|| bare_error(body, usage))
}

/// Returns the error in the member `error`.
fn member_error(body: &Value, usage: Usage) -> Option<ParsedReply> {
    has_error(body).then(|| ParsedReply::Error {
        reply: Box::new(ErrorReply::from_error_member(body)),
        usage: outcome::billed_usage(usage),
    })
}

/// Some servers return the error itself instead of an object that contains it.
fn bare_error(body: &Value, usage: Usage) -> Option<ParsedReply> {
    let is_error = body.get("object").and_then(Value::as_str) == Some("error");
    let error = ErrorReply::from_error_member(&json!({ "error": body }));
    (is_error || (error.status != 0 && !error.message.is_empty())).then(|| ParsedReply::Error {
        reply: Box::new(error),
        usage: outcome::billed_usage(usage),
    })
}

fn has_error(holder: &Value) -> bool {
    let error = holder.get("error");
    error.is_some_and(|error| !outcome::is_blank(error) && *error != Value::Bool(false))
}

fn parse_choice(body: &Value, choice: &Value) -> ParsedReply {
    let reply = model_reply(body, choice);
    if reply.finish_reason == FinishReason::Error && has_error(choice) {
        return ParsedReply::Error {
            reply: Box::new(ErrorReply::from_error_member(choice)),
            usage: outcome::billed_usage(reply.usage),
        };
    }
    outcome::classify(reply)
}

fn model_reply(body: &Value, choice: &Value) -> ModelReply {
    let message = choice.get("message").unwrap_or(&Value::Null);
    let mut details = Map::new();
    for name in ["finish_reason", "logprobs"] {
        if let Some(value) = choice.get(name).filter(|value| !value.is_null()) {
            details.insert(name.to_owned(), value.clone());
        }
    }
    let content = Content::read(message.get("content"));
    let refusal = Some(text_member(message, "refusal")).filter(|text| !text.is_empty());
    ModelReply {
        text: content.text,
        refusal: refusal.or(content.refusal),
        finish_reason: FinishReason::read(choice.get("finish_reason")),
        model: excerpt::truncate(&text_member(body, "model"), 300),
        usage: usage(body),
        details,
    }
}

fn parse_without_choices(body: &Value) -> ParsedReply {
    if body.get("choices").is_none() {
        if let Some(error) = bare_error(body, usage(body)) {
            return error;
        }
        let start = excerpt::truncate(&body.to_string(), 120);
        return ParsedReply::Unusable(format!("it has no choices: {start}"));
    }
    outcome::classify(model_reply(body, &Value::Null))
}

/// The names at OpenAI, then those of compatible servers.
const USAGE_PATHS: UsagePaths = UsagePaths {
    input: &[
        "/prompt_tokens",
        "/input_tokens",
        "/promptTokens",
        "/inputTokens",
    ],
    output: &[
        "/completion_tokens",
        "/output_tokens",
        "/completionTokens",
        "/outputTokens",
    ],
    cached: &[
        "/prompt_tokens_details/cached_tokens",
        "/input_tokens_details/cached_tokens",
    ],
    cache_write: &["/prompt_tokens_details/cache_write_tokens"],
    reasoning: &[
        "/completion_tokens_details/reasoning_tokens",
        "/output_tokens_details/reasoning_tokens",
    ],
    excludes_cached: false,
};

fn usage(body: &Value) -> Usage {
    usage::read_usage(body, &USAGE_PATHS)
}
