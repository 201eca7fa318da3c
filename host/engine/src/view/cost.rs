//! The cost of a build's sends, computed row by row.

use std::collections::BTreeMap;

use serde::Serialize;

use super::forecast::ForecastTally;
use super::rates::CallTimes;
use super::status::TokensView;
use synix_prices::{Amount, Bill, Prices, Rate};
use synix_store::{BuildId, Reader, StoreError, SubmissionId};

/// The sends of a build: their cost in total, by layer and by batch, and the times of its calls.
#[derive(Debug, Default)]
pub(super) struct BuildBills {
    pub(super) total: Bill,
    pub(super) layers: BTreeMap<String, Bill>,
    pub(super) batches: BTreeMap<SubmissionId, Bill>,
    pub(super) calls: CallTimes,
    /// What was expected, if that is on record.
    pub(super) forecast: Option<ForecastTally>,
}

impl BuildBills {
    pub(super) fn of(reader: &Reader, build: BuildId, prices: &Prices) -> Result<Self, StoreError> {
        let mut bills = Self {
            forecast: ForecastTally::of(reader, build)?,
            ..Self::default()
        };
        reader.for_each_send(build, |send| {
            let rate = rate(send.submission.is_some());
            let add = |bill: &mut Bill| bill.add(prices, send.model, &send.usage, rate);
            add(&mut bills.total);
            match bills.layers.get_mut(send.layer) {
                Some(bill) => add(bill),
                None => add(bills.layers.entry(send.layer.to_owned()).or_default()),
            }
            if let Some(forecast) = &mut bills.forecast {
                forecast.add(&send, prices, rate);
            }
            match send.submission {
                Some(submission) => add(bills.batches.entry(submission).or_default()),
                None => bills.calls.add(send.sent, send.settled),
            }
        })?;
        Ok(bills)
    }
}

/// The requests that a build has sent, and their cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BuildCost {
    /// The number of requests, in calls and in batches.
    pub requests: u64,
    /// The tokens that providers have counted so far.
    pub tokens: TokensView,
    /// The cost so far in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
}

impl BuildCost {
    /// Adds up what `build` has sent so far, at `prices`.
    pub fn of(reader: &Reader, build: BuildId, prices: &Prices) -> Result<Self, StoreError> {
        let mut bill = Bill::default();
        let mut requests = 0;
        reader.for_each_send(build, |send| {
            requests += 1;
            bill.add(
                prices,
                send.model,
                &send.usage,
                rate(send.submission.is_some()),
            );
        })?;
        Ok(Self {
            requests,
            tokens: TokensView::of(&bill),
            cost_usd: bill.cost(),
        })
    }
}

/// Adds the cost of a build's sends to a bill.
pub(super) fn add_build_cost(
    bill: &mut Bill,
    reader: &Reader,
    build: BuildId,
    prices: &Prices,
) -> Result<(), StoreError> {
    reader.for_each_send(build, |send| {
        let rate = rate(send.submission.is_some());
        bill.add(prices, send.model, &send.usage, rate);
    })
}

pub(super) const fn rate(is_batch: bool) -> Rate {
    if is_batch { Rate::Batch } else { Rate::Sync }
}

/// Returns the tokens and the cost of a bill. Without a bill nothing was sent.
pub(super) fn tokens_and_cost(bill: Option<&Bill>) -> (TokensView, Option<Amount>) {
    let nothing = Bill::default();
    let bill = bill.unwrap_or(&nothing);
    (TokensView::of(bill), bill.cost())
}

impl TokensView {
    pub(super) fn of(bill: &Bill) -> Self {
        let usage = bill.usage();
        let known = |count: u64| (!usage.uncounted).then_some(count);
        Self {
            input: known(usage.input_tokens),
            output: known(usage.output_tokens),
            cached: known(usage.cached_tokens),
        }
    }
}
