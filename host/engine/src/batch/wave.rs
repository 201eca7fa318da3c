//! Waves: how much a provider takes at once, and when there is room again.

use std::time::Duration;

use tokio::time::Instant;

use super::{BatchError, Batches, DrivenSubmission, Target};
use synix_core::clock::Moment;
use synix_providers::Provider;
use synix_store::{Submission, SubmissionState};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// How long to wait where too many batches were created.
const CREATES_PAUSE: Duration = Duration::from_secs(60);

/// Returns about how many input tokens a line costs, rather too many than too few.
pub(super) const fn estimated_tokens(line: &str) -> u64 {
    line.len() as u64 / 3 + 1
}

impl Batches<'_> {
    /// Returns how many input tokens may be under way at a target, where that is written or was learned.
    pub(super) fn token_limit(&self, target: &Target) -> Option<u64> {
        let written = self.settings.enqueued_tokens.get(&target.provider).copied();
        let learned = self.learned.get(target).copied();
        written.into_iter().chain(learned).min()
    }

    /// Says whether the provider has room for the submission; sets off its next step where it has not.
    pub(super) fn has_room(
        &self,
        work: &mut DrivenSubmission,
        provider: &Provider,
    ) -> Result<bool, BatchError> {
        let submission = &work.submission;
        let target = target_of(submission);
        let may_wait = self.settings.interval.is_some();
        if let Some(held) = self
            .held
            .get(&target)
            .filter(|held| **held > Instant::now())
        {
            work.due = may_wait.then_some(*held);
            return Ok(false);
        }
        let since = Moment(self.clock.now().0.saturating_sub(HOUR_MS));
        let traits = provider.batch_traits();
        let most = traits.most_creations_per_hour.map_or(u64::MAX, u64::from);
        if self.store.created_since(&target.provider, since)? >= most {
            work.due = may_wait.then(|| Instant::now() + CREATES_PAUSE);
            return Ok(false);
        }
        let Some(limit) = self.token_limit(&target) else {
            return Ok(true);
        };
        let under_way = self
            .store
            .tokens_under_way(&target.provider, &target.model)?;
        // What does not fit at all goes alone. Otherwise `wake` sets it off when a batch has ended.
        Ok(under_way == 0 || under_way + submission.tokens <= limit)
    }

    /// Sets off what waits for the room that an ended batch has left.
    pub(super) fn wake(&mut self, ended: &Submission) {
        let now = Instant::now();
        let target = target_of(ended);
        for work in self.works.values_mut() {
            let waits = matches!(
                work.submission.state,
                SubmissionState::Claimed | SubmissionState::Uploading | SubmissionState::Uploaded
            );
            if waits && !work.busy && target_of(&work.submission) == target {
                work.due = Some(now);
            }
        }
    }

    /// Learns from a refusal how much the target takes, and when to try again.
    pub(super) fn learn(&mut self, submission: &Submission, told: Option<u64>, refusals: u32) {
        let target = target_of(submission);
        // The provider counts others' batches, too, and its tokens are not our estimate.
        let smaller = submission.tokens - submission.tokens / 4;
        let limit = told.unwrap_or(u64::MAX).min(smaller).max(1);
        let known = self.learned.get(&target).copied().unwrap_or(u64::MAX);
        self.learned.insert(target.clone(), limit.min(known));
        if let Some(pause) = self.settings.interval {
            let pause = pause.saturating_mul(1 << refusals.min(6));
            self.held.insert(target, Instant::now() + pause);
        }
    }
}

pub(super) fn target_of(submission: &Submission) -> Target {
    Target {
        provider: submission.provider.clone(),
        model: submission.model.clone(),
    }
}

/// Reads the limit from words such as `Limit: 2,000,000 enqueued tokens`.
pub(super) fn told_limit(message: &str) -> Option<u64> {
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
        assert_eq!(told_limit(words), Some(2_000_000));
        assert_eq!(told_limit("Limit: none"), None);
    }
}
