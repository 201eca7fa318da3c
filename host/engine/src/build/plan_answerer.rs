//! The answerer of a plan: counts and prices requests, and answers none.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::BuildError;
use super::answerer::{Answerer, PoolState};
use super::modes::Modes;
use super::plan_recorder::PlanRecorder;
use super::replay::CassetteMisses;
use crate::pending::{PendingRequest, SettledRequest};
use crate::plan::{Bases, FoundBasis, PlanRepairs, PlanRetry};
use synix_answers::MAX_MESSAGE_BYTES;
use synix_core::request::{Ending, Failure, FailureKind, Request, RequestKey};
use synix_prices::{Estimate, Forecast, Prices, Rate};
use synix_store::{LayerMode, Reader, RetrySelection};

/// The requests of a layer that would be sent.
#[derive(Debug, Default)]
pub(super) struct RequestTally {
    pub(super) requests: u64,
    /// Those that are in flight and are not sent again.
    pub(super) in_flight: u64,
    /// Those that are not in the cassette. A replay sends nothing, so they have no price.
    pub(super) missing: u64,
    sync: Forecast,
    /// Both modes are priced, because the mode may be decided only when all requests are known.
    batch: Forecast,
    /// What the expected costs rest on, by model; `None`: nothing is on record.
    bases: BTreeMap<String, Option<FoundBasis>>,
    /// The repairs that could follow from these requests, and from those in flight.
    repairs: u64,
    sync_repairs: Forecast,
    batch_repairs: Forecast,
}

impl RequestTally {
    /// Returns the repairs that could follow.
    pub(super) const fn repairs(&self, mode: Option<LayerMode>) -> PlanRepairs {
        let forecast = match mode {
            Some(LayerMode::Batch) => &self.batch_repairs,
            Some(LayerMode::Sync) | None => &self.sync_repairs,
        };
        PlanRepairs {
            requests: self.repairs,
            cost_usd: forecast.max_cost,
        }
    }

    pub(super) fn forecast(&self, mode: Option<LayerMode>) -> &Forecast {
        match mode {
            Some(LayerMode::Batch) => &self.batch,
            Some(LayerMode::Sync) | None => &self.sync,
        }
    }
}

/// The maximum number of tokens that a repair adds to a request beside the answer: of its message, with a token for two
/// bytes, and of the marks of two messages.
const REPAIR_TOKENS: u64 = MAX_MESSAGE_BYTES as u64 / 2 + 8;

impl RequestTally {
    /// Adds the repairs that could follow a request.
    fn add_repairs(&mut self, prices: &Prices, pending: &PendingRequest<Arc<Request>>) {
        let left = pending.repairs.left;
        if left == 0 {
            return;
        }
        let mut estimate = Estimate::of(&pending.request);
        for _ in 0..left {
            estimate = estimate.repeated(REPAIR_TOKENS);
            let model = &pending.request.model;
            self.repairs += 1;
            self.sync_repairs
                .add(prices, model, (&estimate, None), Rate::Sync);
            self.batch_repairs
                .add(prices, model, (&estimate, None), Rate::Batch);
        }
    }

    fn add(&mut self, prices: &Prices, request: &Request, found: Option<FoundBasis>) {
        let estimate = Estimate::of(request);
        let model = &request.model;
        if !self.bases.contains_key(model) {
            self.bases.insert(model.clone(), found);
        }
        let basis = found.as_ref().map(|found| &found.basis);
        self.requests += 1;
        self.sync.add(prices, model, (&estimate, basis), Rate::Sync);
        self.batch
            .add(prices, model, (&estimate, basis), Rate::Batch);
    }

    /// Returns the number of answers that the expected costs rest on, and the origin of each basis.
    pub(super) fn basis(&self) -> (u64, impl Iterator<Item = &'static str>) {
        let found = self.bases.values().flatten();
        let answers = found.map(|found| found.basis.answers).sum();
        let origins = self
            .bases
            .values()
            .map(|found| found.map_or("bound", |found| found.origin.name()));
        (answers, origins)
    }
}

/// The requests of a layer that would be sent only with `--retry-failed`, because they were billed.
#[derive(Debug, Default)]
struct RetryTally {
    tally: RequestTally,
    kinds: BTreeMap<&'static str, u64>,
}

/// Counts and prices the requests that would be sent, by layer.
#[derive(Debug)]
pub(super) struct PlanAnswerer<'a> {
    reader: Option<&'a Reader>,
    modes: Modes,
    prices: &'a Prices,
    /// The names of the layers by position.
    layers: Vec<String>,
    bases: Bases<'a>,
    /// The requests that are not in the cassette, in the plan of a replay.
    misses: Option<CassetteMisses>,
    pub(super) tallies: BTreeMap<usize, RequestTally>,
    retries: BTreeMap<usize, RetryTally>,
    /// The repairs that only `--retry-failed` would send. Several units may ask the same.
    unasked: HashSet<RequestKey>,
    /// The requests that a build would settle without a send.
    settled: Vec<SettledRequest>,
}

