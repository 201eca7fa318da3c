//! The outcome of a request: an answer or a failure.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The tokens of one answer, as the provider counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All input tokens, including cached ones.
    pub input_tokens: u64,
    /// Input tokens read from the provider's cache.
    pub cached_tokens: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// All output tokens, including reasoning.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Whether the provider reported no usable number of input or output tokens. The numbers above are then lower
    /// bounds, and the cost is unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncounted: bool,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in [
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.cache_write_tokens, other.cache_write_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.uncounted = self.uncounted || other.uncounted;
    }
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The model finished.
    Complete,
    /// The answer reached its token limit.
    Truncated,
}

/// A model's answer. Its text is never empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// How the answer ended.
    pub ending: Ending,
    /// The model that answered, as the provider named it.
    pub model: String,
    /// The token counts.
    pub usage: Usage,
    /// Further members of the provider's reply.
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl Answer {
    /// Returns the tokens that the answer counts towards the limit of its unit.
    pub fn counted_tokens(&self) -> u64 {
        let Usage {
            input_tokens,
            output_tokens,
            uncounted,
            ..
        } = self.usage;
        // A token has at least one byte, so for uncounted tokens the length is an upper bound.
        let output = if uncounted {
            output_tokens.max(self.text.len() as u64)
        } else {
            output_tokens
        };
        input_tokens.saturating_add(output)
    }
}

/// The kind of a failure of a unit or request. Scripts rely on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The answer reached its token limit.
    Truncated,
    /// The model refused to answer.
    Refused,
    /// The provider's content filter blocked the answer.
    Filtered,
    /// The answer contains no text.
    Empty,
    /// The reply is complete but unusable: synix cannot parse it or does not know the reason for its end.
    Unreadable,
    /// The answer does not match the `response_format` of its request.
    Schema,
    /// The provider rejected the request as invalid.
    Invalid,
    /// The credential is missing or invalid.
    Auth,
    /// The account has no money or quota left.
    Quota,
    /// The batch or the cassette contains no answer.
    Missing,
    /// The batch expired or was cancelled.
    Expired,
    /// The provider or the connection to it failed.
    Provider,
    /// The plugin failed.
    Guest,
    /// A required input failed.
    HeldBack,
}

impl FailureKind {
    /// Returns the name in JSON and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::Filtered => "filtered",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
            Self::Schema => "schema",
            Self::Invalid => "invalid",
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::Missing => "missing",
            Self::Expired => "expired",
            Self::Provider => "provider",
            Self::Guest => "guest",
            Self::HeldBack => "held_back",
        }
    }

    /// Returns whether the provider charged for an answer that is unusable.
    ///
    /// A repetition would cost the same again and would probably fail in the same way, so synix sends it only if the
    /// user asks for it. Failures of other kinds cost nothing.
    pub const fn is_paid(self) -> bool {
        match self {
            Self::Truncated
            | Self::Refused
            | Self::Filtered
            | Self::Empty
            | Self::Unreadable
            | Self::Schema => true,
            Self::Invalid
            | Self::Auth
            | Self::Quota
            | Self::Missing
            | Self::Expired
            | Self::Provider
            | Self::Guest
            | Self::HeldBack => false,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FailureKind {
    /// The kinds of failure that the provider charges for.
    pub const PAID: [Self; 6] = [
        Self::Truncated,
        Self::Refused,
        Self::Filtered,
        Self::Empty,
        Self::Unreadable,
        Self::Schema,
    ];

    /// Returns the paid kind with this name.
    pub fn paid_from_name(name: &str) -> Option<Self> {
        Self::PAID.into_iter().find(|kind| kind.name() == name)
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The provider's message, or our own if the provider sent none.
    pub message: String,
    /// Whether a retry may succeed. Stored failures have the member `passing`.
    #[serde(rename = "passing")]
    pub transient: bool,
    /// The tokens that the provider counted nevertheless.
    pub usage: Usage,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model answered.
    Answered(Answer),
    /// There is no answer.
    Failed(Failure),
}

impl Outcome {
    /// Drops the text of an answer: returns how the answer ended, or why there is none.
    pub fn into_ending(self) -> Result<Ending, Failure> {
        match self {
            Self::Answered(answer) => Ok(answer.ending),
            Self::Failed(failure) => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_failures_of_an_answer_are_paid() {
        let paid = [
            "truncated",
            "refused",
            "filtered",
            "empty",
            "unreadable",
            "schema",
        ];
        let free = [
            "invalid",
            "auth",
            "quota",
            "missing",
            "expired",
            "provider",
            "guest",
            "held_back",
        ];
        let kind = |name: &&str| -> FailureKind {
            serde_json::from_value(Value::String((*name).to_owned())).unwrap()
        };
        assert!(paid.iter().map(kind).all(FailureKind::is_paid));
        assert!(!free.iter().map(kind).any(FailureKind::is_paid));
        assert!(
            paid.iter()
                .chain(&free)
                .all(|name| kind(name).name() == *name)
        );
    }

    #[test]
    fn only_paid_kinds_are_found_by_paid_name() {
        for kind in FailureKind::PAID {
            assert!(kind.is_paid());
            assert_eq!(FailureKind::paid_from_name(kind.name()), Some(kind));
        }
        assert_eq!(FailureKind::paid_from_name("provider"), None);
    }

    #[test]
    fn the_sum_of_known_and_unknown_usage_is_unknown() {
        let known = Usage {
            input_tokens: 3,
            ..Usage::default()
        };
        let mut sum = Usage {
            uncounted: true,
            ..Usage::default()
        };
        sum += known;
        sum += known;
        assert_eq!((sum.input_tokens, sum.uncounted), (6, true));
    }

    /// Older answers lack the member `uncounted`.
    #[test]
    fn usage_from_older_versions_is_still_readable() {
        let text = r#"{"input_tokens":1,"cached_tokens":0,"cache_write_tokens":0,"output_tokens":2,"reasoning_tokens":0}"#;
        let usage: Usage = serde_json::from_str(text).unwrap();
        assert!(!usage.uncounted);
        assert_eq!(serde_json::to_string(&usage).unwrap(), text);
    }
}
