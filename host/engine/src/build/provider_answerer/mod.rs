//! Answers requests from providers, by sync calls or in batches, according to each layer's mode.

mod wait;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::batch::Batches;
use crate::build::BuildError;
use crate::build::answerer::{Answerer, PoolState};
use crate::build::budget::Budget;
use crate::build::event::{Event, Observer};
use crate::build::modes::Modes;
use crate::build::options::BuildOptions;
use crate::build::shared::{ModedRequest, SharedStage};
use crate::build::store_recorder::StoreRecorder;
use crate::build::sync::SyncCalls;
use crate::pending::{PendingRequest, SettledRequest};
use synix_providers::WaitNotice;
use synix_store::{LayerMode, RequestId};

pub use wait::WaitPolicy;
use wait::WaitResult;

/// The parts of a provider answerer.
pub(in crate::build) struct AnswererParts<'a> {
    pub(in crate::build) calls: SyncCalls<'a>,
    pub(in crate::build) batches: Batches<'a>,
    pub(in crate::build) budget: Budget<'a>,
    pub(in crate::build) shared: Option<SharedStage<'a>>,
}

/// The answerer of a live build.
pub(in crate::build) struct ProviderAnswerer<'a> {
    calls: SyncCalls<'a>,
    batches: Batches<'a>,
    budget: Budget<'a>,
    /// `None`: no answers are shared.
    shared: Option<SharedStage<'a>>,
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

impl<'a> ProviderAnswerer<'a> {
    pub(in crate::build) fn new(
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
            shared,
        } = parts;
        let guard = shared.as_ref().map(SharedStage::guard);
        Self {
            calls: calls.with_guard(guard.clone()),
            batches: batches.with_guard(guard),
            budget,
            shared,
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

    /// Sends requests, or first looks them up in the shared answers.
    fn send(&mut self, requests: Vec<ModedRequest>) -> Result<(), BuildError> {
        let ready = match &mut self.shared {
            Some(shared) => shared.admit(requests)?,
            None => requests,
        };
        self.queue(ready)
    }

    /// Queues requests to be sent, or none of them if the budget does not allow all.
    fn queue(&mut self, requests: Vec<ModedRequest>) -> Result<(), BuildError> {
        self.budget.reserve(&requests)?;
        for (queued, mode) in requests {
            match mode {
                LayerMode::Batch => self.batches.queue(queued),
                LayerMode::Sync => self.calls.queue(queued),
            }
        }
        Ok(())
    }

    /// Claims the requests again whose shared claim was lost before they were sent.
    fn claim_again(&mut self) -> Result<(), BuildError> {
        let calls = self.calls.take_unclaimed().into_iter();
        let rows = self.batches.take_unclaimed().into_iter();
        let unclaimed: Vec<ModedRequest> = calls
            .map(|queued| (queued, LayerMode::Sync))
            .chain(rows.map(|queued| (queued, LayerMode::Batch)))
            .collect();
        if unclaimed.is_empty() {
            return Ok(());
        }
        for (queued, _) in &unclaimed {
            self.budget.release(&queued.key);
        }
        self.send(unclaimed)
    }

    /// Sends what the shared answers have claimed; `false`: nothing.
    fn send_granted(&mut self) -> Result<bool, BuildError> {
        let Some(shared) = &mut self.shared else {
            return Ok(false);
        };
        let granted = shared.take_granted();
        let is_any = !granted.is_empty();
        self.queue(granted)?;
        self.calls.start()?;
        Ok(is_any)
    }

    /// Returns the requests that settled without a wait.
    fn take_settled(&mut self) -> Vec<SettledRequest> {
        let mut settled = self.batches.take_settled();
        if let Some(shared) = &mut self.shared {
            settled.extend(shared.take_settled());
        }
        settled
    }

    /// Sends the requests of layers that no call in flight can extend: independent branches never wait for each other (L12).
    fn send_ready(&mut self) -> Result<(), BuildError> {
        let mut busy = self.calls.busy_layers();
        // Requests that others have claimed do not count: two builds could wait for each other.
        busy.extend(self.shared.iter().flat_map(SharedStage::looking_layers));
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

    /// Returns whether this command has requests to wait for.
    fn has_pending(&self) -> bool {
        self.calls.is_busy()
            || self.calls.foreign_counts().total() > 0
            || self.batches.is_waiting()
            || self.shared.as_ref().is_some_and(SharedStage::has_pending)
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

    async fn next(&mut self, pool: PoolState) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        loop {
            self.calls.collect_texts(pool == PoolState::Running);
            match pool {
                PoolState::Idle => self.send_ready()?,
                PoolState::Running => self.batches.submit_full()?,
            }
            self.claim_again()?;
            if self.send_granted()? {
                continue;
            }
            let found = self.take_settled();
            if !found.is_empty() {
                return Ok(Some(found));
            }
            let result = if self.has_pending() {
                self.wait(pool).await?
            } else {
                WaitResult::Done
            };
            match result {
                WaitResult::Settled(settled) if settled.is_empty() => {}
                WaitResult::Settled(settled) => return Ok(Some(settled)),
                WaitResult::Progress => {}
                WaitResult::Done if pool == PoolState::Idle => return Ok(None),
                WaitResult::Done => std::future::pending::<()>().await,
            }
        }
    }
}

impl<'a> Answerer for ProviderAnswerer<'a> {
    type Recorder = StoreRecorder<'a>;

    fn enqueue(&mut self, requests: Vec<PendingRequest<RequestId>>) -> Result<(), BuildError> {
        self.calls.collect_texts(true);
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
        pool: PoolState,
    ) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        if self.stop.is_none() {
            let interrupt = self.interrupt.clone();
            let next = tokio::select! {
                biased;
                () = interrupt.cancelled() => Err(self.interruption_error()),
                next = self.next(pool) => next,
            };
            match next {
                Ok(None) => {
                    self.batches.drain().await?;
                    return Ok(None);
                }
                Ok(Some(settled)) => {
                    self.budget.settle(&settled);
                    if let Some(shared) = &mut self.shared {
                        shared.on_settled(&settled)?;
                    }
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

    async fn finish(&mut self) -> Result<(), BuildError> {
        match &mut self.shared {
            Some(shared) => shared.finish().await,
            None => Ok(()),
        }
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
