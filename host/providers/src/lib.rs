//! Clients for LLM providers: single calls, batches, and recorded answers.
//!
//! A [`Provider`] speaks one wire format over HTTP and turns every reply into
//! an [`Outcome`](synix_core::request::Outcome). A reply counts as an answer
//! only if the model finished its text or reached its token limit. This crate
//! does not know layers, plugins or the store. The engine decides whether a
//! request is sent, and what follows from a batch.
//!
//! ```text
//! provider · completion          the public client; one request with its retries
//! embeddings                     several requests for embeddings in one call
//! openai · anthropic             the wire formats: bodies, replies, batches, files
//! body · rows · outcome          shared by both: request bodies, batch rows, what counts as an answer
//! finish_reason · content · usage
//!                                members of a reply in every dialect: why it ended, its text, its tokens
//! reply_json                     parses replies; uses lenient_json, event_stream and content_encoding
//! batch_input · batch_object · batch_state
//!                                what a batch is made from, and what providers report about it
//! download · redirect            files of rows, and the servers that they may come from
//! transport                      HTTP, with retry, rate_limiter, rate_limit_headers and wait_notice
//! error · error_reply            what can fail, and what it means
//! cassette                       recorded answers, without any provider
//! webhook                        one JSON document to a URL of the user's
//! ```
//!
//! ```
//! use synix_core::request::{Outcome, RequestKind, Wire};
//!
//! let body = br#"{"choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}],
//!                 "usage": {"prompt_tokens": 9, "completion_tokens": 1}}"#;
//! let Outcome::Answered(answer) = synix_providers::read_reply(Wire::OpenAi, RequestKind::Completion, body) else {
//!     panic!("the reply has an answer");
//! };
//! assert_eq!(answer.text, "Paris");
//! assert_eq!(answer.usage.output_tokens, 1);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod anthropic;
mod batch_input;
mod batch_object;
mod batch_state;
mod body;
pub mod cassette;
mod completion;
mod content;
mod content_encoding;
mod download;
mod durations;
mod embeddings;
mod error;
mod error_reply;
mod event_stream;
mod excerpt;
mod finish_reason;
mod lenient_json;
mod openai;
mod outcome;
mod provider;
mod rate_limit_headers;
mod rate_limiter;
mod redirect;
mod reply_json;
mod retry;
mod rows;
mod secret;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transport;
mod usage;
mod wait_notice;
mod webhook;

pub use batch_input::{BatchInput, BatchTraits};
pub use batch_state::{BatchPage, BatchState, Counts, FileId, Phase, ValidationError};
pub use body::body;
pub use cassette::Cassette;
pub use completion::{Completion, read_reply};
pub use error::{CreateError, ProviderError, RetryAdvice};
pub use error_reply::ErrorReply;
pub use openai::is_reasoning_model;
pub use provider::{Endpoint, HttpSettings, Provider};
pub use rows::{Row, UnreadableRow, overlong_row, read_rows};
pub use secret::Secret;
pub use wait_notice::WaitNotice;
pub use webhook::{WebhookError, post_json};
