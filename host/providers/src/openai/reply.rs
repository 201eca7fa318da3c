//! What a chat completion says.

use serde_json::{Map, Value, json};

use crate::content::Content;
use crate::counted::{self, Places};
use crate::ending::Ending;
use crate::fault::{self, ErrorReply};
use crate::outcome::{self, Heard, Said, text_of};
use synix_core::request::{Outcome, Usage};

/// Reads the body of a reply with status 200.
pub(crate) fn heard(body: &Value) -> Heard {
    let body = match outcome::unwrapped(body) {
        Ok(body) => body,
        Err(reason) => return Heard::Unusable(reason),
    };
    let choices = body.get("choices").and_then(Value::as_array);
    let mut first_failure = None;
    for choice in choices.into_iter().flatten() {
        let heard = judged(&body, choice);
        if matches!(heard, Heard::Settled(Outcome::Answered(_))) {
            return heard;
        }
        first_failure.get_or_insert(heard);
    }
    // An error beside choices without an answer says why there is none.
    if has_error(&body) {
        return Heard::Error {
            reply: Box::new(ErrorReply::within(&body)),
            usage: outcome::billed(usage(&body)),
        };
    }
    first_failure.unwrap_or_else(|| without_choices(&body))
}

fn has_error(holder: &Value) -> bool {
    let error = holder.get("error");
    error.is_some_and(|error| !outcome::is_blank(error) && *error != Value::Bool(false))
}

fn judged(body: &Value, choice: &Value) -> Heard {
    let said = said(body, choice);
    if said.ending == Ending::Error && has_error(choice) {
        return Heard::Error {
            reply: Box::new(ErrorReply::within(choice)),
            usage: outcome::billed(said.usage),
        };
    }
    outcome::judge(said)
}

fn said(body: &Value, choice: &Value) -> Said {
    let message = choice.get("message").unwrap_or(&Value::Null);
    let mut details = Map::new();
    for name in ["finish_reason", "logprobs"] {
        if let Some(value) = choice.get(name).filter(|value| !value.is_null()) {
            details.insert(name.to_owned(), value.clone());
        }
    }
    let content = Content::read(message.get("content"));
    let refusal = Some(text_of(message, "refusal")).filter(|words| !words.is_empty());
    Said {
        text: content.text,
        refusal: refusal.or(content.refusal),
        ending: Ending::read(choice.get("finish_reason")),
        model: fault::cut_to(&text_of(body, "model"), 300),
        usage: usage(body),
        details,
    }
}

fn without_choices(body: &Value) -> Heard {
    if body.get("choices").is_none() {
        // Some servers write an error where others write its holder.
        let says_so = body.get("object").and_then(Value::as_str) == Some("error");
        let error = ErrorReply::within(&json!({ "error": body }));
        if says_so || (error.status != 0 && !error.message.is_empty()) {
            return Heard::Error {
                reply: Box::new(error),
                usage: outcome::billed(usage(body)),
            };
        }
        let start = fault::cut_to(&body.to_string(), 120);
        return Heard::Unusable(format!("it has no choices: {start}"));
    }
    outcome::judge(said(body, &Value::Null))
}

/// What OpenAI calls its counts, then those that speak its format.
const PLACES: Places = Places {
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
    beside: false,
};

fn usage(body: &Value) -> Usage {
    counted::usage(body, &PLACES)
}
#[cfg(test)]
mod tests {

    use super::*;
    use crate::testing::{answered, failure};
    use synix_core::request::{Ending, FailureKind};

    fn completion(message: &Value, finish: &Value) -> Value {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": null}],
            "usage": {
                "prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29,
                "prompt_tokens_details": {"cached_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
        })
    }

    /// What a row of a batch would be.
    fn outcome(body: &Value) -> Outcome {
        heard(body).into_outcome()
    }

    fn said(content: &Value, finish: &str) -> Outcome {
        let message = json!({"role": "assistant", "content": content, "refusal": null});
        outcome(&completion(&message, &json!(finish)))
    }

    #[test]
    fn a_complete_text_is_an_answer() {
        let answer = answered(said(&json!(" Hello\n"), "stop"));
        assert_eq!(
            (answer.text.as_str(), answer.ending),
            (" Hello\n", Ending::Complete)
        );
        assert_eq!(answer.model, "gpt-4o-mini-2024-07-18");
        let expected = Usage {
            input_tokens: 20,
            cached_tokens: 8,
            cache_write_tokens: 0,
            output_tokens: 9,
            reasoning_tokens: 5,
            uncounted: false,
        };
        assert_eq!(answer.usage, expected);
    }

    #[test]
    fn details_hold_only_what_belongs_to_the_answer() {
        let answer = answered(said(&json!("Hello"), "stop"));
        assert_eq!(
            Value::Object(answer.details),
            json!({"finish_reason": "stop"})
        );
    }

    /// A1
    #[test]
    fn a_text_at_the_limit_is_truncated() {
        assert_eq!(
            answered(said(&json!("Hel"), "length")).ending,
            Ending::Truncated
        );
    }

    /// A1: reasoning may use up the whole budget.
    #[test]
    fn no_text_at_the_limit_is_a_failure_that_was_billed() {
        let failure = failure(said(&json!(""), "length"));
        assert_eq!(
            (failure.kind, failure.passing),
            (FailureKind::Truncated, false)
        );
        assert_eq!(failure.usage.output_tokens, 9);
    }

