//! Transcripts (table `transcript`): the requests of each unit, in order.

use rusqlite::params;

use super::answers::{AnswerId, AnswerOrigin};
use super::requests::RequestId;
use super::units::UnitId;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::request::{Ending, RequestKey};

/// A request of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TranscriptEntry {
    /// Its number.
    pub request: RequestId,
    /// Its key.
    pub key: RequestKey,
    /// The answer that the unit received; `None` while it waits for one.
    pub answer: Option<AnswerId>,
}

impl Transaction<'_> {
    /// Records the request at `position` of a unit's transcript, and the ending of its answer, if there is one.
    pub fn add_to_transcript(
        &self,
        unit: UnitId,
        position: usize,
        request: RequestId,
        answered: Option<(AnswerOrigin, Ending)>,
    ) -> Result<(), StoreError> {
        let (answer_origin, truncated) = match &answered {
            Some((answer_origin, ending)) => {
                (Some(answer_origin), Some(*ending == Ending::Truncated))
            }
            None => (None, None),
        };
        self.execute(
            "INSERT INTO transcript (unit, position, request, answer)
             VALUES (?1, ?2, ?3,
                 (SELECT id FROM answer
             WHERE request = ?3 AND realm = ?4 AND truncated = ?5))",
            params![unit.0, position, request.0, answer_origin, truncated],
        )
    }
}

impl Transaction<'_> {
    /// Deletes the requests of a unit's transcript from `position` on.
    pub fn truncate_transcript(&self, unit: UnitId, position: usize) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM transcript WHERE unit = ?1 AND position >= ?2",
            params![unit.0, position],
        )
    }

    /// Records the ending of the answer to a request of a transcript.
    pub fn set_transcript_answer(
        &self,
        unit: UnitId,
        position: usize,
        (answer_origin, ending): (AnswerOrigin, Ending),
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE transcript SET answer = (SELECT id FROM answer
             WHERE request = transcript.request AND realm = ?3 AND truncated = ?4)
             WHERE unit = ?1 AND position = ?2",
            params![unit.0, position, answer_origin, ending == Ending::Truncated],
        )
    }
}

impl Reader {
    /// Returns the requests of a unit, in order.
    pub fn transcript(&self, unit: UnitId) -> Result<Vec<TranscriptEntry>, StoreError> {
        self.query(
            "SELECT r.id, r.key, t.answer FROM transcript t JOIN request r ON r.id = t.request
                 WHERE t.unit = ?1 ORDER BY t.position",
            [unit.0],
            |row| {
                Ok(TranscriptEntry {
                    request: RequestId(row.get(0)?),
                    key: RequestKey(Digest::from_bytes(row.get(1)?)),
                    answer: row.get::<_, Option<i64>>(2)?.map(AnswerId),
                })
            },
        )
    }
}
