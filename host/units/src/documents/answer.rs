//! The rounds of a unit that are answered, with what the plugin receives.

use serde::{Deserialize, Serialize};

use super::error::DocumentError;
use super::payload::ObjectRef;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, Usage};

/// Consecutive rounds of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rounds {
    /// One round.
    Round(AnsweredRound),
    /// An object with a list of rounds, as JSON.
    Object(ObjectRef),
}

/// A round that is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnsweredRound {
    /// The [digest](super::round_digest) of its requests.
    pub requests: Digest,
    /// What the plugin receives.
    pub response: RoundResponse,
}

/// What a plugin receives for a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RoundResponse {
    /// One answer for each request, in the same order.
    Answers(Vec<WireAnswer>),
    /// The pipeline has no model role of this name.
    UnknownRole(String),
    /// A request breaks this rule.
    InvalidRequest(String),
    /// The unit exceeds this limit.
    OverLimit(String),
    /// The capability is not granted.
    NotGranted,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireAnswer {
    /// The text.
    pub text: String,
    /// How it ended.
    pub ending: Ending,
    /// The model that answered, as the provider named it.
    pub model: String,
    /// The token counts.
    pub usage: WireUsage,
    /// Further members of the provider's reply: the text of a JSON object.
    pub details: String,
}

/// The tokens of an answer; the members are those of [`Usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "they have the names and meanings of the members of Usage"
)]
pub struct WireUsage {
    pub input_tokens: u64,
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    pub uncounted: bool,
}

impl WireAnswer {
    /// Returns an answer as it travels.
    pub fn of(answer: Answer) -> Self {
        let Usage {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            output_tokens,
            reasoning_tokens,
            uncounted,
        } = answer.usage;
        Self {
            text: answer.text,
            ending: answer.ending,
            model: answer.model,
            usage: WireUsage {
                input_tokens,
                cached_tokens,
                cache_write_tokens,
                output_tokens,
                reasoning_tokens,
                uncounted,
            },
            details: serde_json::Value::Object(answer.details).to_string(),
        }
    }

    /// Returns the answer.
    pub fn into_answer(self) -> Result<Answer, DocumentError> {
        let WireUsage {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            output_tokens,
            reasoning_tokens,
            uncounted,
        } = self.usage;
        let details = serde_json::from_str(&self.details);
        Ok(Answer {
            text: self.text,
            ending: self.ending,
            model: self.model,
            usage: Usage {
                input_tokens,
                cached_tokens,
                cache_write_tokens,
                output_tokens,
                reasoning_tokens,
                uncounted,
            },
            details: details.map_err(|source| DocumentError::Json {
                what: "the details of an answer",
                source,
            })?,
        })
    }
}
