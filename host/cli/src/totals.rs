//! The totals of a running build as text: requests, their rate, tokens, cost, and the time left.

use std::collections::BTreeMap;
use std::time::Duration;

use synix_core::printable::pluralize;
use synix_engine::build::LayerCounts;
use synix_engine::view::BuildCost;

use crate::layer_progress::{format_duration, rate, time_left};
use crate::quantity;

/// The totals of a build. Times are relative to the start of the command, so that tests need no clock.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// The spending when it was first reported, and the time: an earlier command of the build may have spent it.
    first: Option<(BuildCost, Duration)>,
    now: Option<BuildCost>,
    /// The first and the latest counts of each layer.
    layers: BTreeMap<String, (LayerCounts, LayerCounts)>,
    since: Option<Duration>,
}

impl Totals {
    pub(crate) fn spend(&mut self, spent: BuildCost, now: Duration) {
        self.first.get_or_insert((spent, now));
        self.now = Some(spent);
    }

    pub(crate) fn count(&mut self, layer: &str, counts: LayerCounts, now: Duration) {
        self.since.get_or_insert(now);
        if let Some((_, last)) = self.layers.get_mut(layer) {
            *last = counts;
        } else {
            self.layers.insert(layer.to_owned(), (counts, counts));
        }
    }

    /// Describes the totals; `None` before anything was sent.
    pub(crate) fn description(&self, now: Duration) -> Option<String> {
        let ((first, since), spent) = (self.first?, self.now?);
        if spent.requests == 0 {
            return None;
        }
        let mut parts = vec![format!("{} sent", pluralize(spent.requests, "request"))];
        let sent = spent.requests.saturating_sub(first.requests);
        if let Some(rate) = rate(sent, now.saturating_sub(since)) {
            parts.push(format!("{rate} requests/s"));
        }
        if let (Some(input), Some(output)) = (spent.tokens.input, spent.tokens.output) {
            parts.push(format!(
                "{} tokens in, {} out",
                quantity::short(input),
                quantity::short(output)
            ));
        }
        if let Some(cost) = spent.cost_usd {
            parts.push(format!("{cost} so far"));
        }
        if let Some(left) = self.time_left(now) {
            parts.push(format!("about {} left", format_duration(left)));
        }
        Some(parts.join(", "))
    }

    /// Estimates the remaining time; `None` while the total is unknown.
    fn time_left(&self, now: Duration) -> Option<Duration> {
        let layers = self.layers.values();
        if !layers.clone().all(|(_, now)| now.known) {
            return None;
        }
        let settled = |counts: &LayerCounts| counts.done + counts.failed;
        let moved = layers
            .clone()
            .map(|(first, now)| settled(now).saturating_sub(settled(first)));
        let waiting = layers.map(|(_, now)| now.stale.saturating_sub(settled(now)));
        let elapsed = now.saturating_sub(self.since?);
        time_left(elapsed, moved.sum(), waiting.sum())
    }
}

#[cfg(test)]
mod tests {
    use synix_engine::view::TokensView;
    use synix_prices::Amount;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn spent(requests: u64, tokens: Option<u64>, usd: Option<f64>) -> BuildCost {
        BuildCost {
            requests,
            tokens: TokensView {
                input: tokens,
                output: tokens.map(|tokens| tokens / 10),
                cached: tokens.map(|_| 0),
            },
            cost_usd: usd.and_then(Amount::from_usd),
        }
    }

    fn counts(stale: u64, done: u64, known: bool) -> LayerCounts {
        LayerCounts {
            stale,
            done,
            known,
            ..LayerCounts::default()
        }
    }

    #[test]
    fn a_description_has_requests_rate_tokens_cost_and_time_left() {
        let mut totals = Totals::default();
        totals.count("notes", counts(60, 0, true), at(0));
        assert_eq!(totals.description(at(0)), None);
        totals.spend(spent(0, Some(0), Some(0.0)), at(0));
        assert_eq!(totals.description(at(1)), None);
        totals.spend(spent(30, Some(123_450), Some(0.25)), at(10));
        totals.count("notes", counts(60, 15, true), at(10));
        assert_eq!(
            totals.description(at(10)).unwrap(),
            "30 requests sent, 3.0 requests/s, 123.4k tokens in, 12.3k out, $0.2500 so far, about 30 s left"
        );
    }

    /// The rate does not count the requests of an earlier command.
    #[test]
    fn unknown_values_are_omitted() {
        let mut totals = Totals::default();
        totals.spend(spent(100, None, None), at(5));
        totals.count("notes", counts(60, 0, true), at(0));
        totals.count("sums", counts(0, 0, false), at(0));
        totals.spend(spent(101, None, None), at(15));
        totals.count("notes", counts(60, 30, true), at(15));
        assert_eq!(
            totals.description(at(15)).unwrap(),
            "101 requests sent, 0.1 requests/s"
        );
    }
}
