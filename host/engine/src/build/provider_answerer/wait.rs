//! Waits for calls, for batches and for the requests of other processes.

use std::time::Duration;

use tokio::time::Instant;

use super::ProviderAnswerer;
use crate::build::BuildError;
use crate::build::answerer::PoolState;
use crate::build::event::Event;
use crate::build::shared::SharedStage;
use crate::build::sync::ForeignCounts;
use crate::pending::SettledRequest;
use synix_providers::WaitNotice;

/// How long to wait for what is in flight at a provider or in another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Poll once and return.
    PollOnce,
    /// Poll repeatedly.
    Poll {
        /// The pause between two polls.
        interval: Duration,
        /// The maximum time; `None`: without a limit.
        timeout: Option<Duration>,
    },
}

impl WaitPolicy {
    /// Returns the pause between two polls; `None` if there is only one.
    pub const fn interval(&self) -> Option<Duration> {
        match self {
            Self::PollOnce => None,
            Self::Poll { interval, .. } => Some(*interval),
        }
    }
}

/// The minimum pause between two checks of other processes' requests.
const FOREIGN_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// A check takes at most one part in this number of the time, because there may be thousands of requests.
const FOREIGN_CHECK_SHARE: u32 = 20;

/// Waits for an operation of the store of shared answers. Cancel-safe.
async fn looked_up(shared: &mut Option<SharedStage<'_>>) -> Result<(), BuildError> {
    match shared {
        Some(shared) => shared.progress().await,
        None => Ok(()),
    }
}

/// The result of a wait.
pub(super) enum WaitResult {
    Settled(Vec<SettledRequest>),
    /// Something has changed.
    Progress,
    /// No more requests will settle in this process.
    Done,
}

impl ProviderAnswerer<'_> {
    /// Waits for the next event. Cancel-safe.
    pub(super) async fn wait(&mut self, pool: PoolState) -> Result<WaitResult, BuildError> {
        let elsewhere = self.has_foreign_requests();
        if elsewhere && pool == PoolState::Idle {
            self.report_waiting();
        }
        let polls = self.wait_policy != WaitPolicy::PollOnce;
        let foreign_check = self.next_foreign_check.filter(|_| elsewhere);
        let wants_batches =
            !polls || self.batches.is_waiting() || self.calls.foreign_counts().rows > 0;
        let wants_batches = wants_batches && self.batches.is_active();
        let busy = self.calls.is_busy();
        let deadline = self.deadline.filter(|_| !busy);
        let looks_up = self.shared.as_ref().is_some_and(SharedStage::is_working);
        let shared_poll = self.shared.as_ref().and_then(SharedStage::next_poll);
        let shared_poll = shared_poll.filter(|_| polls);
        let is_idle = !busy && !wants_batches && !looks_up;
        if is_idle && foreign_check.is_none() && shared_poll.is_none() && deadline.is_none() {
            return Ok(WaitResult::Done);
        }
        tokio::select! {
            biased;
            settled = self.calls.settled(), if busy => Ok(WaitResult::Settled(settled?)),
            Some(notice) = self.notices.recv() => {
                self.report_wait(notice);
                Ok(WaitResult::Progress)
            }
            () = tokio::time::sleep_until(foreign_check.unwrap_or_else(Instant::now)), if foreign_check.is_some() => {
                self.check_foreign_requests()?;
                Ok(WaitResult::Progress)
            }
            looked_up = looked_up(&mut self.shared), if looks_up => {
                looked_up?;
                Ok(WaitResult::Progress)
            }
            () = tokio::time::sleep_until(shared_poll.unwrap_or_else(Instant::now)), if shared_poll.is_some() => {
                if let Some(shared) = &mut self.shared {
                    shared.poll_held()?;
                }
                Ok(WaitResult::Progress)
            }
            moved = self.batches.progress(), if wants_batches => {
                moved?;
                Ok(WaitResult::Progress)
            }
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                Ok(WaitResult::Done)
            }
        }
    }

    fn has_foreign_requests(&self) -> bool {
        self.calls.foreign_counts().total() > 0 || self.batches.has_foreign_requests()
    }

    /// Reports once that this command waits for other processes.
    fn report_waiting(&mut self) {
        let ForeignCounts { calls, rows } = self.calls.foreign_counts();
        // The call that a batch layer waits for may be one of this process.
        let in_batch_layers = if self.calls.is_busy() {
            0
        } else {
            self.batches.foreign_calls()
        };
        let calls = calls + in_batch_layers;
        if self.reported_waiting || calls + rows == 0 {
            return;
        }
        self.reported_waiting = true;
        (self.observer)(&Event::WaitingForOthers { calls, rows });
    }

    /// Reports what the calls to a provider wait for, once for each wait.
    fn report_wait(&mut self, notice: WaitNotice) {
        let now = Instant::now();
        let reported_until = self.reported_waits.get(&notice.provider);
        if reported_until.is_some_and(|reported_until| *reported_until > now) {
            return;
        }
        self.reported_waits
            .insert(notice.provider.clone(), now + notice.wait);
        (self.observer)(&Event::Retrying {
            provider: notice.provider,
            reason: notice.reason,
            wait: notice.wait,
            attempt: notice.attempt,
        });
    }

    /// Checks the requests that other processes had in flight: the processes may be done or dead.
    fn check_foreign_requests(&mut self) -> Result<(), BuildError> {
        let started = Instant::now();
        self.calls.take_over_orphans(self.observer)?;
        self.calls.retry_foreign()?;
        self.batches.check_foreign_requests()?;
        self.calls.start()?;
        let pause = FOREIGN_CHECK_INTERVAL.max(started.elapsed() * FOREIGN_CHECK_SHARE);
        let polls = self.wait_policy != WaitPolicy::PollOnce;
        self.next_foreign_check = polls.then(|| Instant::now() + pause);
        Ok(())
    }
}
