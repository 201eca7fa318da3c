//! What a submission is: our record of a batch, written before its create call.
//!
//! What each state means and what follows it is `synix-engine`'s.

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

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubmissionState {
    /// Requests are claimed, nothing has left the machine.
    Claimed,
    /// The input file is on its way.
    Uploading,
    /// The input file is at the provider.
    Uploaded,
    /// The create call is about to be made, or was made and its reply has not come yet.
    Creating,
    /// The create call was made and its reply is lost.
    Unclear,
    /// A batch was found that may be the one of a lost reply; its rows will tell.
    Adopted,
    /// The batch exists.
    Live,
    /// The batch has ended; its rows are at the provider.
    Ended,
    /// The rows are here, and not all taken.
    Fetched,
    /// Every row is taken.
    Settled,
    /// Given up; its batch may go on at the provider.
    Abandoned,
}

impl SubmissionState {
    /// All of them, in the order of a submission's life.
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

    /// Returns the name kept in rows and shown.
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

    /// Says whether the submission still holds claims.
    pub const fn is_unsettled(self) -> bool {
        !matches!(self, Self::Settled | Self::Abandoned)
    }

    /// Says whether no batch is known yet.
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

/// Whether a submission is known to which a batch belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOwner {
    /// None.
    Nobody,
    /// One adopted it, and only its rows can tell.
    Perhaps,
    /// One.
    Certain,
}

/// Our record of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its number.
    pub id: SubmissionId,
    /// Carried by the upload's name and the batch's metadata; new for every create call.
    pub token: String,
    /// The build that made it.
    pub build: BuildId,
    /// The layers whose requests it carries, joined by `, `.
    pub layers: String,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model of every row.
    pub model: String,
    /// The highest attempt number of its requests, from 1.
    pub attempt: u32,
    /// How many requests it carries.
    pub requests: u64,
    /// Where it stands.
    pub state: SubmissionState,
    /// The provider's own word for where the batch stands.
    pub status: String,
    /// The input file at the provider.
    pub file: Option<String>,
    /// The batch's id at the provider.
    pub batch: Option<String>,
    /// Whether only the rows can tell that the batch is ours.
    pub provisional: bool,
    /// The newest batch in the provider's list before the create call; empty: the list was.
    pub newest: Option<String>,
    /// Batches whose rows told that they are not ours.
    pub rejected: Vec<String>,
    /// How often it was divided after a validation failure that named no line.
    pub divided: u32,
    /// Input tokens of all its requests, as estimated.
    pub tokens: u64,
    /// Looks at the batch after its end that found its files missing.
    pub late: u32,
    /// What a person should know of it.
    pub note: Option<String>,
    /// When it was written.
    pub opened: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// Where it stood when it was read or last written; `None`: it was just made.
    pub on_record: Option<Standing>,
}

/// What tells whether a submission was taken on by another process meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub(super) state: SubmissionState,
    pub(super) token: String,
    pub(super) batch: Option<String>,
}

impl Submission {
    pub(super) fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            token: self.token.clone(),
            batch: self.batch.clone(),
        }
    }
}

/// A request of a submission that has no outcome yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionRequest {
    /// The attempt it is.
    pub attempt: AttemptId,
    /// The request's number.
    pub request: RequestId,
    /// The request's key.
    pub key: RequestKey,
}
