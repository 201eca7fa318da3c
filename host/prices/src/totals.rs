//! Totals of requests. Each request is priced separately, so one without a price does not affect the others.

use std::collections::BTreeSet;

use super::{Amount, Basis, Estimate, PriceError, Prices, Rate};
use synix_core::request::Usage;

/// The total tokens and costs of answered requests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bill {
    usage: Usage,
    known_cost: Amount,
    unpriced: BTreeSet<PriceError>,
}

impl Bill {
    /// Adds an answered request.
    pub fn add(&mut self, prices: &Prices, model: &str, usage: &Usage, rate: Rate) {
        self.usage += *usage;
        match prices.cost(model, usage, rate) {
            Ok(cost) => self.known_cost += cost,
            Err(error) => {
                self.unpriced.insert(error);
            }
        }
    }

    /// Returns the total usage.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Returns the total cost; `None` if a part of it is unknown.
    pub fn cost(&self) -> Option<Amount> {
        self.unpriced.is_empty().then_some(self.known_cost)
    }

    /// Returns why the cost is unknown.
    pub const fn unpriced(&self) -> &BTreeSet<PriceError> {
        &self.unpriced
    }
}

/// The total tokens and costs of requests that have not been sent yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The number of input tokens; `None` if some cannot be counted.
    pub input_tokens: Option<u64>,
    /// Whether some input tokens are estimates.
    pub input_estimated: bool,
    /// The maximum number of output tokens; `None` if some requests have no limit.
    pub output_tokens: Option<u64>,
    /// The cost if every answer is empty; `None` if it is unknown.
    pub min_cost: Option<Amount>,
    /// The maximum cost; `None` if it is unknown.
    pub max_cost: Option<Amount>,
    /// The cost if the answers are as long as the mean of those on record; `None` if it is unknown.
    pub expected_cost: Option<Amount>,
    /// The cost if they are as long as the median; `None` if it is unknown.
    pub median_cost: Option<Amount>,
    /// The cost if they are as long as the 90th percentile; `None` if it is unknown.
    pub p90_cost: Option<Amount>,
    /// Why a cost is unknown.
    pub unpriced: BTreeSet<PriceError>,
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            input_tokens: Some(0),
            input_estimated: false,
            output_tokens: Some(0),
            min_cost: Some(Amount::ZERO),
            max_cost: Some(Amount::ZERO),
            expected_cost: Some(Amount::ZERO),
            median_cost: Some(Amount::ZERO),
            p90_cost: Some(Amount::ZERO),
            unpriced: BTreeSet::new(),
        }
    }
}

impl Forecast {
    /// Adds a request, whose answer is expected to be like those of `basis`.
    pub fn add(
        &mut self,
        prices: &Prices,
        model: &str,
        (estimate, basis): (&Estimate, Option<&Basis>),
        rate: Rate,
    ) {
        let sum = |sum: Option<u64>, more: Option<u64>| sum?.checked_add(more?);
        self.input_tokens = sum(self.input_tokens, estimate.input_tokens.ok());
        self.input_estimated |= estimate.input_estimated;
        self.output_tokens = sum(self.output_tokens, estimate.output_tokens);
        let expected = prices.expected_cost(model, estimate, rate, basis).ok();
        for (total, cost) in [
            (&mut self.expected_cost, expected.map(|cost| cost.mean)),
            (&mut self.median_cost, expected.map(|cost| cost.median)),
            (&mut self.p90_cost, expected.map(|cost| cost.p90)),
        ] {
            // Why a cost is unknown is the same as of the bounds.
            *total = total.zip(cost).map(|(total, cost)| total + cost);
        }
        for (total, cost) in [
            (&mut self.min_cost, prices.min_cost(model, estimate, rate)),
            (&mut self.max_cost, prices.max_cost(model, estimate, rate)),
        ] {
            match cost {
                Ok(cost) => *total = total.map(|total| total + cost),
                Err(error) => {
                    *total = None;
                    self.unpriced.insert(error);
                }
            }
        }
    }
}
