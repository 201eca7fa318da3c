//! The ledger of a budget: spent, reserved and requested amounts together must fit into it.

use std::collections::HashMap;
use std::hash::Hash;

use super::Amount;

/// The amounts that a build has spent and may still spend, by request.
#[derive(Debug, Clone)]
pub struct Ledger<K> {
    budget: Amount,
    /// The billed amount at the last update.
    spent: Amount,
    /// The upper bounds of all requests that were settled after the last update.
    settled: Amount,
    /// The upper bounds of all requests that are in flight or will be sent.
    reservations: HashMap<K, Amount>,
    reserved: Amount,
}

/// The reason why requests do not fit into the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetExcess {
    /// The amount that was, or may have been, billed.
    pub spent: Amount,
    /// The maximum cost of the requests in flight.
    pub reserved: Amount,
    /// The maximum cost of the requests to be sent.
    pub requested: Amount,
}

impl<K: Eq + Hash> Ledger<K> {
    /// Creates an empty ledger.
    pub fn new(budget: Amount) -> Self {
        Self {
            budget,
            spent: Amount::ZERO,
            settled: Amount::ZERO,
            reservations: HashMap::new(),
            reserved: Amount::ZERO,
        }
    }

    /// Returns the budget.
    pub const fn budget(&self) -> Amount {
        self.budget
    }

    /// Returns whether requests that cost at most `requested` fit, given the billed amount at the last update.
    pub fn has_room(&self, requested: Amount) -> bool {
        self.spent + self.settled + self.reserved + requested <= self.budget
    }

    /// Updates the billed amount and checks whether requests that cost at most `requested` fit.
    pub fn update_spent(&mut self, spent: Amount, requested: Amount) -> Result<(), BudgetExcess> {
        self.spent = spent;
        self.settled = Amount::ZERO;
        if self.has_room(requested) {
            return Ok(());
        }
        Err(BudgetExcess {
            spent,
            reserved: self.reserved,
            requested,
        })
    }

    /// Returns how much more a request with this upper bound would reserve.
    pub fn additional(&self, key: &K, bound: Amount) -> Amount {
        bound - self.reservations.get(key).copied().unwrap_or_default()
    }

    /// Reserves money for a request. Of several bounds for a request, the highest one counts.
    pub fn reserve(&mut self, key: K, bound: Amount) {
        let additional = self.additional(&key, bound);
        self.reserved += additional;
        *self.reservations.entry(key).or_default() += additional;
    }

    /// Records that a request is settled.
    pub fn settle(&mut self, key: &K) {
        if let Some(bound) = self.reservations.remove(key) {
            self.reserved = self.reserved - bound;
            self.settled += bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(usd: f64) -> Amount {
        Amount::from_usd(usd).unwrap()
    }

    #[test]
    fn a_budget_can_be_used_completely() {
        let ledger = Ledger::<u8>::new(usd(0.3));
        assert!(ledger.has_room(usd(0.3)));
        assert!(!ledger.has_room(usd(0.300_000_000_001)));
    }

    /// M9.
    #[test]
    fn a_request_in_flight_counts_with_its_maximum_cost() {
        let mut ledger = Ledger::new(usd(1.0));
        ledger.reserve("a", usd(0.7));
        assert!(!ledger.has_room(usd(0.4)));
        assert_eq!(
            ledger.update_spent(usd(0.1), usd(0.4)),
            Err(BudgetExcess {
                spent: usd(0.1),
                reserved: usd(0.7),
                requested: usd(0.4),
            })
        );
    }

    /// M9.
    #[test]
    fn a_settled_request_frees_money_only_after_an_update() {
        let mut ledger = Ledger::new(usd(1.0));
        ledger.reserve("a", usd(0.7));
        ledger.settle(&"a");
        assert!(!ledger.has_room(usd(0.4)));
        assert_eq!(ledger.update_spent(usd(0.2), usd(0.4)), Ok(()));
    }

    #[test]
    fn a_request_reserves_money_only_once() {
        let mut ledger = Ledger::new(usd(1.0));
        ledger.reserve("a", usd(0.2));
        assert_eq!(ledger.additional(&"a", usd(0.2)), Amount::ZERO);
        // The request was planned for a batch and is now sent as a single call.
        assert_eq!(ledger.additional(&"a", usd(0.4)), usd(0.2));
        ledger.reserve("a", usd(0.4));
        ledger.reserve("a", usd(0.1));
        assert!(ledger.has_room(usd(0.6)));
        assert!(!ledger.has_room(usd(0.61)));
        ledger.settle(&"a");
        ledger.settle(&"a");
        assert_eq!(ledger.update_spent(Amount::ZERO, usd(1.0)), Ok(()));
    }
}
