//! Parses messages.

use serde_json::{Map, Value};

use crate::content::Content;
use crate::error_reply::ErrorReply;
use crate::excerpt;
use crate::finish_reason::FinishReason;
use crate::outcome::{self, ModelReply, ParsedReply, text_member};
use crate::usage::{self, UsagePaths};
use synix_core::request::Usage;

/// Parses the body of a reply with status 200.
pub(crate) fn parse(body: &Value) -> ParsedReply {
    let body = match outcome::unwrap_document(body) {
        Ok(body) => body,
        Err(reason) => return ParsedReply::Unusable(reason),
    };
    let error = body.get("error").filter(|error| !outcome::is_blank(error));
    let reply = model_reply(&body);
    if error.is_some()
        && (body.get("content").is_none() || reply.finish_reason == FinishReason::Error)
    {
        return ParsedReply::Error {
            reply: Box::new(ErrorReply::from_error_member(&body)),
            usage: outcome::billed_usage(reply.usage),
        };
    }
    if body.get("content").is_none() && body.get("stop_reason").is_none() {
        let start = excerpt::truncate(&body.to_string(), 120);
        return ParsedReply::Unusable(format!("it has no content: {start}"));
    }
    outcome::classify(reply)
}

fn model_reply(body: &Value) -> ModelReply {
    let mut details = Map::new();
    for name in ["stop_reason", "stop_sequence"] {
        if let Some(value) = body.get(name).filter(|value| !value.is_null()) {
            details.insert(name.to_owned(), value.clone());
        }
    }
    let content = Content::read(body.get("content"));
    ModelReply {
        text: content.text,
        refusal: content.refusal,
        finish_reason: FinishReason::read(body.get("stop_reason")),
        model: excerpt::truncate(&text_member(body, "model"), 300),
        usage: usage(body),
        details,
    }
}

/// Anthropic does not count cached tokens as input.
const USAGE_PATHS: UsagePaths = UsagePaths {
    input: &["/input_tokens"],
    output: &["/output_tokens"],
    cached: &["/cache_read_input_tokens"],
    cache_write: &["/cache_creation_input_tokens"],
    reasoning: &["/output_tokens_details/thinking_tokens"],
    excludes_cached: true,
};

fn usage(body: &Value) -> Usage {
    usage::read_usage(body, &USAGE_PATHS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{expect_answer, expect_failure};
    use synix_core::request::{Ending, FailureKind, Outcome};

    /// The outcome of a batch row with this body.
    fn outcome(body: &Value) -> Outcome {
        parse(body).into_outcome()
    }

    fn message(content: &Value, stop: &str) -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001",
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {
                "input_tokens": 11, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
                "output_tokens": 36, "service_tier": "batch",
            },
        })
    }

    fn message_outcome(text: &str, stop: &str) -> Outcome {
        outcome(&message(&json!([{"type": "text", "text": text}]), stop))
    }

    #[test]
    fn a_complete_text_is_an_answer() {
        for stop in ["end_turn", "stop_sequence"] {
            let answer = expect_answer(message_outcome("Hello", stop));
            assert_eq!(
                (answer.text.as_str(), answer.ending),
                ("Hello", Ending::Complete)
            );
        }
    }

    #[test]
    fn cached_tokens_are_part_of_the_input() {
        let usage = expect_answer(message_outcome("Hello", "end_turn")).usage;
        assert_eq!(
            (
                usage.input_tokens,
                usage.cached_tokens,
                usage.cache_write_tokens
            ),
            (16, 3, 2)
        );
    }

    #[test]
    fn content_that_is_a_string_is_read() {
        assert_eq!(
            expect_answer(outcome(&message(&json!("Hello"), "end_turn"))).text,
            "Hello"
        );
    }

    #[test]
    fn details_hold_only_what_belongs_to_the_answer() {
        let answer = expect_answer(message_outcome("Hello", "end_turn"));
        assert_eq!(
            Value::Object(answer.details),
            json!({"stop_reason": "end_turn"})
        );
    }

    #[test]
    fn text_blocks_are_joined() {
        let content = json!([
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Hel"},
            {"type": "text", "text": "lo"},
        ]);
        assert_eq!(
            expect_answer(outcome(&message(&content, "end_turn"))).text,
            "Hello"
        );
    }

    /// A1
    #[test]
    fn a_text_at_a_limit_is_truncated() {
        for stop in ["max_tokens", "model_context_window_exceeded"] {
            assert_eq!(
                expect_answer(message_outcome("Hel", stop)).ending,
                Ending::Truncated
            );
            assert_eq!(
                expect_failure(message_outcome("", stop)).kind,
                FailureKind::Truncated
            );
        }
    }

    /// A1: a refusal may come without content.
    #[test]
    fn a_refusal_is_not_an_answer() {
        let silent = expect_failure(outcome(&message(&json!([]), "refusal")));
        assert_eq!(silent.kind, FailureKind::Refused);
        assert_eq!(
            expect_failure(message_outcome("I cannot.", "refusal")).message,
            "I cannot."
        );
    }

    /// A1: no content, although tokens were counted.
    #[test]
    fn a_message_without_text_is_empty() {
        let failed = expect_failure(outcome(&message(&json!([]), "end_turn")));
        assert_eq!(
            (failed.kind, failed.usage.output_tokens),
            (FailureKind::Empty, 36)
        );
        assert_eq!(
            expect_failure(message_outcome(" \n", "end_turn")).kind,
            FailureKind::Empty
        );
        let call = json!([{"type": "tool_use", "id": "t", "name": "f", "input": {}}]);
        assert_eq!(
            expect_failure(outcome(&message(&call, "tool_use"))).kind,
            FailureKind::Empty
        );
        assert_eq!(
            expect_failure(message_outcome("Hel", "pause_turn")).kind,
            FailureKind::Empty
        );
    }

    /// A1: an unknown ending does not count as complete.
    #[test]
    fn an_unknown_ending_is_transient() {
        let failure = expect_failure(message_outcome("Hel", "new_reason"));
        assert_eq!(
            (failure.kind, failure.transient),
            (FailureKind::Unreadable, true)
        );
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let body =
            json!({"type": "error", "error": {"type": "authentication_error", "message": "no"}});
        assert_eq!(expect_failure(outcome(&body)).kind, FailureKind::Auth);
    }

    #[test]
    fn a_malformed_reply_does_not_panic() {
        for body in [
            json!(1),
            json!("x"),
            json!([1]),
            json!({"content": {}}),
            json!({"content": [1, null]}),
        ] {
            expect_failure(outcome(&body));
        }
    }
}
