//! The rule of a budget, on amounts alone: spent, under way and about to go must fit into it.

use std::collections::HashMap;
use std::hash::Hash;

use super::Amount;

/// What a build has spent and may yet spend, by the keys of its requests.
#[derive(Debug, Clone)]
pub struct Ledger<K> {
    budget: Amount,
    /// What was billed when it was last looked up.
    spent: Amount,
    /// The bounds of what has settled since; it cost at most so much.
    settled: Amount,
    /// The bounds of what is in flight or waits to be sent.
    open: HashMap<K, Amount>,
    under_way: Amount,
}

/// Why requests may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// What was billed, or may have been.
    pub spent: Amount,
    /// What is in flight may cost so much.
    pub under_way: Amount,
    /// What is about to be sent may cost so much.
    pub asked: Amount,
}

impl<K: Eq + Hash> Ledger<K> {
    /// Opens the books.
    pub fn new(budget: Amount) -> Self {
        Self {
            budget,
            spent: Amount::ZERO,
            settled: Amount::ZERO,
            open: HashMap::new(),
            under_way: Amount::ZERO,
        }
    }

    /// Returns what may be spent.
    pub const fn budget(&self) -> Amount {
        self.budget
    }

    /// Says whether more of at most `asked` fits, by what is known without looking up what was billed.
    pub fn has_room(&self, asked: Amount) -> bool {
        self.spent + self.settled + self.under_way + asked <= self.budget
    }

    /// Takes in what was billed by now, and says what stands against sending more of at most `asked`.
    pub fn look_up(&mut self, spent: Amount, asked: Amount) -> Result<(), Excess> {
        self.spent = spent;
        self.settled = Amount::ZERO;
        if self.has_room(asked) {
            return Ok(());
        }
        Err(Excess {
            spent,
            under_way: self.under_way,
            asked,
        })
    }

    /// Returns how much a bound adds to what is known of its request.
    pub fn more(&self, key: &K, bound: Amount) -> Amount {
        bound - self.open.get(key).copied().unwrap_or_default()
    }

    /// Records that a request is under way; the highest of its bounds stands.
    pub fn open(&mut self, key: K, bound: Amount) {
        let more = self.more(&key, bound);
        self.under_way += more;
        *self.open.entry(key).or_default() += more;
    }

    /// Records that a request needs no more sending.
    pub fn settle(&mut self, key: &K) {
        if let Some(bound) = self.open.remove(key) {
            self.under_way = self.under_way - bound;
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
    fn a_budget_may_be_used_to_the_last_part() {
        let ledger = Ledger::<u8>::new(usd(0.3));
        assert!(ledger.has_room(usd(0.3)));
        assert!(!ledger.has_room(usd(0.300_000_000_001)));
    }

    /// M9: what is in flight counts with all that it may cost.
    #[test]
    fn what_is_under_way_is_not_spent_twice() {
        let mut ledger = Ledger::new(usd(1.0));
        ledger.open("a", usd(0.7));
        assert!(!ledger.has_room(usd(0.4)));
        assert_eq!(
            ledger.look_up(usd(0.1), usd(0.4)),
            Err(Excess {
                spent: usd(0.1),
                under_way: usd(0.7),
                asked: usd(0.4),
            })
        );
    }

    /// M9: a bound stands until what was billed is looked up.
    #[test]
    fn what_has_settled_frees_room_only_when_its_cost_is_known() {
        let mut ledger = Ledger::new(usd(1.0));
        ledger.open("a", usd(0.7));
        ledger.settle(&"a");
        assert!(!ledger.has_room(usd(0.4)));
        assert_eq!(ledger.look_up(usd(0.2), usd(0.4)), Ok(()));
    }

    #[test]
    fn a_request_is_under_way_once() {
        let mut ledger = Ledger::new(usd(1.0));
        ledger.open("a", usd(0.2));
        assert_eq!(ledger.more(&"a", usd(0.2)), Amount::ZERO);
        // What was to go in a batch goes by itself.
        assert_eq!(ledger.more(&"a", usd(0.4)), usd(0.2));
        ledger.open("a", usd(0.4));
        ledger.open("a", usd(0.1));
        assert!(ledger.has_room(usd(0.6)));
        assert!(!ledger.has_room(usd(0.61)));
        ledger.settle(&"a");
        ledger.settle(&"a");
        assert_eq!(ledger.look_up(Amount::ZERO, usd(1.0)), Ok(()));
    }
}
