//! Requests that were paid for without a usable answer. This module reads `attempt` and `answer`, and owns no table.
//!
//! A second send of such a request would most likely end in the same way and be paid for again. So the request stays failed under its key, in every build and mode, until the user asks for a retry.

use std::collections::BTreeSet;

use rusqlite::params;

use super::answers::{AnswerId, AnswerOrigin};
use super::attempt_state::AttemptState;
use super::attempts::AttemptId;
use super::build::BuildId;
use super::requests::RequestId;
use super::{Reader, StoreError};
use synix_core::request::{Ending, Failure, FailureKind, Usage};

/// Which requests that were paid for without a usable answer are sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetrySelection {
    /// The kinds of failure that the user wants to retry.
    pub kinds: BTreeSet<FailureKind>,
    /// The newest attempt when the command began. Later failures have been retried already.
    pub until: AttemptId,
    /// The newest answer when the command began.
    pub until_answer: AnswerId,
}

/// Which answers are accepted, and which requests are sent again.
#[derive(Debug, Clone, Copy)]
pub struct AnswerPolicy<'a> {
    /// Whether a truncated answer is accepted.
    pub accept_truncated: bool,
    /// Which requests are sent again although they were paid for.
    pub retry: &'a RetrySelection,
}

/// A closed attempt at a request.
struct ClosedAttempt {
    attempt: AttemptId,
    build: BuildId,
    answered: bool,
    note: Option<(String, String)>,
}

impl RetrySelection {
    /// Returns the selection of a command that begins now.
    pub fn from_now(reader: &Reader, kinds: BTreeSet<FailureKind>) -> Result<Self, StoreError> {
        Ok(Self {
            kinds,
            until: reader.newest_attempt()?,
            until_answer: reader.newest_answer()?,
        })
    }
}

impl Reader {
    fn newest_answer(&self) -> Result<AnswerId, StoreError> {
        self.query_row("SELECT coalesce(max(id), 0) FROM answer", [], |row| {
            row.get(0)
        })
        .map(AnswerId)
    }

    /// Returns the newest attempt of all builds, or 0 if there is none.
    pub fn newest_attempt(&self) -> Result<AttemptId, StoreError> {
        self.query_row("SELECT coalesce(max(id), 0) FROM attempt", [], |row| {
            row.get(0)
        })
        .map(AttemptId)
    }

    /// Returns the outcome of the last paid send of `request`, which has no acceptable answer.
    ///
    /// Returns `None` if the request was never paid for, or if `retry` selects it. The build `own` may also retry an
    /// unreadable reply that it received since its command began: the reply may have been damaged in transit.
    pub fn paid_outcome(
        &self,
        request: RequestId,
        retry: &RetrySelection,
        own: Option<BuildId>,
    ) -> Result<Option<Result<Ending, Failure>>, StoreError> {
        for closed in self.closed_attempts(request)? {
            let Some(outcome) = self.paid(request, &closed)? else {
                continue;
            };
            let kind = match &outcome {
                // The answer arrived after the caller looked for one.
                Ok(Ending::Complete) => return Ok(Some(outcome)),
                Ok(Ending::Truncated) => FailureKind::Truncated,
                Err(failure) => failure.kind,
            };
            let is_old = closed.attempt <= retry.until;
            let is_sent_again = if is_old {
                retry.kinds.contains(&kind)
            } else {
                kind == FailureKind::Unreadable && own == Some(closed.build)
            };
            return Ok((!is_sent_again).then_some(outcome));
        }
        Ok(None)
    }

    /// Returns whether `request` was ever sent, or is about to be.
    pub fn was_sent(&self, request: RequestId) -> Result<bool, StoreError> {
        self.query_row(
            "SELECT EXISTS (SELECT 1 FROM attempt WHERE request = ?1)",
            [request.0],
            |row| row.get(0),
        )
    }

    /// Returns whether `request` was answered since a command began: by an attempt, or by another machine whose answer
    /// is shared.
    pub fn was_answered_since(
        &self,
        request: RequestId,
        began: &RetrySelection,
    ) -> Result<bool, StoreError> {
        let answered_here = self.query_row(
            "SELECT EXISTS (SELECT 1 FROM attempt WHERE request = ?1 AND id > ?2 AND state = ?3)",
            params![request.0, began.until.0, AttemptState::Answered],
            |row| row.get(0),
        )?;
        if answered_here || !self.additions.shared_answers {
            return Ok(answered_here);
        }
        self.query_row(
            "SELECT EXISTS (SELECT 1 FROM answer a JOIN shared_answer s ON s.answer = a.id
             WHERE a.request = ?1 AND a.id > ?2)",
            params![request.0, began.until_answer.0],
            |row| row.get(0),
        )
    }

    /// Returns the outcome of an attempt; `None` if it cost nothing.
    fn paid(
        &self,
        request: RequestId,
        closed: &ClosedAttempt,
    ) -> Result<Option<Result<Ending, Failure>>, StoreError> {
        if closed.answered {
            // The answer may have been deleted; then the request is sent again.
            let complete = self.answer_to(request, AnswerOrigin::Live, false)?;
            let answer = match complete {
                Some(complete) => Some(complete),
                None => self.answer_to(request, AnswerOrigin::Live, true)?,
            };
            return Ok(answer.map(|answer| Ok(answer.ending)));
        }
        let Some((name, message)) = &closed.note else {
            return Ok(None);
        };
        Ok(FailureKind::paid_from_name(name).map(|kind| {
            Err(Failure {
                kind,
                message: format!(
                    "{message} (paid for in {}; --retry-failed sends it again)",
                    closed.build
                ),
                transient: false,
                // The usage was counted when the attempt was closed.
                usage: Usage::default(),
            })
        }))
    }

    /// Returns the answered and failed attempts at a request, the newest first.
    fn closed_attempts(&self, request: RequestId) -> Result<Vec<ClosedAttempt>, StoreError> {
        self.query(
            "SELECT t.id, t.build, t.state, n.kind, n.message
             FROM attempt t LEFT JOIN attempt_note n ON n.attempt = t.id
             WHERE t.request = ?1 AND t.state IN (?2, ?3) ORDER BY t.id DESC",
            params![request.0, AttemptState::Answered, AttemptState::Failed],
            |row| {
                let kind: Option<String> = row.get(3)?;
                let message: Option<String> = row.get(4)?;
                Ok(ClosedAttempt {
                    attempt: AttemptId(row.get(0)?),
                    build: BuildId(row.get(1)?),
                    answered: row.get::<_, AttemptState>(2)? == AttemptState::Answered,
                    note: kind.zip(message),
                })
            },
        )
    }
}
