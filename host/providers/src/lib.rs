//! Models at their providers: asking now, asking in batches, and recordings.
//!
//! A [`Provider`] speaks one wire format over HTTP and turns every reply into
//! an [`Outcome`]; only a text that the model finished, or was cut off at its
//! limit, counts as an answer. The folder knows nothing of layers, guests or
//! the store. Whether a request is sent at all, and what follows from a batch,
//! is for higher modules.
//!
//! ```text
//! openai · anthropic     what is said: bodies, replies, batch objects, files
//! body · rows · outcome  what they share: the one body, rows of a batch, what counts as an answer
//! ending · content · counted
//!                        members of a reply in every dialect: why it ended, its text, its tokens
//! reading                bytes of any reply, read with care; with lenient, events and coding
//! input · object · state what a batch is made from, and what providers say of it
//! download · redirect    how rows come to disk, and from where
//! transport              how it is said: HTTP, with patience, pace, wait, notice, fault and error
//! cassette               recorded answers, without any provider
//! webhook                the same HTTP for one document to a URL of the user's
//! ```
//!
//! ```
//! use synix_core::request::{Outcome, Wire};
//!
//! let body = br#"{"choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}],
//!                 "usage": {"prompt_tokens": 9, "completion_tokens": 1}}"#;
//! let Outcome::Answered(answer) = synix_providers::read_reply(Wire::OpenAi, body) else {
//!     panic!("the reply holds an answer");
//! };
//! assert_eq!(answer.text, "Paris");
//! assert_eq!(answer.usage.output_tokens, 1);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod anthropic;
mod body;
pub mod cassette;
mod coding;
mod content;
mod counted;
mod download;
mod ending;
mod error;
mod events;
mod fault;
mod input;
mod lenient;
mod notice;
mod object;
mod openai;
mod outcome;
mod pace;
mod patience;
mod reach;
mod reading;
mod redirect;
mod rows;
mod secret;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transport;
mod wait;
mod webhook;

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tracing::Instrument as _;

pub use body::body;
pub use cassette::Cassette;
pub use error::{CreateError, ProviderError, Retry};
pub use fault::ErrorReply;
pub use input::{BatchInput, BatchTraits};
pub use notice::Notice;
pub use openai::is_reasoning_model;
pub use rows::{GarbledRow, Row, overlong_row, read_rows};
pub use secret::Secret;
pub use state::{BatchPage, BatchState, Counts, FileId, Phase, ValidationError};
pub use webhook::{WebhookError, post_json};

use openai::Dialect;
use outcome::Heard;
use patience::Patience;
use synix_core::request::BatchApi;
use synix_core::request::{Failure, Outcome, Request, RequestKey, Usage, Wire};
use transport::{Call, Transport};

/// Where and how a provider is reached.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The provider's name in the pipeline file.
    pub name: String,
    /// The format it is spoken to in.
    pub wire: Wire,
    /// Whose batch API it has, where the format is OpenAI's.
    pub batch_api: BatchApi,
    /// Its base URL: with `/v1` for OpenAI, without for Anthropic.
    pub base_url: String,
    /// Its key; servers of one's own may need none.
    pub key: Option<Secret>,
    /// Patience with it.
    pub http: HttpSettings,
}

/// How patient to be with a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
    /// How often a request is sent again after a passing error.
    pub retries: u32,
    /// The wait before the first of these, doubled each time up to 8 s; zero never waits.
    pub backoff: Duration,
    /// The time limit of one call.
    pub timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            retries: 5,
            backoff: Duration::from_millis(500),
            timeout: Duration::from_secs(600),
        }
    }
}

/// What a sync request came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The answer or the failure.
    pub outcome: Outcome,
    /// Sends whose reply was lost, or could not be used; each may have been billed.
    pub unclear: u32,
    /// What came of earlier sends that were billed and gave no answer.
    pub billed: Vec<Failure>,
    /// How often it was sent.
    pub sends: u32,
    /// Whether the provider could not be reached at last, so that nothing was sent.
    pub unreachable: bool,
}

/// A provider of models. Requests may run side by side; they share its rate limits.
#[derive(Debug)]
pub struct Provider {
    wire: Wire,
    dialect: &'static Dialect,
    transport: Transport,
}

