//! Notices about calls that have to wait, for the display of a build.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::error::ProviderError;

/// A call to a provider that has to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitNotice {
    /// The name of the provider.
    pub provider: String,
    /// The reason: the last error, or that a rate limit is reached.
    pub reason: String,
    /// The length of the wait.
    pub wait: Duration,
    /// The number of the next attempt, from 2; `None` if the call was not sent yet.
    pub attempt: Option<u32>,
}

/// Sends the notices of one provider, once a receiver is connected.
#[derive(Debug, Clone, Default)]
pub(super) struct NoticeSender {
    provider: Arc<str>,
    sender: Arc<OnceLock<UnboundedSender<WaitNotice>>>,
}

impl NoticeSender {
    pub(super) fn new(provider: &str) -> Self {
        Self {
            provider: provider.into(),
            sender: Arc::default(),
        }
    }

    /// Sends all notices to `sender` from now on. Only the first call has an effect.
    pub(super) fn connect(&self, sender: UnboundedSender<WaitNotice>) {
        let _ = self.sender.set(sender);
    }

    pub(super) fn report_retry(&self, error: &ProviderError, wait: Duration, attempt: u32) {
        self.send(wait, Some(attempt), || error.to_failure().message);
    }

    pub(super) fn report_pause(&self, wait: Duration) {
        self.send(wait, None, || "its rate limit is reached".to_owned());
    }

    fn send(&self, wait: Duration, attempt: Option<u32>, reason: impl FnOnce() -> String) {
        if wait.is_zero() {
            return;
        }
        if let Some(sender) = self.sender.get() {
            // The receiver is dropped when the build ends.
            let _ = sender.send(WaitNotice {
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
    fn a_receiver_gets_a_notice_of_each_wait_and_nothing_else() {
        let notices = NoticeSender::new("p");
        notices.report_pause(Duration::from_secs(1));
        let (sender, mut received) = unbounded_channel();
        notices.connect(sender);
        notices.report_pause(Duration::ZERO);
        notices.report_pause(Duration::from_secs(2));
        let notice = received.try_recv().unwrap();
        assert_eq!(
            (notice.provider.as_str(), notice.wait, notice.attempt),
            ("p", Duration::from_secs(2), None)
        );
        assert!(received.try_recv().is_err());
    }
}
