//! The progress of a layer as text: units done, failed and waiting, the rate, and the time left.

use std::time::Duration;

use synix_core::printable::pluralize;
use synix_engine::build::LayerCounts;

/// The minimum time for a meaningful rate.
const MIN_RATE_TIME: Duration = Duration::from_secs(1);

/// The progress of a layer. Times are relative to the start of the build, so that tests need no clock.
#[derive(Debug)]
pub(crate) struct LayerProgress {
    since: Duration,
    /// The counts when the layer was first reported.
    first: LayerCounts,
    now: LayerCounts,
}

impl LayerProgress {
    pub(crate) const fn new(counts: LayerCounts, now: Duration) -> Self {
        Self {
            since: now,
            first: counts,
            now: counts,
        }
    }

    pub(crate) const fn advance(&mut self, counts: LayerCounts) {
        self.now = counts;
    }

    pub(crate) const fn counts(&self) -> LayerCounts {
        self.now
    }

    /// Describes the progress of the layer.
    pub(crate) fn description(&self, now: Duration) -> String {
        let counts = self.now;
        let (settled, total) = (counts.done + counts.failed, counts.stale);
        let at_least = if counts.known { "" } else { "at least " };
        let mut parts = vec![format!("{} of {at_least}{total} done", counts.done)];
        if counts.failed > 0 {
            parts.push(format!("{} failed", counts.failed));
        }
        parts.push(format!("{} waiting", total.saturating_sub(settled)));
        // A unit with many requests takes long; the answered requests show its progress.
        let asks_many = counts.requested > counts.stale;
        if asks_many {
            let asked = pluralize(counts.requested, "request");
            parts.push(format!("{} of {asked} answered", counts.answered));
        }
        let elapsed = now.saturating_sub(self.since);
        let first_settled = self.first.done + self.first.failed;
        let (moved, thing) = if asks_many {
            (
                counts.answered - self.first.answered.min(counts.answered),
                "requests",
            )
        } else {
            (settled.saturating_sub(first_settled), "units")
        };
        if let Some(rate) = rate(moved, elapsed) {
            parts.push(format!("{rate} {thing}/s"));
        }
        let left = time_left(
            elapsed,
            settled.saturating_sub(first_settled),
            total.saturating_sub(settled),
        );
        if let (Some(left), true) = (left, counts.known) {
            parts.push(format!("about {} left", format_duration(left)));
        }
        parts.join(", ")
    }

    /// Describes the result of a complete layer.
    pub(crate) fn summary(counts: LayerCounts) -> String {
        let mut parts = vec![format!("{} made", counts.done)];
        if counts.fresh > 0 {
            parts.push(format!("{} up to date", counts.fresh));
        }
        if counts.failed > 0 {
            parts.push(format!("{} failed", counts.failed));
        }
        if counts.done == 0 && parts.len() > 1 {
            parts.remove(0);
        }
        parts.join(", ")
    }
}

/// Returns a rate per second; `None` before there is anything to measure.
pub(crate) fn rate(moved: u64, elapsed: Duration) -> Option<String> {
    if moved == 0 || elapsed < MIN_RATE_TIME {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
    let rate = moved as f64 / elapsed.as_secs_f64();
    Some(if rate >= 10.0 {
        format!("{rate:.0}")
    } else if rate >= 0.1 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.3}")
    })
}

/// Estimates the remaining time from the rate so far; `None` before anything is done.
pub(crate) fn time_left(elapsed: Duration, done: u64, waiting: u64) -> Option<Duration> {
    if waiting == 0 {
        return None;
    }
    let seconds = elapsed.as_secs().checked_mul(waiting)?.checked_div(done)?;
    Some(Duration::from_secs(seconds))
}

pub(crate) fn format_duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: LayerCounts = LayerCounts {
        fresh: 0,
        stale: 60,
        done: 0,
        failed: 0,
        requested: 0,
        answered: 0,
        known: true,
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_description_has_the_counts_the_rate_and_the_time_left() {
        let mut layer = LayerProgress::new(NONE, at(100));
        assert_eq!(layer.description(at(100)), "0 of 60 done, 60 waiting");
        layer.advance(LayerCounts {
            done: 12,
            failed: 3,
            requested: 60,
            answered: 15,
            ..NONE
        });
        assert_eq!(
            layer.description(at(110)),
            "12 of 60 done, 3 failed, 45 waiting, 1.5 units/s, about 30 s left"
        );
    }

    #[test]
    fn a_unit_with_many_requests_shows_its_answered_requests() {
        let one = LayerCounts { stale: 1, ..NONE };
        let mut layer = LayerProgress::new(one, at(0));
        layer.advance(LayerCounts {
            requested: 18,
            answered: 17,
            ..one
        });
        assert_eq!(
            layer.description(at(34)),
            "0 of 1 done, 1 waiting, 17 of 18 requests answered, 0.5 requests/s"
        );
    }

    #[test]
    fn an_unknown_total_is_a_lower_bound_without_a_time_left() {
        let some = LayerCounts {
            known: false,
            ..NONE
        };
        let mut layer = LayerProgress::new(some, at(0));
        layer.advance(LayerCounts { done: 30, ..some });
        assert_eq!(
            layer.description(at(60)),
            "30 of at least 60 done, 30 waiting, 0.5 units/s"
        );
    }

    #[test]
    fn a_summary_counts_what_was_made() {
        let counts = |done, fresh, failed| {
            LayerProgress::summary(LayerCounts {
                done,
                fresh,
                failed,
                ..NONE
            })
        };
        assert_eq!(counts(6, 0, 0), "6 made");
        assert_eq!(counts(0, 6, 0), "6 up to date");
        assert_eq!(counts(5, 2, 1), "5 made, 2 up to date, 1 failed");
        assert_eq!(counts(0, 0, 3), "3 failed");
        assert_eq!(counts(0, 0, 0), "0 made");
    }

    #[test]
    fn the_time_left_follows_from_the_rate_so_far() {
        assert_eq!(time_left(at(60), 25, 75), Some(at(180)));
        assert_eq!(time_left(at(60), 0, 100), None);
        assert_eq!(time_left(at(60), 100, 0), None);
        assert_eq!(
            [59, 90, 7500].map(|seconds| format_duration(at(seconds))),
            ["59 s", "1 min", "2 h 5 min"]
        );
    }
}
