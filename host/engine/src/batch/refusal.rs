//! A batch that failed validation: nothing ran, nothing was billed.

use std::collections::HashSet;

use super::wave::{target_of, told_limit};
use super::{BatchError, BatchRequest, Batches, DrivenSubmission, failure};
use synix_core::request::{Failure, FailureKind, RequestKey, Settlement};
use synix_providers::{BatchState, ValidationError};
use synix_store::SubmissionState;

/// Validation failures of one model in one command, at most; then the rest fails in the provider's words.
const MOST_REFUSALS: u32 = 64;

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

impl Batches<'_> {
    /// Takes the verdict of a batch that failed validation.
    pub(super) fn take_refusal(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
    ) -> Result<(), BatchError> {
        let words = format!("batch {} failed validation: {}", batch.id, in_words(batch));
        let refusals = self
            .refusals
            .entry(target_of(&work.submission))
            .and_modify(|count| *count += 1)
            .or_insert(1);
        let refusals = *refusals;
        if !batch.errors.is_empty() && batch.errors.iter().all(is_full_queue) {
            return self.wait_for_room(work, batch, &words, refusals);
        }
        if !batch.errors.is_empty() && batch.errors.iter().all(is_unseen_file) {
            return self.create_from_same_file(work, batch, &words);
        }
        let guilty: HashSet<u64> = batch.errors.iter().filter_map(|error| error.line).collect();
        let all_named = batch.errors.iter().all(|error| error.line.is_some());
        if refusals > MOST_REFUSALS || batch.errors.is_empty() {
            return self.fail_all(work, &words);
        }
        let in_range = |line: &u64| (1..=work.submission.requests).contains(line);
        if all_named && guilty.iter().any(in_range) {
            return self.fail_lines(work, &words, &guilty);
        }
        let about_a_line = batch
            .errors
            .iter()
            .all(|error| ABOUT_A_LINE.contains(&error.code.as_str()));
        if about_a_line && work.submission.requests > 1 {
            return self.divide(work, &words);
        }
        self.fail_all(work, &words)
    }

    /// The provider's queue is full: the same requests go again when there is room, in chunks that fit.
    fn wait_for_room(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
        words: &str,
        refusals: u32,
    ) -> Result<(), BatchError> {
        let told = batch
            .errors
            .iter()
            .find_map(|error| told_limit(&error.message));
        if work.submission.requests == 1 && told.is_some_and(|limit| work.submission.tokens > limit)
        {
            return self.fail_all(work, words);
        }
        self.learn(&work.submission, told, refusals);
        let closed = self.close(work, SubmissionState::Settled, |_| passing(words))?;
        let Some(open) = closed else {
            return Ok(());
        };
        let again: Vec<RequestKey> = open.into_iter().map(|request| request.key).collect();
        self.queue_uncounted(&again);
        Ok(())
    }

    /// An upload may not be seen at once: the same file again, then another upload.
    fn create_from_same_file(
        &mut self,
        work: &mut DrivenSubmission,
        batch: &BatchState,
        words: &str,
    ) -> Result<(), BatchError> {
        work.submission.rejected.push(batch.id.clone());
        work.submission.batch = None;
        work.submission.note = Some(words.to_owned());
        if work.creates >= 2 * SAME_FILE {
            return self.fail_all(work, words);
        }
        if work.creates == SAME_FILE {
            work.submission.file = None;
        }
        if self.create_anew(work)? {
            self.later(work);
        }
        Ok(())
    }

    fn fail_all(&mut self, work: &mut DrivenSubmission, words: &str) -> Result<(), BatchError> {
        self.abandon(work, &failure(FailureKind::Invalid, words, false))
    }

    /// Fails the lines that the provider names; the others were not run and go again.
    fn fail_lines(
        &mut self,
        work: &mut DrivenSubmission,
        words: &str,
        guilty: &HashSet<u64>,
    ) -> Result<(), BatchError> {
        let verdict = |line: u64| {
            if guilty.contains(&line) {
                failure(FailureKind::Invalid, words, false)
            } else {
                passing(words)
            }
        };
        let closed = self.close(work, SubmissionState::Settled, verdict)?;
        let Some(open) = closed else {
            return Ok(());
        };
        let mut again = Vec::new();
        for (request, line) in open.into_iter().zip(1_u64..) {
            if guilty.contains(&line) {
                self.bring(request.key, Settlement::Failed(verdict(line)), false);
            } else {
                again.push(request.key);
            }
        }
        self.queue_uncounted(&again);
        Ok(())
    }

    /// The provider names no line: each half goes by itself, until the bad line is alone.
    fn divide(&mut self, work: &mut DrivenSubmission, words: &str) -> Result<(), BatchError> {
        let depth = work.submission.divided + 1;
        let closed = self.close(work, SubmissionState::Settled, |_| passing(words))?;
        let Some(open) = closed else {
            return Ok(());
        };
        let wanted: Vec<BatchRequest> = open
            .iter()
            .filter_map(|request| self.uncount(request.key))
            .collect();
        let (left, right) = wanted.split_at(wanted.len() / 2);
        for half in [left, right] {
            if !half.is_empty() {
                self.divided.push((half.to_vec(), depth));
            }
        }
        Ok(())
    }

    /// Takes an attempt back that was none: the request did not run.
    fn uncount(&mut self, key: RequestKey) -> Option<BatchRequest> {
        let wanted = self.wanted.get_mut(&key)?;
        wanted.sends = wanted.sends.saturating_sub(1);
        Some(wanted.queued.clone())
    }

    fn queue_uncounted(&mut self, keys: &[RequestKey]) {
        for key in keys {
            if let Some(queued) = self.uncount(*key) {
                self.queue.push(queued);
            }
        }
    }
}

fn passing(words: &str) -> Failure {
    failure(FailureKind::Provider, format!("not run: {words}"), true)
}

fn in_words(batch: &BatchState) -> String {
    if batch.errors.is_empty() {
        return "the provider gives no reason".to_owned();
    }
    let words: Vec<String> = batch
        .errors
        .iter()
        .map(|error| match error.line {
            Some(line) => format!("line {line}: {} ({})", error.message, error.code),
            None => format!("{} ({})", error.message, error.code),
        })
        .collect();
    words.join("; ")
}

/// A queue limit, of tokens or of requests.
fn is_full_queue(error: &ValidationError) -> bool {
    error.code == "token_limit_exceeded"
        || error.code == "too_many_tasks"
        || error.message.starts_with("Enqueued request limit reached")
}

/// A file that was uploaded and is not seen (`batch-apis` 1.5).
fn is_unseen_file(error: &ValidationError) -> bool {
    error.code == "invalid_request"
        && error.line.is_none()
        && error.message.starts_with("Cannot find file")
}
