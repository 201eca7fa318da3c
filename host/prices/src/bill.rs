//! A sum over rows, each priced by itself: one without a price does not spoil what is known of the rest.

use std::collections::BTreeSet;

use super::{Amount, PriceError, Prices, Rate};
use synix_core::request::Usage;

/// Tokens of some rows and what they cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bill {
    usage: Usage,
    known: Amount,
    unpriced: BTreeSet<PriceError>,
}

impl Bill {
    /// Adds a row (M11).
    pub fn add(&mut self, prices: &Prices, model: &str, usage: &Usage, rate: Rate) {
        self.usage += *usage;
        match prices.cost(model, usage, rate) {
            Ok(cost) => self.known += cost,
            Err(error) => {
                self.unpriced.insert(error);
            }
        }
    }

    /// Returns all tokens.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Returns the whole cost; `None` where part of it is not known.
    pub fn cost(&self) -> Option<Amount> {
        self.unpriced.is_empty().then_some(self.known)
    }

    /// Returns why the cost is not known.
    pub const fn unpriced(&self) -> &BTreeSet<PriceError> {
        &self.unpriced
    }
}
