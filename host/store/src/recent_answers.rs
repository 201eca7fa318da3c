//! The newest answers of a layer or of a model. This module reads `attempt`, and owns no table.

use rusqlite::params;

use super::attempts::AttemptId;
use super::build::BuildId;
use super::requests::RequestId;
use super::{Reader, StoreError};

/// The token counts of an answer on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentAnswer {
    /// The number of the request.
    pub request: RequestId,
    /// All input tokens.
    pub input_tokens: u64,
    /// All output tokens.
    pub output_tokens: u64,
}

/// Which answers are read.
#[derive(Debug, Clone, Copy)]
pub struct RecentAnswers<'a> {
    /// Those that were asked for by this layer; `None` for any layer.
    pub layer: Option<&'a str>,
    /// The model that was asked.
    pub model: &'a str,
    /// Those before this attempt; `None` for all.
    pub before: Option<AttemptId>,
    /// The maximum number.
    pub limit: u32,
}

/// A layer or a state may use several models, so this many times as many answers are looked at.
const SEARCHED: u32 = 4;

impl Reader {
    /// Returns the newest answers that a provider counted, the newest first.
    ///
    /// At most four times as many rows are read, so the time does not grow with the number of answers on record.
    pub fn recent_answers(
        &self,
        answers: RecentAnswers<'_>,
    ) -> Result<Vec<RecentAnswer>, StoreError> {
        let uncounted = self
            .uncounted_column()
            .map_err(|source| self.failed(source))?;
        let layer = if answers.layer.is_some() {
            "AND layer = ?2"
        } else {
            "AND ?2 IS NULL"
        };
        let before = answers.before.map_or(i64::MAX, |before| before.0);
        // SQLite uses the partial index only for the number itself.
        let statement = format!(
            "SELECT t.request, t.input_tokens, t.output_tokens FROM (
               SELECT id, request, input_tokens, output_tokens FROM attempt
               WHERE state = 1 {layer} AND id < ?3 AND {uncounted} = 0 ORDER BY id DESC LIMIT ?4
             ) t JOIN request r ON r.id = t.request
             WHERE r.model = ?1 ORDER BY t.id DESC LIMIT ?5"
        );
        let searched = answers.limit.saturating_mul(SEARCHED);
        self.query(
            &statement,
            params![
                answers.model,
                answers.layer,
                before,
                searched,
                answers.limit
            ],
            |row| {
                Ok(RecentAnswer {
                    request: RequestId(row.get(0)?),
                    input_tokens: row.get(1)?,
                    output_tokens: row.get(2)?,
                })
            },
        )
    }

    /// Returns the first attempt of a build, if it has sent anything.
    pub fn first_attempt(&self, build: BuildId) -> Result<Option<AttemptId>, StoreError> {
        self.query_row(
            "SELECT min(id) FROM attempt WHERE build = ?1",
            [build.0],
            |row| row.get::<_, Option<i64>>(0),
        )
        .map(|id| id.map(AttemptId))
    }

    /// Returns the layers and models that a build sent requests for.
    pub fn models_of(&self, build: BuildId) -> Result<Vec<(String, String)>, StoreError> {
        self.query(
            "SELECT DISTINCT t.layer, r.model FROM attempt t JOIN request r ON r.id = t.request
             WHERE t.build = ?1 ORDER BY 1, 2",
            [build.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Returns what a build expected of its answers, as JSON, if that is on record.
    pub fn build_forecast(&self, build: BuildId) -> Result<Option<String>, StoreError> {
        if !self.additions.trials {
            return Ok(None);
        }
        self.query_optional(
            "SELECT forecast FROM build WHERE id = ?1",
            [build.0],
            |row| row.get(0),
        )
        .map(Option::flatten)
    }
}
