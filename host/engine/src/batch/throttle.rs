//! The capacity of each provider and model, and when it is available again.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::machine::Capacity;
use super::{BatchContext, BatchError};
use crate::pending::Target;
use synix_core::clock::Timestamp;
use synix_providers::BatchTraits;
use synix_store::Submission;

const HOUR_MS: u64 = 60 * 60 * 1000;

/// The pause after too many batches were created.
const CREATION_PAUSE: Duration = Duration::from_secs(60);

/// The maximum number of doublings of the pause after a refusal.
const MAX_DOUBLINGS: u32 = 6;

/// The limits of each target, as this command knows them.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// The maximum number of input tokens in flight, found from refusals.
    limits: HashMap<Target, u64>,
    /// When a target with a full queue may be tried again.
    retry_times: HashMap<Target, Instant>,
    /// Batches that failed validation.
    validation_failures: HashMap<Target, u32>,
}

impl Throttle {
    /// Returns the maximum number of input tokens in flight at a target, if it is configured or was found.
    pub(super) fn token_limit(&self, context: &BatchContext<'_>, target: &Target) -> Option<u64> {
        let enqueued = &context.settings.enqueued_tokens;
        let written = enqueued.get(&target.provider).copied();
        let found = self.limits.get(target).copied();
        written.into_iter().chain(found).min()
    }

    /// Returns whether the provider has capacity for the submission.
    pub(super) fn capacity(
        &self,
        context: &BatchContext<'_>,
        submission: &Submission,
        traits: BatchTraits,
    ) -> Result<Capacity, BatchError> {
        let target = target_of(submission);
        let polls = context.settings.interval.is_some();
        let full_for = |pause: Duration| Capacity::Full {
            retry_after: polls.then_some(pause),
        };
        let now = Instant::now();
        if let Some(retry_time) = self
            .retry_times
            .get(&target)
            .filter(|retry_time| **retry_time > now)
        {
            return Ok(full_for(*retry_time - now));
        }
        let since = Timestamp(context.clock.now().0.saturating_sub(HOUR_MS));
        let most = traits.max_creations_per_hour.map_or(u64::MAX, u64::from);
        if context.store.create_calls_since(&target.provider, since)? >= most {
            return Ok(full_for(CREATION_PAUSE));
        }
        let Some(limit) = self.token_limit(context, &target) else {
            return Ok(Capacity::Available);
        };
        let under_way = context
            .store
            .tokens_in_flight(&target.provider, &target.model)?;
        // A submission above the limit is sent alone.
        if under_way == 0 || under_way + submission.tokens <= limit {
            return Ok(Capacity::Available);
        }
        Ok(Capacity::Full { retry_after: None })
    }

    /// Counts a validation failure, and returns the number of failures at the target.
    pub(super) fn count_validation_failure(&mut self, submission: &Submission) -> u32 {
        let failures = self
            .validation_failures
            .entry(target_of(submission))
            .or_default();
        *failures += 1;
        *failures
    }

    /// Derives the limit of the target from a refusal, and when to try again.
    ///
    /// `named` is the limit that the provider named.
    pub(super) fn on_full_queue(
        &mut self,
        submission: &Submission,
        named: Option<u64>,
        interval: Option<Duration>,
    ) {
        let target = target_of(submission);
        // The provider also counts batches of others, and its token counts differ from our estimate.
        let smaller = submission.tokens - submission.tokens / 4;
        let limit = named.unwrap_or(u64::MAX).min(smaller).max(1);
        let known = self.limits.get(&target).copied().unwrap_or(u64::MAX);
        self.limits.insert(target.clone(), limit.min(known));
        if let Some(pause) = interval {
            let failures = self.validation_failures.get(&target).copied();
            let doublings = failures.unwrap_or_default().min(MAX_DOUBLINGS);
            let pause = pause.saturating_mul(1 << doublings);
            self.retry_times.insert(target, Instant::now() + pause);
        }
    }
}

/// Estimates the input tokens of a line, rather too many than too few.
pub(super) const fn estimated_tokens(line: &str) -> u64 {
    line.len() as u64 / 3 + 1
}

pub(super) fn target_of(submission: &Submission) -> Target {
    Target {
        provider: submission.provider.clone(),
        model: submission.model.clone(),
    }
}
