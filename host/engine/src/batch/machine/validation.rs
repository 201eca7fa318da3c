//! A batch that failed validation: nothing ran and nothing was billed.

use std::collections::HashSet;

use super::{CloseAction, Effect, Facts, Transition};
use crate::batch::failure;
use synix_core::request::FailureKind;
use synix_providers::{BatchState, ValidationError};
use synix_store::SubmissionState;

/// The maximum number of validation failures of a model in one command. After that, the rest fails with the provider's message.
const MAX_FAILURES: u32 = 64;

/// The maximum number of create calls with a file that the provider does not see yet.
const MAX_CREATES_PER_UPLOAD: u32 = 3;

/// Error codes that are about one line.
const LINE_ERRORS: [&str; 7] = [
    "invalid_json_line",
    "duplicate_custom_id",
    "missing_required_parameter",
    "invalid_url",
    "url_mismatch",
    "streaming_unsupported",
    "invalid_request",
];

impl Transition {
    pub(super) fn on_validation_failed(self, batch: &BatchState, facts: &Facts<'_>) -> Self {
        let errors = &batch.errors;
        let reason = format!(
            "batch {} failed validation: {}",
            batch.id,
            describe_errors(errors)
        );
        if errors.is_empty() {
            return self.fail_all(&reason);
        }
        if errors.iter().all(is_full_queue) {
            return self.wait_for_capacity(errors, reason);
        }
        if errors.iter().all(is_unseen_file) {
            return self.recreate_from_file(batch, &reason, facts);
        }
        if facts.validation_failures > MAX_FAILURES {
            return self.fail_all(&reason);
        }
        let requests = self.next.submission.requests;
        let lines: HashSet<u64> = errors.iter().filter_map(|error| error.line).collect();
        let all_named = errors.iter().all(|error| error.line.is_some());
        if all_named && lines.iter().any(|line| (1..=requests).contains(line)) {
            return self.settle(CloseAction::FailLines { reason, lines });
        }
        let is_line_error = |error: &ValidationError| LINE_ERRORS.contains(&error.code.as_str());
        if errors.iter().all(is_line_error) && requests > 1 {
            // Each half is sent separately, until the bad line is alone.
            return self.settle(CloseAction::Halve { reason });
        }
        self.fail_all(&reason)
    }

    /// Sends the same requests again when the provider's queue has space, in chunks that fit.
    fn wait_for_capacity(self, errors: &[ValidationError], reason: String) -> Self {
        let limit = errors.iter().find_map(|error| named_limit(&error.message));
        let submission = &self.next.submission;
        if submission.requests == 1 && limit.is_some_and(|limit| submission.tokens > limit) {
            return self.fail_all(&reason);
        }
        self.with_effect(Effect::RecordFullQueue { limit })
            .settle(CloseAction::Requeue { reason })
    }

    /// Creates a batch from the same file again, because an upload may not be visible at once; then from another upload.
    fn recreate_from_file(mut self, batch: &BatchState, reason: &str, facts: &Facts<'_>) -> Self {
        let creates = self.next.progress.creates;
        let submission = &mut self.next.submission;
        submission.rejected.push(batch.id.clone());
        submission.batch = None;
        submission.note = Some(reason.to_owned());
        if creates >= 2 * MAX_CREATES_PER_UPLOAD {
            return self.fail_all(reason);
        }
        if creates == MAX_CREATES_PER_UPLOAD {
            submission.file = None;
        }
        self.start_over().back_off(facts)
    }

    fn fail_all(self, reason: &str) -> Self {
        self.abandon(failure(FailureKind::Invalid, reason, false))
    }

    fn settle(self, action: CloseAction) -> Self {
        self.close(SubmissionState::Settled, action)
    }
}

fn describe_errors(errors: &[ValidationError]) -> String {
    if errors.is_empty() {
        return "the provider gives no reason".to_owned();
    }
    let reason: Vec<String> = errors
        .iter()
        .map(|error| match error.line {
            Some(line) => format!("line {line}: {} ({})", error.message, error.code),
            None => format!("{} ({})", error.message, error.code),
        })
        .collect();
    reason.join("; ")
}

/// Returns whether the provider's queue is full, of tokens or of requests.
fn is_full_queue(error: &ValidationError) -> bool {
    error.code == "token_limit_exceeded"
        || error.code == "too_many_tasks"
        || error.message.starts_with("Enqueued request limit reached")
}

/// Returns whether a file was uploaded and is not visible yet.
fn is_unseen_file(error: &ValidationError) -> bool {
    error.code == "invalid_request"
        && error.line.is_none()
        && error.message.starts_with("Cannot find file")
}

/// Reads the limit from a message such as `Limit: 2,000,000 enqueued tokens`.
fn named_limit(message: &str) -> Option<u64> {
    let (_, after) = message.split_once("Limit: ")?;
    let digits: String = after
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L11
    #[test]
    fn the_limit_is_read_from_the_provider_s_message() {
        let reason = "Enqueued token limit reached for gpt-4o in organization org-1. Limit: 2,000,000 enqueued tokens. \
                     Please try again once some in_progress batches have been completed.";
        assert_eq!(named_limit(reason), Some(2_000_000));
        assert_eq!(named_limit("Limit: none"), None);
    }
}
