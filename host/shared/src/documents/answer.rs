//! The object of an answer.

use synix_core::clock::Timestamp;
use synix_core::request::Answer;

/// An answer with what is known about its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedAnswer {
    /// The answer.
    pub answer: Answer,
    /// The wire format or name of the provider that was asked.
    pub provider: String,
    /// The model that was requested.
    pub model: String,
    /// The id of the batch that had the request, if any.
    pub batch: Option<String>,
    /// When the answer arrived. The object keeps whole seconds.
    pub time: Timestamp,
}
