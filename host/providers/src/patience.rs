//! How often one request is sent again, and how long to wait in between.

use std::time::Duration;

use super::error::{ProviderError, Retry};
use super::notice::Notices;
use super::wait;

/// What may pass in time besides the errors that always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// What is named does not exist.
    IsFinal,
    /// What is named was just made and the provider may not see it yet.
    MayPass,
}

/// Counts the sends of one request and decides after each failure whether there is another.
#[derive(Debug)]
pub(super) struct Patience {
    retries: u32,
    backoff: Duration,
    not_found: NotFound,
    notices: Notices,
    /// How often the request was sent.
    pub(super) sends: u32,
    /// Sends whose reply was lost.
    pub(super) unclear: u32,
    /// Whether it gave up because the provider could not be reached.
    pub(super) unreachable: bool,
}

impl Patience {
    /// Allows `retries` sends after the first.
    pub(super) fn new(retries: u32, backoff: Duration) -> Self {
        Self {
            retries,
            backoff,
            not_found: NotFound::IsFinal,
            notices: Notices::default(),
            sends: 0,
            unclear: 0,
            unreachable: false,
        }
    }

    /// Allows at least `retries` sends after the first, whatever the settings say.
    pub(super) fn at_least(self, retries: u32) -> Self {
        Self {
            retries: self.retries.max(retries),
            ..self
        }
    }

    /// Tells of each wait.
    pub(super) fn telling(self, notices: Notices) -> Self {
        Self { notices, ..self }
    }

    /// Sets what "not found" means.
    pub(super) fn on_not_found(self, not_found: NotFound) -> Self {
        Self { not_found, ..self }
    }

    /// Waits after a failed send, or gives the error back where that was the last one.
    pub(super) async fn outlast(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        self.unclear += u32::from(error.is_unclear());
        self.sit_out(error).await
    }

    /// The same after a send that is known to have been billed, or not.
    pub(super) async fn sit_out(&mut self, error: ProviderError) -> Result<(), ProviderError> {
        match self.wait_after(&error) {
            Some(wait) if wait.is_zero() => Ok(()),
            Some(wait) => {
                self.notices.retrying(&error, wait, self.sends + 1);
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => {
                self.unreachable = error.is_unreachable();
                Err(error)
            }
        }
    }

    /// Returns whether another send is allowed.
    pub(super) fn allows_more(&self) -> bool {
        self.sends.saturating_sub(1) < self.retries
    }

    fn wait_after(&self, error: &ProviderError) -> Option<Duration> {
        let done = self.sends.saturating_sub(1);
        if !self.allows_more() {
            return None;
        }
        let own = wait::backoff(self.backoff, done);
        match error.retry() {
            Retry::Never => {
                let forgiven = self.not_found == NotFound::MayPass && error.is_not_found();
                forgiven.then_some(own)
            }
            // No back-off is for tests: they never wait.
            Retry::Backoff | Retry::After(_) if self.backoff.is_zero() => Some(Duration::ZERO),
            Retry::Backoff => Some(own),
            // Those who were told the same moment should not all come at it.
            Retry::After(told) => Some(told + self.backoff.mul_f64(wait::jitter() / 2.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::ErrorReply;

    fn replied(status: u16, wait: Option<Duration>) -> ProviderError {
        let reply = ErrorReply {
            wait,
            ..ErrorReply::of_row(status, &serde_json::Value::Null)
        };
        ProviderError::Replied {
            provider: "p".to_owned(),
            reply: Box::new(reply),
        }
    }

    fn after_one_send(backoff: Duration) -> Patience {
        Patience {
            sends: 1,
            ..Patience::new(2, backoff)
        }
    }

    #[test]
    fn retries_are_bounded() {
        let mut patience = after_one_send(Duration::ZERO);
        assert!(patience.wait_after(&replied(500, None)).is_some());
        patience.sends = 3;
        assert!(patience.wait_after(&replied(500, None)).is_none());
    }

    #[test]
    fn a_told_wait_is_sat_out() {
        let told = Duration::from_secs(7);
        let wait = after_one_send(Duration::from_millis(500)).wait_after(&replied(429, Some(told)));
        assert!(wait.unwrap() >= told);
    }

    #[test]
    fn no_backoff_never_waits() {
        let told = Some(Duration::from_secs(7));
        let wait = after_one_send(Duration::ZERO).wait_after(&replied(429, told));
        assert_eq!(wait, Some(Duration::ZERO));
    }

    /// L16: a batch that was just made may not be found yet.
    #[test]
    fn not_found_may_be_outlasted() {
        let patience = after_one_send(Duration::ZERO);
        assert!(patience.wait_after(&replied(404, None)).is_none());
        let patience = patience.on_not_found(NotFound::MayPass);
        assert!(patience.wait_after(&replied(404, None)).is_some());
    }
}
