//! A sum over requests that were not sent yet.

use std::collections::BTreeSet;

use super::{Amount, Estimate, PriceError, Prices, Rate};

/// Tokens of some requests and what these cost at least and at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Input tokens; `None` where some cannot be counted.
    pub input_tokens: Option<u64>,
    /// Whether some input tokens are not the tokenizer's number.
    pub input_estimated: bool,
    /// Output tokens at most; `None` where nothing limits some.
    pub output_tokens: Option<u64>,
    /// The cost if every answer is empty; `None` where that is not known.
    pub least: Option<Amount>,
    /// The cost at most; `None` where that is not known.
    pub most: Option<Amount>,
    /// Why a cost is not known.
    pub unpriced: BTreeSet<PriceError>,
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            input_tokens: Some(0),
            input_estimated: false,
            output_tokens: Some(0),
            least: Some(Amount::ZERO),
            most: Some(Amount::ZERO),
            unpriced: BTreeSet::new(),
        }
    }
}

impl Forecast {
    /// Adds a request.
    pub fn add(&mut self, prices: &Prices, model: &str, estimate: &Estimate, rate: Rate) {
        let sum = |sum: Option<u64>, more: Option<u64>| sum?.checked_add(more?);
        self.input_tokens = sum(self.input_tokens, estimate.input_tokens);
        self.input_estimated |= estimate.input_estimated;
        self.output_tokens = sum(self.output_tokens, estimate.output_tokens);
        for (total, cost) in [
            (&mut self.least, prices.least(model, estimate, rate)),
            (&mut self.most, prices.most(model, estimate, rate)),
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
