//! Keeps a build within its budget: a request is sent only if its maximum cost fits.

use super::BuildError;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::request::{Request, RequestKey};
use synix_prices::{Amount, BudgetExcess, Estimate, Ledger, PriceError, Prices, Rate};
use synix_store::{BuildId, LayerMode, RequestId, SendRecord, SendState, Store};

/// The budget of a build, if it has one.
pub(super) struct Budget<'a> {
    store: &'a Store,
    build: BuildId,
    prices: &'a Prices,
    /// `None`: nothing limits the build.
    ledger: Option<Ledger<RequestKey>>,
    /// Whether the ledger includes the sends of earlier commands of the build.
    is_loaded: bool,
}

impl<'a> Budget<'a> {
    pub(super) fn new(
        store: &'a Store,
        build: BuildId,
        prices: &'a Prices,
        budget: Option<Amount>,
    ) -> Self {
        Self {
            store,
            build,
            prices,
            ledger: budget.map(Ledger::new),
            is_loaded: false,
        }
    }

    /// Reserves the maximum cost of requests, or of none of them if they do not all fit.
    pub(super) fn reserve(
        &mut self,
        requests: &[(PendingRequest<RequestId>, LayerMode)],
    ) -> Result<(), BuildError> {
        if self.ledger.is_none() || requests.is_empty() {
            return Ok(());
        }
        if !self.is_loaded {
            self.load_open_sends()?;
            self.is_loaded = true;
        }
        let Some(ledger) = &mut self.ledger else {
            return Ok(());
        };
        let mut bounds = Vec::with_capacity(requests.len());
        for (queued, mode) in requests {
            let rate = match mode {
                LayerMode::Sync => Rate::Sync,
                LayerMode::Batch => Rate::Batch,
            };
            let request = self.store.request(queued.request)?;
            bounds.push((queued.key, max_cost(self.prices, &request, rate)?));
        }
        let total: Amount = bounds
            .iter()
            .map(|(key, bound)| ledger.additional(key, *bound))
            .sum();
        if !ledger.has_room(total) {
            let spent = spent(self.store, self.build, self.prices)?;
            ledger
                .update_spent(spent, total)
                .map_err(|excess| excess_error(ledger.budget(), excess))?;
        }
        for (key, bound) in bounds {
            ledger.reserve(key, bound);
        }
        Ok(())
    }

    /// Records that requests are settled.
    pub(super) fn settle(&mut self, settled: &[SettledRequest]) {
        if let Some(ledger) = &mut self.ledger {
            for (key, _) in settled {
                ledger.settle(key);
            }
        }
    }

    /// Releases the reservation of a request that will be sent in another way.
    pub(super) fn release(&mut self, key: &RequestKey) {
        if let Some(ledger) = &mut self.ledger {
            ledger.settle(key);
        }
    }

    /// Adds what the build spent and has in flight from earlier commands.
    fn load_open_sends(&mut self) -> Result<(), BuildError> {
        let mut open = Vec::new();
        self.store.for_each_send(self.build, |send| {
            if send.state == SendState::Open {
                open.push((send.key, send.request, rate_of(&send)));
            }
        })?;
        let spent = spent(self.store, self.build, self.prices)?;
        if let Some(ledger) = &mut self.ledger {
            for (key, request, rate) in open {
                let request = self.store.request(request)?;
                ledger.reserve(key, max_cost(self.prices, &request, rate)?);
            }
            // Money that is spent cannot be refused.
            let _ = ledger.update_spent(spent, Amount::ZERO);
        }
        Ok(())
    }
}

/// Returns the amount billed so far; a send without a reply counts with its maximum cost.
fn spent(store: &Store, build: BuildId, prices: &Prices) -> Result<Amount, BuildError> {
    let mut sum = Amount::ZERO;
    let mut unclear = Vec::new();
    let mut unpriced = None;
    store.for_each_send(build, |send| match send.state {
        SendState::Open => {}
        SendState::Unclear => unclear.push((send.request, rate_of(&send))),
        // Uncounted usage may have cost as much as a lost reply.
        SendState::Closed if send.usage.uncounted => unclear.push((send.request, rate_of(&send))),
        SendState::Closed => match prices.cost(send.model, &send.usage, rate_of(&send)) {
            Ok(cost) => sum += cost,
            Err(error) => unpriced = Some(error),
        },
    })?;
    if let Some(error) = unpriced {
        return Err(BuildError::Unpriced(error));
    }
    for (request, rate) in unclear {
        sum += max_cost(prices, &store.request(request)?, rate)?;
    }
    Ok(sum)
}

const fn rate_of(send: &SendRecord<'_>) -> Rate {
    if send.submission.is_some() {
        Rate::Batch
    } else {
        Rate::Sync
    }
}

fn max_cost(prices: &Prices, request: &Request, rate: Rate) -> Result<Amount, PriceError> {
    prices.max_cost(&request.model, &Estimate::of(request), rate)
}

fn excess_error(budget: Amount, excess: BudgetExcess) -> BuildError {
    BuildError::Budget {
        budget,
        spent: excess.spent,
        reserved: excess.reserved,
        requested: excess.requested,
    }
}