impl<'a> PlanAnswerer<'a> {
    pub(super) fn new(
        reader: Option<&'a Reader>,
        modes: Modes,
        prices: &'a Prices,
        layers: Vec<String>,
        misses: Option<CassetteMisses>,
    ) -> Self {
        Self {
            reader,
            modes,
            prices,
            layers,
            bases: Bases::of_plan(reader),
            misses,
            tallies: BTreeMap::new(),
            retries: BTreeMap::new(),
            unasked: HashSet::new(),
            settled: Vec::new(),
        }
    }

    /// Returns what a layer would send again with `--retry-failed`.
    pub(super) fn retry_failed(&self, layer: usize) -> PlanRetry {
        let Some(retry) = self.retries.get(&layer) else {
            return PlanRetry::default();
        };
        let requests = retry.tally.requests;
        let all = requests + self.tallies.get(&layer).map_or(0, |tally| tally.requests);
        let mode = self.modes.expected(layer, all);
        PlanRetry {
            requests,
            kinds: retry.kinds.clone(),
            cost_usd: retry.tally.forecast(Some(mode)).max_cost,
        }
    }

    fn basis(
        &mut self,
        pending: &PendingRequest<Arc<Request>>,
    ) -> Result<Option<FoundBasis>, BuildError> {
        let layer = self.layers.get(pending.layer).map_or("", String::as_str);
        Ok(self.bases.find(layer, &pending.request.model)?)
    }

    /// Decides whether a build would send a request.
    fn decide(&self, key: RequestKey) -> Result<SendDecision, BuildError> {
        let Some(reader) = self.reader else {
            return Ok(SendDecision::Send);
        };
        let Some(request) = reader.request_id(key)? else {
            return Ok(SendDecision::Send);
        };
        if reader.in_flight(request)?.is_some() {
            return Ok(SendDecision::InFlight);
        }
        let paid = reader.paid_outcome(request, &RetrySelection::default(), None)?;
        Ok(paid.map_or(SendDecision::Send, SendDecision::OnlyOnRetry))
    }
}

/// Whether a build would send a request.
enum SendDecision {
    Send,
    /// It is in flight.
    InFlight,
    /// It was billed, with this outcome.
    OnlyOnRetry(Result<Ending, Failure>),
}

impl<'a> Answerer for PlanAnswerer<'a> {
    type Recorder = &'a PlanRecorder;

    fn enqueue(&mut self, requests: Vec<PendingRequest<Arc<Request>>>) -> Result<(), BuildError> {
        for pending in requests {
            if let Some(misses) = &mut self.misses {
                misses.add(pending.key, &pending.request);
                self.tallies.entry(pending.layer).or_default().missing += 1;
                continue;
            }
            match self.decide(pending.key)? {
                SendDecision::InFlight => {
                    let tally = self.tallies.entry(pending.layer).or_default();
                    tally.in_flight += 1;
                    tally.add_repairs(self.prices, &pending);
                }
                SendDecision::Send => {
                    let basis = self.basis(&pending)?;
                    let tally = self.tallies.entry(pending.layer).or_default();
                    tally.add(self.prices, &pending.request, basis);
                    tally.add_repairs(self.prices, &pending);
                }
                SendDecision::OnlyOnRetry(outcome) => {
                    let retry = self.retries.entry(pending.layer).or_default();
                    retry.tally.add(self.prices, &pending.request, None);
                    *retry.kinds.entry(kind(&outcome).name()).or_default() += 1;
                    self.settled.push((pending.key, outcome));
                }
            }
        }
        Ok(())
    }

    fn note_unasked(&mut self, unasked: &[PendingRequest<Arc<Request>>]) -> Result<(), BuildError> {
        if self.misses.is_some() {
            return Ok(());
        }
        for pending in unasked {
            if self.unasked.insert(pending.key) {
                let retry = self.retries.entry(pending.layer).or_default();
                retry.tally.add(self.prices, &pending.request, None);
                *retry.kinds.entry(FailureKind::Schema.name()).or_default() += 1;
            }
        }
        Ok(())
    }

    async fn next_settled(
        &mut self,
        pool: PoolState,
    ) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        if let Some(missed) = self.misses.as_mut().and_then(CassetteMisses::take) {
            return Ok(Some(missed));
        }
        if !self.settled.is_empty() {
            return Ok(Some(std::mem::take(&mut self.settled)));
        }
        if pool == PoolState::Running {
            std::future::pending::<()>().await;
        }
        for (layer, tally) in &self.tallies {
            self.modes.decide(*layer, tally.requests);
        }
        Ok(None)
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}

/// Returns why a billed answer is not accepted.
const fn kind(outcome: &Result<Ending, Failure>) -> FailureKind {
    match outcome {
        Ok(Ending::Truncated | Ending::Complete) => FailureKind::Truncated,
        Err(failure) => failure.kind,
    }
}
