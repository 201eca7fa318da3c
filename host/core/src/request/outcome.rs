//! What became of a request.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Tokens of one answer, as the provider counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input_tokens: u64,
    /// Input tokens read from the provider's cache.
    pub cached_tokens: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// All output tokens, reasoning included.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Whether the provider did not say how many input or output tokens it counted, or not so that
    /// it can be read. The numbers are then the least there can have been, and the cost is unknown.
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

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The model was done.
    Complete,
    /// The answer reached its token limit.
    Truncated,
}

/// A model's answer. Its text is never empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Why it ended.
    pub ending: Ending,
    /// The model that answered, as the provider named it.
    pub model: String,
    /// What was counted.
    pub usage: Usage,
    /// What else the provider said.
    #[serde(default)]
    pub details: Map<String, Value>,
}

/// The kinds of failure a unit or request can have; scripts rely on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The answer reached its token limit.
    Truncated,
    /// The model declined.
    Refused,
    /// The provider's filter held the answer back.
    Filtered,
    /// The answer has no text.
    Empty,
    /// The reply arrived whole, and synix cannot use it: it cannot be read, or it ended for a
    /// reason that synix does not know.
    Unreadable,
    /// The provider says the request is wrong.
    Invalid,
    /// The credential is missing or refused.
    Auth,
    /// The account is out of money or quota.
    Quota,
    /// The answer is nowhere: no row in the batch, no entry in the cassette.
    Missing,
    /// The provider's time for the batch ran out or it was cancelled.
    Expired,
    /// The provider or the way to it failed.
    Provider,
    /// The plugin failed.
    Guest,
    /// An input it needs failed.
    HeldBack,
}

impl FailureKind {
    /// Returns the name used in JSON and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::Filtered => "filtered",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
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

    /// Returns whether the provider answered and was paid, though the answer cannot be used.
    ///
    /// Asking the same again would be paid for again and most likely end the same way, so nobody
    /// does it unless the user says so. A failure of any other kind cost nothing.
    pub const fn is_paid(self) -> bool {
        match self {
            Self::Truncated | Self::Refused | Self::Filtered | Self::Empty | Self::Unreadable => {
                true
            }
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
    /// The kinds of failure that were paid for.
    pub const PAID: [Self; 5] = [
        Self::Truncated,
        Self::Refused,
        Self::Filtered,
        Self::Empty,
        Self::Unreadable,
    ];

    /// Returns the kind of a failure that was paid for by its name.
    pub fn paid_named(name: &str) -> Option<Self> {
        Self::PAID.into_iter().find(|kind| kind.name() == name)
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// The provider's own words, or ours where it said none.
    pub message: String,
    /// Whether asking the same again may succeed.
    pub passing: bool,
    /// What the provider counted all the same.
    pub usage: Usage,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There is a text.
    Answered(Answer),
    /// There is none.
    Failed(Failure),
}

/// What became of a request whose answer, if there is one, stands in the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// There is a text.
    Answered {
        /// Why it ended.
        ending: Ending,
        /// What it cost.
        usage: Usage,
    },
    /// There is none.
    Failed(Failure),
}

impl From<Outcome> for Settlement {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered(answer) => Self::from(&answer),
            Outcome::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<&Answer> for Settlement {
    fn from(answer: &Answer) -> Self {
        Self::Answered {
            ending: answer.ending,
            usage: answer.usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_was_paid_for() {
        let paid = ["truncated", "refused", "filtered", "empty", "unreadable"];
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
    fn only_what_was_paid_for_has_a_name_among_the_paid() {
        for kind in FailureKind::PAID {
            assert!(kind.is_paid());
            assert_eq!(FailureKind::paid_named(kind.name()), Some(kind));
        }
        assert_eq!(FailureKind::paid_named("provider"), None);
    }

    #[test]
    fn a_sum_with_an_unknown_part_is_unknown() {
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

    /// Answers on record before there was such a mark are read as they were written.
    #[test]
    fn usage_of_older_versions_is_read() {
        let text = r#"{"input_tokens":1,"cached_tokens":0,"cache_write_tokens":0,"output_tokens":2,"reasoning_tokens":0}"#;
        let usage: Usage = serde_json::from_str(text).unwrap();
        assert!(!usage.uncounted);
        assert_eq!(serde_json::to_string(&usage).unwrap(), text);
    }
}
