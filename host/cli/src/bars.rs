//! Live counts for a person who watches: a line for each layer and each batch at work.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use synix_core::printable;
use synix_engine::batch::BatchEvent;
use synix_engine::build::{Event, LayerCounts};

use crate::layer_progress::{LayerProgress, about, left};
use crate::totals::Totals;

/// Between two turns of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// The lines below the talk.
#[derive(Default)]
pub(crate) struct Bars {
    pub(crate) all: MultiProgress,
    layers: BTreeMap<String, Layer>,
    batches: BTreeMap<String, Batch>,
    totals: Totals,
    /// The last line of all: the whole build.
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

impl Bars {
    /// Takes in what happened `now`, which is the time since the build began.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what has no count has no bar"
    )]
    pub(crate) fn advance(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Layer { layer, counts } => self.layer(layer, *counts, now),
            Event::Units { layer, .. } => {
                if let Some(layer) = self.layers.get(layer) {
                    layer
                        .bar
                        .finish_with_message(LayerProgress::ended(layer.progress.counts()));
                }
            }
            Event::Batch(event) => self.batch(event, now),
            Event::Spent(spent) => {
                self.totals.spend(*spent, now);
                self.tell_whole(now);
            }
            _ => {}
        }
    }

    fn tell_whole(&mut self, now: Duration) {
        if let Some(words) = self.totals.words(now) {
            let all = &self.all;
            let whole = self.whole.get_or_insert_with(|| line(all, "in all", None));
            whole.set_message(words);
        }
    }

    fn layer(&mut self, name: &str, counts: LayerCounts, now: Duration) {
        self.totals.count(name, counts, now);
        self.tell_whole(now);
        let (all, whole) = (&self.all, self.whole.as_ref());
        let layer = self.layers.entry(name.to_owned()).or_insert_with(|| Layer {
            bar: line(all, name, whole),
            progress: LayerProgress::new(counts, now),
        });
        layer.progress.advance(counts);
        layer.bar.set_message(layer.progress.words(now));
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what has no count has no bar"
    )]
    fn batch(&mut self, event: &BatchEvent, now: Duration) {
        match event {
            BatchEvent::Submitted {
                batch, requests, ..
            }
            | BatchEvent::Adopted {
                batch, requests, ..
            } => self.stands(batch, "submitted", None, *requests, now),
            BatchEvent::Status {
                batch,
                status,
                done,
                requests,
            } => self.stands(batch, status, *done, *requests, now),
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
                    line.bar.finish_with_message("given up");
                }
            }
            _ => {}
        }
    }

    fn stands(&mut self, id: &str, status: &str, done: Option<u64>, requests: u64, now: Duration) {
        let (all, whole) = (&self.all, self.whole.as_ref());
        let batch = self.batches.entry(id.to_owned()).or_insert_with(|| Batch {
            bar: line(all, &format!("batch {id}"), whole),
            since: now,
        });
        let elapsed = now.saturating_sub(batch.since);
        let left = done.and_then(|done| left(elapsed, done, requests.saturating_sub(done)));
        batch.bar.set_message(counts(
            &printable::escape_line(status),
            done,
            requests,
            left,
        ));
    }
}

/// A new line, above `below` or at the end; its name may come from others.
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
    let left = left.map_or_else(String::new, |left| format!(", about {} left", about(left)));
    format!("{status}, {done} done, {waiting} waiting{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_shows_what_its_provider_says() {
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
