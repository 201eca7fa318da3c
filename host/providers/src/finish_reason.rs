//! Why a model stopped: one table with the values of every dialect.
//!
//! Values are compared without regard to case, with `-`, `.` and blanks as `_`,
//! and without the prefixes of enumerations. `docs/replies.md` shows the table.

use serde_json::Value;

use super::excerpt;

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FinishReason {
    /// The answer is complete, or the server gave no reason, as compatible servers do.
    Complete,
    /// The answer reached a token limit.
    Truncated,
    /// The model refused.
    Refused,
    /// A filter removed the answer.
    Filtered,
    /// The model waits for something before it continues; this says what.
    AwaitsInput(&'static str),
    /// The provider failed during the answer.
    Error,
    /// A value that synix does not know.
    Unknown(String),
}

const CALLED_TOOL: &str = "the model called a tool instead of answering";
const PAUSED: &str = "the model paused before it answered";

impl FinishReason {
    /// Reads the member with the reason, such as `finish_reason`.
    pub(super) fn read(reason: Option<&Value>) -> Self {
        let value = match reason {
            None | Some(Value::Null) => return Self::Complete,
            Some(Value::String(word)) => word.clone(),
            // `{"type": "stop"}` or `{"reason": "stop"}`.
            Some(Value::Object(members)) => {
                let named = ["type", "reason", "name"];
                let word = named.iter().find_map(|name| members.get(*name)?.as_str());
                word.map_or_else(|| Value::Object(members.clone()).to_string(), str::to_owned)
            }
            Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_))) => {
                other.to_string()
            }
        };
        Self::parse(&value)
    }

    fn parse(value: &str) -> Self {
        let word = value
            .trim()
            .to_ascii_lowercase()
            .replace(['-', ' ', '.'], "_");
        let word = ["finish_reason_", "finishreason_", "stop_reason_"]
            .iter()
            .find_map(|prefix| word.strip_prefix(prefix))
            .unwrap_or(&word);
        match word {
            "" | "null" | "none" | "nil" | "undefined" => Self::Complete,
            "stop" | "stopped" | "stop_sequence" | "stop_token" | "stop_word" | "stop_words"
            | "stop_string" | "stop_str" | "end_turn" | "end_of_turn" | "end" | "eos"
            | "eos_token" | "end_of_sequence" | "end_of_text" | "endoftext" | "eot"
            | "complete" | "completed" | "done" | "finish" | "finished" | "success"
            | "succeeded" | "natural" | "normal" => Self::Complete,
            "length"
            | "max_tokens"
            | "max_token"
            | "maxtokens"
            | "max_output_tokens"
            | "max_completion_tokens"
            | "max_new_tokens"
            | "max_length"
            | "max_context_length"
            | "model_length"
            | "model_context_window_exceeded"
            | "context_window_exceeded"
            | "context_length"
            | "context_length_exceeded"
            | "context_limit"
            | "token_limit"
            | "tokens_limit"
            | "token_limit_reached"
            | "output_limit"
            | "length_limit"
            | "length_capped"
            | "limit"
            | "error_limit"
            | "truncated"
            | "incomplete" => Self::Truncated,
            "content_filter"
            | "content_filtered"
            | "contentfilter"
            | "filter"
            | "filtered"
            | "safety"
            | "safety_filter"
            | "image_safety"
            | "blocked"
            | "blocklist"
            | "prohibited_content"
            | "spii"
            | "recitation"
            | "language"
            | "moderation"
            | "sensitive"
            | "guardrail"
            | "guardrails"
            | "guardrail_intervened"
            | "content_policy"
            | "content_policy_violation"
            | "policy_violation"
            | "error_toxic" => Self::Filtered,
            "refusal" | "refused" | "refuse" | "declined" => Self::Refused,
            "tool_calls"
            | "tool_call"
            | "tool_use"
            | "tool"
            | "tools"
            | "function_call"
            | "function_calls"
            | "function"
            | "malformed_function_call"
            | "unexpected_tool_call"
            | "malformed_tool_use" => Self::AwaitsInput(CALLED_TOOL),
            "pause_turn" | "pause" | "paused" => Self::AwaitsInput(PAUSED),
            "error"
            | "errored"
            | "failed"
            | "failure"
            | "internal_error"
            | "server_error"
            | "api_error"
            | "network_error"
            | "upstream_error"
            | "engine_error"
            | "insufficient_system_resource"
            | "overloaded"
            | "overloaded_error"
            | "rate_limit"
            | "rate_limited"
            | "rate_limit_exceeded"
            | "timeout"
            | "timed_out"
            | "deadline_exceeded"
            | "unavailable"
            | "abort"
            | "aborted"
            | "cancel"
            | "cancelled"
            | "canceled"
            | "user_cancel"
            | "interrupted"
            | "preempted"
            | "disconnected" => Self::Error,
            _ => Self::Unknown(excerpt::truncate(value, 100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(word: &str) -> FinishReason {
        FinishReason::read(Some(&json!(word)))
    }

    /// X5
    #[test]
    fn values_are_compared_without_case_and_form() {
        for word in [
            "stop",
            "STOP",
            "Stop",
            "end_turn",
            "eos",
            "COMPLETE",
            "finish_reason_stop",
        ] {
            assert_eq!(of(word), FinishReason::Complete, "{word}");
        }
        for word in [
            "length",
            "LENGTH",
            "MAX_TOKENS",
            "max-tokens",
            "max_output_tokens",
            "model_length",
            "FINISH_REASON_MAX_TOKENS",
            "model_context_window_exceeded",
        ] {
            assert_eq!(of(word), FinishReason::Truncated, "{word}");
        }
        for word in [
            "content_filter",
            "SAFETY",
            "RECITATION",
            "content_filtered",
            "sensitive",
        ] {
            assert_eq!(of(word), FinishReason::Filtered, "{word}");
        }
        assert_eq!(of("Refusal"), FinishReason::Refused);
        assert_eq!(of("insufficient_system_resource"), FinishReason::Error);
        assert_eq!(of("error"), FinishReason::Error);
        assert!(matches!(of("tool_calls"), FinishReason::AwaitsInput(_)));
    }

    /// X5
    #[test]
    fn an_empty_reason_counts_as_complete() {
        for reason in [json!(null), json!(""), json!("null"), json!("None")] {
            assert_eq!(
                FinishReason::read(Some(&reason)),
                FinishReason::Complete,
                "{reason}"
            );
        }
        assert_eq!(FinishReason::read(None), FinishReason::Complete);
    }

    #[test]
    fn an_unknown_value_does_not_count_as_complete() {
        assert_eq!(of("Bored"), FinishReason::Unknown("Bored".to_owned()));
        assert!(matches!(
            FinishReason::read(Some(&json!(7))),
            FinishReason::Unknown(_)
        ));
        assert_eq!(
            FinishReason::read(Some(&json!({"type": "stop"}))),
            FinishReason::Complete
        );
        let FinishReason::Unknown(word) = of(&"x".repeat(5000)) else {
            panic!("not known");
        };
        assert!(word.chars().count() <= 101);
    }
}
