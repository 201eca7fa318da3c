//! Notices of calls that do not go through at once, for those who watch a build.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::error::ProviderError;

/// A call to a provider that has to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which provider.
    pub provider: String,
    /// Why: what happened to the last try, or that the provider wants no more calls for now.
    pub reason: String,
    /// How long.
    pub wait: Duration,
    /// The number of the try that follows, from 2; `None` where the call was not made yet.
    pub attempt: Option<u32>,
}

/// Where notices go, once somebody wants them.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices {
    provider: Arc<str>,
    sender: Arc<OnceLock<UnboundedSender<Notice>>>,
}

impl Notices {
    pub(super) fn of(provider: &str) -> Self {
        Self {
            provider: provider.into(),
            sender: Arc::default(),
        }
    }

    /// Sends all notices there from now on; the first who asks gets them.
    pub(super) fn go_to(&self, sender: UnboundedSender<Notice>) {
        let _ = self.sender.set(sender);
    }

    /// Says that a call failed and is made again after `wait`.
    pub(super) fn retrying(&self, error: &ProviderError, wait: Duration, attempt: u32) {
        self.say(wait, Some(attempt), || error.to_failure().message);
    }

    /// Says that calls are held back for `wait`.
    pub(super) fn paused(&self, wait: Duration) {
        self.say(wait, None, || "its rate limit is reached".to_owned());
    }

    fn say(&self, wait: Duration, attempt: Option<u32>, reason: impl FnOnce() -> String) {
        // Whoever never waits need not say so.
        if wait.is_zero() {
            return;
        }
        if let Some(sender) = self.sender.get() {
            // Nobody listens any more once the build is over.
            let _ = sender.send(Notice {
                provider: self.provider.to_string(),
                reason: reason(),
                wait,
                attempt,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn who_listens_is_told_of_waits_and_of_nothing_else() {
        let notices = Notices::of("p");
        notices.paused(Duration::from_secs(1));
        let (sender, mut told) = unbounded_channel();
        notices.go_to(sender);
        notices.paused(Duration::ZERO);
        notices.paused(Duration::from_secs(2));
        let notice = told.try_recv().unwrap();
        assert_eq!(
            (notice.provider.as_str(), notice.wait, notice.attempt),
            ("p", Duration::from_secs(2), None)
        );
        assert!(told.try_recv().is_err());
    }
}