    /// A1
    #[test]
    fn a_refusal_is_not_an_answer() {
        let message = json!({"content": null, "refusal": "I cannot."});
        let failure = failure(outcome(&completion(&message, &json!("stop"))));
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (FailureKind::Refused, "I cannot.")
        );
    }

    /// A1
    #[test]
    fn a_filtered_text_is_not_an_answer() {
        assert_eq!(
            failure(said(&json!("Hel"), "content_filter")).kind,
            FailureKind::Filtered
        );
    }

    /// A1
    #[test]
    fn nothing_said_is_empty() {
        for content in [json!(null), json!(""), json!(" \n\t"), json!([])] {
            assert_eq!(
                failure(said(&content, "stop")).kind,
                FailureKind::Empty,
                "{content}"
            );
        }
        for choices in [json!([]), json!(null)] {
            let body = json!({"id": "x", "choices": choices});
            assert_eq!(failure(outcome(&body)).kind, FailureKind::Empty);
        }
        assert_eq!(
            failure(outcome(&json!({"choices": [{}]}))).kind,
            FailureKind::Empty
        );
    }

    /// A1
    #[test]
    fn a_tool_call_is_empty() {
        let calls =
            json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]);
        let message = json!({"content": null, "tool_calls": calls});
        let failure = failure(outcome(&completion(&message, &json!("tool_calls"))));
        assert_eq!(failure.kind, FailureKind::Empty);
    }

    /// A1, X5: an ending that is not known is not taken for a good one.
    #[test]
    fn an_unknown_ending_is_worth_another_try() {
        let failure = failure(said(&json!("Hel"), "tired"));
        assert_eq!(
            (failure.kind, failure.passing, failure.usage.output_tokens),
            (FailureKind::Unreadable, true, 9)
        );
    }

    /// X8
    #[test]
    fn an_ending_in_an_error_passes_with_the_provider_s_words() {
        let failed = failure(said(&json!("Hel"), "insufficient_system_resource"));
        assert_eq!((failed.kind, failed.passing), (FailureKind::Provider, true));
        assert_eq!(failed.usage.output_tokens, 9);
        let mut body = completion(&json!({"content": "Hel"}), &json!("error"));
        body["choices"][0]["error"] = json!({"code": "502", "message": "upstream went away"});
        let failed = failure(outcome(&body));
        assert_eq!((failed.kind, failed.passing), (FailureKind::Provider, true));
        assert_eq!(failed.message, "upstream went away (HTTP 502)");
    }

    #[test]
    fn a_reply_without_a_body_cannot_be_used() {
        for body in [
            json!(null),
            json!(""),
            json!({}),
            json!([]),
            json!({"ok": 1}),
        ] {
            assert!(matches!(heard(&body), Heard::Unusable(_)), "{body}");
            assert_eq!(failure(outcome(&body)).kind, FailureKind::Unreadable);
        }
    }

    /// X8
    #[test]
    fn an_error_without_a_holder_is_an_error() {
        for body in [
            json!({"code": 503, "message": "busy"}),
            json!({"object": "error", "message": "busy", "code": 50301}),
        ] {
            let failed = failure(outcome(&body));
            assert_eq!((failed.kind, failed.passing), (FailureKind::Provider, true));
            assert!(failed.message.starts_with("busy"), "{}", failed.message);
        }
    }

    #[test]
    fn a_reply_in_a_text_or_a_list_is_read() {
        let body = completion(&json!({"content": "Hello"}), &json!("stop"));
        for wrapped in [json!(body.to_string()), json!([body])] {
            assert_eq!(answered(outcome(&wrapped)).text, "Hello");
        }
    }

    /// X2
    #[test]
    fn an_answer_without_counts_has_unknown_ones() {
        for usage in [
            json!(null),
            json!("10"),
            json!({}),
            json!({"prompt_tokens": 3}),
        ] {
            let mut body = completion(&json!({"content": "Hello"}), &json!("stop"));
            body["usage"] = usage;
            assert!(answered(outcome(&body)).usage.uncounted);
        }
    }

    #[test]
    fn every_choice_is_looked_at() {
        let choice = |text: &str| json!({"message": {"content": text}, "finish_reason": "stop"});
        let body = json!({"choices": [choice(""), choice("Hello")]});
        assert_eq!(answered(outcome(&body)).text, "Hello");
    }

    #[test]
    fn parts_of_text_are_joined() {
        let content = json!([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]);
        assert_eq!(answered(said(&content, "stop")).text, "Hello");
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        for error in [
            json!({"code": 429, "message": "slow down"}),
            json!({"code": "429", "message": "slow down"}),
            json!({"code": "rate_limit_exceeded", "message": "slow down"}),
            json!({"type": "overloaded_error", "message": "slow down"}),
            json!({"status": 503, "message": "slow down"}),
        ] {
            for body in [
                json!({"error": error}),
                json!({"error": error, "choices": []}),
            ] {
                let failure = failure(outcome(&body));
                assert_eq!(
                    (failure.kind, failure.passing),
                    (FailureKind::Provider, true),
                    "{body}"
                );
                assert!(failure.message.starts_with("slow down"));
            }
        }
        for code in [
            json!(400),
            json!("context_length_exceeded"),
            json!("invalid_prompt"),
        ] {
            let body = json!({"error": {"code": code, "message": "no"}});
            let failure = failure(outcome(&body));
            assert_eq!(
                (failure.kind, failure.passing),
                (FailureKind::Invalid, false)
            );
        }
    }

    #[test]
    fn a_reply_of_an_absurd_shape_does_not_panic() {
        for body in [
            json!(1),
            json!("x"),
            json!([1]),
            json!({"choices": [1, null]}),
            json!({"choices": "x"}),
        ] {
            failure(outcome(&body));
        }
    }
}
