//! Sends of requests (tables `attempt`, `attempt_note`): one row each, written before the send.
//!
//! An attempt is open while its request may be in flight. The database holds
//! at most one open attempt for a request, so two processes never send the
//! same request at once.

use std::collections::HashMap;

use rusqlite::params;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::answers::Realm;
use super::build::BuildId;
use super::paid::Terms;
use super::requests::RequestId;
use super::statement::unknown;
use super::submission::SubmissionId;
use super::{Reader, StoreError, Transaction};
use synix_core::request::{Answer, FailureKind, OutcomeSummary, Usage};

/// The number of an attempt in this state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub i64);

/// The state of an attempt, a number in rows.
///
/// Statements that look for attempts in flight say 0 themselves: SQLite uses a partial index for no parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptState {
    InFlight,
    Answered,
    Failed,
    /// The send may have been billed, and no reply came.
    Unclear,
}

impl ToSql for AttemptState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = match self {
            Self::InFlight => 0,
            Self::Answered => 1,
            Self::Failed => 2,
            Self::Unclear => 3,
        };
        Ok(ToSqlOutput::from(number))
    }
}

impl FromSql for AttemptState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::InFlight),
            1 => Ok(Self::Answered),
            2 => Ok(Self::Failed),
            3 => Ok(Self::Unclear),
            other => Err(unknown("state of an attempt", &other)),
        }
    }
}

/// What a request is sent for.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The build that pays for it.
    pub build: BuildId,
    /// The layer that asks.
    pub layer: &'a str,
    /// The submission that carries it; `None`: a call of its own.
    pub submission: Option<SubmissionId>,
}

/// What came of asking for the right to send a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The right is ours; the attempt is on record.
    Granted(AttemptId),
    /// Somebody else has it in flight.
    InFlight,
    /// It needs no send: it was answered, or paid for without an answer that will do.
    Settled(Box<OutcomeSummary>),
}

/// Why an attempt gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptNote {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The provider's words.
    pub message: String,
}

/// Tokens and sends on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Sends that were answered or failed, by themselves.
    pub sync: u64,
    /// Rows of batches.
    pub batch: u64,
    /// Sends that may have been billed without an answer.
    pub unclear: u64,
    /// Tokens of all of them.
    pub usage: Usage,
}

impl Transaction<'_> {
    /// Asks for the right to send `request`.
    pub fn claim(
        &self,
        request: RequestId,
        origin: Origin<'_>,
        terms: Terms<'_>,
    ) -> Result<Claim, StoreError> {
        if let Some(answer) = self.answer_to(request, Realm::Live, terms.accept_truncated)? {
            return Ok(Claim::Settled(Box::new(OutcomeSummary::from(&answer))));
        }
        if let Some(settlement) = self.paid_for(request, terms.retry, Some(origin.build))? {
            // Somebody who asks again may bring a better answer than the one on record.
            return Ok(match self.in_flight(request)? {
                Some(_) => Claim::InFlight,
                None => Claim::Settled(Box::new(settlement)),
            });
        }
        let inserted = self.change(
            "INSERT OR IGNORE INTO attempt (request, build, submission, layer, state)
             VALUES (?1, ?2, ?3, ?4, 0)",
            params![
                request.0,
                origin.build.0,
                origin.submission.map(|submission| submission.0),
                origin.layer
            ],
        )?;
        // The index refuses a second one, whatever was read before.
        if inserted == 0 {
            return Ok(Claim::InFlight);
        }
        Ok(Claim::Granted(AttemptId(
            self.connection.last_insert_rowid(),
        )))
    }

    /// Closes an attempt that was answered, and keeps the answer.
    pub fn close_answered(
        &self,
        attempt: AttemptId,
        request: RequestId,
        answer: &Answer,
    ) -> Result<(), StoreError> {
        self.close(attempt, AttemptState::Answered, answer.usage)?;
        self.keep_answer(request, Realm::Live, answer, Some(attempt))
    }

    /// Closes an attempt that gave no answer.
    pub fn close_failed(
        &self,
        attempt: AttemptId,
        note: &AttemptNote,
        usage: Usage,
    ) -> Result<(), StoreError> {
        self.close(attempt, AttemptState::Failed, usage)?;
        self.note(attempt, note)
    }

    /// Records a call that was billed and gave no answer, where another call followed it at once.
    pub fn add_failed(
        &self,
        request: RequestId,
        origin: Origin<'_>,
        note: &AttemptNote,
        usage: Usage,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO attempt (request, build, layer, state) VALUES (?1, ?2, ?3, ?4)",
            params![
                request.0,
                origin.build.0,
                origin.layer,
                AttemptState::Failed
            ],
        )?;
        let attempt = AttemptId(self.connection.last_insert_rowid());
        self.close_failed(attempt, note, usage)
    }

    /// Records `count` sends of `request` whose reply was lost.
    pub fn add_unclear(
        &self,
        request: RequestId,
        build: BuildId,
        count: u32,
    ) -> Result<(), StoreError> {
        for _ in 0..count {
            self.execute(
                "INSERT INTO attempt (request, build, state) VALUES (?1, ?2, ?3)",
                params![request.0, build.0, AttemptState::Unclear],
            )?;
        }
        Ok(())
    }

    /// Marks the sync sends of `build` as unclear whose process died with them in flight.
    pub fn close_orphans(&self, build: BuildId) -> Result<usize, StoreError> {
        self.change(
            "UPDATE attempt SET state = ?1
             WHERE build = ?2 AND submission IS NULL AND state = 0",
            params![AttemptState::Unclear, build.0],
        )
    }

    fn close(
        &self,
        attempt: AttemptId,
        state: AttemptState,
        usage: Usage,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE attempt SET state = ?2, input_tokens = ?3, cached_tokens = ?4,
             cache_write_tokens = ?5, output_tokens = ?6, reasoning_tokens = ?7, uncounted = ?8
             WHERE id = ?1",
            params![
                attempt.0,
                state,
                usage.input_tokens,
                usage.cached_tokens,
                usage.cache_write_tokens,
                usage.output_tokens,
                usage.reasoning_tokens,
                usage.uncounted
            ],
        )
    }

    fn note(&self, attempt: AttemptId, note: &AttemptNote) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO attempt_note (attempt, kind, message) VALUES (?1, ?2, ?3)",
            params![attempt.0, note.kind.name(), note.message],
        )
    }
}

