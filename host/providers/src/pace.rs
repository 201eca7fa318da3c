//! Keeps all requests to one provider within its rate limits.
//!
//! One pace is shared by every request: what one reply says about the limits
//! holds back all of them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::notice::Notices;
use super::wait::{self, LONGEST_WAIT};
use synix_core::clock::Moment;

/// When the provider may be asked again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    not_before: Mutex<Option<Instant>>,
    notices: Notices,
}

impl Pace {
    /// Tells of each wait.
    pub(super) fn telling(notices: Notices) -> Self {
        Self {
            notices,
            ..Self::default()
        }
    }

    /// Waits until the provider may be asked.
    pub(super) async fn admit(&self) {
        // Another reply may have moved the moment while this one slept.
        while let Some(moment) = self.not_before() {
            let now = Instant::now();
            self.notices.paused(moment.saturating_duration_since(now));
            tokio::time::sleep_until(moment).await;
        }
    }

    /// Holds every request back for `wait`.
    pub(super) fn pause(&self, wait: Duration) {
        // Whoever is told to wait longer gives up; the others would wait for nothing.
        if wait.is_zero() || wait > LONGEST_WAIT {
            return;
        }
        let until = Instant::now() + wait;
        let mut not_before = self
            .not_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *not_before = Some(not_before.map_or(until, |known| known.max(until)));
    }

    /// Obeys the rate-limit headers of a reply.
    pub(super) fn heed(&self, headers: &HeaderMap, now: Moment) {
        if let Some(wait) = wait::until_reset(headers, now) {
            self.pause(wait);
        }
    }

    /// Returns until when requests are held back, `None` where they are not.
    pub(super) fn not_before(&self) -> Option<Instant> {
        let known = *self
            .not_before
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

    async fn admits_now(pace: &Pace) -> bool {
        let mut admission = pin!(pace.admit());
        poll_fn(|context| Poll::Ready(admission.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_pause_holds_requests_back() {
        let pace = Pace::default();
        assert!(admits_now(&pace).await);
        pace.pause(Duration::from_secs(60));
        assert!(!admits_now(&pace).await);
    }

    #[test]
    fn the_longer_of_two_pauses_holds() {
        let pace = Pace::default();
        pace.pause(Duration::from_secs(60));
        let until = pace.not_before();
        pace.pause(Duration::from_secs(1));
        assert_eq!(pace.not_before(), until);
    }

    #[test]
    fn an_exhausted_limit_pauses_everyone() {
        let pace = Pace::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining-requests", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset-requests", "30s".parse().unwrap());
        pace.heed(&headers, Moment(0));
        assert!(pace.not_before().is_some());
    }

    #[test]
    fn a_wait_that_nobody_would_sit_out_does_not_pause() {
        let pace = Pace::default();
        pace.pause(LONGEST_WAIT + Duration::from_secs(1));
        assert!(pace.not_before().is_none());
    }
}
