//! Reports what a build has sent and spent while it runs.

use std::cell::Cell;
use std::time::{Duration, Instant};

use synix_engine::build::{Event, Observer};
use synix_engine::view::BuildCost;
use synix_prices::Prices;
use synix_store::{BuildId, Store};

/// The minimum time between two reports.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Reports take at most this fraction of the time, because a build may have sent 100,000 requests.
const MIN_INTERVAL_FACTOR: u32 = 50;

/// Sums up the spending of a build while it runs, and sends it to the observer.
pub(super) struct SpendingReporter<'a> {
    store: &'a Store,
    build: BuildId,
    prices: &'a Prices,
    observer: Observer<'a>,
    /// When the next report may be sent; `None` while one is in progress, whose own event must not start another.
    next: Cell<Option<Instant>>,
    last_reported: Cell<Option<BuildCost>>,
}

impl<'a> SpendingReporter<'a> {
    pub(super) fn new(
        store: &'a Store,
        build: BuildId,
        prices: &'a Prices,
        observer: Observer<'a>,
    ) -> Self {
        Self {
            store,
            build,
            prices,
            observer,
            next: Cell::new(Some(Instant::now())),
            last_reported: Cell::new(None),
        }
    }

    /// Reports the spending if the event may have changed it and the last report is long enough ago.
    pub(super) fn observe(&self, event: &Event) {
        if !matches!(event, Event::Layer { .. } | Event::Batch(_)) {
            return;
        }
        let started = Instant::now();
        if self.next.get().is_none_or(|next| started < next) {
            return;
        }
        self.next.set(None);
        // An error here is ignored, because the build itself will report what is wrong with the state.
        if let Ok(spent) = BuildCost::of(self.store, self.build, self.prices)
            && self.last_reported.get() != Some(spent)
        {
            self.last_reported.set(Some(spent));
            (self.observer)(&Event::Cost(spent));
        }
        let interval = MIN_INTERVAL.max(started.elapsed() * MIN_INTERVAL_FACTOR);
        self.next.set(Some(Instant::now() + interval));
    }
}
