//! Whether and when one request is sent again after an error.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use super::error::{ProviderError, RetryAdvice};
use super::wait_notice::NoticeSender;

/// The longest wait that a provider can ask for. If it asks for more, the request fails.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(120);

const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// What the status 404 means for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// The object does not exist.
    Fatal,
    /// The object was just created, and the provider may not show it yet.
    Transient,
}

/// The sends of one request. Decides after each failure whether to send it again.
#[derive(Debug)]
pub(super) struct RetryState {
    retries: u32,
    backoff: Duration,
    not_found: NotFound,
    notices: NoticeSender,
    pub(super) sends: u32,
    /// Sends that may have been billed although they brought no usable reply.
    pub(super) unclear: u32,
    /// Whether the last send had no connection to the provider.
    pub(super) unreachable: bool,
}

impl RetryState {
    /// Allows `retries` sends after the first one.
    pub(super) fn new(retries: u32, backoff: Duration) -> Self {
        Self {
            retries,
            backoff,
            not_found: NotFound::Fatal,
            notices: NoticeSender::default(),
            sends: 0,
            unclear: 0,
            unreachable: false,
        }
    }

    /// Allows at least `retries` sends after the first one, even if the settings allow fewer.
    pub(super) fn with_at_least(self, retries: u32) -> Self {
        Self {
            retries: self.retries.max(retries),
            ..self
        }
    }

    pub(super) fn with_notices(self, notices: NoticeSender) -> Self {
        Self { notices, ..self }
    }

    pub(super) fn treating_not_found_as(self, not_found: NotFound) -> Self {
        Self { not_found, ..self }
    }

    /// Waits before the next send, or returns the error if there is none. Counts an unclear send.
    pub(super) async fn back_off(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        self.unclear += u32::from(error.is_unclear());
        self.back_off_uncounted(error).await
    }

    /// Does the same after a send whose cost is known.
    pub(super) async fn back_off_uncounted(
        &mut self,
        error: ProviderError,
    ) -> Result<(), ProviderError> {
        match self.wait_after(&error) {
            Some(wait) if wait.is_zero() => Ok(()),
            Some(wait) => {
                self.notices.report_retry(&error, wait, self.sends + 1);
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => {
                self.unreachable = error.is_unreachable();
                Err(error)
            }
        }
    }

    pub(super) fn has_retries_left(&self) -> bool {
        self.sends.saturating_sub(1) < self.retries
    }

    fn wait_after(&self, error: &ProviderError) -> Option<Duration> {
        let done = self.sends.saturating_sub(1);
        if !self.has_retries_left() {
            return None;
        }
        let own = backoff(self.backoff, done);
        match error.retry() {
            RetryAdvice::Never => {
                let is_retried = self.not_found == NotFound::Transient && error.is_not_found();
                is_retried.then_some(own)
            }
            // A back-off of zero is for tests, which never wait.
            RetryAdvice::Backoff | RetryAdvice::After(_) if self.backoff.is_zero() => {
                Some(Duration::ZERO)
            }
            RetryAdvice::Backoff => Some(own),
            // Requests with the same `retry-after` must not all be sent at the same moment.
            RetryAdvice::After(wait) => Some(wait + self.backoff.mul_f64(jitter() / 2.0)),
        }
    }
}

/// Returns the wait before retry number `retry` (from 0): doubled each time, less up to a quarter.
fn backoff(first: Duration, retry: u32) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(retry.min(16)));
    doubled
        .min(MAX_BACKOFF.max(first))
        .mul_f64(1.0 - jitter() / 4.0)
}

/// Returns a number from 0 to 1 that differs from call to call.
fn jitter() -> f64 {
    // The standard library's hash keys are random; no more is needed here.
    let random = RandomState::new().build_hasher().finish();
    f64::from(u16::try_from(random & 0xffff).unwrap_or(0)) / 65_535.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error_reply::ErrorReply;

    fn replied(status: u16, wait: Option<Duration>) -> ProviderError {
        let reply = ErrorReply {
            wait,
            ..ErrorReply::from_json(status, &serde_json::Value::Null)
        };
        ProviderError::Replied {
            provider: "p".to_owned(),
            reply: Box::new(reply),
        }
    }

    fn after_one_send(backoff: Duration) -> RetryState {
        RetryState {
            sends: 1,
            ..RetryState::new(2, backoff)
        }
    }

    #[test]
    fn retries_are_bounded() {
        let mut retry = after_one_send(Duration::ZERO);
        assert!(retry.wait_after(&replied(500, None)).is_some());
        retry.sends = 3;
        assert!(retry.wait_after(&replied(500, None)).is_none());
    }

    #[test]
    fn a_requested_wait_is_observed() {
        let requested = Duration::from_secs(7);
        let wait =
            after_one_send(Duration::from_millis(500)).wait_after(&replied(429, Some(requested)));
        assert!(wait.unwrap() >= requested);
    }

    #[test]
    fn a_backoff_of_zero_never_waits() {
        let requested = Some(Duration::from_secs(7));
        let wait = after_one_send(Duration::ZERO).wait_after(&replied(429, requested));
        assert_eq!(wait, Some(Duration::ZERO));
    }

    /// L16: the provider may not show a new batch yet.
    #[test]
    fn not_found_is_retried_if_it_is_transient() {
        let retry = after_one_send(Duration::ZERO);
        assert!(retry.wait_after(&replied(404, None)).is_none());
        let retry = retry.treating_not_found_as(NotFound::Transient);
        assert!(retry.wait_after(&replied(404, None)).is_some());
    }

    #[test]
    fn a_first_backoff_of_zero_stays_zero() {
        assert_eq!(backoff(Duration::ZERO, 9), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn backoff_stays_between_its_bounds(retry in 0_u32..40) {
            let wait = backoff(Duration::from_millis(500), retry);
            prop_assert!(wait >= Duration::from_millis(375) && wait <= Duration::from_secs(8));
        }
    }
}