impl Reader {
    /// Returns all requests that are in flight, with the submission of those that are in one.
    pub fn all_in_flight(&self) -> Result<HashMap<RequestId, Option<SubmissionId>>, StoreError> {
        self.query(
            "SELECT request, submission FROM attempt WHERE state = 0",
            [],
            |row| {
                let submission = row.get::<_, Option<i64>>(1)?.map(SubmissionId);
                Ok((RequestId(row.get(0)?), submission))
            },
        )
    }

    /// Returns the builds whose sync sends are on record as in flight.
    pub fn builds_in_flight(&self) -> Result<Vec<BuildId>, StoreError> {
        self.query(
            "SELECT DISTINCT build FROM attempt WHERE state = 0 AND submission IS NULL",
            [],
            |row| row.get(0).map(BuildId),
        )
    }

    /// Says whether `request` is in flight, and in which submission.
    pub fn in_flight(
        &self,
        request: RequestId,
    ) -> Result<Option<Option<SubmissionId>>, StoreError> {
        self.query_optional(
            "SELECT submission FROM attempt WHERE request = ?1 AND state = 0",
            [request.0],
            |row| row.get::<_, Option<i64>>(0).map(|id| id.map(SubmissionId)),
        )
    }

    /// Returns what became of the latest closed attempt at `request`, if it failed.
    pub fn last_failure(&self, request: RequestId) -> Result<Option<(String, String)>, StoreError> {
        self.query_optional(
            "SELECT n.kind, n.message FROM attempt t JOIN attempt_note n ON n.attempt = t.id
                 WHERE t.request = ?1 ORDER BY t.id DESC LIMIT 1",
            [request.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Returns what stands for the column `uncounted`, which a state of format 1 that nobody has
    /// written to since does not have.
    pub(super) fn uncounted(&self) -> rusqlite::Result<&'static str> {
        let there = self
            .connection
            .prepare_cached(
                "SELECT 1
             FROM pragma_table_info('attempt') WHERE name = 'uncounted'",
            )?
            .exists([])?;
        Ok(if there { "uncounted" } else { "0" })
    }

    /// Returns what `build` sent, and its tokens.
    pub fn spent(&self, build: BuildId) -> Result<Spent, StoreError> {
        let uncounted = self.uncounted().map_err(|source| self.failed(source))?;
        self.query_row(
            &format!(
                "SELECT count(*) FILTER (WHERE submission IS NULL AND state <> 3),
                        count(*) FILTER (WHERE submission IS NOT NULL),
                        count(*) FILTER (WHERE state = 3),
                        coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
             coalesce(sum(cache_write_tokens), 0),
                        coalesce(sum(output_tokens), 0), coalesce(sum(reasoning_tokens), 0),
             coalesce(sum({uncounted}), 0)
                 FROM attempt WHERE build = ?1",
            ),
            [build.0],
            |row| {
                Ok(Spent {
                    sync: row.get(0)?,
                    batch: row.get(1)?,
                    unclear: row.get(2)?,
                    usage: Usage {
                        input_tokens: row.get(3)?,
                        cached_tokens: row.get(4)?,
                        cache_write_tokens: row.get(5)?,
                        output_tokens: row.get(6)?,
                        reasoning_tokens: row.get(7)?,
                        uncounted: row.get::<_, u64>(8)? > 0,
                    },
                })
            },
        )
    }
}
