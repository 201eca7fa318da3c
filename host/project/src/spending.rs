//! Tells what a build has sent and spent so far, as often as that is cheap.

use std::cell::Cell;
use std::time::{Duration, Instant};

use synix_engine::build::{Event, Observer};
use synix_engine::view::Spent;
use synix_prices::Prices;
use synix_store::{BuildId, Store};

/// Between two looks, at least.
const PAUSE: Duration = Duration::from_secs(1);

/// A look takes at most this part of the time: a build may have sent a hundred thousand requests.
const SHARE: u32 = 50;

/// Looks at the books of a build while it runs.
pub(super) struct Spending<'a> {
    store: &'a Store,
    build: BuildId,
    prices: &'a Prices,
    observer: Observer<'a>,
    /// When the next look may be taken; `None`: a look is taken now, and tells nothing of itself.
    next: Cell<Option<Instant>>,
    told: Cell<Option<Spent>>,
}

impl<'a> Spending<'a> {
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
            told: Cell::new(None),
        }
    }

    /// Tells what was spent, if something may have been answered and the last look is long enough ago.
    pub(super) fn look(&self, event: &Event) {
        if !matches!(event, Event::Layer { .. } | Event::Batch(_)) {
            return;
        }
        let begun = Instant::now();
        if self.next.get().is_none_or(|next| begun < next) {
            return;
        }
        self.next.set(None);
        // A look that fails tells nothing; the build itself will say what is wrong with the state.
        if let Ok(spent) = Spent::of(self.store, self.build, self.prices)
            && self.told.get() != Some(spent)
        {
            self.told.set(Some(spent));
            (self.observer)(&Event::Spent(spent));
        }
        let pause = PAUSE.max(begun.elapsed() * SHARE);
        self.next.set(Some(Instant::now() + pause));
    }
}
