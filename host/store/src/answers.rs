//! Answers (tables `answer`, `answer_body`): they were paid for, so only a user's `gc --answers` deletes them.

use rusqlite::params;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::attempts::AttemptId;
use super::recovery::seal;
use super::requests::RequestId;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, RequestKey};

/// Where the answers behind a unit came from. Units of one realm are never used in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// Providers.
    Live,
    /// The cassette with this digest.
    Replay(Digest),
}

/// The number of an answer in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerId(pub i64);

impl Realm {
    /// Returns the form kept in rows: empty, or the cassette's digest.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Live => &[],
            Self::Replay(digest) => digest.as_bytes(),
        }
    }
}

impl ToSql for Realm {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().into())
    }
}

impl FromSql for Realm {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_blob()? {
            [] => Ok(Self::Live),
            _ => FromSql::column_result(value).map(|bytes| Self::Replay(Digest::from_bytes(bytes))),
        }
    }
}

impl Transaction<'_> {
    /// Keeps the answer to `request`, unless there is one like it: units were made from the first.
    pub fn keep_answer(
        &self,
        request: RequestId,
        realm: Realm,
        answer: &Answer,
        attempt: Option<AttemptId>,
    ) -> Result<(), StoreError> {
        let document = serde_json::to_string(answer).unwrap_or_default();
        let truncated = answer.ending == Ending::Truncated;
        let seal = seal::of_answer(request.0, realm, truncated, &document);
        let added = self.change(
            "INSERT OR IGNORE INTO answer (request, realm, truncated, attempt)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                request.0,
                realm,
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
    /// Returns the answer a provider gave under `key`, as [`Reader::answer_to`] does.
    pub fn answer(
        &self,
        key: RequestKey,
        accept_truncated: bool,
    ) -> Result<Option<Answer>, StoreError> {
        match self.request_id(key)? {
            Some(id) => self.answer_to(id, Realm::Live, accept_truncated),
            None => Ok(None),
        }
    }

    /// Returns the answer to `request` in `realm`, if any.
    ///
    /// Where a truncated one is accepted it is the first that came, so that a later answer never
    /// contradicts a transcript.
    pub fn answer_to(
        &self,
        request: RequestId,
        realm: Realm,
        accept_truncated: bool,
    ) -> Result<Option<Answer>, StoreError> {
        let statement = format!(
            "SELECT document, truncated, {} FROM answer JOIN answer_body ON answer = id
             WHERE request = ?1 AND realm = ?2 AND truncated <= ?3 ORDER BY id LIMIT 1",
            self.seal_of("answer_body")
        );
        self.query_optional(
            &statement,
            params![request.0, realm, accept_truncated],
            |row| {
                Ok(Row {
                    request: request.0,
                    realm,
                    document: row.get(0)?,
                    truncated: row.get(1)?,
                    seal: row.get(2)?,
                })
            },
        )?
        .map(|row| row.read())
        .transpose()
    }

    /// Returns the answer under a transcript's number, and the batch whose row it was.
    pub fn given_answer(&self, answer: AnswerId) -> Result<(Answer, Option<String>), StoreError> {
        let statement = format!(
            "SELECT b.document, s.batch, a.request, a.realm, a.truncated, {}
             FROM answer a JOIN answer_body b ON b.answer = a.id
             LEFT JOIN attempt t ON t.id = a.attempt LEFT JOIN submission s ON s.id = t.submission
             WHERE a.id = ?1",
            self.seal_of("b")
        );
        let (row, batch): (Row, Option<String>) =
            self.query_row(&statement, [answer.0], |row| {
                let found = Row {
                    document: row.get(0)?,
                    request: row.get(2)?,
                    realm: row.get(3)?,
                    truncated: row.get(4)?,
                    seal: row.get(5)?,
                };
                Ok((found, row.get(1)?))
            })?;
        Ok((row.read()?, batch))
    }
}

/// An answer as it stands in its rows.
struct Row {
    request: i64,
    realm: Realm,
    truncated: bool,
    document: String,
    seal: Option<i64>,
}

impl Row {
    fn read(&self) -> Result<Answer, StoreError> {
        let made = seal::of_answer(self.request, self.realm, self.truncated, &self.document);
        seal::check(self.seal, made, || {
            format!("the answer to request {}", self.request)
        })?;
        serde_json::from_str(&self.document).map_err(|error| StoreError::Unusable {
            what: "answer",
            detail: error.to_string(),
        })
    }
}
