//! The events of submissions.

use super::{RowsRead, SearchResult};
use synix_providers::{BatchState, CreateError, FileId, ProviderError};

/// Something that happens to a submission.
#[derive(Debug)]
pub(in crate::batch) enum Event {
    /// Its next step is due.
    Due,
    /// The upload of its input file has ended.
    UploadEnded(Result<FileId, ProviderError>),
    /// The newest batch in the provider's list was read, before a create call.
    NewestRead(Result<Option<String>, ProviderError>),
    /// The create call has ended.
    CreateEnded(Result<Box<BatchState>, CreateError>),
    /// The provider's list was searched for its lost batch.
    SearchEnded(Result<SearchResult, ProviderError>),
    /// The provider replied to a poll of its batch.
    Polled(Result<Box<BatchState>, ProviderError>),
    /// The download of the rows of its batch has ended.
    DownloadEnded(Box<BatchState>, Result<(), ProviderError>),
    /// The rows were read.
    RowsRead(RowsRead),
    /// The call that cancels its batch has ended.
    CancelEnded(Result<Box<BatchState>, ProviderError>),
    /// The task of a call panicked; what the call did is unknown.
    CallPanicked,
}

impl Event {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Due => "a step",
            Self::UploadEnded(_) => "the end of an upload",
            Self::NewestRead(_) => "the id of the newest batch",
            Self::CreateEnded(_) => "the end of a create call",
            Self::SearchEnded(_) => "the end of a search",
            Self::Polled(_) => "the reply to a poll",
            Self::DownloadEnded(..) => "the end of a download",
            Self::RowsRead(_) => "the end of its rows",
            Self::CancelEnded(_) => "the reply to a cancel call",
            Self::CallPanicked => "the end of a call",
        }
    }
}

/// An event that is impossible in the state of its submission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "submission {submission} is {state}, in which {event} is impossible; nothing was sent; please report this bug in synix"
)]
pub struct UnexpectedEvent {
    pub(super) submission: i64,
    pub(super) state: &'static str,
    pub(super) event: &'static str,
}
