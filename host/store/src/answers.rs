//! Answers (tables `answer`, `answer_body`). They were paid for, so only `gc --answers` deletes them.

use rusqlite::params;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::attempts::AttemptId;
use super::recovery::seal;
use super::requests::RequestId;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, RequestKey};

/// Where the answers of a unit come from. A unit of one origin is never used in a build of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerOrigin {
    /// A provider.
    Live,
    /// The cassette with this digest.
    Replay(Digest),
}

/// The number of an answer in this state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerId(pub i64);

impl AnswerOrigin {
    /// Returns the digest of the cassette, or `None` for a provider.
    pub const fn cassette(self) -> Option<Digest> {
        match self {
            Self::Live => None,
            Self::Replay(digest) => Some(digest),
        }
    }

    /// Returns the form in rows: empty for a provider, otherwise the cassette's digest.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Live => &[],
            Self::Replay(digest) => digest.as_bytes(),
        }
    }
}

impl ToSql for AnswerOrigin {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().into())
    }
}

impl FromSql for AnswerOrigin {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_blob()? {
            [] => Ok(Self::Live),
            _ => FromSql::column_result(value).map(|bytes| Self::Replay(Digest::from_bytes(bytes))),
        }
    }
}

impl Transaction<'_> {
    /// Stores the answer to `request`, unless an answer with the same ending exists: units were made from the first
    /// one.
    pub fn store_answer(
        &self,
        request: RequestId,
        answer_origin: AnswerOrigin,
        answer: &Answer,
        attempt: Option<AttemptId>,
    ) -> Result<(), StoreError> {
        let document = serde_json::to_string(answer).unwrap_or_default();
        let truncated = answer.ending == Ending::Truncated;
        let seal = seal::of_answer(request.0, answer_origin, truncated, &document);
        let added = self.change(
            "INSERT OR IGNORE INTO answer (request, realm, truncated, attempt)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                request.0,
                answer_origin,
                truncated,
                attempt.map(|attempt| attempt.0)
            ],
        )?;
        if added > 0 {
            self.execute(
                "INSERT INTO answer_body (answer, document, seal) VALUES (?1, ?2, ?3)",
                params![self.connection.last_insert_rowid(), document, seal],
            )?;
        }
        Ok(())
    }
}

impl Reader {
    /// Returns the answer of a provider to the request under `key`; see [`Reader::answer_to`].
    pub fn answer(
        &self,
        key: RequestKey,
        accept_truncated: bool,
    ) -> Result<Option<Answer>, StoreError> {
        match self.request_id(key)? {
            Some(id) => self.answer_to(id, AnswerOrigin::Live, accept_truncated),
            None => Ok(None),
        }
    }

    /// Returns the answer to `request` from `answer_origin`, if there is one.
    ///
    /// If a truncated answer is accepted, the first answer is returned, so that a later one never contradicts a
    /// transcript.
    pub fn answer_to(
        &self,
        request: RequestId,
        answer_origin: AnswerOrigin,
        accept_truncated: bool,
    ) -> Result<Option<Answer>, StoreError> {
        let statement = format!(
            "SELECT document, truncated, {} FROM answer JOIN answer_body ON answer = id
             WHERE request = ?1 AND realm = ?2 AND truncated <= ?3 ORDER BY id LIMIT 1",
            self.seal_column("answer_body")
        );
        self.query_optional(
            &statement,
            params![request.0, answer_origin, accept_truncated],
            |row| {
                Ok(Row {
                    request: request.0,
                    answer_origin,
                    document: row.get(0)?,
                    truncated: row.get(1)?,
                    seal: row.get(2)?,
                })
            },
        )?
        .map(|row| row.read())
        .transpose()
    }

    /// Returns the answer with the number from a transcript, and the batch that it came from.
    pub fn transcript_answer(
        &self,
        answer: AnswerId,
    ) -> Result<(Answer, Option<String>), StoreError> {
        let statement = format!(
            "SELECT b.document, s.batch, a.request, a.realm, a.truncated, {}
             FROM answer a JOIN answer_body b ON b.answer = a.id
             LEFT JOIN attempt t ON t.id = a.attempt LEFT JOIN submission s ON s.id = t.submission
             WHERE a.id = ?1",
            self.seal_column("b")
        );
        let (row, batch): (Row, Option<String>) =
            self.query_row(&statement, [answer.0], |row| {
                let found = Row {
                    document: row.get(0)?,
                    request: row.get(2)?,
                    answer_origin: row.get(3)?,
                    truncated: row.get(4)?,
                    seal: row.get(5)?,
                };
                Ok((found, row.get(1)?))
            })?;
        Ok((row.read()?, batch))
    }
}

/// An answer as its rows contain it.
struct Row {
    request: i64,
    answer_origin: AnswerOrigin,
    truncated: bool,
    document: String,
    seal: Option<i64>,
}

impl Row {
    fn read(&self) -> Result<Answer, StoreError> {
        let expected = seal::of_answer(
            self.request,
            self.answer_origin,
            self.truncated,
            &self.document,
        );
        seal::check(self.seal, expected, || {
            format!("the answer to request {}", self.request)
        })?;
        serde_json::from_str(&self.document).map_err(|error| StoreError::Unusable {
            what: "answer",
            detail: error.to_string(),
        })
    }
}
