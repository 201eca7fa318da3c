//! Keeps all requests to one provider within its rate limits.
//!
//! All requests share one limiter: if one reply reports that a limit is reached,
//! every request waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::rate_limit_headers;
use super::retry::MAX_WAIT;
use super::wait_notice::NoticeSender;
use synix_core::clock::Timestamp;

#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    paused_until: Mutex<Option<Instant>>,
    notices: NoticeSender,
}

impl RateLimiter {
    pub(super) fn with_notices(notices: NoticeSender) -> Self {
        Self {
            notices,
            ..Self::default()
        }
    }

    /// Waits until a request may be sent.
    pub(super) async fn wait_for_turn(&self) {
        // Another reply may have extended the pause during the sleep.
        while let Some(moment) = self.paused_until() {
            let now = Instant::now();
            self.notices
                .report_pause(moment.saturating_duration_since(now));
            tokio::time::sleep_until(moment).await;
        }
    }

    /// Delays every request by `wait`.
    pub(super) fn pause(&self, wait: Duration) {
        // The request that is asked to wait longer fails, so the others need not wait for it.
        if wait.is_zero() || wait > MAX_WAIT {
            return;
        }
        let until = Instant::now() + wait;
        let mut paused_until = self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *paused_until = Some(paused_until.map_or(until, |known| known.max(until)));
    }

    /// Pauses if the headers of a reply report an exhausted limit.
    pub(super) fn observe_headers(&self, headers: &HeaderMap, now: Timestamp) {
        if let Some(wait) = rate_limit_headers::until_reset(headers, now) {
            self.pause(wait);
        }
    }

    /// Returns the end of the current pause.
    pub(super) fn paused_until(&self) -> Option<Instant> {
        let known = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.filter(|moment| *moment > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    async fn is_open(limiter: &RateLimiter) -> bool {
        let mut admission = pin!(limiter.wait_for_turn());
        poll_fn(|context| Poll::Ready(admission.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_pause_delays_requests() {
        let limiter = RateLimiter::default();
        assert!(is_open(&limiter).await);
        limiter.pause(Duration::from_secs(60));
        assert!(!is_open(&limiter).await);
    }

    #[test]
    fn the_longer_of_two_pauses_counts() {
        let limiter = RateLimiter::default();
        limiter.pause(Duration::from_secs(60));
        let until = limiter.paused_until();
        limiter.pause(Duration::from_secs(1));
        assert_eq!(limiter.paused_until(), until);
    }

    #[test]
    fn an_exhausted_limit_pauses_every_request() {
        let limiter = RateLimiter::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining-requests", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset-requests", "30s".parse().unwrap());
        limiter.observe_headers(&headers, Timestamp(0));
        assert!(limiter.paused_until().is_some());
    }

    #[test]
    fn a_wait_over_the_maximum_does_not_pause() {
        let limiter = RateLimiter::default();
        limiter.pause(MAX_WAIT + Duration::from_secs(1));
        assert!(limiter.paused_until().is_none());
    }
}
