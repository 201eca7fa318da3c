//! The client of one provider: its endpoint, and the calls on its batches.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::batch_input::{BatchInput, BatchTraits};
use super::batch_state::{BatchPage, BatchState, FileId};
use super::error::{CreateError, ProviderError};
use super::openai::Dialect;
use super::transport::Transport;
use super::{Secret, WaitNotice, anthropic, body, openai};
use synix_core::request::{BatchApi, Request, RequestKey, Wire};

/// Where and how to reach a provider.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The provider's name in the pipeline file.
    pub name: String,
    /// The wire format of its API.
    pub wire: Wire,
    /// Whose batch API it implements; only read for OpenAI's format.
    pub batch_api: BatchApi,
    /// The base URL: with `/v1` for OpenAI's format, without it for Anthropic's.
    pub base_url: String,
    /// The API key. Self-hosted servers may need none.
    pub key: Option<Secret>,
    /// Retries and time limits.
    pub http: HttpSettings,
}

/// Retries and time limits of the calls to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
    /// The maximum number of retries after a transient error.
    pub retries: u32,
    /// The wait before the first retry, doubled for each further one up to 8 s; zero never waits.
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

/// A client of one provider. Concurrent requests share its rate limits.
#[derive(Debug)]
pub struct Provider {
    pub(super) wire: Wire,
    dialect: &'static Dialect,
    pub(super) transport: Transport,
}

impl Provider {
    /// Creates a client; sends nothing yet.
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

    /// Returns the provider's name in the pipeline file.
    pub fn name(&self) -> &str {
        self.transport.provider()
    }

    /// Returns the wire format of the API.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Sends a notice to `notices` before each wait: for a retry, or for a rate limit.
    pub fn report_waits_to(&self, notices: UnboundedSender<WaitNotice>) {
        self.transport.report_waits_to(notices);
    }

    /// Returns the limits and requirements of its batch API.
    pub fn batch_traits(&self) -> BatchTraits {
        match self.wire {
            Wire::OpenAi => self.dialect.traits,
            Wire::Anthropic => anthropic::TRAITS,
        }
    }

    /// Returns the line of a batch file for `request`, without a newline: the body of a single
    /// call, with the request key as its `custom_id`.
    pub fn batch_line(&self, request: &Request, key: &RequestKey) -> String {
        body::batch_line(self.dialect, request, key)
    }

    /// Uploads a file of [`Self::batch_line`]s for [`BatchInput::Uploaded`]. `name` ends in `.jsonl`.
    pub async fn upload_batch(&self, file: &Path, name: &str) -> Result<FileId, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::upload(&self.transport, self.dialect, file, name).await,
            Wire::Anthropic => Err(self.wrong_input()),
        }
    }

    /// Creates a batch. Sends the call once, and never again if the result is unclear.
    ///
    /// The batch carries `token` if [`BatchTraits::carries_token`] is set.
    pub async fn create_batch(
        &self,
        input: BatchInput<'_>,
        token: &str,
    ) -> Result<BatchState, CreateError> {
        match (self.wire, input) {
            (Wire::OpenAi, BatchInput::Uploaded { file, kind, model }) => {
                let requests = (kind, model);
                openai::create(&self.transport, self.dialect, file, requests, token).await
            }
            (Wire::Anthropic, BatchInput::Lines(path)) => {
                anthropic::create(&self.transport, path).await
            }
            (Wire::OpenAi, BatchInput::Lines(_))
            | (Wire::Anthropic, BatchInput::Uploaded { .. }) => Err(self.wrong_input().into()),
        }
    }

    /// Lists the account's batches, newest first, 100 per page.
    pub async fn list_batches(&self, after: Option<&str>) -> Result<BatchPage, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::list(&self.transport, self.dialect, after).await,
            Wire::Anthropic => anthropic::list(&self.transport, after).await,
        }
    }

    /// Returns whether a batch that is created between two calls moves others to the next page.
    pub fn has_shifting_pages(&self) -> bool {
        self.wire == Wire::OpenAi && self.dialect.has_shifting_pages()
    }

    /// Makes the error for a list of batches whose end is not certain.
    pub fn endless_list(&self, reason: &str) -> ProviderError {
        ProviderError::EndlessList {
            provider: self.name().to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Requests the current state of a batch.
    pub async fn poll_batch(&self, id: &str) -> Result<BatchState, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::poll(&self.transport, self.dialect, id).await,
            Wire::Anthropic => anthropic::poll(&self.transport, id).await,
        }
    }

    /// Cancels a batch. Its finished rows remain available.
    pub async fn cancel_batch(&self, id: &str) -> Result<BatchState, ProviderError> {
        match self.wire {
            Wire::OpenAi => openai::cancel(&self.transport, self.dialect, id).await,
            Wire::Anthropic => anthropic::cancel(&self.transport, id).await,
        }
    }

    /// Downloads a file that a [`BatchState`] names to `to`, and returns its length.
    ///
    /// Writes the complete file or nothing. `requests` is the number of rows that the file may
    /// have; it limits the size.
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
            expected: if self.batch_traits().uploads {
                "in a file that is uploaded first"
            } else {
                "in the call that creates it"
            },
        }
    }
}
