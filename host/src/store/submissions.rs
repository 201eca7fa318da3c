//! Submissions: our records of batches, each written before its create call.
//!
//! They belong to the project, not to the build that made them: whoever needs
//! an answer polls its batch. What each state means and what follows it is
//! [`crate::batch`]'s.

use rusqlite::{OptionalExtension as _, params};

use super::attempts::AttemptId;
use super::builds::BuildId;
use super::requests::RequestId;
use super::{Reader, Store, StoreError};
use crate::clock::Moment;
use crate::digest::Digest;
use crate::request::RequestKey;

/// The number of a submission in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionId(pub i64);

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubmissionState {
    /// Requests are claimed, nothing has left the machine.
    Claimed,
    /// The input file is at the provider.
    Uploaded,
    /// The create call is about to be made, or was made and its reply is not known.
    Creating,
    /// The batch exists.
    Live,
    /// The batch has ended; its rows are not all taken.
    Ended,
    /// Every row is taken.
    Settled,
    /// Given up; its batch may go on at the provider.
    Abandoned,
}

impl SubmissionState {
    const ALL: [Self; 7] = [
        Self::Claimed,
        Self::Uploaded,
        Self::Creating,
        Self::Live,
        Self::Ended,
        Self::Settled,
        Self::Abandoned,
    ];

    /// Returns the name kept in rows and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Uploaded => "uploaded",
            Self::Creating => "creating",
            Self::Live => "live",
            Self::Ended => "ended",
            Self::Settled => "settled",
            Self::Abandoned => "abandoned",
        }
    }

    /// Says whether the submission still holds claims.
    pub const fn is_unsettled(self) -> bool {
        !matches!(self, Self::Settled | Self::Abandoned)
    }
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
    /// Looks at the batch after its end that found its files missing.
    pub late: u32,
    /// What a person should know of it.
    pub note: Option<String>,
    /// When it was written.
    pub opened: Moment,
    /// When it last changed.
    pub changed: Moment,
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

impl Store {
    /// Writes a new submission; its `id` is ignored.
    pub fn open_submission(&self, submission: &Submission) -> Result<SubmissionId, StoreError> {
        self.connection
            .execute(
                "INSERT INTO submission (token, build, layers, provider, model, attempt, requests, state, status, opened, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
                params![
                    submission.token,
                    submission.build.0,
                    submission.layers,
                    submission.provider,
                    submission.model,
                    submission.attempt,
                    i64::try_from(submission.requests).unwrap_or(i64::MAX),
                    submission.state.name(),
                    submission.status,
                    i64::try_from(submission.opened.0).unwrap_or(i64::MAX)
                ],
            )
            .map(|_| SubmissionId(self.connection.last_insert_rowid()))
            .map_err(|source| self.failed(source))
    }

    /// Removes a submission that claimed nothing.
    pub fn drop_submission(&self, submission: SubmissionId) -> Result<(), StoreError> {
        self.connection
            .execute("DELETE FROM submission WHERE id = ?1", [submission.0])
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Writes what changed of a submission: token, requests, state, status, file, batch, late looks, note and when.
    pub fn update_submission(&self, submission: &Submission) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "UPDATE submission SET token = ?2, requests = ?3, state = ?4, status = ?5, file = ?6, batch = ?7,
                 late = ?8, note = ?9, changed = ?10 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    submission.id.0,
                    submission.token,
                    i64::try_from(submission.requests).unwrap_or(i64::MAX),
                    submission.state.name(),
                    submission.status,
                    submission.file,
                    submission.batch,
                    submission.late,
                    submission.note,
                    i64::try_from(submission.changed.0).unwrap_or(i64::MAX)
                ])
            })
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }
}

const COLUMNS: &str = "id, token, build, layers, provider, model, attempt, requests, state, status, file, batch, late, note, opened, changed";

