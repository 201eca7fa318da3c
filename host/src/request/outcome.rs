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
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
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
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
