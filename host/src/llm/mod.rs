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
//! transport              how it is said: HTTP, with patience, pace, wait, fault and error
//! cassette               recorded answers, without any provider
//! webhook                the same HTTP for one document to a URL of the user's
//! ```

mod anthropic;
mod body;
pub mod cassette;
mod error;
mod fault;
mod openai;
mod outcome;
mod pace;
mod patience;
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

pub use body::{batch_line, body};
pub use cassette::Cassette;
pub use error::{CreateError, ProviderError, Retry};
pub use fault::ErrorReply;
pub use openai::is_reasoning_model;
pub use rows::{GarbledRow, Row, read_row};
pub use secret::Secret;
pub use state::{BatchPage, BatchState, Counts, FileId, Phase, ValidationError};
pub use webhook::{WebhookError, post_json};

use crate::request::{Outcome, Request, Wire};
use transport::{Call, Transport};

/// Where and how a provider is reached.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The provider's name in the pipeline file.
    pub name: String,
    /// The format it is spoken to in.
    pub wire: Wire,
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
    /// Sends whose reply was lost; each may have been billed.
    pub unclear: u32,
    /// How often it was sent.
    pub sends: u32,
}

/// A provider of models. Requests may run side by side; they share its rate limits.
#[derive(Debug)]
pub struct Provider {
    wire: Wire,
    transport: Transport,
}

impl Provider {
    /// Prepares to talk to a provider; nothing is sent yet.
    pub fn open(endpoint: Endpoint) -> Result<Self, ProviderError> {
        let wire = endpoint.wire;
        let headers = match wire {
            Wire::OpenAi => openai::headers(endpoint.key.as_ref()),
            Wire::Anthropic => anthropic::headers(endpoint.key.as_ref()),
        };
        let headers = headers.map_err(|_| ProviderError::Key {
            provider: endpoint.name.clone(),
        })?;
        let transport = Transport::open(endpoint, headers)?;
        Ok(Self { wire, transport })
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
        let outcome = match self.transport.json(&call, &mut patience).await {
            Ok(reply) => read_reply(self.wire, &reply.value),
            Err(error) => Outcome::Failed(error.to_failure()),
        };
        Completion {
            outcome,
            unclear: patience.unclear,
            sends: patience.sends,
        }
    }

    /// Uploads a file of [`batch_line`]s under a name that ends in `.jsonl`.
    pub async fn upload_batch(&self, file: &Path, name: &str) -> Result<FileId, ProviderError> {
        self.with_batches()?;
        openai::upload(&self.transport, file, name).await
    }

    /// Creates a batch that carries `token`, sending once: what is unclear is not sent again.
    pub async fn create_batch(
        &self,
        input: &FileId,
        token: &str,
    ) -> Result<BatchState, CreateError> {
        self.with_batches()?;
        openai::create(&self.transport, input, token).await
    }

    /// Lists the account's batches, newest first, 100 a page.
    pub async fn list_batches(&self, after: Option<&str>) -> Result<BatchPage, ProviderError> {
        self.with_batches()?;
        openai::list(&self.transport, after).await
    }

    /// Asks how a batch stands.
    pub async fn poll_batch(&self, id: &str) -> Result<BatchState, ProviderError> {
        self.with_batches()?;
        openai::poll(&self.transport, id).await
    }

    /// Cancels a batch; what was answered by then stays.
    pub async fn cancel_batch(&self, id: &str) -> Result<BatchState, ProviderError> {
        self.with_batches()?;
        openai::cancel(&self.transport, id).await
    }

    /// Downloads a file to `to`, whole and checked, and returns its length.
    pub async fn download(&self, file: &FileId, to: &Path) -> Result<u64, ProviderError> {
        self.with_batches()?;
        openai::download(&self.transport, file, to).await
    }

    fn with_batches(&self) -> Result<(), ProviderError> {
        match self.wire {
            Wire::OpenAi => Ok(()),
            Wire::Anthropic => Err(ProviderError::NoBatchApi {
                provider: self.name().to_owned(),
            }),
        }
    }
}

/// Reads the body of a reply with status 200, from a sync call or a batch.
fn read_reply(wire: Wire, body: &Value) -> Outcome {
    match wire {
        Wire::OpenAi => openai::outcome(body),
        Wire::Anthropic => anthropic::outcome(body),
    }
}
