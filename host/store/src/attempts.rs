//! Sends of requests (tables `attempt`, `attempt_note`). Each has a row, which is written before the send.
//!
//! An attempt is open while its request may be in flight. The database holds
//! at most one open attempt for a request, so two processes never send the
//! same request at once.

use std::collections::HashMap;

use rusqlite::params;

use super::answers::AnswerOrigin;
use super::attempt_state::AttemptState;
use super::build::BuildId;
use super::paid::AnswerPolicy;
use super::requests::RequestId;
use super::submission::SubmissionId;
use super::{Reader, StoreError, Transaction};
use synix_core::clock::Timestamp;
use synix_core::request::{Answer, Ending, Failure, FailureKind, Usage};

/// The number of an attempt in this state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub i64);

/// The build, layer and submission that a request is sent for.
#[derive(Debug, Clone, Copy)]
pub struct SendContext<'a> {
    /// The build that pays for the send.
    pub build: BuildId,
    /// The layer of the request.
    pub layer: &'a str,
    /// The submission that contains the request; `None` for a sync call.
    pub submission: Option<SubmissionId>,
    /// The time of the record.
    pub now: Timestamp,
}

/// The result of claiming a request for a send.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The caller may send the request; the attempt is recorded.
    Granted(AttemptId),
    /// Another send of the request is in flight.
    InFlight,
    /// The request needs no send: it was answered, or it was paid for without an acceptable answer.
    Settled(Box<Result<Ending, Failure>>),
}

/// Why an attempt has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptNote {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The message of the provider.
    pub message: String,
}

/// The recorded sends of a build, and their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendTotals {
    /// Sync calls that were answered or failed.
    pub sync: u64,
    /// Rows of batches.
    pub batch: u64,
    /// Sends that were perhaps billed without an answer.
    pub unclear: u64,
    /// The tokens of all sends.
    pub usage: Usage,
}

impl Transaction<'_> {
    /// Claims `request` for one send.
    pub fn claim(
        &self,
        request: RequestId,
        origin: SendContext<'_>,
        terms: AnswerPolicy<'_>,
    ) -> Result<Claim, StoreError> {
        if let Some(answer) = self.answer_to(request, AnswerOrigin::Live, terms.accept_truncated)? {
            return Ok(Claim::Settled(Box::new(Ok(answer.ending))));
        }
        if let Some(outcome) = self.paid_outcome(request, terms.retry, Some(origin.build))? {
            // A repeated send that is in flight may bring a better outcome than the recorded one.
            return Ok(match self.in_flight(request)? {
                Some(_) => Claim::InFlight,
                None => Claim::Settled(Box::new(outcome)),
            });
        }
        let inserted = self.change(
            "INSERT OR IGNORE INTO attempt (request, build, submission, layer, state, sent)
             VALUES (?1, ?2, ?3, ?4, 0, ?5)",
            params![
                request.0,
                origin.build.0,
                origin.submission.map(|submission| submission.0),
                origin.layer,
                origin.now.0
            ],
        )?;
        // A unique index refuses a second attempt, even if another process was faster.
        if inserted == 0 {
            return Ok(Claim::InFlight);
        }
        Ok(Claim::Granted(AttemptId(
            self.connection.last_insert_rowid(),
        )))
    }

    /// Closes an attempt that was answered, and stores the answer.
    pub fn close_answered(
        &self,
        attempt: AttemptId,
        request: RequestId,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.close(attempt, AttemptState::Answered, answer.usage, now)?;
        self.store_answer(request, AnswerOrigin::Live, answer, Some(attempt))
    }

    /// Closes an attempt that failed.
    pub fn close_failed(
        &self,
        attempt: AttemptId,
        note: &AttemptNote,
        usage: Usage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.close(attempt, AttemptState::Failed, usage, now)?;
        self.note(attempt, note)
    }

    /// Records a billed call without an answer that another call followed immediately.
    ///
    /// It was sent no earlier than the attempt that is open.
    pub fn record_failed_send(
        &self,
        request: RequestId,
        origin: SendContext<'_>,
        note: &AttemptNote,
        usage: Usage,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO attempt (request, build, layer, state, sent)
             VALUES (?1, ?2, ?3, ?4, (SELECT max(sent) FROM attempt WHERE request = ?1))",
            params![
                request.0,
                origin.build.0,
                origin.layer,
                AttemptState::Failed
            ],
        )?;
        let attempt = AttemptId(self.connection.last_insert_rowid());
        self.close_failed(attempt, note, usage, origin.now)
    }

    /// Records `count` sends of `request` whose reply was lost, sent no earlier than its last attempt.
    pub fn record_unclear_sends(
        &self,
        request: RequestId,
        build: BuildId,
        count: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for _ in 0..count {
            self.execute(
                "INSERT INTO attempt (request, build, state, sent, settled)
                 VALUES (?1, ?2, ?3, (SELECT max(sent) FROM attempt WHERE request = ?1), ?4)",
                params![request.0, build.0, AttemptState::Unclear, now.0],
            )?;
        }
        Ok(())
    }

    /// Marks the sync sends of `build` as unclear that were in flight when its process died.
    pub fn close_orphaned_sends(
        &self,
        build: BuildId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.change(
            "UPDATE attempt SET state = ?1, settled = ?3
             WHERE build = ?2 AND submission IS NULL AND state = 0",
            params![AttemptState::Unclear, build.0, now.0],
        )
    }

    fn close(
        &self,
        attempt: AttemptId,
        state: AttemptState,
        usage: Usage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE attempt SET state = ?2, input_tokens = ?3, cached_tokens = ?4,
             cache_write_tokens = ?5, output_tokens = ?6, reasoning_tokens = ?7, uncounted = ?8,
             settled = ?9 WHERE id = ?1",
            params![
                attempt.0,
                state,
                usage.input_tokens,
                usage.cached_tokens,
                usage.cache_write_tokens,
                usage.output_tokens,
                usage.reasoning_tokens,
                usage.uncounted,
                now.0
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
    /// Returns all requests that are in flight, with their submission if they have one.
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

    /// Returns the builds with sync sends that are recorded as in flight.
    pub fn builds_in_flight(&self) -> Result<Vec<BuildId>, StoreError> {
        self.query(
            "SELECT DISTINCT build FROM attempt WHERE state = 0 AND submission IS NULL",
            [],
            |row| row.get(0).map(BuildId),
        )
    }

    /// Returns the submission of `request` if the request is in flight; the outer `None` means that it is not.
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

    /// Returns the kind and message of the last failed attempt at `request`.
    pub fn last_failure(&self, request: RequestId) -> Result<Option<(String, String)>, StoreError> {
        self.query_optional(
            "SELECT n.kind, n.message FROM attempt t JOIN attempt_note n ON n.attempt = t.id
                 WHERE t.request = ?1 ORDER BY t.id DESC LIMIT 1",
            [request.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Returns the SQL expression for the column `uncounted`, which a state of format 1 does not have.
    pub(super) fn uncounted_column(&self) -> rusqlite::Result<&'static str> {
        let exists = self
            .connection
            .prepare_cached(
                "SELECT 1
             FROM pragma_table_info('attempt') WHERE name = 'uncounted'",
            )?
            .exists([])?;
        Ok(if exists { "uncounted" } else { "0" })
    }
}
