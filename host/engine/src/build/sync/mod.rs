//! Answers requests through the sync API. Each call is recorded before it is made.
//!
//! The next call starts only when the answer of one is on disk, so a kill
//! loses the answers of at most `concurrency` calls, and those are recorded as
//! unclear. A call has one completion, or several embeddings.

mod call;
mod foreign;
mod group;
mod orphans;
mod results;
mod start;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::build::BuildError;
use crate::build::circuit_breaker::CircuitBreakers;
use crate::build::options::BuildOptions;
use crate::claim_guard::ClaimGuard;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::clock::Clock;
use synix_providers::Provider;
use synix_store::{BuildId, RequestId, RetrySelection, SendContext, Store};

use call::FinishedCall;
pub(super) use foreign::ForeignCounts;
use foreign::ForeignRequest;
pub(super) use orphans::{close_orphaned_sends, take_over_orphans};

/// The providers of a pipeline by name.
pub type Providers = BTreeMap<String, Arc<Provider>>;

/// Sends each completion in a call of its own, and embeddings in groups.
#[derive(Debug)]
pub(super) struct SyncCalls<'a> {
    store: &'a Store,
    build: BuildId,
    clock: &'a Clock,
    /// The names of the layers by position.
    layers: Vec<String>,
    providers: &'a Providers,
    concurrency: usize,
    /// The failed requests that are sent again although they were billed.
    retry: RetrySelection,
    queue: VecDeque<PendingRequest<RequestId>>,
    /// Queued embeddings, of which several share a call.
    texts: VecDeque<PendingRequest<RequestId>>,
    /// Whether more embeddings may come soon: a call that is not full waits for them.
    collects_texts: bool,
    in_flight: usize,
    /// Requests queued and in flight, by the layer that asked first.
    open_by_layer: BTreeMap<usize, usize>,
    /// Requests that other processes have in flight.
    foreign: Vec<ForeignRequest>,
    /// Requests that settled without a call.
    settled: Vec<SettledRequest>,
    /// Decides directly before a call whether its request may still be sent.
    guard: Option<ClaimGuard>,
    /// Requests that were not sent because their shared claim no longer holds.
    unclaimed: Vec<PendingRequest<RequestId>>,
    /// Providers that currently fail every request, and why: their other requests are not sent.
    breakers: CircuitBreakers,
    sender: UnboundedSender<FinishedCall>,
    finished: UnboundedReceiver<FinishedCall>,
}

impl<'a> SyncCalls<'a> {
    pub(in crate::build) fn new(
        store: &'a Store,
        build: BuildId,
        clock: &'a Clock,
        options: &BuildOptions<'a>,
        retry: RetrySelection,
    ) -> Self {
        let (sender, finished) = unbounded_channel();
        Self {
            store,
            build,
            clock,
            layers: options.batches.layers.clone(),
            providers: options.providers,
            concurrency: options.concurrency.get(),
            retry,
            queue: VecDeque::new(),
            texts: VecDeque::new(),
            collects_texts: false,
            in_flight: 0,
            open_by_layer: BTreeMap::new(),
            foreign: Vec::new(),
            settled: Vec::new(),
            guard: None,
            unclaimed: Vec::new(),
            breakers: CircuitBreakers::default(),
            sender,
            finished,
        }
    }

    /// Sends a request only if the guard permits it.
    pub(in crate::build) fn with_guard(mut self, guard: Option<ClaimGuard>) -> Self {
        self.guard = guard;
        self
    }

    /// Returns the requests that need another shared claim.
    pub(in crate::build) fn take_unclaimed(&mut self) -> Vec<PendingRequest<RequestId>> {
        std::mem::take(&mut self.unclaimed)
    }

    pub(in crate::build) fn queue(&mut self, queued: PendingRequest<RequestId>) {
        *self.open_by_layer.entry(queued.layer).or_default() += 1;
        if queued.kind.is_embedding() {
            self.texts.push_back(queued);
        } else {
            self.queue.push_back(queued);
        }
    }

    /// Sets whether units run that may request more embeddings.
    pub(in crate::build) const fn collect_texts(&mut self, collects: bool) {
        self.collects_texts = collects;
    }

    /// Returns the layers whose requests are queued or in flight.
    pub(in crate::build) fn busy_layers(&self) -> BTreeSet<usize> {
        self.open_by_layer.keys().copied().collect()
    }

    fn remove_open(&mut self, layer: usize) {
        if let Some(count) = self.open_by_layer.get_mut(&layer) {
            *count -= 1;
            if *count == 0 {
                self.open_by_layer.remove(&layer);
            }
        }
    }

    /// Returns whether calls are in flight or settled requests wait to be taken.
    pub(in crate::build) fn is_busy(&self) -> bool {
        self.in_flight > 0 || !self.settled.is_empty()
    }

    /// Returns the number of calls in flight.
    pub(in crate::build) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Drops the requests that have not been sent.
    pub(in crate::build) fn stop(&mut self) {
        let queued = std::mem::take(&mut self.queue).into_iter();
        for queued in queued.chain(std::mem::take(&mut self.texts)) {
            self.remove_open(queued.layer);
        }
    }

    /// Settles a request that was billed without an accepted answer, unless it is to be sent again.
    pub(in crate::build) fn settle_paid(
        &mut self,
        queued: &PendingRequest<RequestId>,
    ) -> Result<bool, BuildError> {
        let request = queued.request;
        let Some(outcome) = self.store.paid_outcome(request, &self.retry, None)? else {
            return Ok(false);
        };
        // The process that has it in flight may receive a better answer.
        if self.store.in_flight(request)?.is_some() {
            return Ok(false);
        }
        self.settled.push((queued.key, outcome));
        Ok(true)
    }

    fn origin<'l>(&self, layer: &'l str) -> SendContext<'l> {
        SendContext {
            build: self.build,
            layer,
            submission: None,
            now: self.clock.peek(),
        }
    }

    /// Waits for calls to finish and stores their results. Cancel-safe.
    pub(in crate::build) async fn settled(&mut self) -> Result<Vec<SettledRequest>, BuildError> {
        if self.settled.is_empty() && self.in_flight > 0 {
            let Some(first) = self.finished.recv().await else {
                return Ok(Vec::new());
            };
            // Nothing awaits from here on.
            let mut batch = vec![first];
            while let Ok(next) = self.finished.try_recv() {
                batch.push(next);
            }
            self.continue_calls(batch)?;
        }
        Ok(std::mem::take(&mut self.settled))
    }
}
