//! What settled in a build since it was last asked for, page by page. This module only reads, and owns no table.
//!
//! A program that reports a running build follows the record instead of the build: nothing waits for it, and what it
//! did not report yet is not in memory.

use rusqlite::params;

use super::answers::AnswerOrigin;
use super::attempt_state::AttemptState;
use super::attempts::AttemptId;
use super::build::BuildId;
use super::log::{SendOutcome, usage};
use super::requests::RequestId;
use super::submission::SubmissionId;
use super::{Reader, StoreError};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::{RequestKey, Usage};

/// A send with its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedSend {
    /// The number of the attempt.
    pub attempt: AttemptId,
    /// The number of the request.
    pub request: RequestId,
    /// The key of the request.
    pub key: RequestKey,
    /// The layer of the request; empty if it was not recorded.
    pub layer: String,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Whether it asks for an embedding.
    pub is_embedding: bool,
    /// The submission that contains it; `None` for a sync call.
    pub submission: Option<SubmissionId>,
    /// Whether it is in flight, or how it ended.
    pub outcome: SendOutcome,
    /// Whether the answer reached its token limit; `None` without an answer.
    pub truncated: Option<bool>,
    /// The usage that the provider reported.
    pub usage: Usage,
    /// When it was recorded, right before it was sent.
    pub sent: Option<Timestamp>,
    /// When its outcome was recorded.
    pub settled: Option<Timestamp>,
}

/// The times of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedUnit {
    /// When it was first recorded.
    pub started: Timestamp,
    /// When it settled.
    pub settled: Timestamp,
    /// The kind and message of its failure.
    pub failure: Option<(String, String)>,
}

/// The times of a layer's stale units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerTimes {
    /// When the first of them was recorded.
    pub started: Timestamp,
    /// When the last of them settled.
    pub settled: Timestamp,
}

/// Which sends are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendSelection {
    /// The sync calls of a build.
    SyncCallsOf(BuildId),
    /// The rows of a submission.
    RowsOf(SubmissionId),
}

const SENDS: &str = "
SELECT t.id, t.request, r.key, t.layer, r.provider, r.model,
       (SELECT json_extract(document, '$.kind') FROM request_body b WHERE b.request = r.id) IS NOT NULL,
       t.submission, t.state, n.kind, n.message,
       (SELECT truncated FROM answer a WHERE a.request = t.request AND a.realm = ?4 AND a.attempt = t.id),
       t.input_tokens, t.cached_tokens, t.cache_write_tokens, t.output_tokens, t.reasoning_tokens, t.uncounted,
       t.sent, t.settled
FROM attempt t JOIN request r ON r.id = t.request LEFT JOIN attempt_note n ON n.attempt = t.id";

impl Reader {
    /// Returns up to `limit` sends after the attempt `after`, in the order of their numbers.
    pub fn timed_sends(
        &self,
        selection: SendSelection,
        after: AttemptId,
        limit: u64,
    ) -> Result<Vec<TimedSend>, StoreError> {
        let (condition, number) = match selection {
            SendSelection::SyncCallsOf(build) => ("t.build = ?1 AND t.submission IS NULL", build.0),
            SendSelection::RowsOf(submission) => ("t.submission = ?1", submission.0),
        };
        let statement = format!("{SENDS} WHERE {condition} AND t.id > ?2 ORDER BY t.id LIMIT ?3");
        let live = AnswerOrigin::Live;
        self.query(&statement, params![number, after.0, limit, live], |row| {
            Ok(TimedSend {
                attempt: AttemptId(row.get(0)?),
                request: RequestId(row.get(1)?),
                key: RequestKey(Digest::from_bytes(row.get(2)?)),
                layer: row.get(3)?,
                provider: row.get(4)?,
                model: row.get(5)?,
                is_embedding: row.get(6)?,
                submission: row.get::<_, Option<i64>>(7)?.map(SubmissionId),
                outcome: match row.get(8)? {
                    AttemptState::InFlight => SendOutcome::Open,
                    AttemptState::Answered => SendOutcome::Answered,
                    AttemptState::Failed => SendOutcome::Failed {
                        kind: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
                        message: row.get::<_, Option<String>>(10)?.unwrap_or_default(),
                    },
                    AttemptState::Unclear => SendOutcome::Unclear,
                },
                truncated: row.get(11)?,
                usage: usage(row, 12)?,
                sent: row.get::<_, Option<u64>>(18)?.map(Timestamp),
                settled: row.get::<_, Option<u64>>(19)?.map(Timestamp),
            })
        })
    }

    /// Returns the oldest sync call of `build` that is in flight.
    pub fn oldest_open_call(&self, build: BuildId) -> Result<Option<AttemptId>, StoreError> {
        self.query_row(
            "SELECT min(id) FROM attempt WHERE state = 0 AND submission IS NULL AND build = ?1",
            [build.0],
            |row| row.get::<_, Option<i64>>(0),
        )
        .map(|id| id.map(AttemptId))
    }

    /// Returns the times of a unit of `build`; `None` as long as it has not settled.
    pub fn timed_unit(
        &self,
        build: BuildId,
        layer: usize,
        key: &str,
    ) -> Result<Option<TimedUnit>, StoreError> {
        self.query_optional(
            "SELECT started, settled, kind, message FROM build_unit
             WHERE build = ?1 AND layer = ?2 AND key = ?3 AND settled IS NOT NULL",
            params![build.0, layer, key],
            |row| {
                let settled = Timestamp(row.get(1)?);
                let kind: Option<String> = row.get(2)?;
                let message: Option<String> = row.get(3)?;
                Ok(TimedUnit {
                    started: row.get::<_, Option<u64>>(0)?.map_or(settled, Timestamp),
                    settled,
                    failure: kind.zip(message),
                })
            },
        )
    }

    /// Returns the times of a layer of `build`; `None` if none of its units was stale and settled.
    pub fn layer_times(
        &self,
        build: BuildId,
        layer: usize,
    ) -> Result<Option<LayerTimes>, StoreError> {
        self.query_row(
            "SELECT min(started), max(settled) FROM build_unit WHERE build = ?1 AND layer = ?2",
            params![build.0, layer],
            |row| {
                let started: Option<u64> = row.get(0)?;
                let settled: Option<u64> = row.get(1)?;
                Ok(settled.map(|settled| LayerTimes {
                    started: Timestamp(started.unwrap_or(settled)),
                    settled: Timestamp(settled),
                }))
            },
        )
    }
}
