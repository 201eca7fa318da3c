//! Progress bars on a terminal: a line for each layer and each batch that is in progress.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use synix_core::printable;
use synix_engine::batch::BatchEvent;
use synix_engine::build::{Event, LayerCounts};

use crate::layer_progress::{LayerProgress, format_duration, time_left};
use crate::totals::Totals;

/// The time between two frames of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// The progress bars below the messages.
#[derive(Default)]
pub(crate) struct Bars {
    pub(crate) all: MultiProgress,
    layers: BTreeMap<String, Layer>,
    batches: BTreeMap<String, Batch>,
    totals: Totals,
    /// The last line: the totals of the build.
    whole: Option<ProgressBar>,
}

struct Layer {
    bar: ProgressBar,
    progress: LayerProgress,
}

struct Batch {
    bar: ProgressBar,
    since: Duration,
}

/// What a provider reports about a batch.
struct BatchStatus<'a> {
    status: &'a str,
    done: Option<u64>,
    requests: u64,
}

impl Bars {
    /// Updates the bars after an event. `now` is the time since the start of the build.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other events change no bar")]
    pub(crate) fn advance(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Layer { layer, counts } => self.layer(layer, *counts, now),
            Event::Units { layer, .. } => {
                if let Some(layer) = self.layers.get(layer) {
                    layer
                        .bar
                        .finish_with_message(LayerProgress::summary(layer.progress.counts()));
                }
            }
            Event::Batch(event) => self.batch(event, now),
            Event::Cost(spent) => {
                self.totals.spend(*spent, now);
                self.update_total(now);
            }
            _ => {}
        }
    }

    fn update_total(&mut self, now: Duration) {
        if let Some(description) = self.totals.description(now) {
            let all = &self.all;
            let whole = self
                .whole
                .get_or_insert_with(|| line(all, "in total", None));
            whole.set_message(description);
        }
    }

    fn layer(&mut self, name: &str, counts: LayerCounts, now: Duration) {
        self.totals.count(name, counts, now);
        self.update_total(now);
        let (all, whole) = (&self.all, self.whole.as_ref());
        let layer = self.layers.entry(name.to_owned()).or_insert_with(|| Layer {
            bar: line(all, name, whole),
            progress: LayerProgress::new(counts, now),
        });
        layer.progress.advance(counts);
        layer.bar.set_message(layer.progress.description(now));
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other events change no bar")]
    fn batch(&mut self, event: &BatchEvent, now: Duration) {
        match event {
            BatchEvent::Submitted {
                batch, requests, ..
            }
            | BatchEvent::Adopted {
                batch, requests, ..
            } => {
                let status = BatchStatus {
                    status: "submitted",
                    done: None,
                    requests: *requests,
                };
                self.update_batch(batch, &status, now);
            }
            BatchEvent::Status {
                batch,
                status,
                done,
                requests,
            } => {
                let status = BatchStatus {
                    status,
                    done: *done,
                    requests: *requests,
                };
                self.update_batch(batch, &status, now);
            }
            BatchEvent::Settled {
                batch,
                succeeded,
                failed,
            } => {
                if let Some(line) = self.batches.remove(batch) {
                    line.bar
                        .finish_with_message(format!("{succeeded} done, {failed} failed"));
                }
            }
            BatchEvent::Abandoned {
                batch: Some(batch), ..
            } => {
                if let Some(line) = self.batches.remove(batch) {
                    line.bar.finish_with_message("abandoned");
                }
            }
            _ => {}
        }
    }

    fn update_batch(&mut self, id: &str, status: &BatchStatus<'_>, now: Duration) {
        let (all, whole) = (&self.all, self.whole.as_ref());
        let batch = self.batches.entry(id.to_owned()).or_insert_with(|| Batch {
            bar: line(all, &format!("batch {id}"), whole),
            since: now,
        });
        let elapsed = now.saturating_sub(batch.since);
        let &BatchStatus {
            status,
            done,
            requests,
        } = status;
        let left = done.and_then(|done| time_left(elapsed, done, requests.saturating_sub(done)));
        let status = printable::escape_line(status);
        batch.bar.set_message(counts(&status, done, requests, left));
    }
}

/// Adds a bar above `below`, or at the end. Its name may come from untrusted input.
fn line(all: &MultiProgress, name: &str, below: Option<&ProgressBar>) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    let bar = match below {
        Some(below) => all.insert_before(below, bar),
        None => all.add(bar),
    };
    bar.set_prefix(printable::escape_line(name));
    bar.enable_steady_tick(TICK);
    bar
}

fn counts(status: &str, done: Option<u64>, requests: u64, left: Option<Duration>) -> String {
    let Some(done) = done else {
        return format!("{status}, {requests} waiting");
    };
    let waiting = requests.saturating_sub(done);
    let left = left.map_or_else(String::new, |left| {
        format!(", about {} left", format_duration(left))
    });
    format!("{status}, {done} done, {waiting} waiting{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_shows_the_status_from_its_provider() {
        assert_eq!(
            counts("in_progress", Some(25), 100, Some(Duration::from_secs(180))),
            "in_progress, 25 done, 75 waiting, about 3 min left"
        );
        assert_eq!(
            counts("validating", None, 100, None),
            "validating, 100 waiting"
        );
    }
}
