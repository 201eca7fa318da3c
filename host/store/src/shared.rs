//! Requests and answers in a store of shared answers (tables `shared_request`, `shared_answer`).
//!
//! A row of `shared_request` is written before its request is claimed or sent, and deleted once the answer is published or
//! the claim released. So a command that is killed leaves its claims on record, and a later one settles them.

use rusqlite::{Row, params};

use super::answers::{AnswerId, AnswerOrigin};
use super::build::BuildId;
use super::requests::RequestId;
use super::{Reader, StoreError, Transaction};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, RequestKey};

/// A request whose claim or answer is not settled in the store of shared answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRequest {
    /// The number of the request.
    pub request: RequestId,
    /// The key of the request.
    pub key: RequestKey,
    /// The build that claims or sends it.
    pub build: BuildId,
    /// The intent to claim it, as JSON; `None` if the store was unavailable when the request was sent.
    pub claim: Option<String>,
    /// Whether the request is in flight.
    pub is_in_flight: bool,
}

/// An answer that this project paid for, with what others want to know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareableAnswer {
    /// The answer.
    pub answer: Answer,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model of the request.
    pub model: String,
    /// The batch that had the request, if any.
    pub batch: Option<String>,
    /// When the answer arrived, if that was recorded.
    pub time: Option<Timestamp>,
}

/// Where an answer of a store of shared answers came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedOrigin {
    /// The URL of the store.
    pub store: String,
    /// The provider that was asked.
    pub provider: String,
    /// The batch that had the request, if any.
    pub batch: Option<String>,
    /// When the answer arrived.
    pub time: Timestamp,
}

/// Reads rows of `shared_request` for [`read_shared`].
const SELECT_SHARED: &str = "SELECT s.request, r.key, s.build, s.claim,
        EXISTS (SELECT 1 FROM attempt t WHERE t.request = s.request AND t.state = 0)
 FROM shared_request s JOIN request r ON r.id = s.request";

fn read_shared(row: &Row<'_>) -> rusqlite::Result<SharedRequest> {
    Ok(SharedRequest {
        request: RequestId(row.get(0)?),
        key: RequestKey(Digest::from_bytes(row.get(1)?)),
        build: BuildId(row.get(2)?),
        claim: row.get(3)?,
        is_in_flight: row.get(4)?,
    })
}

impl Transaction<'_> {
    /// Records that the answer to `request` is to be published, and its claim to be released without an answer.
    ///
    /// A row of the same store stays as it is: its claim may be in use. Returns the row that there is now.
    pub fn keep_shared_request(
        &self,
        request: RequestId,
        build: BuildId,
        store: &str,
        claim: Option<&str>,
    ) -> Result<SharedRequest, StoreError> {
        self.execute(
            "INSERT INTO shared_request (request, build, store, claim) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (request) DO UPDATE
             SET build = excluded.build, store = excluded.store, claim = excluded.claim
             WHERE store <> excluded.store",
            params![request.0, build.0, store, claim],
        )?;
        self.query_row(
            &format!("{SELECT_SHARED} WHERE s.request = ?1"),
            [request.0],
            read_shared,
        )
    }

    /// Takes over the row of a request from a build that no process drives, or gives it a claim.
    pub fn adopt_shared_request(
        &self,
        request: RequestId,
        build: BuildId,
        claim: Option<&str>,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE shared_request SET build = ?2, claim = ?3 WHERE request = ?1",
            params![request.0, build.0, claim],
        )
    }

    /// Records that the store of shared answers has the answer to `request`, or that its claim is released.
    pub fn forget_shared_request(&self, request: RequestId) -> Result<(), StoreError> {
        self.execute("DELETE FROM shared_request WHERE request = ?1", [request.0])
    }

    /// Stores an answer from a store of shared answers, unless there is one with the same ending.
    pub fn store_shared_answer(
        &self,
        request: RequestId,
        build: BuildId,
        answer: &Answer,
        origin: &SharedOrigin,
    ) -> Result<(), StoreError> {
        self.store_answer(request, AnswerOrigin::Live, answer, None)?;
        // An answer with an attempt was paid for here.
        self.execute(
            "INSERT OR IGNORE INTO shared_answer (answer, build, store, provider, batch, answered)
             SELECT id, ?4, ?5, ?6, ?7, ?8 FROM answer
             WHERE request = ?1 AND realm = ?2 AND truncated = ?3 AND attempt IS NULL",
            params![
                request.0,
                AnswerOrigin::Live,
                answer.ending == Ending::Truncated,
                build.0,
                origin.store,
                origin.provider,
                origin.batch,
                origin.time.0
            ],
        )
    }
}

