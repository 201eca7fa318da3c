//! The state of a batch, in the same form for every provider.

use std::time::Duration;

use synix_core::clock::Timestamp;

/// The id of a file at a provider. Results that are not a separate file have the id of their batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileId(pub String);

/// A batch as the provider describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchState {
    /// The id that the provider gave it.
    pub id: String,
    /// The phase it is in.
    pub phase: Phase,
    /// The provider's own name of the phase.
    pub status_text: String,
    /// The id of the file with its requests.
    pub input_file: Option<String>,
    /// The file of rows that succeeded; of all rows if there is only one file.
    pub output_file: Option<FileId>,
    /// The file of rows that failed.
    pub error_file: Option<FileId>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The token of its create call.
    pub token: Option<String>,
    /// The provider's counts. The rows decide, not these.
    pub counts: Option<Counts>,
    /// Why it failed validation.
    pub errors: Vec<ValidationError>,
    /// How long the provider asks to wait before the next poll.
    pub poll_after: Option<Duration>,
}

impl BatchState {
    /// Makes the state of a batch of which only the id is known.
    pub fn from_id(id: String) -> Self {
        Self {
            id,
            phase: Phase::Unknown(String::new()),
            status_text: String::new(),
            input_file: None,
            output_file: None,
            error_file: None,
            created: None,
            token: None,
            counts: None,
            errors: Vec::new(),
            poll_after: None,
        }
    }
}

/// The phase of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It is being validated, or is in a queue.
    Waiting,
    /// Its requests are being answered.
    Running,
    /// Its files are being written.
    Finalizing,
    /// It was cancelled, but some requests are still running.
    Cancelling,
    /// It ended; its rows have the outcome of each request.
    Completed,
    /// It failed validation; no request ran.
    Failed,
    /// It expired; finished rows are available.
    Expired,
    /// It was cancelled; finished rows are available.
    Cancelled,
    /// A phase that synix does not know; the batch may still end.
    Unknown(String),
}

impl Phase {
    /// Reads a provider's name of a phase, in upper or lower case.
    pub fn parse(status: &str) -> Self {
        match status.to_ascii_lowercase().as_str() {
            "validating" | "queued" | "pending" | "waiting" | "created" => Self::Waiting,
            "in_progress" | "running" | "processing" => Self::Running,
            "finalizing" => Self::Finalizing,
            "cancelling" | "canceling" | "cancellation_requested" => Self::Cancelling,
            "completed" | "succeeded" | "success" => Self::Completed,
            "failed" => Self::Failed,
            "expired" | "timeout_exceeded" => Self::Expired,
            "cancelled" | "canceled" => Self::Cancelled,
            _ => Self::Unknown(status.to_owned()),
        }
    }

    /// Returns whether the batch can no longer change.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Expired | Self::Cancelled => true,
            Self::Waiting
            | Self::Running
            | Self::Finalizing
            | Self::Cancelling
            | Self::Unknown(_) => false,
        }
    }
}

/// The number of requests of a batch, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of all requests.
    pub total: u64,
    /// The number of answered requests.
    pub completed: u64,
    /// The number of failed requests.
    pub failed: u64,
}

/// Why a batch failed validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    /// The provider's code, such as `invalid_json_line`.
    pub code: String,
    /// The provider's message.
    pub message: String,
    /// The invalid member of the request.
    pub param: Option<String>,
    /// The line in the file of requests, from 1.
    pub line: Option<u64>,
}

/// A page of a provider's list of batches, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPage {
    /// The batches of the page.
    pub batches: Vec<BatchState>,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_any_case_and_spelling() {
        assert_eq!(Phase::parse("IN_PROGRESS"), Phase::Running);
        assert_eq!(Phase::parse("canceled"), Phase::Cancelled);
        assert_eq!(Phase::parse("cancelled"), Phase::Cancelled);
    }

    #[test]
    fn an_unknown_status_is_not_terminal() {
        let phase = Phase::parse("Rebalancing");
        assert_eq!(phase, Phase::Unknown("Rebalancing".to_owned()));
        assert!(!phase.is_terminal());
    }
}
