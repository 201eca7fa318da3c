use super::*;
use crate::testing::{expect_answer, expect_failure};
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

/// The outcome of a batch row with this body.
fn outcome(body: &Value) -> Outcome {
    parse(body).into_outcome()
}

fn choice_outcome(content: &Value, finish: &str) -> Outcome {
    let message = json!({"role": "assistant", "content": content, "refusal": null});
    outcome(&completion(&message, &json!(finish)))
}

#[test]
fn a_complete_text_is_an_answer() {
    let answer = expect_answer(choice_outcome(&json!(" Hello\n"), "stop"));
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
    let answer = expect_answer(choice_outcome(&json!("Hello"), "stop"));
    assert_eq!(
        Value::Object(answer.details),
        json!({"finish_reason": "stop"})
    );
}

/// A1
#[test]
fn a_text_at_the_limit_is_truncated() {
    assert_eq!(
        expect_answer(choice_outcome(&json!("Hel"), "length")).ending,
        Ending::Truncated
    );
}

/// A1: reasoning may use up the whole budget.
#[test]
fn no_text_at_the_limit_is_a_failure_that_was_billed() {
    let failure = expect_failure(choice_outcome(&json!(""), "length"));
    assert_eq!(
        (failure.kind, failure.transient),
        (FailureKind::Truncated, false)
    );
    assert_eq!(failure.usage.output_tokens, 9);
}

/// A1
#[test]
fn a_refusal_is_not_an_answer() {
    let message = json!({"content": null, "refusal": "I cannot."});
    let failure = expect_failure(outcome(&completion(&message, &json!("stop"))));
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Refused, "I cannot.")
    );
}

/// A1
#[test]
fn a_filtered_text_is_not_an_answer() {
    assert_eq!(
        expect_failure(choice_outcome(&json!("Hel"), "content_filter")).kind,
        FailureKind::Filtered
    );
}

/// A1
#[test]
fn a_choice_without_text_is_empty() {
    for content in [json!(null), json!(""), json!(" \n\t"), json!([])] {
        assert_eq!(
            expect_failure(choice_outcome(&content, "stop")).kind,
            FailureKind::Empty,
            "{content}"
        );
    }
    for choices in [json!([]), json!(null)] {
        let body = json!({"id": "x", "choices": choices});
        assert_eq!(expect_failure(outcome(&body)).kind, FailureKind::Empty);
    }
    assert_eq!(
        expect_failure(outcome(&json!({"choices": [{}]}))).kind,
        FailureKind::Empty
    );
}

/// A1
#[test]
fn a_tool_call_is_empty() {
    let calls =
        json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]);
    let message = json!({"content": null, "tool_calls": calls});
    let failure = expect_failure(outcome(&completion(&message, &json!("tool_calls"))));
    assert_eq!(failure.kind, FailureKind::Empty);
}

/// A1, X5: an unknown ending does not count as complete.
#[test]
fn an_unknown_ending_is_transient() {
    let failure = expect_failure(choice_outcome(&json!("Hel"), "tired"));
    assert_eq!(
        (failure.kind, failure.transient, failure.usage.output_tokens),
        (FailureKind::Unreadable, true, 9)
    );
}

/// X8
#[test]
fn an_ending_with_an_error_is_transient_and_keeps_the_message() {
    let failed = expect_failure(choice_outcome(
        &json!("Hel"),
        "insufficient_system_resource",
    ));
    assert_eq!(
        (failed.kind, failed.transient),
        (FailureKind::Provider, true)
    );
    assert_eq!(failed.usage.output_tokens, 9);
    let mut body = completion(&json!({"content": "Hel"}), &json!("error"));
    body["choices"][0]["error"] = json!({"code": "502", "message": "upstream went away"});
    let failed = expect_failure(outcome(&body));
    assert_eq!(
        (failed.kind, failed.transient),
        (FailureKind::Provider, true)
    );
    assert_eq!(failed.message, "upstream went away (HTTP 502)");
}

#[test]
fn a_reply_without_a_body_is_unusable() {
    for body in [
        json!(null),
        json!(""),
        json!({}),
        json!([]),
        json!({"ok": 1}),
    ] {
        assert!(matches!(parse(&body), ParsedReply::Unusable(_)), "{body}");
        assert_eq!(expect_failure(outcome(&body)).kind, FailureKind::Unreadable);
    }
}

/// X8
#[test]
fn an_error_at_the_top_level_is_an_error() {
    for body in [
        json!({"code": 503, "message": "busy"}),
        json!({"object": "error", "message": "busy", "code": 50301}),
    ] {
        let failed = expect_failure(outcome(&body));
        assert_eq!(
            (failed.kind, failed.transient),
            (FailureKind::Provider, true)
        );
        assert!(failed.message.starts_with("busy"), "{}", failed.message);
    }
}

#[test]
fn a_reply_in_a_string_or_a_list_is_read() {
    let body = completion(&json!({"content": "Hello"}), &json!("stop"));
    for wrapped in [json!(body.to_string()), json!([body])] {
        assert_eq!(expect_answer(outcome(&wrapped)).text, "Hello");
    }
}

/// X2
#[test]
fn an_answer_without_counts_has_unknown_usage() {
    for usage in [
        json!(null),
        json!("10"),
        json!({}),
        json!({"prompt_tokens": 3}),
    ] {
        let mut body = completion(&json!({"content": "Hello"}), &json!("stop"));
        body["usage"] = usage;
        assert!(expect_answer(outcome(&body)).usage.uncounted);
    }
}

#[test]
fn every_choice_is_read() {
    let choice = |text: &str| json!({"message": {"content": text}, "finish_reason": "stop"});
    let body = json!({"choices": [choice(""), choice("Hello")]});
    assert_eq!(expect_answer(outcome(&body)).text, "Hello");
}

#[test]
fn parts_of_text_are_joined() {
    let content = json!([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]);
    assert_eq!(
        expect_answer(choice_outcome(&content, "stop")).text,
        "Hello"
    );
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
            let failure = expect_failure(outcome(&body));
            assert_eq!(
                (failure.kind, failure.transient),
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
        let failure = expect_failure(outcome(&body));
        assert_eq!(
            (failure.kind, failure.transient),
            (FailureKind::Invalid, false)
        );
    }
}

#[test]
fn a_malformed_reply_does_not_panic() {
    for body in [
        json!(1),
        json!("x"),
        json!([1]),
        json!({"choices": [1, null]}),
        json!({"choices": "x"}),
    ] {
        expect_failure(outcome(&body));
    }
}
