//! A batch that failed validation: nothing ran, nothing was billed.

use std::collections::HashSet;

use super::{Closing, Effect, Facts, Transition};
use crate::batch::failure;
use synix_core::request::FailureKind;
use synix_providers::{BatchState, ValidationError};
use synix_store::SubmissionState;

/// Validation failures of one model in one command, at most; then the rest fails in the provider's words.
const MOST_FAILURES: u32 = 64;

/// Create calls with the same file that the provider does not see yet.
const SAME_FILE: u32 = 3;

/// Codes that are about one line (`batch-apis` 1.5).
const ABOUT_A_LINE: [&str; 7] = [
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
        let words = format!("batch {} failed validation: {}", batch.id, in_words(errors));
        if errors.is_empty() {
            return self.failing_all(&words);
        }
        if errors.iter().all(is_full_queue) {
            return self.waiting_for_room(errors, words);
        }
        if errors.iter().all(is_unseen_file) {
            return self.creating_from_file_again(batch, &words, facts);
        }
        if facts.validation_failures > MOST_FAILURES {
            return self.failing_all(&words);
        }
        let requests = self.next.submission.requests;
        let lines: HashSet<u64> = errors.iter().filter_map(|error| error.line).collect();
        let all_named = errors.iter().all(|error| error.line.is_some());
        if all_named && lines.iter().any(|line| (1..=requests).contains(line)) {
            return self.settling(Closing::FailLines { words, lines });
        }
        let is_about_a_line = |error: &ValidationError| ABOUT_A_LINE.contains(&error.code.as_str());
        if errors.iter().all(is_about_a_line) && requests > 1 {
            // Each half goes by itself, until the bad line is alone.
            return self.settling(Closing::Halve { words });
        }
        self.failing_all(&words)
    }

    /// Sends the same requests again when the provider's queue has room, in chunks that fit.
    fn waiting_for_room(self, errors: &[ValidationError], words: String) -> Self {
        let limit = errors.iter().find_map(|error| named_limit(&error.message));
        let submission = &self.next.submission;
        if submission.requests == 1 && limit.is_some_and(|limit| submission.tokens > limit) {
            return self.failing_all(&words);
        }
        self.doing(Effect::RememberFullQueue { limit })
            .settling(Closing::Requeue { words })
    }

    /// Creates from the same file again, as an upload may not be seen at once; then from another upload.
    fn creating_from_file_again(
        mut self,
        batch: &BatchState,
        words: &str,
        facts: &Facts<'_>,
    ) -> Self {
        let creates = self.next.progress.creates;
        let submission = &mut self.next.submission;
        submission.rejected.push(batch.id.clone());
        submission.batch = None;
        submission.note = Some(words.to_owned());
        if creates >= 2 * SAME_FILE {
            return self.failing_all(words);
        }
        if creates == SAME_FILE {
            submission.file = None;
        }
        self.starting_over().backing_off(facts)
    }

    fn failing_all(self, words: &str) -> Self {
        self.abandoning(failure(FailureKind::Invalid, words, false))
    }

    fn settling(self, closing: Closing) -> Self {
        self.closing(SubmissionState::Settled, closing)
    }
}

fn in_words(errors: &[ValidationError]) -> String {
    if errors.is_empty() {
        return "the provider gives no reason".to_owned();
    }
    let words: Vec<String> = errors
        .iter()
        .map(|error| match error.line {
            Some(line) => format!("line {line}: {} ({})", error.message, error.code),
            None => format!("{} ({})", error.message, error.code),
        })
        .collect();
    words.join("; ")
}

/// Says whether the provider's queue is full, of tokens or of requests.
fn is_full_queue(error: &ValidationError) -> bool {
    error.code == "token_limit_exceeded"
        || error.code == "too_many_tasks"
        || error.message.starts_with("Enqueued request limit reached")
}

/// Says whether a file was uploaded and is not seen (`batch-apis` 1.5).
fn is_unseen_file(error: &ValidationError) -> bool {
    error.code == "invalid_request"
        && error.line.is_none()
        && error.message.starts_with("Cannot find file")
}

/// Reads the limit from words such as `Limit: 2,000,000 enqueued tokens`.
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
    fn the_limit_is_read_from_the_provider_s_words() {
        let words = "Enqueued token limit reached for gpt-4o in organization org-1. Limit: 2,000,000 enqueued tokens. \
                     Please try again once some in_progress batches have been completed.";
        assert_eq!(named_limit(words), Some(2_000_000));
        assert_eq!(named_limit("Limit: none"), None);
    }
}
