//! The calls of the batch machine: each a task that knows a provider and no state.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::Instrument as _;

use super::list_search::{SearchBounds, search};
use super::machine::Event;
use synix_providers::{BatchInput, BatchState, FileId, Provider, ProviderError};
use synix_store::SubmissionId;

/// A call to a provider, with all that it needs.
#[derive(Debug)]
pub(super) enum ProviderCall {
    Upload {
        path: PathBuf,
        name: String,
    },
    /// Names the newest batch in the list.
    ReadNewest,
    Create {
        input: Input,
        token: String,
    },
    Search(SearchBounds),
    Poll {
        batch: String,
    },
    Download {
        batch: Box<BatchState>,
        /// How many requests it has, which bounds its files.
        requests: u64,
        files: Vec<(FileId, PathBuf)>,
    },
    Cancel {
        batch: String,
    },
}

/// What a batch is created from.
#[derive(Debug)]
pub(super) enum Input {
    Uploaded { file: FileId, model: String },
    Lines(PathBuf),
}

/// What a call brought.
#[derive(Debug)]
pub(super) enum CallResult {
    Event(Event),
    /// Batches from the provider's list; the state tells which of them may be the lost one.
    List(Result<Vec<BatchState>, ProviderError>),
}

/// A call that has ended.
#[derive(Debug)]
pub(super) struct EndedCall {
    pub(super) submission: SubmissionId,
    pub(super) result: CallResult,
}

/// The calls under way.
#[derive(Debug)]
pub(super) struct Calls {
    in_flight: usize,
    sender: UnboundedSender<EndedCall>,
    ended: UnboundedReceiver<EndedCall>,
}

impl Calls {
    pub(super) fn new() -> Self {
        let (sender, ended) = unbounded_channel();
        Self {
            in_flight: 0,
            sender,
            ended,
        }
    }

    pub(super) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    #[cfg(test)]
    pub(super) fn have_all_ended(&self) -> bool {
        self.ended.len() >= self.in_flight
    }

    /// Starts a call in a task of its own.
    pub(super) fn start(
        &mut self,
        submission: SubmissionId,
        provider: Arc<Provider>,
        call: ProviderCall,
    ) {
        self.in_flight += 1;
        let sender = self.sender.clone();
        let sending = async move {
            // In a second task: a panic there must not let the build wait for ever.
            let result = tokio::spawn(run_call(provider, call).in_current_span()).await;
            let result = result.unwrap_or(CallResult::Event(Event::CallPanicked));
            // The receiver is gone only when the command is.
            let _ = sender.send(EndedCall { submission, result });
        };
        tokio::spawn(sending.in_current_span());
    }

    /// Waits for a call to end. Loses nothing when dropped.
    pub(super) async fn next(&mut self) -> Option<EndedCall> {
        let ended = self.ended.recv().await?;
        self.in_flight = self.in_flight.saturating_sub(1);
        Some(ended)
    }
}

async fn run_call(provider: Arc<Provider>, call: ProviderCall) -> CallResult {
    CallResult::Event(match call {
        ProviderCall::Upload { path, name } => {
            Event::UploadEnded(provider.upload_batch(&path, &name).await)
        }
        ProviderCall::ReadNewest => {
            let page = provider.list_batches(None).await;
            let newest = |batches: Vec<BatchState>| batches.into_iter().next();
            Event::NewestRead(page.map(|page| newest(page.batches).map(|batch| batch.id)))
        }
        ProviderCall::Create { input, token } => {
            let input = match &input {
                Input::Uploaded { file, model } => BatchInput::Uploaded { file, model },
                Input::Lines(path) => BatchInput::Lines(path),
            };
            Event::CreateEnded(provider.create_batch(input, &token).await.map(Box::new))
        }
        ProviderCall::Search(bounds) => {
            return CallResult::List(search(&provider, &bounds).await);
        }
        ProviderCall::Poll { batch } => {
            Event::Polled(provider.poll_batch(&batch).await.map(Box::new))
        }
        ProviderCall::Download {
            batch,
            requests,
            files,
        } => {
            let ended = download(&provider, requests, &files).await;
            Event::DownloadEnded(batch, ended)
        }
        ProviderCall::Cancel { batch } => {
            Event::CancelEnded(provider.cancel_batch(&batch).await.map(Box::new))
        }
    })
}

/// Downloads files so that each is there whole or not at all, whoever else does the same.
async fn download(
    provider: &Provider,
    requests: u64,
    files: &[(FileId, PathBuf)],
) -> Result<(), ProviderError> {
    for (file, path) in files {
        let partial = path.with_extension(format!("{}.part", std::process::id()));
        provider.download(file, requests, &partial).await?;
        synix_disk::rename(&partial, path)?;
    }
    Ok(())
}
