//! Answers requests through the sync API. Each call is recorded before it is made.
//!
//! The next call starts only when the answer of one is on disk, so a kill
//! loses the answers of at most `concurrency` calls, and those are recorded as
//! unclear. A call has one completion, or several embeddings.

mod call;
mod foreign;
mod group;
mod orphans;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::build::BuildError;
use crate::build::circuit_breaker::CircuitBreakers;
use crate::build::options::BuildOptions;
use crate::build::shared::ClaimGuard;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::clock::Clock;
use synix_core::request::Outcome;
use synix_providers::Provider;
use synix_store::{
    AnswerPolicy, AttemptNote, BuildId, Claim, RequestId, RetrySelection, SendContext, Store,
    Transaction,
};

use call::{ClaimedRequest, FinishedCall, FinishedRequest};
pub(super) use foreign::ForeignCounts;
use foreign::ForeignRequest;
use group::ReadRequest;
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

    /// Takes out the requests whose shared claim no longer holds.
    fn remove_unclaimed(&mut self, group: Vec<ReadRequest>) -> Vec<ReadRequest> {
        let Some(guard) = self.guard.clone() else {
            return group;
        };
        let (group, lost): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|read| guard.may_send(&read.queued.key));
        for read in lost {
            self.remove_open(read.queued.layer);
            self.unclaimed.push(read.queued);
        }
        group
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

    /// Takes the next request: a completion, or a text if its call should not wait for further texts.
    fn take_queued(&mut self) -> Option<PendingRequest<RequestId>> {
        self.queue.pop_front().or_else(|| {
            let waits = self.collects_texts && self.texts.len() < group::MAX_TEXTS;
            if waits { None } else { self.texts.pop_front() }
        })
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

    /// Starts calls until the limit of concurrent calls is reached.
    pub(in crate::build) fn start(&mut self) -> Result<(), BuildError> {
        loop {
            let groups = self.next_groups(self.in_flight)?;
            if groups.is_empty() {
                return Ok(());
            }
            let claims = self.store.write(|tx| self.claim(tx, &groups))?;
            self.begin(groups, claims)?;
        }
    }

    /// Takes the queued requests of the next calls, while `in_flight` others are in flight.
    ///
    /// They are read before they are claimed, because other processes wait for a claim. A request that cannot be read is
    /// not sent.
    fn next_groups(&mut self, in_flight: usize) -> Result<Vec<Vec<ReadRequest>>, BuildError> {
        let mut groups = Vec::new();
        while groups.len() + in_flight < self.concurrency {
            let Some(queued) = self.take_queued() else {
                break;
            };
            match self.breakers.failure_for(&queued.target.provider) {
                Some(failure) => {
                    let failed = Err(failure.clone());
                    self.remove_open(queued.layer);
                    self.settled.push((queued.key, failed));
                }
                None => {
                    let group = self.group_of(queued)?;
                    groups.push(self.remove_unclaimed(group));
                }
            }
        }
        groups.retain(|group| !group.is_empty());
        Ok(groups)
    }

    /// Sends the requests whose claims were granted.
    fn begin(
        &mut self,
        groups: Vec<Vec<ReadRequest>>,
        claims: Vec<Claim>,
    ) -> Result<(), BuildError> {
        let mut claims = claims.into_iter();
        for group in groups {
            let mut granted = Vec::with_capacity(group.len());
            for (ReadRequest { queued, request }, claim) in group.into_iter().zip(&mut claims) {
                match claim {
                    Claim::Granted(attempt) => granted.push(ClaimedRequest {
                        queued,
                        request,
                        attempt,
                    }),
                    Claim::InFlight => {
                        self.remove_open(queued.layer);
                        let in_flight = self.store.in_flight(queued.request)?;
                        let in_batch = matches!(in_flight, Some(Some(_)));
                        self.foreign.push(ForeignRequest { queued, in_batch });
                    }
                    Claim::Settled(outcome) => {
                        self.remove_open(queued.layer);
                        self.settled.push((queued.key, *outcome));
                    }
                }
            }
            if !granted.is_empty() {
                self.call(granted);
            }
        }
        Ok(())
    }

    /// Claims each request of these calls.
    fn claim(
        &self,
        tx: &Transaction<'_>,
        groups: &[Vec<ReadRequest>],
    ) -> Result<Vec<Claim>, BuildError> {
        let mut claims = Vec::new();
        for ReadRequest { queued, .. } in groups.iter().flatten() {
            let layer = self.layers.get(queued.layer).map_or("", String::as_str);
            let terms = AnswerPolicy {
                accept_truncated: queued.accept_truncated,
                retry: &self.retry,
            };
            claims.push(tx.claim(queued.request, self.origin(layer), terms)?);
        }
        Ok(claims)
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

    /// Stores the results of calls and starts the next ones. Both are one transaction, because each waits for the disk.
    fn continue_calls(&mut self, ended: Vec<FinishedCall>) -> Result<(), BuildError> {
        for call in &ended {
            for finished in &call.requests {
                self.breakers
                    .on_call_ended(&call.provider, call.number, &finished.completion);
            }
        }
        let next = self.next_groups(self.in_flight.saturating_sub(ended.len()));
        let (groups, unreadable) = match next {
            Ok(groups) => (groups, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let refused = std::mem::take(&mut self.settled);
        let stored = self.store.write(|tx| {
            self.store_results(tx, &ended)?;
            self.claim(tx, &groups)
        });
        let (claims, failed) = match stored {
            Ok(claims) => (claims, unreadable),
            // The next request must not lose the answers that are here.
            Err(error) => {
                self.store.write(|tx| self.store_results(tx, &ended))?;
                (Vec::new(), Some(error))
            }
        };
        self.in_flight -= ended.len();
        for finished in ended.into_iter().flat_map(|call| call.requests) {
            self.remove_open(finished.layer);
            let ending = finished.completion.outcome.into_ending();
            self.settled.push((finished.key, ending));
        }
        self.settled.extend(refused);
        if let Some(error) = failed {
            return Err(error);
        }
        self.begin(groups, claims)?;
        // Some may need no call.
        self.start()
    }

    fn store_results(
        &self,
        tx: &Transaction<'_>,
        ended: &[FinishedCall],
    ) -> Result<(), BuildError> {
        let now = self.clock.peek();
        for finished in ended.iter().flat_map(|call| &call.requests) {
            let FinishedRequest {
                request,
                attempt,
                completion,
                ..
            } = finished;
            tx.record_unclear_sends(*request, self.build, completion.unclear, now)?;
            let layer = self.layers.get(finished.layer).map_or("", String::as_str);
            for failure in &completion.billed {
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message.clone(),
                };
                tx.record_failed_send(*request, self.origin(layer), &note, failure.usage)?;
            }
            match &completion.outcome {
                Outcome::Answered(answer) => {
                    tx.close_answered(*attempt, *request, answer, now)?;
                }
                Outcome::Failed(failure) => {
                    let note = AttemptNote {
                        kind: failure.kind,
                        message: failure.message.clone(),
                    };
                    tx.close_failed(*attempt, &note, failure.usage, now)?;
                }
            }
        }
        Ok(())
    }
}
