//! Requests that were paid for without a usable answer: reads `attempt` and `answer`, and owns no table.
//!
//! Asked again, such a request would most likely end the same way and would be
//! paid for once more. So it stays failed under its key, in every build and
//! whichever way it was sent, until the user says otherwise.

use std::collections::BTreeSet;

use rusqlite::params;

use super::answers::Realm;
use super::attempts::{AttemptId, AttemptState};
use super::build::BuildId;
use super::requests::RequestId;
use super::{Reader, StoreError};
use synix_core::request::{Ending, Failure, FailureKind, OutcomeSummary, Usage};

/// Which of the requests that were paid for without a usable answer are asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retry {
    /// The kinds of failure that the user wants to be asked again.
    pub kinds: BTreeSet<FailureKind>,
    /// The newest attempt when the command began. What failed later was asked again already.
    pub until: AttemptId,
}

/// What will do as an answer, and what is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Whether an answer cut at its token limit will do.
    pub accept_truncated: bool,
    /// What is asked again although it was paid for.
    pub retry: &'a Retry,
}

/// A closed attempt at a request.
struct Closed {
    attempt: AttemptId,
    build: BuildId,
    answered: bool,
    note: Option<(String, String)>,
}

impl Reader {
    /// Returns the newest attempt of all; 0 where there is none.
    pub fn newest_attempt(&self) -> Result<AttemptId, StoreError> {
        self.query_row("SELECT coalesce(max(id), 0) FROM attempt", [], |row| {
            row.get(0)
        })
        .map(AttemptId)
    }

    /// Returns what `request`, which has no answer that will do, came to when it was paid for last.
    ///
    /// `None` where it was never paid for, or where `retry` says that it is to be asked again. What
    /// `own` got since its command began and could not read, it may ask once more: a reply may have
    /// been mangled on its way.
    pub fn paid_for(
        &self,
        request: RequestId,
        retry: &Retry,
        own: Option<BuildId>,
    ) -> Result<Option<OutcomeSummary>, StoreError> {
        for closed in self.closed_attempts(request)? {
            let Some(settlement) = self.paid(request, &closed)? else {
                continue;
            };
            let kind = match &settlement {
                // It came since the caller looked for it.
                OutcomeSummary::Answered {
                    ending: Ending::Complete,
                    ..
                } => return Ok(Some(settlement)),
                OutcomeSummary::Answered { .. } => FailureKind::Truncated,
                OutcomeSummary::Failed(failure) => failure.kind,
            };
            let is_old = closed.attempt <= retry.until;
            let is_asked_again = if is_old {
                retry.kinds.contains(&kind)
            } else {
                kind == FailureKind::Unreadable && own == Some(closed.build)
            };
            return Ok((!is_asked_again).then_some(settlement));
        }
        Ok(None)
    }

    /// Returns what an attempt came to that was paid for; `None` where it cost nothing.
    fn paid(
        &self,
        request: RequestId,
        closed: &Closed,
    ) -> Result<Option<OutcomeSummary>, StoreError> {
        if closed.answered {
            // Answers may have been let go, and then they are asked for again.
            let whole = self.answer_to(request, Realm::Live, false)?;
            let answer = match whole {
                Some(whole) => Some(whole),
                None => self.answer_to(request, Realm::Live, true)?,
            };
            return Ok(answer.as_ref().map(OutcomeSummary::from));
        }
        let Some((name, message)) = &closed.note else {
            return Ok(None);
        };
        Ok(FailureKind::paid_from_name(name).map(|kind| {
            OutcomeSummary::Failed(Failure {
                kind,
                message: format!(
                    "{message} (paid for in {}; --retry-failed asks again)",
                    closed.build
                ),
                transient: false,
                // It was counted when it was paid for.
                usage: Usage::default(),
            })
        }))
    }

    /// Returns the attempts at a request that came to an end, the newest first.
    fn closed_attempts(&self, request: RequestId) -> Result<Vec<Closed>, StoreError> {
        self.query(
            "SELECT t.id, t.build, t.state, n.kind, n.message
             FROM attempt t LEFT JOIN attempt_note n ON n.attempt = t.id
             WHERE t.request = ?1 AND t.state IN (?2, ?3) ORDER BY t.id DESC",
            params![request.0, AttemptState::Answered, AttemptState::Failed],
            |row| {
                let kind: Option<String> = row.get(3)?;
                let message: Option<String> = row.get(4)?;
                Ok(Closed {
                    attempt: AttemptId(row.get(0)?),
                    build: BuildId(row.get(1)?),
                    answered: row.get::<_, AttemptState>(2)? == AttemptState::Answered,
                    note: kind.zip(message),
                })
            },
        )
    }
}
