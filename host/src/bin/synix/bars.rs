//! Live counts for a person who watches: a line for each layer and each batch at work.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use synix::batch::BatchEvent;
use synix::build::Event;

/// Between two turns of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// The lines below the talk.
#[derive(Default)]
pub(crate) struct Bars {
    pub(crate) all: MultiProgress,
    layers: BTreeMap<String, Layer>,
    batches: BTreeMap<String, Batch>,
}

struct Layer {
    bar: ProgressBar,
    done: u64,
    failed: u64,
}

struct Batch {
    bar: ProgressBar,
    since: Instant,
}

impl Bars {
    /// Takes in what happened.
    pub(crate) fn advance(&mut self, event: &Event) {
        match event {
            Event::Done { layer, .. } => self.count(layer, 1, 0),
            Event::Failed { layer, .. } => self.count(layer, 0, 1),
            Event::Units {
                layer,
                fresh,
                stale,
            } => {
                self.count(layer, 0, 0);
                if let Some(layer) = self.layers.get(layer) {
                    let text = format!("{fresh} fresh, {stale} stale, {} failed", layer.failed);
                    layer.bar.finish_with_message(text);
                }
            }
            Event::Batch(event) => self.batch(event),
            Event::Build { .. }
            | Event::Log { .. }
            | Event::WaitingForOthers { .. }
            | Event::Retrying { .. }
            | Event::Ending { .. }
            | Event::Unclear { .. }
            | Event::StateReset { .. }
            | Event::OnDone { .. }
            | Event::Lock { .. }
            | Event::Warning { .. } => {}
        }
    }

    fn count(&mut self, name: &str, done: u64, failed: u64) {
        let all = &self.all;
        let layer = self.layers.entry(name.to_owned()).or_insert_with(|| Layer {
            bar: line(all, name),
            done: 0,
            failed: 0,
        });
        layer.done += done;
        layer.failed += failed;
        let text = format!("{} done, {} failed", layer.done, layer.failed);
        layer.bar.set_message(text);
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what has no count has no bar"
    )]
    fn batch(&mut self, event: &BatchEvent) {
        match event {
            BatchEvent::Submitted {
                batch, requests, ..
            }
            | BatchEvent::Adopted {
                batch, requests, ..
            } => self.stands(batch, "submitted", None, *requests),
            BatchEvent::Status {
                batch,
                status,
                done,
                requests,
            } => self.stands(batch, status, *done, *requests),
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

    fn stands(&mut self, id: &str, status: &str, done: Option<u64>, requests: u64) {
        let all = &self.all;
        let batch = self.batches.entry(id.to_owned()).or_insert_with(|| Batch {
            bar: line(all, &format!("batch {id}")),
            since: Instant::now(),
        });
        let left = left(batch.since.elapsed(), done.unwrap_or(0), requests);
        batch.bar.set_message(counts(status, done, requests, left));
    }
}

fn line(all: &MultiProgress, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = all.add(ProgressBar::new_spinner().with_style(style));
    bar.set_prefix(name.to_owned());
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

/// How long the rest takes if it goes on as it went; `None` before anything is done.
fn left(elapsed: Duration, done: u64, requests: u64) -> Option<Duration> {
    let waiting = requests.checked_sub(done).filter(|waiting| *waiting > 0)?;
    let seconds = elapsed.as_secs().checked_mul(waiting)?.checked_div(done)?;
    Some(Duration::from_secs(seconds))
}

fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_was_done() {
        let elapsed = Duration::from_secs(60);
        assert_eq!(left(elapsed, 30, 120), Some(Duration::from_secs(180)));
        assert_eq!(left(elapsed, 0, 120), None);
        assert_eq!(left(elapsed, 120, 120), None);
    }

    #[test]
    fn a_batch_shows_its_counts_and_what_is_left() {
        let left = Some(Duration::from_secs(3700));
        assert_eq!(
            counts("in_progress", Some(3), 10, left),
            "in_progress, 3 done, 7 waiting, about 1 h 1 min left"
        );
        assert_eq!(
            counts("validating", None, 10, None),
            "validating, 10 waiting"
        );
    }
}