impl Provider {
    /// Prepares to talk to a provider; nothing is sent yet.
    pub fn open(endpoint: Endpoint) -> Result<Self, ProviderError> {
        let wire = endpoint.wire;
        let dialect = Dialect::of(endpoint.batch_api);
        let headers = match wire {
            Wire::OpenAi => openai::headers(dialect, endpoint.key.as_ref()),
            Wire::Anthropic => anthropic::headers(endpoint.key.as_ref()),
        };
        let headers = headers.map_err(|_| ProviderError::Key {
            provider: endpoint.name.clone(),
        })?;
        let transport = Transport::open(endpoint, headers)?;
        Ok(Self {
            wire,
            dialect,
            transport,
        })
    }

    /// Returns the name in the pipeline file.
    pub fn name(&self) -> &str {
        self.transport.provider()
    }

    /// Returns the format it is spoken to in.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Asks now, again after passing errors.
    pub async fn complete(&self, request: &Request) -> Completion {
        let body = body(request);
        let call = Call {
            method: Method::POST,
            path: match self.wire {
                Wire::OpenAi => openai::COMPLETE,
                Wire::Anthropic => anthropic::COMPLETE,
            },
            query: &[],
            body: Some(&body),
        };
        let mut patience = self.transport.patience();
        let mut billed = Vec::new();
        let outcome = self.ask(&call, &mut patience, &mut billed).await;
        Completion {
            outcome: self.without_key(outcome),
            unclear: patience.unclear,
            billed,
            sends: patience.sends,
            unreachable: patience.unreachable,
        }
    }

    /// Tells `notices` from now on when a call is to be made again, or is held back.
    pub fn tell(&self, notices: UnboundedSender<Notice>) {
        self.transport.tell(notices);
    }

    /// Sends a question, again after passing errors, and once more after an ending that nobody
    /// knows. A reply that came whole is never asked for again because it cannot be read.
    async fn ask(
        &self,
        call: &Call<'_>,
        patience: &mut Patience,
        billed: &mut Vec<Failure>,
    ) -> Outcome {
        let mut puzzled = false;
        loop {
            patience.sends += 1;
            let attempt = tracing::debug_span!("call", attempt = patience.sends);
            let whole = match self.transport.whole(call).instrument(attempt).await {
                Ok(whole) => whole,
                Err(error) => match patience.outlast(error).await {
                    Ok(()) => continue,
                    Err(error) => return Outcome::Failed(error.to_failure()),
                },
            };
            let heard = match self.transport.document(&whole) {
                Ok(document) => hear(self.wire, &document),
                Err(reason) => Heard::Unusable(reason),
            };
            match heard {
                Heard::Settled(outcome) => return outcome,
                Heard::Error { reply, usage } => {
                    let error = self.transport.told(*reply, &whole);
                    let failure = Failure {
                        usage,
                        ..error.to_failure()
                    };
                    let costs = usage != Usage::default();
                    // What was counted is on record and not unclear.
                    let outlasted = if costs {
                        patience.sit_out(error).await
                    } else {
                        patience.outlast(error).await
                    };
                    match outlasted {
                        Ok(()) if costs => billed.push(failure),
                        Ok(()) => {}
                        Err(_) => return Outcome::Failed(failure),
                    }
                }
                Heard::Puzzling(failure) if !puzzled && patience.allows_more() => {
                    puzzled = true;
                    billed.push(failure);
                }
                Heard::Puzzling(failure) => return Outcome::Failed(failure),
                Heard::Unusable(reason) if whole.framed => {
                    patience.unclear += 1;
                    return Outcome::Failed(outcome::unusable(&reason, false));
                }
                // Nothing says that it is whole, so it may have broken off.
                Heard::Unusable(reason) => {
                    let error = self.transport.unreadable(reason);
                    if let Err(error) = patience.outlast(error).await {
                        return Outcome::Failed(error.to_failure());
                    }
                }
            }
        }
    }

