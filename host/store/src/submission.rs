//! Submissions: the record of a batch, which is written before its create call.
//!
//! The crate `synix-engine` decides how a submission moves from one state to the next.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::attempts::AttemptId;
use super::build::BuildId;
use super::requests::RequestId;
use super::statement::named;
use synix_core::clock::Timestamp;
use synix_core::request::RequestKey;

/// The number of a submission in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionId(pub i64);

/// The state of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubmissionState {
    /// The requests are claimed, but nothing has been sent.
    Claimed,
    /// The input file is being uploaded.
    Uploading,
    /// The input file is at the provider.
    Uploaded,
    /// The create call is about to be made, or its reply has not arrived yet.
    Creating,
    /// The create call was made, but its reply is lost.
    Unclear,
    /// A batch was found that may be that of the lost reply; its rows will show it.
    Adopted,
    /// The batch exists.
    Live,
    /// The batch has ended; its rows are at the provider.
    Ended,
    /// The rows are downloaded, but not all are processed.
    Fetched,
    /// Every row is processed.
    Settled,
    /// The submission was given up; the provider may continue its batch.
    Abandoned,
}

impl SubmissionState {
    /// All states, in the order in which a submission reaches them.
    pub const ALL: [Self; 11] = [
        Self::Claimed,
        Self::Uploading,
        Self::Uploaded,
        Self::Creating,
        Self::Unclear,
        Self::Adopted,
        Self::Live,
        Self::Ended,
        Self::Fetched,
        Self::Settled,
        Self::Abandoned,
    ];

    /// Returns the name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Uploading => "uploading",
            Self::Uploaded => "uploaded",
            Self::Creating => "creating",
            Self::Unclear => "unclear",
            Self::Adopted => "adopted",
            Self::Live => "live",
            Self::Ended => "ended",
            Self::Fetched => "fetched",
            Self::Settled => "settled",
            Self::Abandoned => "abandoned",
        }
    }

    /// Returns whether the submission still has claims.
    pub const fn is_unsettled(self) -> bool {
        !matches!(self, Self::Settled | Self::Abandoned)
    }

    /// Returns whether no batch is known yet.
    pub const fn is_before_batch(self) -> bool {
        matches!(
            self,
            Self::Claimed | Self::Uploading | Self::Uploaded | Self::Creating | Self::Unclear
        )
    }
}

impl ToSql for SubmissionState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for SubmissionState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named("state of a submission", &Self::ALL, Self::name, value)
    }
}

/// Whether a batch belongs to a known submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOwner {
    /// It belongs to no known submission.
    Unknown,
    /// A submission adopted it, but only its rows can confirm that.
    Provisional,
    /// It belongs to a submission.
    Confirmed,
}

/// The record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The number of the submission.
    pub id: SubmissionId,
    /// The token in the name of the upload and the metadata of the batch; new for every create call.
    pub token: String,
    /// The build that made it.
    pub build: BuildId,
    /// The layers whose requests it contains, joined by `, `.
    pub layers: String,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model of every row.
    pub model: String,
    /// The highest attempt number of its requests, from 1.
    pub attempt: u32,
    /// The number of requests.
    pub requests: u64,
    /// The state.
    pub state: SubmissionState,
    /// The provider's status of the batch.
    pub status: String,
    /// The id of the input file at the provider.
    pub file: Option<String>,
    /// The id of the batch at the provider.
    pub batch: Option<String>,
    /// Whether only the rows can confirm that the batch belongs to this submission.
    pub provisional: bool,
    /// The newest batch in the provider's list before the create call; empty if the list was empty.
    pub newest: Option<String>,
    /// Batches whose rows showed that they do not belong to this submission.
    pub rejected: Vec<String>,
    /// How often it was split after a validation failure that named no line.
    pub divided: u32,
    /// The estimated input tokens of all requests.
    pub tokens: u64,
    /// How often a check after the end of the batch found its files missing.
    pub late: u32,
    /// A note for the user.
    pub note: Option<String>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// The version that was read or last written; `None` for a new submission.
    pub recorded_version: Option<SubmissionVersion>,
}

/// The part of a submission that shows whether another process has changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionVersion {
    pub(super) state: SubmissionState,
    pub(super) token: String,
    pub(super) batch: Option<String>,
}

impl Submission {
    pub(super) fn version(&self) -> SubmissionVersion {
        SubmissionVersion {
            state: self.state,
            token: self.token.clone(),
            batch: self.batch.clone(),
        }
    }
}

/// A request of a submission without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionRequest {
    /// The number of the attempt.
    pub attempt: AttemptId,
    /// The number of the request.
    pub request: RequestId,
    /// The key of the request.
    pub key: RequestKey,
}

/// A state that a submission entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionStep {
    /// The state.
    pub state: SubmissionState,
    /// When it was entered.
    pub at: Timestamp,
}
