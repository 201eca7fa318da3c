//! What a message says.

use serde_json::{Map, Value};

use crate::llm::fault::ErrorReply;
use crate::llm::outcome::{self, End, Said, count, text_of};
use crate::request::{Outcome, Usage};

/// Reads the body of a reply with status 200.
pub(in crate::llm) fn outcome(body: &Value) -> Outcome {
    if outcome::is_blank(body) {
        return outcome::lost("the reply has no body");
    }
    let error = body.get("error").filter(|error| !outcome::is_blank(error));
    if body.get("content").is_none() && error.is_some() {
        return Outcome::Failed(ErrorReply::of_row(0, body).to_failure());
    }
    let mut details = Map::new();
    for name in ["stop_reason", "stop_sequence"] {
        if let Some(value) = body.get(name).filter(|value| !value.is_null()) {
            details.insert(name.to_owned(), value.clone());
        }
    }
    outcome::judge(Said {
        text: content(body),
        end: end(body),
        model: text_of(body, "model"),
        usage: usage(body),
        details,
    })
}

fn end(body: &Value) -> End {
    match body.get("stop_reason").and_then(Value::as_str) {
        // Compatible servers leave the reason out.
        None | Some("end_turn" | "stop_sequence") => End::Complete,
        Some("max_tokens" | "model_context_window_exceeded") => End::Truncated,
        Some("refusal") => End::Refused(content(body)),
        Some("tool_use") => End::Waits("the model called a tool instead of answering"),
        Some("pause_turn") => End::Waits("the model paused before it had answered"),
        Some(other) => End::Unknown(other.to_owned()),
    }
}

fn content(body: &Value) -> String {
    let blocks = body.get("content").and_then(Value::as_array);
    let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
    let texts = blocks
        .iter()
        .filter(|block| block.get("type").and_then(Value::as_str) == Some("text"));
    texts.map(|block| text_of(block, "text")).collect()
}

fn usage(body: &Value) -> Usage {
    let cached = count(body, "/usage/cache_read_input_tokens");
    let written = count(body, "/usage/cache_creation_input_tokens");
    let fresh = count(body, "/usage/input_tokens");
    Usage {
        input_tokens: fresh.saturating_add(cached).saturating_add(written),
        cached_tokens: cached,
        cache_write_tokens: written,
        output_tokens: count(body, "/usage/output_tokens"),
        reasoning_tokens: count(body, "/usage/output_tokens_details/thinking_tokens"),
        uncounted: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::llm::testing::{answered, failure};
    use crate::request::{Ending, FailureKind};

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

    fn said(text: &str, stop: &str) -> Outcome {
        outcome(&message(&json!([{"type": "text", "text": text}]), stop))
    }

    #[test]
    fn a_complete_text_is_an_answer() {
        for stop in ["end_turn", "stop_sequence"] {
            let answer = answered(said("Hello", stop));
            assert_eq!(
                (answer.text.as_str(), answer.ending),
                ("Hello", Ending::Complete)
            );
        }
    }

    #[test]
    fn cached_tokens_are_part_of_the_input() {
        let usage = answered(said("Hello", "end_turn")).usage;
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
    fn details_hold_only_what_belongs_to_the_answer() {
        let answer = answered(said("Hello", "end_turn"));
        assert_eq!(
            Value::Object(answer.details),
            json!({"stop_reason": "end_turn"})
        );
    }

    #[test]
    fn blocks_of_text_are_joined() {
        let content = json!([
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "Hel"},
            {"type": "text", "text": "lo"},
        ]);
        assert_eq!(
            answered(outcome(&message(&content, "end_turn"))).text,
            "Hello"
        );
    }

    /// A1
    #[test]
    fn a_text_at_a_limit_is_truncated() {
        for stop in ["max_tokens", "model_context_window_exceeded"] {
            assert_eq!(answered(said("Hel", stop)).ending, Ending::Truncated);
            assert_eq!(failure(said("", stop)).kind, FailureKind::Truncated);
        }
    }

    /// A1: a refusal may come without content.
    #[test]
    fn a_refusal_is_not_an_answer() {
        let silent = failure(outcome(&message(&json!([]), "refusal")));
        assert_eq!(silent.kind, FailureKind::Refused);
        assert_eq!(failure(said("I cannot.", "refusal")).message, "I cannot.");
    }

    /// A1: no content although tokens were counted.
    #[test]
    fn nothing_said_is_empty() {
        let failed = failure(outcome(&message(&json!([]), "end_turn")));
        assert_eq!(
            (failed.kind, failed.usage.output_tokens),
            (FailureKind::Empty, 36)
        );
        assert_eq!(failure(said(" \n", "end_turn")).kind, FailureKind::Empty);
        let call = json!([{"type": "tool_use", "id": "t", "name": "f", "input": {}}]);
        assert_eq!(
            failure(outcome(&message(&call, "tool_use"))).kind,
            FailureKind::Empty
        );
        assert_eq!(failure(said("Hel", "pause_turn")).kind, FailureKind::Empty);
    }

    /// A1: an ending that is not known is not taken for a good one.
    #[test]
    fn an_unknown_ending_passes() {
        let failure = failure(said("Hel", "new_reason"));
        assert_eq!(
            (failure.kind, failure.passing),
            (FailureKind::Provider, true)
        );
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let body =
            json!({"type": "error", "error": {"type": "authentication_error", "message": "no"}});
        assert_eq!(failure(outcome(&body)).kind, FailureKind::Auth);
    }

    #[test]
    fn a_reply_of_an_absurd_shape_does_not_panic() {
        for body in [
            json!(1),
            json!("x"),
            json!([1]),
            json!({"content": "x"}),
            json!({"content": [1, null]}),
        ] {
            failure(outcome(&body));
        }
    }
}
