//! Shows the progress of a build: bars on a terminal, occasional lines elsewhere.
//!
//! Without a terminal, each layer gets a line when it starts and when it ends, and in between at most one every 10
//! seconds. Only the first failed unit of each layer and kind is reported, because the result lists all of them by cause.

mod messages;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use synix_core::printable::{self, pluralize};
use synix_engine::batch::BatchEvent;
use synix_engine::build::{Event, LayerCounts};

use messages::describe;

use crate::bars::Bars;
use crate::layer_progress::LayerProgress;
use crate::render::{Screen, Verbosity};
use crate::totals::Totals;

/// The minimum time between two lines of one layer.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Shows events of a build as they occur.
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    started: Instant,
    /// `None` without a terminal.
    bars: Option<RefCell<Bars>>,
    reported: RefCell<ReportedEvents>,
}

/// What was already reported.
#[derive(Debug, Default)]
struct ReportedEvents {
    layers: BTreeMap<String, Layer>,
    failures: BTreeSet<(String, &'static str)>,
    totals: Totals,
    totals_reported: Duration,
    /// The log lines of plugins, with the number of times each occurred.
    logs: BTreeMap<(String, String, String), u64>,
}

#[derive(Debug)]
struct Layer {
    progress: LayerProgress,
    last_line: Duration,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self {
            screen,
            started: Instant::now(),
            bars: screen.can_draw().then(|| RefCell::new(Bars::default())),
            reported: RefCell::default(),
        }
    }

    pub(crate) fn on_event(&self, event: &Event) {
        let now = self.started.elapsed();
        let verbose = self.screen.shows(Verbosity::Verbose);
        let line = self.reported.borrow_mut().line(event, now, verbose);
        match &self.bars {
            None => {
                if let Some(line) = line {
                    self.screen.note(&line);
                }
            }
            Some(bars) => {
                let mut bars = bars.borrow_mut();
                bars.advance(event, now);
                // The bars already show these.
                let shown = matches!(
                    event,
                    Event::Layer { .. }
                        | Event::Units { .. }
                        | Event::Cost(_)
                        | Event::Batch(BatchEvent::Status { .. })
                );
                if let (Some(line), false) = (line, shown) {
                    bars.all.suspend(|| self.screen.note(&line));
                }
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        for line in self.reported.borrow().repeated() {
            self.screen.note(&line);
        }
    }
}

impl ReportedEvents {
    /// Returns the line for an event, if it needs one.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events do not depend on earlier ones"
    )]
    fn line(&mut self, event: &Event, now: Duration, verbose: bool) -> Option<String> {
        match event {
            Event::Layer { layer, counts } => {
                self.totals.count(layer, *counts, now);
                self.layer(layer, *counts, now)
            }
            Event::Cost(spent) => {
                self.totals.spend(*spent, now);
                if now < self.totals_reported + LINE_INTERVAL {
                    return None;
                }
                self.totals_reported = now;
                Some(format!("in total: {}", self.totals.description(now)?))
            }
            Event::Units { layer, .. } => {
                let counts = self.layers.get(layer)?.progress.counts();
                Some(format!("{layer}: {}", LayerProgress::summary(counts)))
            }
            Event::Failed {
                layer,
                unit,
                kind,
                message,
            } => {
                if verbose {
                    return Some(format!(
                        "{layer}/{unit}: failed ({}): {message}",
                        kind.name()
                    ));
                }
                let is_first = self.failures.insert((layer.clone(), kind.name()));
                is_first.then(|| format!("{layer}/{unit}: failed ({})", kind.name()))
            }
            Event::Log {
                layer,
                unit,
                level,
                message,
            } => {
                let matters = matches!(level.as_str(), "warn" | "error");
                if verbose {
                    return Some(format!(
                        "{layer}/{unit}: {level}: {}",
                        printable::escape_line(message)
                    ));
                }
                if !matters {
                    return None;
                }
                let key = (layer.clone(), level.clone(), message.clone());
                let times = self.logs.entry(key).or_insert(0);
                *times += 1;
                (*times == 1).then(|| {
                    format!(
                        "{layer}/{unit}: {level}: {}",
                        printable::escape_line(message)
                    )
                })
            }
            other => describe(other),
        }
    }

    fn layer(&mut self, name: &str, counts: LayerCounts, now: Duration) -> Option<String> {
        let is_at_work = counts.stale > counts.done + counts.failed;
        let Some(layer) = self.layers.get_mut(name) else {
            let progress = LayerProgress::new(counts, now);
            let line = is_at_work.then(|| format!("{name}: {}", progress.description(now)));
            let last_line = now;
            self.layers.insert(
                name.to_owned(),
                Layer {
                    progress,
                    last_line,
                },
            );
            return line;
        };
        layer.progress.advance(counts);
        if !is_at_work || now < layer.last_line + LINE_INTERVAL {
            return None;
        }
        layer.last_line = now;
        Some(format!("{name}: {}", layer.progress.description(now)))
    }

    /// Returns a line for each log line that occurred more than once.
    fn repeated(&self) -> Vec<String> {
        self.logs
            .iter()
            .filter(|(_, times)| **times > 1)
            .map(|((layer, level, message), times)| {
                let more = pluralize(times - 1, "more unit");
                format!(
                    "{layer}: {level}: {} (in {more}; -v shows each)",
                    printable::escape_line(message)
                )
            })
            .collect()
    }
}
