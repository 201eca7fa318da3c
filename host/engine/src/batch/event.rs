//! All that an observer can learn of batches.

use serde::Serialize;

/// Something that happened to a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum BatchEvent {
    /// A batch was created.
    Submitted {
        /// Its id at the provider.
        batch: String,
        /// The provider.
        provider: String,
        /// The layers whose requests it carries.
        layers: String,
        /// How many requests.
        requests: u64,
    },
    /// The reply to a create call was lost; the provider's list is read.
    Unclear {
        /// The provider.
        provider: String,
        /// What happened to the call.
        message: String,
    },
    /// A batch whose create reply was lost was found.
    Adopted {
        /// Its id at the provider.
        batch: String,
        /// The provider.
        provider: String,
        /// How many requests.
        requests: u64,
    },
    /// A batch stands elsewhere than at the last look.
    Status {
        /// Its id at the provider.
        batch: String,
        /// The provider's word.
        status: String,
        /// Rows done so far, where the provider says.
        done: Option<u64>,
        /// How many requests.
        requests: u64,
    },
    /// The rows of a batch were taken.
    Settled {
        /// Its id at the provider.
        batch: String,
        /// Rows with an answer.
        succeeded: u64,
        /// Rows without.
        failed: u64,
    },
    /// Rows that a batch should not have, or lacks.
    UnexpectedRows {
        /// Its id at the provider.
        batch: String,
        /// Requests without a row.
        missing: u64,
        /// Rows for a request that had one.
        duplicate: u64,
        /// Rows for nothing we asked.
        unknown: u64,
        /// Rows that cannot be read.
        #[serde(rename = "garbled")]
        unreadable: u64,
    },
    /// A row that a batch has and that cannot be read.
    #[serde(rename = "garbled_row")]
    UnreadableRow {
        /// Its id at the provider.
        batch: String,
        /// Where the row stands: file and line.
        place: String,
        /// What is wrong with it.
        reason: String,
        /// How it starts.
        start: String,
        /// The file that keeps it, below the folder of the state.
        kept: Option<String>,
    },
    /// A call failed in passing; it is tried again at the next look.
    #[serde(rename = "trouble")]
    CallFailed {
        /// What was tried, and what the provider said.
        message: String,
    },
    /// A submission was given up.
    Abandoned {
        /// Its id at the provider, if it has one.
        batch: Option<String>,
        /// Why.
        message: String,
    },
    /// A submission is for a provider that the pipeline no longer names.
    NoProvider {
        /// Its number.
        submission: i64,
        /// The provider.
        provider: String,
    },
}
