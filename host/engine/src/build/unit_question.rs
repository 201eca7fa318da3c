//! A question of a guest: its request, and the repairs of it, until an answer fits.

use std::sync::Arc;

use super::known_answers::KnownAnswers;
use super::unit::{RunEnd, guest_failure};
use super::unit_embeddings::check_answer;
use super::unit_model::{UnitModel, excerpt};
use crate::pending::{PendingRequest, RepairCount, Target};
use synix_answers::{AnswerFormat, required_format};
use synix_core::causes::with_causes;
use synix_core::request::{Answer, Failure, FailureKind, Request, RequestKey, Usage};
use synix_prices::{WindowExcess, check_window};
use synix_schema::{LimitExceeded, SchemaError};

/// A question of a guest, and the last request about it.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) key: RequestKey,
    pub(super) request: Arc<Request>,
    /// The name of its model role.
    pub(super) role: String,
    pub(super) target: Arc<Target>,
    /// The context window that the pipeline file gives the role.
    pub(super) window: Option<u64>,
    /// The length of the text of an embedding, before it was cut.
    pub(super) asked_bytes: usize,
    /// The maximum length of an answer, as the guest gave it.
    pub(super) max_tokens: u64,
    /// What its answer must match.
    pub(super) format: Option<Arc<AnswerFormat>>,
    /// The number of repairs so far.
    pub(super) repairs: u32,
    /// The answer to the last request; once it is done, what the guest receives.
    pub(super) answer: Option<Answer>,
    /// Whether the answer fits.
    pub(super) is_done: bool,
    /// The usage of the earlier answers, which did not fit.
    pub(super) usage: Usage,
    /// The tokens of all answers, as they count towards the limit of the unit.
    pub(super) tokens: u64,
}

impl Question {
    /// Checks that the last request can fit into the context window of its model.
    pub(super) fn check_window(&self) -> Result<(), WindowExcess> {
        if self.request.kind.is_embedding() {
            return Ok(());
        }
        check_window(&self.request, &self.role, self.window)
    }
}

impl UnitModel {
    /// Looks up the answer to a question and records it; `false`: the run is stopped.
    pub(super) fn look_up(&mut self, known: &KnownAnswers, question: &mut Question) -> bool {
        let answer = match known.answer(question.key, self.transform.accept_truncated) {
            Ok(answer) => answer,
            Err(error) => {
                self.stopped = Some(RunEnd::Fatal(Box::new(error.into())));
                return false;
            }
        };
        let checked =
            answer.map(|answer| check_answer(answer, &question.request, question.asked_bytes));
        question.answer = match checked.transpose() {
            Ok(answer) => answer,
            Err(failure) => {
                self.stopped = Some(RunEnd::Failed(failure));
                return false;
            }
        };
        // A known answer is proof that the request fits, whatever the table or the pipeline file says.
        if question.answer.is_none()
            && let Err(excess) = question.check_window()
        {
            self.stopped = Some(RunEnd::Failed(window_failure(&excess, &question.request)));
            return false;
        }
        let pending = self.pending(question);
        self.requests.push((pending, question.answer.clone()));
        true
    }

    /// Returns a question as a request that waits for its answer.
    pub(super) fn pending(&self, question: &Question) -> PendingRequest<Arc<Request>> {
        let may_follow = match &question.format {
            Some(_) => self.transform.repair.saturating_sub(question.repairs),
            None => 0,
        };
        let room = self.request_limit().saturating_sub(self.count() + 1);
        PendingRequest {
            key: question.key,
            kind: question.request.kind,
            request: Arc::clone(&question.request),
            layer: self.layer,
            accept_truncated: self.transform.accept_truncated,
            target: Arc::clone(&question.target),
            repairs: RepairCount {
                number: question.repairs,
                left: may_follow.min(u32::try_from(room).unwrap_or(u32::MAX)),
            },
        }
    }

    /// Returns the maximum number of requests of the unit.
    pub(super) fn request_limit(&self) -> usize {
        usize::try_from(self.transform.limits.requests).unwrap_or(usize::MAX)
    }

    /// Returns what the answer to a request must match; the outer `None`: its schema is unusable, and the run is stopped.
    pub(super) fn format_of(
        &mut self,
        known: &KnownAnswers,
        request: &Request,
    ) -> Option<Option<Arc<AnswerFormat>>> {
        let schema = required_format(&request.messages, request.response_format.as_ref());
        let format = schema.map(|schema| known.formats.get(schema));
        match format.transpose() {
            Ok(format) => Some(format),
            Err(error) => {
                self.stopped = Some(RunEnd::Failed(unusable_schema(&error, request)));
                None
            }
        }
    }
}

fn window_failure(excess: &WindowExcess, request: &Request) -> Failure {
    Failure {
        kind: FailureKind::Invalid,
        message: format!("{excess} (request {})", excerpt(request)),
        transient: false,
        usage: Usage::default(),
    }
}

/// Nothing is sent for a request whose answer cannot be checked.
fn unusable_schema(error: &SchemaError, request: &Request) -> Failure {
    if let SchemaError::LimitExceeded(limit @ LimitExceeded::NoThread) = error {
        return machine_failure(limit);
    }
    Failure {
        kind: FailureKind::Invalid,
        message: format!(
            "the `response_format` cannot be used: {} (request {})",
            with_causes(error),
            excerpt(request)
        ),
        transient: false,
        usage: Usage::default(),
    }
}

/// Another machine, or this one later, can check the answer.
pub(super) fn machine_failure(limit: &LimitExceeded) -> Failure {
    Failure {
        transient: true,
        ..guest_failure(limit.to_string())
    }
}
