//! The calls of the state machine: each a task that knows a provider and no state.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Moment;
use crate::llm::{BatchInput, BatchState, CreateError, FileId, Provider, ProviderError};
use crate::store::SubmissionId;

/// In milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A call to a provider.
#[derive(Debug)]
pub(super) enum Call {
    Upload {
        path: PathBuf,
        name: String,
    },
    /// Names the newest batch in the list.
    Mark,
    Create {
        input: Input,
        token: String,
    },
    /// Reads the list back to `newest`, or to a day before `opened`.
    Find {
        newest: Option<String>,
        opened: Moment,
    },
    Poll {
        batch: String,
    },
    Fetch {
        batch: Box<BatchState>,
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
pub(super) enum Brought {
    Uploaded(Result<FileId, ProviderError>),
    Marked(Result<Option<String>, ProviderError>),
    Created(Result<Box<BatchState>, CreateError>),
    Found(Result<Vec<BatchState>, ProviderError>),
    Polled(Result<Box<BatchState>, ProviderError>),
    Fetched(Box<BatchState>, Result<(), ProviderError>),
    Cancelled(String, Result<Box<BatchState>, ProviderError>),
    /// The task broke off; what it did is not known.
    Broken,
}

/// A call that has come to its end.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) submission: SubmissionId,
    pub(super) brought: Brought,
}

/// Makes one call.
pub(super) async fn make(provider: Arc<Provider>, call: Call) -> Brought {
    match call {
        Call::Upload { path, name } => Brought::Uploaded(provider.upload_batch(&path, &name).await),
        Call::Mark => {
            let page = provider.list_batches(None).await;
            Brought::Marked(page.map(|page| page.batches.into_iter().next().map(|batch| batch.id)))
        }
        Call::Create { input, token } => {
            let input = match &input {
                Input::Uploaded { file, model } => BatchInput::Uploaded { file, model },
                Input::Lines(path) => BatchInput::Lines(path),
            };
            Brought::Created(provider.create_batch(input, &token).await.map(Box::new))
        }
        Call::Find { newest, opened } => {
            Brought::Found(find(&provider, newest.as_deref(), opened).await)
        }
        Call::Poll { batch } => Brought::Polled(provider.poll_batch(&batch).await.map(Box::new)),
        Call::Fetch { batch, files } => {
            let fetched = fetch(&provider, &files).await;
            Brought::Fetched(batch, fetched)
        }
        Call::Cancel { batch } => {
            let cancelled = provider.cancel_batch(&batch).await.map(Box::new);
            Brought::Cancelled(batch, cancelled)
        }
    }
}

/// Lists what may have been created since: the newest come first.
async fn find(
    provider: &Provider,
    newest: Option<&str>,
    opened: Moment,
) -> Result<Vec<BatchState>, ProviderError> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = provider.list_batches(after.as_deref()).await?;
        for batch in page.batches {
            // Clocks differ, but not by a day.
            let created = batch.created.map(|created| created.0.saturating_add(DAY));
            let is_older = created.is_some_and(|created| created < opened.0);
            if is_older || newest == Some(batch.id.as_str()) {
                return Ok(found);
            }
            found.push(batch);
        }
        match page.next {
            Some(next) if after.as_ref() != Some(&next) => after = Some(next),
            _ => return Ok(found),
        }
    }
}

/// Downloads files so that each is there whole or not at all, whoever else does the same.
async fn fetch(provider: &Provider, files: &[(FileId, PathBuf)]) -> Result<(), ProviderError> {
    for (file, path) in files {
        let partial = path.with_extension(format!("{}.part", std::process::id()));
        provider.download(file, &partial).await?;
        crate::disk::rename(&partial, path)?;
    }
    Ok(())
}
