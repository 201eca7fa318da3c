//! What a provider says of a batch, whatever its words.

use std::time::Duration;

use synix_core::clock::Moment;

/// The id of a file at a provider; results that are no file of their own go by their batch's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileId(pub String);

/// A batch as the provider describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchState {
    /// The provider's id.
    pub id: String,
    /// Where it stands.
    pub phase: Phase,
    /// The provider's own word for that.
    pub status_text: String,
    /// The file of requests it was made from.
    pub input_file: Option<String>,
    /// The rows that succeeded; all rows where there is but one file.
    pub output_file: Option<FileId>,
    /// The rows that failed.
    pub error_file: Option<FileId>,
    /// When the provider took it.
    pub created: Option<Moment>,
    /// The token that its creator gave it.
    pub token: Option<String>,
    /// The provider's own counts; what is so is decided by the rows.
    pub counts: Option<Counts>,
    /// Why it was not accepted.
    pub errors: Vec<ValidationError>,
    /// When the provider wants to be asked again.
    pub poll_after: Option<Duration>,
}

impl BatchState {
    /// Returns what is known of a batch by its id alone.
    pub fn unseen(id: String) -> Self {
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

/// Where a batch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Being checked or queued.
    Waiting,
    /// Its requests are being answered.
    Running,
    /// Its files are being written.
    Finalizing,
    /// It was cancelled and not every request has stopped.
    Cancelling,
    /// It ended; its rows say what became of each request.
    Completed,
    /// It was not accepted; nothing ran.
    Failed,
    /// Its time ran out; finished rows are delivered.
    Expired,
    /// It was cancelled; finished rows are delivered.
    Cancelled,
    /// A word that synix does not know; it may still end.
    Unknown(String),
}

impl Phase {
    /// Reads a provider's word, in upper or lower case.
    pub fn read(status: &str) -> Self {
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

    /// Returns whether the batch will not change any more.
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

/// How many requests a batch has, as the provider counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// Those that were answered.
    pub completed: u64,
    /// Those that failed.
    pub failed: u64,
}

/// Why a provider did not accept a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    /// The provider's code, such as `invalid_json_line`.
    pub code: String,
    /// Its words.
    pub message: String,
    /// The member it is about.
    pub param: Option<String>,
    /// The line of the file, from 1.
    pub line: Option<u64>,
}

/// A part of a provider's list of batches, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPage {
    /// The batches.
    pub batches: Vec<BatchState>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_any_case_and_spelling() {
        assert_eq!(Phase::read("IN_PROGRESS"), Phase::Running);
        assert_eq!(Phase::read("canceled"), Phase::Cancelled);
        assert_eq!(Phase::read("cancelled"), Phase::Cancelled);
    }

    #[test]
    fn an_unknown_status_is_not_the_end() {
        let phase = Phase::read("Rebalancing");
        assert_eq!(phase, Phase::Unknown("Rebalancing".to_owned()));
        assert!(!phase.is_terminal());
    }
}
