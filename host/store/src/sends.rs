//! The sends of a build and their usage. This module reads `attempt`, and owns no table.

use super::attempt_state::AttemptState;
use super::attempts::SendTotals;
use super::build::BuildId;
use super::requests::RequestId;
use super::submission::SubmissionId;
use super::{Reader, StoreError};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::{RequestKey, Usage};

/// The state of a send, as far as its cost is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// In flight, and so it will be billed.
    Open,
    /// Answered or failed; all tokens are counted.
    Closed,
    /// Perhaps billed, but without a reply.
    Unclear,
}

/// The record of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRecord<'r> {
    /// The number of the request.
    pub request: RequestId,
    /// The key of the request.
    pub key: RequestKey,
    /// The layer of the request; empty if it was not recorded.
    pub layer: &'r str,
    /// The model of the request.
    pub model: &'r str,
    /// The submission that contains it; `None` for a sync call.
    pub submission: Option<SubmissionId>,
    /// The state of the send.
    pub state: SendState,
    /// The usage that the provider reported.
    pub usage: Usage,
    /// When it was sent, if that was recorded.
    pub sent: Option<Timestamp>,
    /// When it was answered or failed, if that was recorded.
    pub settled: Option<Timestamp>,
}

impl Reader {
    /// Returns the number of sends of `build`, and their tokens.
    pub fn send_totals(&self, build: BuildId) -> Result<SendTotals, StoreError> {
        let uncounted = self
            .uncounted_column()
            .map_err(|source| self.failed(source))?;
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
                Ok(SendTotals {
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

    /// Calls `each` with every send of `build`, the oldest first.
    pub fn for_each_send(
        &self,
        build: BuildId,
        mut each: impl FnMut(SendRecord<'_>),
    ) -> Result<(), StoreError> {
        let mut read = || -> rusqlite::Result<()> {
            let uncounted = self.uncounted_column()?;
            let times = if self.additions.trials {
                "t.sent, t.settled"
            } else {
                "NULL, NULL"
            };
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT t.request, t.layer, r.model, t.submission, t.state, t.input_tokens, t.cached_tokens,
                        t.cache_write_tokens, t.output_tokens, t.reasoning_tokens, r.key, {uncounted}, {times}
                 FROM attempt t JOIN request r ON r.id = t.request
             WHERE t.build = ?1 ORDER BY t.id",
            ))?;
            let mut rows = statement.query([build.0])?;
            while let Some(row) = rows.next()? {
                each(SendRecord {
                    request: RequestId(row.get(0)?),
                    key: RequestKey(Digest::from_bytes(row.get(10)?)),
                    layer: row.get_ref(1)?.as_str()?,
                    model: row.get_ref(2)?.as_str()?,
                    submission: row.get::<_, Option<i64>>(3)?.map(SubmissionId),
                    state: match row.get(4)? {
                        AttemptState::InFlight => SendState::Open,
                        AttemptState::Answered | AttemptState::Failed => SendState::Closed,
                        AttemptState::Unclear => SendState::Unclear,
                    },
                    usage: Usage {
                        input_tokens: row.get(5)?,
                        cached_tokens: row.get(6)?,
                        cache_write_tokens: row.get(7)?,
                        output_tokens: row.get(8)?,
                        reasoning_tokens: row.get(9)?,
                        uncounted: row.get(11)?,
                    },
                    sent: row.get::<_, Option<u64>>(12)?.map(Timestamp),
                    settled: row.get::<_, Option<u64>>(13)?.map(Timestamp),
                });
            }
            Ok(())
        };
        read().map_err(|source| self.failed(source))
    }
}
