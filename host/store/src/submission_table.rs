//! Submissions, written and read.
//!
//! They belong to the project, not to the build that made them: whoever needs
//! an answer polls its batch.

use rusqlite::{OptionalExtension as _, params};

use super::attempts::AttemptId;
use super::build::BuildId;
use super::requests::RequestId;
use super::submission::{BatchOwner, Submission, SubmissionId, SubmissionRequest, SubmissionState};
use super::{Reader, Store, StoreError};
use synix_core::clock::Moment;
use synix_core::digest::Digest;
use synix_core::request::RequestKey;

impl Store {
    /// Writes a new submission; its `id` is ignored.
    pub fn open_submission(&self, submission: &Submission) -> Result<SubmissionId, StoreError> {
        self.connection
            .execute(
                "INSERT INTO submission (token, build, layers, provider, model, attempt, requests, state, status,
                 divided, tokens, opened, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
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
                    submission.divided,
                    i64::try_from(submission.tokens).unwrap_or(i64::MAX),
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

    /// Writes what may change of a submission; false, and nothing written, where another process has taken it on
    /// since it was read.
    ///
    /// Polling is open to every process. A slower one must neither set a submission back nor put a batch that was let
    /// go in the place of the one that was created since.
    pub fn update_submission(&self, submission: &mut Submission) -> Result<bool, StoreError> {
        let known = submission.on_record.as_ref();
        let changed = self.connection
            .prepare_cached(
                "UPDATE submission SET token = ?2, requests = ?3, state = ?4, status = ?5, file = ?6, batch = ?7,
                 late = ?8, note = ?9, changed = ?10, provisional = ?11, newest = ?12, rejected = ?13, tokens = ?14
                 WHERE id = ?1 AND state NOT IN ('settled', 'abandoned')
                 AND (?15 IS NULL OR (state = ?15 AND token = ?16 AND batch IS ?17))",
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
                    i64::try_from(submission.changed.0).unwrap_or(i64::MAX),
                    submission.provisional,
                    submission.newest,
                    submission.rejected.join("\n"),
                    i64::try_from(submission.tokens).unwrap_or(i64::MAX),
                    known.map(|known| known.state.name()),
                    known.map(|known| &known.token),
                    known.and_then(|known| known.batch.as_ref())
                ])
            })
            .map_err(|source| self.failed(source))?;
        if changed > 0 {
            submission.on_record = Some(submission.standing());
        }
        Ok(changed > 0)
    }
}

const COLUMNS: &str = "id, token, build, layers, provider, model, attempt, requests, state, status, file, batch, \
                       late, note, opened, changed, provisional, newest, rejected, divided, tokens";

fn submission_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Submission> {
    let moment = |value: i64| Moment(value.unsigned_abs());
    let state: String = row.get(8)?;
    let mut submission = Submission {
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
        provisional: row.get(16)?,
        newest: row.get(17)?,
        rejected: row
            .get::<_, String>(18)?
            .lines()
            .map(str::to_owned)
            .collect(),
        divided: row.get(19)?,
        tokens: row.get::<_, i64>(20)?.unsigned_abs(),
        on_record: None,
    };
    submission.on_record = Some(submission.standing());
    Ok(submission)
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

    /// Returns how many create calls at `provider` may have been made since `since`.
    pub fn created_since(&self, provider: &str, since: Moment) -> Result<u64, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FROM submission WHERE provider = ?1 AND opened >= ?2 AND state NOT IN ('claimed', 'uploading')",
            )
            .and_then(|mut statement| {
                statement.query_row(
                    params![provider, i64::try_from(since.0).unwrap_or(i64::MAX)],
                    |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
                )
            })
            .map_err(|source| self.failed(source))
    }

    /// Returns the estimated input tokens of the batches at `provider` for `model` that may be under way.
    pub fn tokens_under_way(&self, provider: &str, model: &str) -> Result<u64, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT coalesce(sum(tokens), 0) FROM submission WHERE provider = ?1 AND model = ?2
                 AND state IN ('creating', 'unclear', 'adopted', 'live')",
            )
            .and_then(|mut statement| {
                statement.query_row([provider, model], |row| {
                    row.get::<_, i64>(0).map(i64::unsigned_abs)
                })
            })
            .map_err(|source| self.failed(source))
    }

    /// Says to whom a batch belongs.
    pub fn owner_of_batch(&self, batch: &str) -> Result<BatchOwner, StoreError> {
        let least_doubtful: Option<bool> = self
            .connection
            .prepare_cached(
                "SELECT min(provisional AND state NOT IN ('settled', 'abandoned')) FROM submission WHERE batch = ?1",
            )
            .and_then(|mut statement| statement.query_row([batch], |row| row.get(0)))
            .map_err(|source| self.failed(source))?;
        Ok(match least_doubtful {
            None => BatchOwner::Nobody,
            Some(true) => BatchOwner::Perhaps,
            Some(false) => BatchOwner::Certain,
        })
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
