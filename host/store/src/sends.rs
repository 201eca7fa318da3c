//! What the sends of a build cost: reads `attempt`, and owns no table.

use super::attempts::AttemptState;
use super::build::BuildId;
use super::requests::RequestId;
use super::submission::SubmissionId;
use super::{Reader, StoreError};
use synix_core::digest::Digest;
use synix_core::request::{RequestKey, Usage};

/// Where a send stands, as far as money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// In flight: it will be billed.
    Open,
    /// Answered or failed, with all tokens counted.
    Closed,
    /// Perhaps billed, and nothing came back.
    Unclear,
}

/// A send of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send<'r> {
    /// The request.
    pub request: RequestId,
    /// Its key.
    pub key: RequestKey,
    /// The layer that asked; empty where that is not on record.
    pub layer: &'r str,
    /// The model asked.
    pub model: &'r str,
    /// The submission it went in; `None`: by itself.
    pub submission: Option<SubmissionId>,
    /// Where it stands.
    pub state: SendState,
    /// What the provider counted.
    pub usage: Usage,
}

impl Reader {
    /// Calls `each` with every send of `build`, the oldest first.
    pub fn each_send(
        &self,
        build: BuildId,
        mut each: impl FnMut(Send<'_>),
    ) -> Result<(), StoreError> {
        let mut read = || -> rusqlite::Result<()> {
            let uncounted = self.uncounted()?;
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT t.request, t.layer, r.model, t.submission, t.state, t.input_tokens, t.cached_tokens,
                        t.cache_write_tokens, t.output_tokens, t.reasoning_tokens, r.key, {uncounted}
                 FROM attempt t JOIN request r ON r.id = t.request
             WHERE t.build = ?1 ORDER BY t.id",
            ))?;
            let mut rows = statement.query([build.0])?;
            while let Some(row) = rows.next()? {
                each(Send {
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
                });
            }
            Ok(())
        };
        read().map_err(|source| self.failed(source))
    }
}
