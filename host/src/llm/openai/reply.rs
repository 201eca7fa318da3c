//! What a chat completion says.

use serde_json::{Map, Value};

use crate::llm::fault::ErrorReply;
use crate::llm::outcome::{self, End, Said, count, text_of};
use crate::request::{FailureKind, Outcome, Usage};

/// Reads the body of a reply with status 200.
pub(in crate::llm) fn outcome(body: &Value) -> Outcome {
    if outcome::is_blank(body) {
        return outcome::lost("the reply has no body");
    }
    let choices = body.get("choices").and_then(Value::as_array);
    let choices = choices.map(Vec::as_slice).unwrap_or_default();
    let mut first_failure = None;
    for choice in choices {
        match outcome::judge(said(body, choice)) {
            answered @ Outcome::Answered(_) => return answered,
            failed @ Outcome::Failed(_) => {
                first_failure.get_or_insert(failed);
            }
        }
    }
    first_failure.unwrap_or_else(|| without_choices(body))
}

fn said(body: &Value, choice: &Value) -> Said {
    let message = choice.get("message").unwrap_or(&Value::Null);
    let mut details = Map::new();
    for name in ["finish_reason", "logprobs"] {
        if let Some(value) = choice.get(name).filter(|value| !value.is_null()) {
            details.insert(name.to_owned(), value.clone());
        }
    }
    Said {
        text: content(message),
        end: end(choice, message),
        model: text_of(body, "model"),
        usage: usage(body),
        details,
    }
}

fn end(choice: &Value, message: &Value) -> End {
    if let Some(words) = message.get("refusal").and_then(Value::as_str)
        && !words.is_empty()
    {
        return End::Refused(words.to_owned());
    }
    match choice.get("finish_reason").and_then(Value::as_str) {
        // Compatible servers leave the reason out.
        None | Some("stop" | "stop_sequence" | "end_turn" | "eos") => End::Complete,
        Some("length" | "max_tokens") => End::Truncated,
        Some("content_filter") => End::Filtered,
        Some("refusal") => End::Refused(String::new()),
        Some("tool_calls" | "function_call") => {
            End::Waits("the model called a tool instead of answering")
        }
        Some(other) => End::Unknown(other.to_owned()),
    }
}

/// Some compatible servers give a list of parts where OpenAI gives a text.
fn content(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().map(|part| text_of(part, "text")).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            String::new()
        }
    }
}

/// Gateways report errors of the server behind them with status 200.
fn without_choices(body: &Value) -> Outcome {
    let error = body.get("error").filter(|error| !outcome::is_blank(error));
    let Some(error) = error else {
        let message = "the reply has no choices";
        return outcome::failed(FailureKind::Empty, message, usage(body));
    };
    let status = error.get("code").and_then(Value::as_u64);
    let status = status.and_then(|code| u16::try_from(code).ok());
    let status = status.filter(|status| (400..600).contains(status));
    Outcome::Failed(ErrorReply::of_row(status.unwrap_or(0), body).to_failure())
}

fn usage(body: &Value) -> Usage {
    Usage {
        input_tokens: count(body, "/usage/prompt_tokens"),
        cached_tokens: count(body, "/usage/prompt_tokens_details/cached_tokens"),
        cache_write_tokens: count(body, "/usage/prompt_tokens_details/cache_write_tokens"),
        output_tokens: count(body, "/usage/completion_tokens"),
        reasoning_tokens: count(body, "/usage/completion_tokens_details/reasoning_tokens"),
        uncounted: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::llm::testing::{answered, failure};
    use crate::request::Ending;

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

    /// A1: an ending that is not known is not taken for a good one.
    #[test]
    fn an_unknown_ending_passes() {
        let failure = failure(said(&json!("Hel"), "insufficient_system_resource"));
        assert_eq!(
            (failure.kind, failure.passing),
            (FailureKind::Provider, true)
        );
    }

    #[test]
    fn a_reply_without_a_body_passes() {
        for body in [json!(null), json!(""), json!({}), json!([])] {
            let failure = failure(outcome(&body));
            assert_eq!(
                (failure.kind, failure.passing),
                (FailureKind::Provider, true)
            );
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
        let body = json!({"error": {"code": 429, "message": "slow down"}});
        let failure = failure(outcome(&body));
        assert_eq!(
            (failure.kind, failure.passing),
            (FailureKind::Provider, true)
        );
        assert!(failure.message.starts_with("slow down"));
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