fn submission_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Submission> {
    let moment = |value: i64| Moment(value.unsigned_abs());
    let state: String = row.get(8)?;
    Ok(Submission {
        id: SubmissionId(row.get(0)?),
        token: row.get(1)?,
        build: BuildId(row.get(2)?),
        layers: row.get(3)?,
        provider: row.get(4)?,
        model: row.get(5)?,
        attempt: row.get(6)?,
        requests: row.get::<_, i64>(7)?.unsigned_abs(),
        // An unknown state comes from a newer format, which is opened for reading only.
        state: SubmissionState::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .unwrap_or(SubmissionState::Abandoned),
        status: row.get(9)?,
        file: row.get(10)?,
        batch: row.get(11)?,
        late: row.get(12)?,
        note: row.get(13)?,
        opened: moment(row.get(14)?),
        changed: moment(row.get(15)?),
    })
}

impl Reader {
    /// Returns the submissions of the project that still hold claims, the oldest first.
    pub fn unsettled_submissions(&self) -> Result<Vec<Submission>, StoreError> {
        self.submissions_where("state NOT IN ('settled', 'abandoned') AND ?1 = 0", 0)
    }

    /// Returns the submissions that a build made, the oldest first.
    pub fn submissions_of(&self, build: BuildId) -> Result<Vec<Submission>, StoreError> {
        self.submissions_where("build = ?1", build.0)
    }

    /// Returns the submission.
    pub fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        Ok(self.submissions_where("id = ?1", id.0)?.pop())
    }

    fn submissions_where(
        &self,
        condition: &str,
        number: i64,
    ) -> Result<Vec<Submission>, StoreError> {
        let statement = format!("SELECT {COLUMNS} FROM submission WHERE {condition} ORDER BY id");
        self.connection
            .prepare_cached(&statement)
            .and_then(|mut statement| statement.query_map([number], submission_row)?.collect())
            .map_err(|source| self.failed(source))
    }

    /// Says whether a batch is on record, under any submission.
    pub fn knows_batch(&self, batch: &str) -> Result<bool, StoreError> {
        self.connection
            .prepare_cached("SELECT 1 FROM submission WHERE batch = ?1")
            .and_then(|mut statement| statement.exists([batch]))
            .map_err(|source| self.failed(source))
    }

    /// Calls `each` with the requests of a submission that have no outcome yet, in the order claimed.
    pub fn each_open_request<E: From<StoreError>>(
        &self,
        submission: SubmissionId,
        mut each: impl FnMut(SubmissionRequest) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |source| E::from(self.failed(source));
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT t.id, r.id, r.key FROM attempt t JOIN request r ON r.id = t.request
                 WHERE t.submission = ?1 AND t.state = 0 ORDER BY t.id",
            )
            .map_err(failed)?;
        let mut rows = statement.query([submission.0]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let read = || {
                Ok(SubmissionRequest {
                    attempt: AttemptId(row.get(0)?),
                    request: RequestId(row.get(1)?),
                    key: RequestKey(Digest::from_bytes(row.get(2)?)),
                })
            };
            each(read().map_err(failed)?)?;
        }
        Ok(())
    }

    /// Returns the open attempt of a submission at the request under `key`, if it has one.
    pub fn open_attempt(
        &self,
        submission: SubmissionId,
        key: RequestKey,
    ) -> Result<Option<SubmissionRequest>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT t.id, r.id FROM request r JOIN attempt t ON t.request = r.id
                 WHERE r.key = ?2 AND t.submission = ?1 AND t.state = 0",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![submission.0, key.0.as_bytes()], |row| {
                        Ok(SubmissionRequest {
                            attempt: AttemptId(row.get(0)?),
                            request: RequestId(row.get(1)?),
                            key,
                        })
                    })
                    .optional()
            })
            .map_err(|source| self.failed(source))
    }

    /// Counts the rows of a submission: answered and failed.
    pub fn submission_tally(&self, submission: SubmissionId) -> Result<(u64, u64), StoreError> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2)
                 FROM attempt WHERE submission = ?1",
            )
            .and_then(|mut statement| {
                statement.query_row([submission.0], |row| {
                    Ok((
                        row.get::<_, i64>(0)?.unsigned_abs(),
                        row.get::<_, i64>(1)?.unsigned_abs(),
                    ))
                })
            })
            .map_err(|source| self.failed(source))
    }
}
