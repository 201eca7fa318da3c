//! The events of batches.

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
    /// The status of a batch changed since the last poll.
    Status {
        /// Its id at the provider.
        batch: String,
        /// The status, in the provider's words.
        status: String,
        /// Rows done so far, if the provider reports them.
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
        /// Rows without an answer.
        failed: u64,
    },
    /// A batch has unexpected rows, or lacks rows.
    UnexpectedRows {
        /// Its id at the provider.
        batch: String,
        /// Requests without a row.
        missing: u64,
        /// Rows for a request that had one.
        duplicate: u64,
        /// Rows for requests that are not in the batch.
        unknown: u64,
        /// Rows that cannot be read.
        #[serde(rename = "garbled")]
        unreadable: u64,
    },
    /// A row of a batch is unreadable.
    #[serde(rename = "garbled_row")]
    UnreadableRow {
        /// Its id at the provider.
        batch: String,
        /// The file and the line of the row.
        place: String,
        /// What is wrong with it.
        reason: String,
        /// How it starts.
        start: String,
        /// The file that keeps it, relative to the folder of the state.
        kept: Option<String>,
    },
    /// A call failed with a transient error. It is tried again at the next poll.
    #[serde(rename = "trouble")]
    CallFailed {
        /// The call and the provider's error.
        message: String,
    },
    /// A submission was abandoned.
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
