//! Answers: money already spent, kept for good.

use rusqlite::{OptionalExtension as _, params};

use super::attempts::AttemptId;
use super::requests::RequestId;
use super::{Reader, Store, StoreError};
use crate::digest::Digest;
use crate::request::{Answer, Ending, RequestKey};

/// Where the answers behind a unit came from. Units of one realm are never used in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// Providers.
    Live,
    /// The cassette with this digest.
    Replay(Digest),
}

impl Realm {
    /// Returns the form kept in rows: empty, or the cassette's digest.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Live => &[],
            Self::Replay(digest) => digest.as_bytes(),
        }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        <[u8; 32]>::try_from(bytes)
            .map_or(Self::Live, |bytes| Self::Replay(Digest::from_bytes(bytes)))
    }

    const fn number(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::Replay(_) => 1,
        }
    }
}

impl Store {
    /// Keeps the answer to `request`; a later one takes the place of an earlier.
    pub fn keep_answer(
        &self,
        request: RequestId,
        realm: Realm,
        answer: &Answer,
        attempt: Option<AttemptId>,
    ) -> Result<(), StoreError> {
        let document = serde_json::to_string(answer).unwrap_or_default();
        let keep = || {
            let id: i64 = self
                .connection
                .prepare_cached(
                    "INSERT INTO answer (request, realm, truncated, attempt) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET truncated = excluded.truncated, attempt = excluded.attempt
                     RETURNING id",
                )?
                .query_row(
                    params![
                        request.0,
                        realm.number(),
                        answer.ending == Ending::Truncated,
                        attempt.map(|attempt| attempt.0)
                    ],
                    |row| row.get(0),
                )?;
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO answer_body (answer, document) VALUES (?1, ?2)",
                )?
                .execute(params![id, document])?;
            Ok(())
        };
        keep().map_err(|source| self.failed(source))
    }
}

impl Reader {
    /// Returns the answer a provider gave under `key`, if any.
    pub fn answer(&self, key: RequestKey) -> Result<Option<Answer>, StoreError> {
        match self.request_id(key)? {
            Some(id) => self.answer_to(id, Realm::Live),
            None => Ok(None),
        }
    }

    /// Returns the answer to `request` in `realm`, if any.
    pub fn answer_to(
        &self,
        request: RequestId,
        realm: Realm,
    ) -> Result<Option<Answer>, StoreError> {
        let document: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT document FROM answer JOIN answer_body ON answer = id WHERE request = ?1 AND realm = ?2",
            )
            .and_then(|mut statement| {
                statement.query_row(params![request.0, realm.number()], |row| row.get(0)).optional()
            })
            .map_err(|source| self.failed(source))?;
        document
            .map(|document| serde_json::from_str(&document))
            .transpose()
            .map_err(|error| StoreError::Unusable {
                what: "answer",
                detail: error.to_string(),
            })
    }

    /// Returns the batch whose row answered `request`, if it was one.
    pub fn answering_batch(&self, request: RequestId) -> Result<Option<String>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT s.batch FROM answer a JOIN attempt t ON t.id = a.attempt JOIN submission s ON s.id = t.submission
                 WHERE a.request = ?1 AND a.realm = 0",
            )
            .and_then(|mut statement| statement.query_row([request.0], |row| row.get(0)).optional())
            .map(Option::flatten)
            .map_err(|source| self.failed(source))
    }
}