impl Reader {
    /// Returns the requests with unsettled claims or unpublished answers in a store, in the order of their numbers.
    pub fn shared_requests(&self, store: &str) -> Result<Vec<SharedRequest>, StoreError> {
        if !self.additions.shared_answers {
            return Ok(Vec::new());
        }
        self.query(
            &format!("{SELECT_SHARED} WHERE s.store = ?1 ORDER BY s.request"),
            [store],
            read_shared,
        )
    }

    /// Returns the row of a request, in whatever store.
    pub fn shared_request(&self, request: RequestId) -> Result<Option<SharedRequest>, StoreError> {
        if !self.additions.shared_answers {
            return Ok(None);
        }
        self.query_optional(
            &format!("{SELECT_SHARED} WHERE s.request = ?1"),
            [request.0],
            read_shared,
        )
    }

    /// Returns how many answers are not published yet in a store: they wait for the next build.
    pub fn unpublished_answers(&self, store: &str) -> Result<u64, StoreError> {
        if !self.additions.shared_answers {
            return Ok(0);
        }
        self.query_row(
            "SELECT count(*) FROM shared_request s WHERE s.store = ?1
             AND EXISTS (SELECT 1 FROM answer a WHERE a.request = s.request AND a.realm = x'')",
            [store],
            |row| row.get(0),
        )
    }

    /// Returns the answer of a provider to `request` and its origin; a complete one, if there is one.
    pub fn shareable_answer(
        &self,
        request: RequestId,
    ) -> Result<Option<ShareableAnswer>, StoreError> {
        let complete = self.answer_to(request, AnswerOrigin::Live, false)?;
        let answer = match complete {
            Some(answer) => answer,
            None => match self.answer_to(request, AnswerOrigin::Live, true)? {
                Some(answer) => answer,
                None => return Ok(None),
            },
        };
        let truncated = answer.ending == Ending::Truncated;
        self.query_row(
            "SELECT r.provider, r.model, s.batch, t.settled
             FROM answer a JOIN request r ON r.id = a.request
             LEFT JOIN attempt t ON t.id = a.attempt LEFT JOIN submission s ON s.id = t.submission
             WHERE a.request = ?1 AND a.realm = ?2 AND a.truncated = ?3",
            params![request.0, AnswerOrigin::Live, truncated],
            |row| {
                Ok(ShareableAnswer {
                    answer,
                    provider: row.get(0)?,
                    model: row.get(1)?,
                    batch: row.get(2)?,
                    time: row.get::<_, Option<u64>>(3)?.map(Timestamp),
                })
            },
        )
        .map(Some)
    }

    /// Returns where an answer came from, if it is from a store of shared answers.
    pub fn shared_origin(&self, answer: AnswerId) -> Result<Option<SharedOrigin>, StoreError> {
        if !self.additions.shared_answers {
            return Ok(None);
        }
        self.query_optional(
            "SELECT store, provider, batch, answered FROM shared_answer WHERE answer = ?1",
            [answer.0],
            |row| {
                Ok(SharedOrigin {
                    store: row.get(0)?,
                    provider: row.get(1)?,
                    batch: row.get(2)?,
                    time: Timestamp(row.get(3)?),
                })
            },
        )
    }

    /// Returns how many answers a build took from a store of shared answers.
    pub fn shared_answers_of(&self, build: BuildId) -> Result<u64, StoreError> {
        if !self.additions.shared_answers {
            return Ok(0);
        }
        self.query_row(
            "SELECT count(*) FROM shared_answer WHERE build = ?1",
            [build.0],
            |row| row.get(0),
        )
    }
}