    /// Masks the key in words that came from the provider.
    fn without_key(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Failed(failure) => Outcome::Failed(Failure {
                message: self.transport.redact(&failure.message),
                ..failure
            }),
            answered @ Outcome::Answered(_) => answered,
        }
    }

    /// Returns what its batches allow and need.
    pub fn batch_traits(&self) -> BatchTraits {
        match self.wire {
            Wire::OpenAi => self.dialect.traits,
            Wire::Anthropic => anthropic::TRAITS,
        }
    }

    /// Returns the line of a batch that asks `request`, without a newline: the sync body under the
    /// request key as `custom_id`.
    pub fn batch_line(&self, request: &Request, key: &RequestKey) -> String {
        body::batch_line(self.dialect, request, key)
    }

    /// Uploads a file of [`Self::batch_line`]s under a name that ends in `.jsonl`, for [`BatchInput::Uploaded`].
    pub async fn upload_batch(&self, file: &Path, name: &str) -> Result<FileId, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::upload(&self.transport, self.dialect, file, name).await,
            Wire::Anthropic => Err(self.wrong_input()),
        }
    }

    /// Creates a batch, sending once: what is unclear is not sent again.
    ///
    /// It carries `token` where [`BatchTraits::labelled`] says so.
    pub async fn create_batch(
        &self,
        input: BatchInput<'_>,
        token: &str,
    ) -> Result<BatchState, CreateError> {
        match (self.wire, input) {
            (Wire::OpenAi, BatchInput::Uploaded { file, model }) => {
                openai::create(&self.transport, self.dialect, file, model, token).await
            }
            (Wire::Anthropic, BatchInput::Lines(path)) => {
                anthropic::create(&self.transport, path).await
            }
            (Wire::OpenAi, BatchInput::Lines(_))
            | (Wire::Anthropic, BatchInput::Uploaded { .. }) => Err(self.wrong_input().into()),
        }
    }

    /// Lists the account's batches, newest first, 100 a page.
    pub async fn list_batches(&self, after: Option<&str>) -> Result<BatchPage, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::list(&self.transport, self.dialect, after).await,
            Wire::Anthropic => anthropic::list(&self.transport, after).await,
        }
    }

    /// Returns whether batches that are created meanwhile move others to the next page of the list.
    pub fn pages_shift(&self) -> bool {
        self.wire == Wire::OpenAi && self.dialect.pages_shift()
    }

    /// Says that the list of batches has no end that can be trusted, and why.
    pub fn endless_list(&self, reason: &str) -> ProviderError {
        ProviderError::EndlessList {
            provider: self.name().to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Asks how a batch stands.
    pub async fn poll_batch(&self, id: &str) -> Result<BatchState, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::poll(&self.transport, self.dialect, id).await,
            Wire::Anthropic => anthropic::poll(&self.transport, id).await,
        }
    }

    /// Cancels a batch; what was answered by then stays.
    pub async fn cancel_batch(&self, id: &str) -> Result<BatchState, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::cancel(&self.transport, self.dialect, id).await,
            Wire::Anthropic => anthropic::cancel(&self.transport, id).await,
        }
    }

    /// Downloads a file that a [`BatchState`] names to `to`, whole and checked, and returns its length.
    ///
    /// `requests` is how many rows it may have, which bounds its size.
    pub async fn download(
        &self,
        file: &FileId,
        requests: u64,
        to: &Path,
    ) -> Result<u64, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::download(&self.transport, file, requests, to).await,
            Wire::Anthropic => anthropic::download(&self.transport, file, requests, to).await,
        }
    }

    fn wrong_input(&self) -> ProviderError {
        ProviderError::WrongInput {
            provider: self.name().to_owned(),
            taken: if self.batch_traits().uploads {
                "as a file that was uploaded before"
            } else {
                "with the call that creates it"
            },
        }
    }
}

/// Reads the body of a reply with status 200, from a sync call or a batch.
fn hear(wire: Wire, body: &Value) -> Heard {
    match wire {
        Wire::OpenAi => openai::heard(body),
        Wire::Anthropic => anthropic::heard(body),
    }
}

/// Reads the bytes of a whole reply with status 200.
pub fn read_reply(wire: Wire, body: &[u8]) -> Outcome {
    let heard = match reading::document(body) {
        Ok(document) => hear(wire, &document),
        Err(reason) => Heard::Unusable(reason),
    };
    heard.into_outcome()
}
