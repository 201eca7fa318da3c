//! What a message says.

use serde_json::{Map, Value};

use crate::content::Content;
use crate::counted::{self, Places};
use crate::ending::Ending;
use crate::fault::{self, ErrorReply};
use crate::outcome::{self, Heard, Said, text_of};
use synix_core::request::Usage;

/// Reads the body of a reply with status 200.
pub(crate) fn heard(body: &Value) -> Heard {
    let body = match outcome::unwrapped(body) {
        Ok(body) => body,
        Err(reason) => return Heard::Unusable(reason),
    };
    let error = body.get("error").filter(|error| !outcome::is_blank(error));
    let said = said(&body);
    if error.is_some() && (body.get("content").is_none() || said.ending == Ending::Error) {
        return Heard::Error {
            reply: Box::new(ErrorReply::within(&body)),
            usage: outcome::billed(said.usage),
        };
    }
    if body.get("content").is_none() && body.get("stop_reason").is_none() {
        let start = fault::cut_to(&body.to_string(), 120);
        return Heard::Unusable(format!("it has no content: {start}"));
    }
    outcome::judge(said)
}

fn said(body: &Value) -> Said {
    let mut details = Map::new();
    for name in ["stop_reason", "stop_sequence"] {
        if let Some(value) = body.get(name).filter(|value| !value.is_null()) {
            details.insert(name.to_owned(), value.clone());
        }
    }
    let content = Content::read(body.get("content"));
    Said {
        text: content.text,
        refusal: content.refusal,
        ending: Ending::read(body.get("stop_reason")),
        model: fault::cut_to(&text_of(body, "model"), 300),
        usage: usage(body),
        details,
    }
}

/// Anthropic counts cached tokens beside its input.
const PLACES: Places = Places {
    input: &["/input_tokens"],
    output: &["/output_tokens"],
    cached: &["/cache_read_input_tokens"],
    cache_write: &["/cache_creation_input_tokens"],
    reasoning: &["/output_tokens_details/thinking_tokens"],
    beside: true,
};

fn usage(body: &Value) -> Usage {
    counted::usage(body, &PLACES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{answered, failure};
    use synix_core::request::{Ending, FailureKind, Outcome};

    /// What a row of a batch would be.
    fn outcome(body: &Value) -> Outcome {
        heard(body).into_outcome()
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
    fn a_content_that_is_a_text_is_read() {
        assert_eq!(
            answered(outcome(&message(&json!("Hello"), "end_turn"))).text,
            "Hello"
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
    fn an_unknown_ending_is_worth_another_try() {
        let failure = failure(said("Hel", "new_reason"));
        assert_eq!(
            (failure.kind, failure.passing),
            (FailureKind::Unreadable, true)
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
            json!({"content": {}}),
            json!({"content": [1, null]}),
        ] {
            failure(outcome(&body));
        }
    }
}
