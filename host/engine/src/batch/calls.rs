//! The calls of the batch machine: each is a task without access to the state.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::Instrument as _;

use super::list_search::{SearchBounds, search};
use super::machine::{Call, Event};
use super::{BatchContext, BatchError};
use synix_core::request::RequestKind;
use synix_providers::{BatchInput, BatchState, FileId, Provider, ProviderError};
use synix_store::{Submission, SubmissionId};

/// A call to a provider, with all its arguments.
#[derive(Debug)]
pub(super) enum ProviderCall {
    Upload {
        path: PathBuf,
        name: String,
    },
    /// Reads the id of the newest batch in the list.
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
        /// The number of its requests, which limits the size of its files.
        requests: u64,
        files: Vec<(FileId, PathBuf)>,
    },
    Cancel {
        batch: String,
    },
}

/// The input of a create call.
#[derive(Debug)]
pub(super) enum Input {
    Uploaded {
        file: FileId,
        kind: RequestKind,
        model: String,
    },
    Lines(PathBuf),
}

impl BatchContext<'_> {
    /// Collects what a call needs. An input file is written here, before the call is recorded.
    pub(super) fn provider_call(
        &self,
        call: Call,
        submission: &Submission,
    ) -> Result<ProviderCall, BatchError> {
        let batch = || submission.batch.clone().unwrap_or_default();
        Ok(match call {
            Call::Upload => ProviderCall::Upload {
                path: self.write_input(submission)?,
                name: format!("{}.jsonl", submission.token),
            },
            Call::ReadNewest => ProviderCall::ReadNewest,
            Call::Create => ProviderCall::Create {
                input: match &submission.file {
                    Some(file) => Input::Uploaded {
                        file: FileId(file.clone()),
                        kind: self.kind_of(submission)?,
                        model: submission.model.clone(),
                    },
                    None => Input::Lines(self.write_input(submission)?),
                },
                token: submission.token.clone(),
            },
            Call::Search => ProviderCall::Search(SearchBounds {
                newest: submission.newest.clone(),
                opened: submission.opened,
            }),
            Call::Poll => ProviderCall::Poll { batch: batch() },
            Call::Download(batch) => ProviderCall::Download {
                files: self.downloads(submission, &batch)?,
                batch,
                requests: submission.requests,
            },
            Call::Cancel => ProviderCall::Cancel { batch: batch() },
        })
    }
}

/// The result of a call.
#[derive(Debug)]
pub(super) enum CallResult {
    Event(Event),
    /// Batches from the provider's list, to be compared with the state.
    List(Result<Vec<BatchState>, ProviderError>),
}

/// A call that has ended.
#[derive(Debug)]
pub(super) struct EndedCall {
    pub(super) submission: SubmissionId,
    pub(super) result: CallResult,
}

/// The calls in flight.
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

    /// Starts a call in its own task.
    pub(super) fn start(
        &mut self,
        submission: SubmissionId,
        provider: Arc<Provider>,
        call: ProviderCall,
    ) {
        self.in_flight += 1;
        let sender = self.sender.clone();
        let sending = async move {
            // In a second task, because the build must not wait forever after a panic.
            let result = tokio::spawn(run_call(provider, call).in_current_span()).await;
            let result = result.unwrap_or(CallResult::Event(Event::CallPanicked));
            // The receiver is dropped only with the command.
            let _ = sender.send(EndedCall { submission, result });
        };
        tokio::spawn(sending.in_current_span());
    }

    /// Waits for a call to end. Cancel-safe.
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
                Input::Uploaded { file, kind, model } => BatchInput::Uploaded {
                    file,
                    kind: *kind,
                    model,
                },
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

/// Downloads each file completely or not at all, even if another process does the same.
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
