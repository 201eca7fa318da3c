//! Reads and writes the table `submission`.
//!
//! Submissions belong to the project, not to the build that created them: any build that needs an answer polls its batch.

use std::collections::BTreeMap;

use rusqlite::params;

use super::attempts::AttemptId;
use super::build::BuildId;
use super::requests::RequestId;
use super::submission::{BatchOwner, Submission, SubmissionId, SubmissionRequest, SubmissionStep};
use super::{Reader, StoreError, Transaction};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::RequestKey;

impl Transaction<'_> {
    /// Adds a submission; its `id` is ignored.
    pub fn open_submission(&self, submission: &Submission) -> Result<SubmissionId, StoreError> {
        self.insert(
            "INSERT INTO submission (token, build, layers, provider, model, attempt, requests,
             state, status, divided, tokens, opened, changed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
            params![
                submission.token,
                submission.build.0,
                submission.layers,
                submission.provider,
                submission.model,
                submission.attempt,
                submission.requests,
                submission.state,
                submission.status,
                submission.divided,
                submission.tokens,
                submission.opened.0
            ],
        )
        .map(SubmissionId)
    }

    /// Deletes a submission without claims.
    pub fn delete_submission(&self, submission: SubmissionId) -> Result<(), StoreError> {
        self.execute("DELETE FROM submission WHERE id = ?1", [submission.0])
    }

    /// Writes the mutable columns of a submission. Returns false and writes nothing if another process has changed it since it was read.
    ///
    /// Every process may poll. A slower one must neither move a submission back nor replace its batch by an older one.
    pub fn update_submission(&self, submission: &mut Submission) -> Result<bool, StoreError> {
        let known = submission.recorded_version.as_ref();
        let changed = self.change(
            "UPDATE submission SET token = ?2, requests = ?3, state = ?4, status = ?5, file = ?6,
             batch = ?7, late = ?8, note = ?9, changed = ?10, provisional = ?11, newest = ?12,
             rejected = ?13, tokens = ?14
             WHERE id = ?1 AND state NOT IN ('settled', 'abandoned')
                 AND (?15 IS NULL OR (state = ?15 AND token = ?16 AND batch IS ?17))",
            params![
                submission.id.0,
                submission.token,
                submission.requests,
                submission.state,
                submission.status,
                submission.file,
                submission.batch,
                submission.late,
                submission.note,
                submission.changed.0,
                submission.provisional,
                submission.newest,
                submission.rejected.join("\n"),
                submission.tokens,
                known.map(|known| known.state),
                known.map(|known| &known.token),
                known.and_then(|known| known.batch.as_ref())
            ],
        )?;
        if changed > 0 {
            submission.recorded_version = Some(submission.version());
        }
        Ok(changed > 0)
    }
}

const COLUMNS: &str = "id, token, build, layers, provider, model, attempt, requests, state, status, file, batch, \
                       late, note, opened, changed, provisional, newest, rejected, divided, tokens";

fn submission_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Submission> {
    let mut submission = Submission {
        id: SubmissionId(row.get(0)?),
        token: row.get(1)?,
        build: BuildId(row.get(2)?),
        layers: row.get(3)?,
        provider: row.get(4)?,
        model: row.get(5)?,
        attempt: row.get(6)?,
        requests: row.get(7)?,
        state: row.get(8)?,
        status: row.get(9)?,
        file: row.get(10)?,
        batch: row.get(11)?,
        late: row.get(12)?,
        note: row.get(13)?,
        opened: Timestamp(row.get(14)?),
        changed: Timestamp(row.get(15)?),
        provisional: row.get(16)?,
        newest: row.get(17)?,
        rejected: row
            .get::<_, String>(18)?
            .lines()
            .map(str::to_owned)
            .collect(),
        divided: row.get(19)?,
        tokens: row.get(20)?,
        recorded_version: None,
    };
    submission.recorded_version = Some(submission.version());
    Ok(submission)
}

impl Reader {
    /// Returns the submissions of the project that still have claims, the oldest first.
    pub fn unsettled_submissions(&self) -> Result<Vec<Submission>, StoreError> {
        self.submissions_where("state NOT IN ('settled', 'abandoned') AND ?1 = 0", 0)
    }

