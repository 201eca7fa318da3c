//! Takes notes and answers nothing: what a plan runs against.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BuildError;
use super::answerer::{Answerer, Workers};
use super::modes::Modes;
use super::plan_recorder::PlanRecorder;
use super::replay::Misses;
use crate::pending::{PendingRequest, SettledRequest};
use crate::plan::PlanRetry;
use synix_core::request::{Ending, Failure, FailureKind, Request, RequestKey};
use synix_prices::{Estimate, Forecast, Prices, Rate};
use synix_store::{LayerMode, Reader, RetrySelection};

/// The requests of a layer that would be sent.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) requests: u64,
    /// Those that are under way: they are not sent again.
    pub(super) in_flight: u64,
    /// Those that the cassette lacks: a replay sends nothing, so they have no price.
    pub(super) missing: u64,
    sync: Forecast,
    /// A layer's mode may be decided only when all its requests are known.
    batch: Forecast,
}

impl Asking {
    pub(super) fn forecast(&self, mode: Option<LayerMode>) -> &Forecast {
        match mode {
            Some(LayerMode::Batch) => &self.batch,
            Some(LayerMode::Sync) | None => &self.sync,
        }
    }
}

impl Asking {
    fn add(&mut self, prices: &Prices, request: &Request) {
        let estimate = Estimate::of(request);
        let model = &request.model;
        self.requests += 1;
        self.sync.add(prices, model, &estimate, Rate::Sync);
        self.batch.add(prices, model, &estimate, Rate::Batch);
    }
}

/// The requests of a layer that would be sent only if the user said so: they were paid for.
#[derive(Debug, Default)]
struct RetryFailed {
    asking: Asking,
    kinds: BTreeMap<&'static str, u64>,
}

/// Counts and prices the requests that would be sent, by layer.
#[derive(Debug)]
pub(super) struct PlanAnswerer<'a> {
    reader: Option<&'a Reader>,
    modes: Modes,
    prices: &'a Prices,
    /// What the cassette lacks, where the plan is of a replay.
    misses: Option<Misses>,
    pub(super) asking: BTreeMap<usize, Asking>,
    again: BTreeMap<usize, RetryFailed>,
    /// What a build would settle without a send.
    settled: Vec<SettledRequest>,
}

impl<'a> PlanAnswerer<'a> {
    pub(super) const fn new(
        reader: Option<&'a Reader>,
        modes: Modes,
        prices: &'a Prices,
        misses: Option<Misses>,
    ) -> Self {
        Self {
            reader,
            modes,
            prices,
            misses,
            asking: BTreeMap::new(),
            again: BTreeMap::new(),
            settled: Vec::new(),
        }
    }

    /// Returns what a layer would send if it asked again what was paid for.
    pub(super) fn again(&self, layer: usize) -> PlanRetry {
        let Some(again) = self.again.get(&layer) else {
            return PlanRetry::default();
        };
        let requests = again.asking.requests;
        let all = requests + self.asking.get(&layer).map_or(0, |asking| asking.requests);
        let mode = self.modes.expected(layer, all);
        PlanRetry {
            requests,
            kinds: again.kinds.clone(),
            cost_usd: again.asking.forecast(Some(mode)).max_cost,
        }
    }

    /// Returns what a build would settle a request with, without sending it.
    fn paid_for(&self, key: RequestKey) -> Result<Sent, BuildError> {
        let Some(reader) = self.reader else {
            return Ok(Sent::Now);
        };
        let Some(request) = reader.request_id(key)? else {
            return Ok(Sent::Now);
        };
        if reader.in_flight(request)?.is_some() {
            return Ok(Sent::Already);
        }
        let paid = reader.paid_outcome(request, &RetrySelection::default(), None)?;
        Ok(paid.map_or(Sent::Now, Sent::OnlyIfTold))
    }
}

/// Whether a build would send a request.
enum Sent {
    Now,
    /// It is in flight.
    Already,
    /// It was paid for and came to this.
    OnlyIfTold(Result<Ending, Failure>),
}

impl<'a> Answerer for PlanAnswerer<'a> {
    type Recorder = &'a PlanRecorder;

    fn enqueue(&mut self, requests: Vec<PendingRequest<Arc<Request>>>) -> Result<(), BuildError> {
        for asked in requests {
            if let Some(misses) = &mut self.misses {
                misses.note(asked.key, &asked.request);
                self.asking.entry(asked.layer).or_default().missing += 1;
                continue;
            }
            match self.paid_for(asked.key)? {
                Sent::Already => {
                    self.asking.entry(asked.layer).or_default().in_flight += 1;
                }
                Sent::Now => {
                    let asking = self.asking.entry(asked.layer).or_default();
                    asking.add(self.prices, &asked.request);
                }
                Sent::OnlyIfTold(settlement) => {
                    let again = self.again.entry(asked.layer).or_default();
                    again.asking.add(self.prices, &asked.request);
                    *again.kinds.entry(kind(&settlement).name()).or_default() += 1;
                    self.settled.push((asked.key, settlement));
                }
            }
        }
        Ok(())
    }

    async fn next_settled(
        &mut self,
        workers: Workers,
    ) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        if let Some(missed) = self.misses.as_mut().and_then(Misses::take) {
            return Ok(Some(missed));
        }
        if !self.settled.is_empty() {
            return Ok(Some(std::mem::take(&mut self.settled)));
        }
        if workers == Workers::Running {
            std::future::pending::<()>().await;
        }
        for (layer, asking) in &self.asking {
            self.modes.decide(*layer, asking.requests);
        }
        Ok(None)
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}

/// Returns why an answer that was paid for will not do.
const fn kind(settlement: &Result<Ending, Failure>) -> FailureKind {
    match settlement {
        Ok(Ending::Truncated | Ending::Complete) => FailureKind::Truncated,
        Err(failure) => failure.kind,
    }
}
