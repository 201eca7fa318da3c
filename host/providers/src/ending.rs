//! Why a model stopped: the words of every dialect, in one table.
//!
//! Words are compared without case, with `-` and blanks as `_`, and without
//! the prefixes that enumerations have. `docs/replies.md` shows the table.

use serde_json::Value;

use super::fault;

/// Why the model stopped, as far as the word for it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was done. Compatible servers leave the reason out: that counts, too.
    Complete,
    /// It reached a token limit.
    Truncated,
    /// It declined.
    Refused,
    /// A filter cut it off.
    Filtered,
    /// It wants something before it goes on.
    Waits(&'static str),
    /// The provider failed while it answered.
    Error,
    /// A word that synix does not know.
    Unknown(String),
}

const TOOL: &str = "the model called a tool instead of answering";
const PAUSE: &str = "the model paused before it had answered";

impl Ending {
    /// Reads the member that says why an answer ended.
    pub(super) fn read(reason: Option<&Value>) -> Self {
        let said = match reason {
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
        Self::of(&said)
    }

    fn of(said: &str) -> Self {
        let word = said
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
            | "malformed_tool_use" => Self::Waits(TOOL),
            "pause_turn" | "pause" | "paused" => Self::Waits(PAUSE),
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
            _ => Self::Unknown(fault::cut_to(said, 100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(word: &str) -> Ending {
        Ending::read(Some(&json!(word)))
    }

    /// X5
    #[test]
    fn words_are_compared_without_case_and_form() {
        for word in [
            "stop",
            "STOP",
            "Stop",
            "end_turn",
            "eos",
            "COMPLETE",
            "finish_reason_stop",
        ] {
            assert_eq!(of(word), Ending::Complete, "{word}");
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
            assert_eq!(of(word), Ending::Truncated, "{word}");
        }
        for word in [
            "content_filter",
            "SAFETY",
            "RECITATION",
            "content_filtered",
            "sensitive",
        ] {
            assert_eq!(of(word), Ending::Filtered, "{word}");
        }
        assert_eq!(of("Refusal"), Ending::Refused);
        assert_eq!(of("insufficient_system_resource"), Ending::Error);
        assert_eq!(of("error"), Ending::Error);
        assert!(matches!(of("tool_calls"), Ending::Waits(_)));
    }

    /// X5
    #[test]
    fn a_reason_that_says_nothing_is_absent() {
        for reason in [json!(null), json!(""), json!("null"), json!("None")] {
            assert_eq!(Ending::read(Some(&reason)), Ending::Complete, "{reason}");
        }
        assert_eq!(Ending::read(None), Ending::Complete);
    }

    #[test]
    fn a_word_that_is_not_known_is_not_taken_for_a_good_one() {
        assert_eq!(of("Bored"), Ending::Unknown("Bored".to_owned()));
        assert!(matches!(Ending::read(Some(&json!(7))), Ending::Unknown(_)));
        assert_eq!(
            Ending::read(Some(&json!({"type": "stop"}))),
            Ending::Complete
        );
        let Ending::Unknown(word) = of(&"x".repeat(5000)) else {
            panic!("not known");
        };
        assert!(word.chars().count() <= 101);
    }
}