    /// Returns the submissions of a build, the oldest first.
    pub fn submissions_of(&self, build: BuildId) -> Result<Vec<Submission>, StoreError> {
        self.submissions_where("build = ?1", build.0)
    }

    /// Returns the states that each submission of a build has entered, the oldest first.
    pub fn submission_steps(
        &self,
        build: BuildId,
    ) -> Result<BTreeMap<SubmissionId, Vec<SubmissionStep>>, StoreError> {
        let rows: Vec<(SubmissionId, SubmissionStep)> = self.query(
            "SELECT p.submission, p.state, p.at
             FROM submission_step p JOIN submission s ON s.id = p.submission
             WHERE s.build = ?1 ORDER BY p.id",
            [build.0],
            |row| {
                let step = SubmissionStep {
                    state: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                };
                Ok((SubmissionId(row.get(0)?), step))
            },
        )?;
        let mut steps: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (submission, step) in rows {
            steps.entry(submission).or_default().push(step);
        }
        Ok(steps)
    }

    /// Returns the submission with this number, if it exists.
    pub fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        Ok(self.submissions_where("id = ?1", id.0)?.pop())
    }

    fn submissions_where(
        &self,
        condition: &str,
        number: i64,
    ) -> Result<Vec<Submission>, StoreError> {
        let statement = format!(
            "SELECT {COLUMNS}
             FROM submission WHERE {condition} ORDER BY id"
        );
        self.query(&statement, [number], submission_row)
    }

    /// Returns the number of create calls to `provider` that may have been made since `since`.
    pub fn create_calls_since(&self, provider: &str, since: Timestamp) -> Result<u64, StoreError> {
        self.query_row(
            "SELECT count(*)
             FROM submission WHERE provider = ?1 AND opened >= ?2
             AND state NOT IN ('claimed', 'uploading')",
            params![provider, since.0],
            |row| row.get(0),
        )
    }

    /// Returns the estimated input tokens of the batches for `model` that may be in flight at `provider`.
    pub fn tokens_in_flight(&self, provider: &str, model: &str) -> Result<u64, StoreError> {
        self.query_row(
            "SELECT coalesce(sum(tokens), 0) FROM submission WHERE provider = ?1 AND model = ?2
                 AND state IN ('creating', 'unclear', 'adopted', 'live')",
            [provider, model],
            |row| row.get(0),
        )
    }

    /// Returns whether a batch belongs to a known submission.
    pub fn batch_owner(&self, batch: &str) -> Result<BatchOwner, StoreError> {
        let least_doubtful: Option<bool> = self.query_row(
            "SELECT min(provisional AND state NOT IN ('settled', 'abandoned'))
             FROM submission WHERE batch = ?1",
            [batch],
            |row| row.get(0),
        )?;
        Ok(match least_doubtful {
            None => BatchOwner::Unknown,
            Some(true) => BatchOwner::Provisional,
            Some(false) => BatchOwner::Confirmed,
        })
    }

    /// Calls `each` with the requests of a submission without an outcome, in the order in which they were claimed.
    pub fn for_each_open_request<E: From<StoreError>>(
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

    /// Returns the open attempt of a submission at the request under `key`, if there is one.
    pub fn open_attempt(
        &self,
        submission: SubmissionId,
        key: RequestKey,
    ) -> Result<Option<SubmissionRequest>, StoreError> {
        self.query_optional(
            "SELECT t.id, r.id FROM request r JOIN attempt t ON t.request = r.id
                 WHERE r.key = ?2 AND t.submission = ?1 AND t.state = 0",
            params![submission.0, key.0.as_bytes()],
            |row| {
                Ok(SubmissionRequest {
                    attempt: AttemptId(row.get(0)?),
                    request: RequestId(row.get(1)?),
                    key,
                })
            },
        )
    }

    /// Returns how many rows of a submission are answered and how many failed.
    pub fn submission_tally(&self, submission: SubmissionId) -> Result<(u64, u64), StoreError> {
        self.query_row(
            "SELECT count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2)
                 FROM attempt WHERE submission = ?1",
            [submission.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}
