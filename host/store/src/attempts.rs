//! Sends of requests: one row each, written before the send.
//!
//! An attempt is open while its request may be in flight. The database holds
//! at most one open attempt for a request, so two processes never send the
//! same request at once.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, params};

use super::answers::Realm;
use super::build::BuildId;
use super::paid::Terms;
use super::requests::RequestId;
use super::submission::SubmissionId;
use super::{Reader, StoreError, Transaction};
use synix_core::request::{Answer, FailureKind, Settlement, Usage};

/// The number of an attempt in this state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub i64);

// The state of an attempt in flight, 0, stands in the statements themselves: a partial index serves no parameter.
pub(super) const ANSWERED: i64 = 1;
pub(super) const FAILED: i64 = 2;
/// The send may have been billed and nothing came back.
pub(super) const UNCLEAR: i64 = 3;

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
    Settled(Box<Settlement>),
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

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
            return Ok(Claim::Settled(Box::new(Settlement::from(&answer))));
        }
        if let Some(settlement) = self.paid_for(request, terms.retry, Some(origin.build))? {
            // Somebody who asks again may bring a better answer than the one on record.
            return Ok(match self.in_flight(request)? {
                Some(_) => Claim::InFlight,
                None => Claim::Settled(Box::new(settlement)),
            });
        }
        let inserted = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO attempt (request, build, submission, layer, state) VALUES (?1, ?2, ?3, ?4, 0)")
            .and_then(|mut statement| {
                statement.execute(params![request.0, origin.build.0, origin.submission.map(|submission| submission.0), origin.layer])
            })
            .map_err(|source| self.failed(source))?;
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
        self.close(attempt, ANSWERED, answer.usage)?;
        self.keep_answer(request, Realm::Live, answer, Some(attempt))
    }

    /// Closes an attempt that gave no answer.
    pub fn close_failed(
        &self,
        attempt: AttemptId,
        note: &AttemptNote,
        usage: Usage,
    ) -> Result<(), StoreError> {
        self.close(attempt, FAILED, usage)?;
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
        self.connection
            .prepare_cached(
                "INSERT INTO attempt (request, build, layer, state) VALUES (?1, ?2, ?3, ?4)",
            )
            .and_then(|mut statement| {
                statement.execute(params![request.0, origin.build.0, origin.layer, FAILED])
            })
            .map_err(|source| self.failed(source))?;
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
            self.connection
                .prepare_cached("INSERT INTO attempt (request, build, state) VALUES (?1, ?2, ?3)")
                .and_then(|mut statement| statement.execute(params![request.0, build.0, UNCLEAR]))
                .map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// Marks the sync sends of `build` as unclear whose process died with them in flight.
    pub fn close_orphans(&self, build: BuildId) -> Result<usize, StoreError> {
        self.connection
            .execute(
                "UPDATE attempt SET state = ?1 WHERE build = ?2 AND submission IS NULL AND state = 0",
                params![UNCLEAR, build.0],
            )
            .map_err(|source| self.failed(source))
    }

    fn close(&self, attempt: AttemptId, state: i64, usage: Usage) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "UPDATE attempt SET state = ?2, input_tokens = ?3, cached_tokens = ?4, cache_write_tokens = ?5,
                 output_tokens = ?6, reasoning_tokens = ?7, uncounted = ?8 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    attempt.0,
                    state,
                    tokens(usage.input_tokens),
                    tokens(usage.cached_tokens),
                    tokens(usage.cache_write_tokens),
                    tokens(usage.output_tokens),
                    tokens(usage.reasoning_tokens),
                    usage.uncounted
                ])
            })
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    fn note(&self, attempt: AttemptId, note: &AttemptNote) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO attempt_note (attempt, kind, message) VALUES (?1, ?2, ?3)",
            )
            .and_then(|mut statement| {
                statement.execute(params![attempt.0, note.kind.name(), note.message])
            })
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }
}

impl Reader {
    /// Returns all requests that are in flight, with the submission of those that are in one.
    pub fn all_in_flight(&self) -> Result<HashMap<RequestId, Option<SubmissionId>>, StoreError> {
        self.connection
            .prepare_cached("SELECT request, submission FROM attempt WHERE state = 0")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        let submission = row.get::<_, Option<i64>>(1)?.map(SubmissionId);
                        Ok((RequestId(row.get(0)?), submission))
                    })?
                    .collect()
            })
            .map_err(|source| self.failed(source))
    }

    /// Returns the builds whose sync sends are on record as in flight.
    pub fn builds_in_flight(&self) -> Result<Vec<BuildId>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT DISTINCT build FROM attempt WHERE state = 0 AND submission IS NULL",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| row.get(0).map(BuildId))?
                    .collect()
            })
            .map_err(|source| self.failed(source))
    }

    /// Says whether `request` is in flight, and in which submission.
    pub fn in_flight(
        &self,
        request: RequestId,
    ) -> Result<Option<Option<SubmissionId>>, StoreError> {
        self.connection
            .prepare_cached("SELECT submission FROM attempt WHERE request = ?1 AND state = 0")
            .and_then(|mut statement| {
                statement
                    .query_row([request.0], |row| {
                        row.get::<_, Option<i64>>(0).map(|id| id.map(SubmissionId))
                    })
                    .optional()
            })
            .map_err(|source| self.failed(source))
    }

    /// Returns what became of the latest closed attempt at `request`, if it failed.
    pub fn last_failure(&self, request: RequestId) -> Result<Option<(String, String)>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT n.kind, n.message FROM attempt t JOIN attempt_note n ON n.attempt = t.id
                 WHERE t.request = ?1 ORDER BY t.id DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([request.0], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|source| self.failed(source))
    }

    /// Returns what stands for the column `uncounted`, which a state of format 1 that nobody has
    /// written to since does not have.
    pub(super) fn uncounted(&self) -> rusqlite::Result<&'static str> {
        let there = self
            .connection
            .prepare_cached("SELECT 1 FROM pragma_table_info('attempt') WHERE name = 'uncounted'")?
            .exists([])?;
        Ok(if there { "uncounted" } else { "0" })
    }

    /// Returns what `build` sent, and its tokens.
    pub fn spent(&self, build: BuildId) -> Result<Spent, StoreError> {
        let uncounted = self.uncounted().map_err(|source| self.failed(source))?;
        self.connection
            .prepare_cached(&format!(
                "SELECT count(*) FILTER (WHERE submission IS NULL AND state <> 3),
                        count(*) FILTER (WHERE submission IS NOT NULL),
                        count(*) FILTER (WHERE state = 3),
                        total(input_tokens), total(cached_tokens), total(cache_write_tokens),
                        total(output_tokens), total(reasoning_tokens), total({uncounted})
                 FROM attempt WHERE build = ?1",
            ))
            .and_then(|mut statement| {
                statement.query_row([build.0], |row| {
                    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    let sum = |column| {
                        // `total` gives a double; token counts stay far below 2^53.
                        #[expect(
                            clippy::cast_possible_truncation,
                            clippy::cast_sign_loss,
                            reason = "a sum of counts"
                        )]
                        row.get::<_, f64>(column).map(|sum| sum as u64)
                    };
                    Ok(Spent {
                        sync: count(0)?,
                        batch: count(1)?,
                        unclear: count(2)?,
                        usage: Usage {
                            input_tokens: sum(3)?,
                            cached_tokens: sum(4)?,
                            cache_write_tokens: sum(5)?,
                            output_tokens: sum(6)?,
                            reasoning_tokens: sum(7)?,
                            uncounted: sum(8)? > 0,
                        },
                    })
                })
            })
            .map_err(|source| self.failed(source))
    }
}
