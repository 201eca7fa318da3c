//! Answers requests from providers, by sync calls or in batches, according to each layer's mode.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::BuildError;
use super::answerer::{Answerer, Workers};
use super::budget::Budget;
use super::event::{Event, Observer};
use super::modes::Modes;
use super::options::BuildOptions;
use super::store_recorder::StoreRecorder;
use super::sync::{ForeignCounts, SyncCalls};
use crate::batch::Batches;
use crate::pending::{PendingRequest, SettledRequest};
use synix_providers::WaitNotice;
use synix_store::{LayerMode, RequestId};

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

/// The parts of a provider answerer.
pub(super) struct AnswererParts<'a> {
    pub(super) calls: SyncCalls<'a>,
    pub(super) batches: Batches<'a>,
    pub(super) budget: Budget<'a>,
}

/// The answerer of a live build.
pub(super) struct ProviderAnswerer<'a> {
    calls: SyncCalls<'a>,
    batches: Batches<'a>,
    budget: Budget<'a>,
    modes: Modes,
    /// For each layer, the layer itself and all upstream layers.
    upstream: Arc<[BTreeSet<usize>]>,
    /// Requests of layers without a decided mode.
    undecided: BTreeMap<usize, Vec<PendingRequest<RequestId>>>,
    wait_policy: WaitPolicy,
    deadline: Option<Instant>,
    /// When the requests of other processes are checked again; `None`: not in this command.
    next_foreign_check: Option<Instant>,
    reported_waiting: bool,
    /// Notices of what providers' calls wait for.
    notices: UnboundedReceiver<WaitNotice>,
    /// Until when the waits of each provider have been reported.
    reported_waits: HashMap<String, Instant>,
    /// Providers without their credential, and the variable that should hold it.
    missing_keys: &'a BTreeMap<String, String>,
    /// The error that ends the build after the requests in flight.
    stop: Option<BuildError>,
    interrupt: CancellationToken,
    observer: Observer<'a>,
}

/// The result of a wait.
enum WaitResult {
    Settled(Vec<SettledRequest>),
    /// Something has changed.
    Progress,
    /// No more requests will settle in this process.
    Done,
}

impl<'a> ProviderAnswerer<'a> {
    pub(super) fn new(
        parts: AnswererParts<'a>,
        modes: Modes,
        upstream: Vec<BTreeSet<usize>>,
        options: &BuildOptions<'a>,
        observer: Observer<'a>,
    ) -> Self {
        let deadline = match options.wait_policy {
            WaitPolicy::Poll {
                timeout: Some(timeout),
                ..
            } => Instant::now().checked_add(timeout),
            WaitPolicy::Poll { timeout: None, .. } | WaitPolicy::PollOnce => None,
        };
        let (sender, notices) = unbounded_channel();
        for provider in options.providers.values() {
            provider.report_waits_to(sender.clone());
        }
        let AnswererParts {
            calls,
            batches,
            budget,
        } = parts;
        Self {
            calls,
            batches,
            budget,
            modes,
            upstream: upstream.into(),
            undecided: BTreeMap::new(),
            wait_policy: options.wait_policy,
            deadline,
            next_foreign_check: Some(Instant::now()),
            reported_waiting: false,
            notices,
            reported_waits: HashMap::new(),
            missing_keys: options.missing_keys,
            stop: None,
            interrupt: options.interrupt.clone(),
            observer,
        }
    }

    /// Sends requests, or none of them if the budget does not allow all.
    fn send(
        &mut self,
        requests: Vec<(PendingRequest<RequestId>, LayerMode)>,
    ) -> Result<(), BuildError> {
        self.budget.reserve(&requests)?;
        for (queued, mode) in requests {
            match mode {
                LayerMode::Batch => self.batches.queue(queued),
                LayerMode::Sync => self.calls.queue(queued),
            }
        }
        Ok(())
    }

    /// Sends the requests of layers that no call in flight can extend: independent branches never wait for each other (L12).
    fn send_ready(&mut self) -> Result<(), BuildError> {
        let busy = self.calls.busy_layers();
        let upstream = Arc::clone(&self.upstream);
        let ready = |layer: usize| {
            let upstream = upstream.get(layer);
            !upstream.is_some_and(|upstream| upstream.iter().any(|layer| busy.contains(layer)))
        };
        // A mode is decided by the requests that are recorded before the first wait (C3).
        let decided: Vec<usize> = self
            .undecided
            .keys()
            .copied()
            .filter(|layer| ready(*layer))
            .collect();
        let mut requests = Vec::new();
        for layer in decided {
            let queued = self.undecided.remove(&layer).unwrap_or_default();
            let mode = self.modes.decide(layer, queued.len() as u64);
            requests.extend(queued.into_iter().map(|queued| (queued, mode)));
        }
        for queued in self.batches.take_for_sync_calls() {
            // Its reservation has the price of a batch.
            self.budget.release(&queued.key);
            requests.push((queued, LayerMode::Sync));
        }
        self.send(requests)?;
        self.batches.submit(&ready)?;
        self.calls.start()
    }

