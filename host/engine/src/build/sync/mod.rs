//! Answers requests through the sync API. Each call is recorded before it is made.
//!
//! The next call starts only when the answer of one is on disk, so a kill
//! loses at most `concurrency` answers, and those are recorded as unclear.

mod call;
mod foreign;
mod orphans;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::build::BuildError;
use crate::build::circuit_breaker::CircuitBreakers;
use crate::build::options::BuildOptions;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::request::{Outcome, Request};
use synix_providers::Provider;
use synix_store::{
    AnswerPolicy, AttemptNote, BuildId, Claim, RequestId, RetrySelection, SendContext, Store,
};

use call::FinishedCall;
pub(super) use foreign::ForeignCounts;
use foreign::ForeignRequest;
pub(super) use orphans::{close_orphaned_sends, take_over_orphans};

/// The providers of a pipeline by name.
pub type Providers = BTreeMap<String, Arc<Provider>>;

/// Sends each request in a call of its own.
#[derive(Debug)]
pub(super) struct SyncCalls<'a> {
    store: &'a Store,
    build: BuildId,
    /// The names of the layers by position.
    layers: Vec<String>,
    providers: &'a Providers,
    concurrency: usize,
    /// The failed requests that are sent again although they were billed.
    retry: RetrySelection,
    queue: VecDeque<PendingRequest<RequestId>>,
    in_flight: usize,
    /// Requests queued and in flight, by the layer that asked first.
    open_by_layer: BTreeMap<usize, usize>,
    /// Requests that other processes have in flight.
    foreign: Vec<ForeignRequest>,
    /// Requests that settled without a call.
    settled: Vec<SettledRequest>,
    /// Providers that currently fail every request, and why: their other requests are not sent.
    breakers: CircuitBreakers,
    sender: UnboundedSender<FinishedCall>,
    finished: UnboundedReceiver<FinishedCall>,
}

impl<'a> SyncCalls<'a> {
    pub(in crate::build) fn new(
        store: &'a Store,
        build: BuildId,
        options: &BuildOptions<'a>,
        retry: RetrySelection,
    ) -> Self {
        let (sender, finished) = unbounded_channel();
        Self {
            store,
            build,
            layers: options.batches.layers.clone(),
            providers: options.providers,
            concurrency: options.concurrency.get(),
            retry,
            queue: VecDeque::new(),
            in_flight: 0,
            open_by_layer: BTreeMap::new(),
            foreign: Vec::new(),
            settled: Vec::new(),
            breakers: CircuitBreakers::default(),
            sender,
            finished,
        }
    }

    pub(in crate::build) fn queue(&mut self, queued: PendingRequest<RequestId>) {
        *self.open_by_layer.entry(queued.layer).or_default() += 1;
        self.queue.push_back(queued);
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
        for queued in std::mem::take(&mut self.queue) {
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
            let mut selected = Vec::new();
            while selected.len() + self.in_flight < self.concurrency {
                let Some(queued) = self.queue.pop_front() else {
                    break;
                };
                match self.breakers.failure_for(&queued.target.provider) {
                    Some(failure) => {
                        let failed = Err(failure.clone());
                        self.remove_open(queued.layer);
                        self.settled.push((queued.key, failed));
                    }
                    None => selected.push(queued),
                }
            }
            if selected.is_empty() {
                return Ok(());
            }
            // Read before the claims, for which other processes wait. A request that cannot be read is not sent.
            let requests = selected
                .iter()
                .map(|queued| self.store.request(queued.request));
            let requests = requests.collect::<Result<Vec<Request>, _>>()?;
            let claims = self.claim(&selected)?;
            for ((claim, queued), request) in claims.into_iter().zip(selected).zip(requests) {
                match claim {
                    Claim::Granted(attempt) => self.call(&queued, request, attempt),
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
        }
    }

    /// Claims each of these requests, in one transaction.
    fn claim(&self, selected: &[PendingRequest<RequestId>]) -> Result<Vec<Claim>, BuildError> {
        self.store.write(|tx| {
            let mut claims = Vec::with_capacity(selected.len());
            for queued in selected {
                let layer = self.layers.get(queued.layer).map_or("", String::as_str);
                let terms = AnswerPolicy {
                    accept_truncated: queued.accept_truncated,
                    retry: &self.retry,
                };
                claims.push(tx.claim(queued.request, self.origin(layer), terms)?);
            }
            Ok(claims)
        })
    }

    fn origin<'l>(&self, layer: &'l str) -> SendContext<'l> {
        SendContext {
            build: self.build,
            layer,
            submission: None,
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
            self.store_results(batch)?;
            self.start()?;
        }
        Ok(std::mem::take(&mut self.settled))
    }

    fn store_results(&mut self, batch: Vec<FinishedCall>) -> Result<(), BuildError> {
        self.store.write(|tx| -> Result<(), BuildError> {
            for finished in &batch {
                let FinishedCall {
                    request,
                    attempt,
                    completion,
                    ..
                } = finished;
                tx.record_unclear_sends(*request, self.build, completion.unclear)?;
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
                        tx.close_answered(*attempt, *request, answer)?;
                    }
                    Outcome::Failed(failure) => {
                        let note = AttemptNote {
                            kind: failure.kind,
                            message: failure.message.clone(),
                        };
                        tx.close_failed(*attempt, &note, failure.usage)?;
                    }
                }
            }
            Ok(())
        })?;
        self.in_flight -= batch.len();
        for finished in batch {
            self.remove_open(finished.layer);
            self.breakers
                .on_call_ended(&finished.provider, finished.call, &finished.completion);
            self.settled
                .push((finished.key, finished.completion.outcome.into_ending()));
        }
        Ok(())
    }
}