    /// Waits for the next event. Cancel-safe.
    async fn wait(&mut self, workers: Workers) -> Result<WaitResult, BuildError> {
        let elsewhere = self.has_foreign_requests();
        if elsewhere && workers == Workers::Idle {
            self.report_waiting();
        }
        let polls = self.wait_policy != WaitPolicy::PollOnce;
        let foreign_check = self.next_foreign_check.filter(|_| elsewhere);
        let wants_batches =
            !polls || self.batches.is_waiting() || self.calls.foreign_counts().rows > 0;
        let wants_batches = wants_batches && self.batches.is_active();
        let busy = self.calls.is_busy();
        let deadline = self.deadline.filter(|_| !busy);
        if !busy && !wants_batches && foreign_check.is_none() && deadline.is_none() {
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
        let begun = Instant::now();
        self.calls.take_over_orphans(self.observer)?;
        self.calls.retry_foreign()?;
        self.batches.check_foreign_requests()?;
        self.calls.start()?;
        let pause = FOREIGN_CHECK_INTERVAL.max(begun.elapsed() * FOREIGN_CHECK_SHARE);
        let polls = self.wait_policy != WaitPolicy::PollOnce;
        self.next_foreign_check = polls.then(|| Instant::now() + pause);
        Ok(())
    }

    /// Returns whether this command has requests to wait for.
    fn has_pending(&self) -> bool {
        self.calls.is_busy() || self.calls.foreign_counts().total() > 0 || self.batches.is_waiting()
    }

    fn interruption_error(&self) -> BuildError {
        let calls = self.calls.in_flight();
        if calls > 0 {
            (self.observer)(&Event::Ending { calls });
        }
        BuildError::Interrupted
    }

    /// Waits for every call in flight, so that no billed answer is lost.
    async fn drain(&mut self) -> Result<(), BuildError> {
        self.calls.stop();
        while self.calls.is_busy() {
            self.calls.settled().await?;
        }
        Ok(self.batches.drain().await?)
    }

    async fn next(&mut self, workers: Workers) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        loop {
            match workers {
                Workers::Idle => self.send_ready()?,
                Workers::Running => self.batches.submit_full()?,
            }
            let found = self.batches.take_settled();
            if !found.is_empty() {
                return Ok(Some(found));
            }
            let result = if self.has_pending() {
                self.wait(workers).await?
            } else {
                WaitResult::Done
            };
            match result {
                WaitResult::Settled(settled) if settled.is_empty() => {}
                WaitResult::Settled(settled) => return Ok(Some(settled)),
                WaitResult::Progress => {}
                WaitResult::Done if workers == Workers::Idle => return Ok(None),
                WaitResult::Done => std::future::pending::<()>().await,
            }
        }
    }
}

impl<'a> Answerer for ProviderAnswerer<'a> {
    type Recorder = StoreRecorder<'a>;

    fn enqueue(&mut self, requests: Vec<PendingRequest<RequestId>>) -> Result<(), BuildError> {
        let mut decided = Vec::new();
        for queued in requests {
            let provider = &queued.target.provider;
            if let Some(variable) = self.missing_keys.get(provider) {
                self.stop = Some(BuildError::MissingKey {
                    provider: provider.clone(),
                    variable: variable.clone(),
                });
            }
            if self.stop.is_some() {
                return Ok(());
            }
            if self.calls.settle_paid(&queued)? {
                continue;
            }
            match self.modes.decided(queued.layer) {
                Some(mode) => decided.push((queued, mode)),
                None => {
                    let layer = queued.layer;
                    let waiting = self.undecided.entry(layer).or_default();
                    waiting.push(queued);
                    // Full batches do not wait for the rest.
                    if let Some(mode) = self.modes.decide_early(layer, waiting.len() as u64) {
                        let queued = self.undecided.remove(&layer).unwrap_or_default();
                        decided.extend(queued.into_iter().map(|queued| (queued, mode)));
                    }
                }
            }
        }
        // An unreadable request must not lose the answers of calls in flight.
        if let Err(error) = self.send(decided).and_then(|()| self.calls.start()) {
            self.stop = Some(error);
            self.calls.stop();
        }
        Ok(())
    }

    async fn next_settled(
        &mut self,
        workers: Workers,
    ) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        if self.stop.is_none() {
            let interrupt = self.interrupt.clone();
            let next = tokio::select! {
                biased;
                () = interrupt.cancelled() => Err(self.interruption_error()),
                next = self.next(workers) => next,
            };
            match next {
                Ok(None) => {
                    self.batches.drain().await?;
                    return Ok(None);
                }
                Ok(Some(settled)) => {
                    self.budget.settle(&settled);
                    return Ok(Some(settled));
                }
                Err(error) => self.stop = Some(error),
            }
        }
        // This may be cancelled and resumed, so the error is returned at the end.
        let drained = self.drain().await;
        match self.stop.take() {
            Some(error) => Err(error),
            None => drained.map(|()| None),
        }
    }

    fn stop(&mut self, error: BuildError) -> Result<(), BuildError> {
        if self.stop.is_none() {
            let is_interrupted = matches!(error, BuildError::Interrupted);
            self.stop = Some(if is_interrupted {
                self.interruption_error()
            } else {
                error
            });
        }
        self.calls.stop();
        Ok(())
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
