//! What happens while a build runs: bars for a person, sparse lines for a pipe.
//!
//! A pipe gets a line when a layer starts and when it ends, and one in between
//! at most every ten seconds. A failed unit is told once for each layer and
//! kind: the result of the command has all of them, by cause.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use synix_core::printable::{self, pluralize};
use synix_engine::batch::BatchEvent;
use synix_engine::build::{Event, LayerCounts};

use crate::bars::Bars;
use crate::layer_progress::LayerProgress;
use crate::render::{Screen, Verbosity};
use crate::totals::Totals;

/// Between two lines of one layer on a pipe.
const SPARSE: Duration = Duration::from_secs(10);

/// Tells of events as they come.
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    begun: Instant,
    /// `None` where nobody watches.
    bars: Option<RefCell<Bars>>,
    seen: RefCell<Seen>,
}

/// What was told already.
#[derive(Debug, Default)]
struct Seen {
    layers: BTreeMap<String, Layer>,
    failures: BTreeSet<(String, &'static str)>,
    totals: Totals,
    totals_told: Duration,
    /// Lines that plugins logged, with how often.
    logs: BTreeMap<(String, String, String), u64>,
}

#[derive(Debug)]
struct Layer {
    progress: LayerProgress,
    told: Duration,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self {
            screen,
            begun: Instant::now(),
            bars: screen.can_draw().then(|| RefCell::new(Bars::default())),
            seen: RefCell::default(),
        }
    }

    pub(crate) fn tell(&self, event: &Event) {
        let now = self.begun.elapsed();
        let verbose = self.screen.tells(Verbosity::Verbose);
        let line = self.seen.borrow_mut().line(event, now, verbose);
        match &self.bars {
            None => {
                if let Some(line) = line {
                    self.screen.talk(&line);
                }
            }
            Some(bars) => {
                let mut bars = bars.borrow_mut();
                bars.advance(event, now);
                // The bars say it already.
                let shown = matches!(
                    event,
                    Event::Layer { .. }
                        | Event::Units { .. }
                        | Event::Spent(_)
                        | Event::Batch(BatchEvent::Status { .. })
                );
                if let (Some(line), false) = (line, shown) {
                    bars.all.suspend(|| self.screen.talk(&line));
                }
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        for line in self.seen.borrow().repeated() {
            self.screen.talk(&line);
        }
    }
}

impl Seen {
    /// Returns what to say of an event, if it is worth a line.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is told each time anew needs nothing of what was seen"
    )]
    fn line(&mut self, event: &Event, now: Duration, verbose: bool) -> Option<String> {
        match event {
            Event::Layer { layer, counts } => {
                self.totals.count(layer, *counts, now);
                self.layer(layer, *counts, now)
            }
            Event::Spent(spent) => {
                self.totals.spend(*spent, now);
                if now < self.totals_told + SPARSE {
                    return None;
                }
                self.totals_told = now;
                Some(format!("in all: {}", self.totals.words(now)?))
            }
            Event::Units { layer, .. } => {
                let counts = self.layers.get(layer)?.progress.counts();
                Some(format!("{layer}: {}", LayerProgress::ended(counts)))
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
            other => words(other),
        }
    }

    fn layer(&mut self, name: &str, counts: LayerCounts, now: Duration) -> Option<String> {
        let is_at_work = counts.stale > counts.done + counts.failed;
        let Some(layer) = self.layers.get_mut(name) else {
            let progress = LayerProgress::new(counts, now);
            let line = is_at_work.then(|| format!("{name}: {}", progress.words(now)));
            let told = now;
            self.layers
                .insert(name.to_owned(), Layer { progress, told });
            return line;
        };
        layer.progress.advance(counts);
        if !is_at_work || now < layer.told + SPARSE {
            return None;
        }
        layer.told = now;
        Some(format!("{name}: {}", layer.progress.words(now)))
    }

    /// Says how often each line was logged that was told once.
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

fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::Build { build } => build.clone(),
        Event::Layer { .. }
        | Event::Units { .. }
        | Event::Spent(_)
        | Event::Done { .. }
        | Event::Failed { .. }
        | Event::Log { .. } => return None,
        Event::Ending { calls } => {
            format!(
                "waiting for the answers of {} on their way; interrupt again to leave without them",
                pluralize(*calls as u64, "call")
            )
        }
        Event::WaitingForOthers { calls, rows } => waiting_words(*calls, *rows),
        Event::Retrying {
            provider,
            reason,
            wait,
            attempt,
        } => retrying_words(provider, reason, *wait, *attempt),
        Event::Unclear { requests } => {
            format!(
                "{} of an earlier process may have been billed without an answer",
                pluralize(*requests as u64, "request")
            )
        }
        Event::OnDone { message } => format!("on_done: {message}"),
        Event::Lock { message } => message.clone(),
        Event::Warning { message } => format!("warning: {message}"),
        Event::StateReset { lost } => format!("the state was reset: {lost}"),
        Event::Batch(event) => batch_words(event),
    })
}

/// Says who has the requests that are waited for.
fn waiting_words(calls: usize, rows: usize) -> String {
    let elsewhere = format!(
        "{} that another process has in flight",
        pluralize(calls as u64, "request")
    );
    let in_batches = format!(
        "{} that are in batches at their providers",
        pluralize(rows as u64, "request")
    );
    match (calls, rows) {
        (_, 0) => format!("waiting for {elsewhere}"),
        (0, _) => format!("waiting for {in_batches}"),
        _ => format!("waiting for {elsewhere}, and for {in_batches}"),
    }
}

fn retrying_words(provider: &str, reason: &str, wait: Duration, attempt: Option<u32>) -> String {
    let reason = printable::escape_line(reason);
    let wait = format!("{:.1} s", wait.as_secs_f64());
    match attempt {
        Some(attempt) => {
            format!("{provider}: {reason}; trying again in {wait} (try {attempt})")
        }
        None => format!("{provider}: {reason}; waiting {wait}"),
    }
}

fn batch_words(event: &BatchEvent) -> String {
    match event {
        BatchEvent::Submitted {
            batch,
            provider,
            layers,
            requests,
        } => {
            format!(
                "batch {batch}: submitted to {provider}, {} of {layers}",
                pluralize(*requests, "request")
            )
        }
        BatchEvent::Unclear { provider, message } => {
            format!("{provider}: the reply to a batch was lost ({message}); looking for the batch")
        }
        BatchEvent::Adopted {
            batch,
            provider,
            requests,
        } => {
            format!(
                "batch {batch}: found at {provider}, {}",
                pluralize(*requests, "request")
            )
        }
        BatchEvent::Status {
            batch,
            status,
            done: Some(done),
            requests,
        } => {
            format!("batch {batch}: {status}, {done} of {requests} done")
        }
        BatchEvent::Status {
            batch,
            status,
            done: None,
            requests,
        } => {
            format!(
                "batch {batch}: {status}, {}",
                pluralize(*requests, "request")
            )
        }
        BatchEvent::Settled {
            batch,
            succeeded,
            failed,
        } => {
            format!("batch {batch}: {succeeded} answered, {failed} failed")
        }
        BatchEvent::UnexpectedRows {
            batch,
            missing,
            duplicate,
            unknown,
            garbled,
        } => format!(
            "batch {batch}: {} missing, {duplicate} twice, {unknown} unknown, {garbled} unreadable",
            pluralize(*missing, "row")
        ),
        BatchEvent::GarbledRow {
            batch,
            place,
            reason,
            start,
            kept,
        } => {
            let kept = kept
                .as_ref()
                .map_or_else(String::new, |file| format!("; it is kept in .synix/{file}"));
            format!("batch {batch}: cannot read {place}: {reason}: {start:?}{kept}")
        }
        BatchEvent::Trouble { message } => format!("{message}; trying again at the next look"),
        BatchEvent::Abandoned { batch, message } => {
            format!(
                "batch {}: given up: {message}",
                batch.as_deref().unwrap_or("without an id")
            )
        }
        BatchEvent::NoProvider {
            submission,
            provider,
        } => format!(
            "submission {submission} waits for provider `{provider}`, which the pipeline does not name or which has no key here"
        ),
    }
}

#[cfg(test)]
mod tests {
    use synix_core::request::FailureKind;

    use super::*;

    const SOME: LayerCounts = LayerCounts {
        fresh: 0,
        stale: 3,
        done: 0,
        failed: 0,
        asked: 0,
        answered: 0,
        known: true,
    };

    fn told(seen: &mut Seen, event: &Event, seconds: u64) -> Option<String> {
        seen.line(event, Duration::from_secs(seconds), false)
    }

    fn layer(counts: LayerCounts) -> Event {
        Event::Layer {
            layer: "sums".to_owned(),
            counts,
        }
    }

    #[test]
    fn a_pipe_gets_a_line_at_the_start_at_the_end_and_now_and_then() {
        let mut seen = Seen::default();
        let start = told(&mut seen, &layer(SOME), 0);
        assert_eq!(start.as_deref(), Some("sums: 0 of 3 done, 3 waiting"));
        let one = LayerCounts { done: 1, ..SOME };
        assert_eq!(told(&mut seen, &layer(one), 9), None);
        let later = told(&mut seen, &layer(one), 10).unwrap();
        assert!(later.starts_with("sums: 1 of 3 done, 2 waiting"), "{later}");
        assert_eq!(told(&mut seen, &layer(one), 19), None);
        let all = LayerCounts { done: 3, ..SOME };
        assert_eq!(told(&mut seen, &layer(all), 30), None);
        let end = Event::Units {
            layer: "sums".to_owned(),
            fresh: 0,
            stale: 3,
        };
        assert_eq!(told(&mut seen, &end, 30).as_deref(), Some("sums: 3 made"));
    }

    #[test]
    fn a_pipe_gets_what_the_build_spent_now_and_then() {
        use synix_engine::view::{Spent, TokensView};
        let spent = |requests| {
            Event::Spent(Spent {
                requests,
                tokens: TokensView {
                    input: Some(7),
                    output: Some(3),
                    cached: Some(0),
                },
                cost_usd: None,
            })
        };
        let mut seen = Seen::default();
        assert_eq!(told(&mut seen, &spent(1), 5), None);
        let line = told(&mut seen, &spent(11), 15).unwrap();
        assert_eq!(
            line,
            "in all: 11 requests sent, 1.0 requests/s, 7 tokens in, 3 out"
        );
        assert_eq!(told(&mut seen, &spent(12), 24), None);
    }

    #[test]
    fn a_failure_is_told_once_for_each_layer_and_kind() {
        let mut seen = Seen::default();
        let failed = |unit: &str, kind| Event::Failed {
            layer: "sums".to_owned(),
            unit: unit.to_owned(),
            kind,
            message: "no".to_owned(),
        };
        let first = told(&mut seen, &failed("a", FailureKind::Auth), 0);
        assert_eq!(first.as_deref(), Some("sums/a: failed (auth)"));
        assert_eq!(told(&mut seen, &failed("b", FailureKind::Auth), 0), None);
        assert!(told(&mut seen, &failed("c", FailureKind::Empty), 0).is_some());
        let all = seen.line(&failed("d", FailureKind::Auth), Duration::ZERO, true);
        assert_eq!(all.as_deref(), Some("sums/d: failed (auth): no"));
    }

    #[test]
    fn what_a_plugin_logs_is_told_where_it_matters_and_once() {
        let mut seen = Seen::default();
        let log = |unit: &str, level: &str| Event::Log {
            layer: "sums".to_owned(),
            unit: unit.to_owned(),
            level: level.to_owned(),
            message: "cut\u{1b}".to_owned(),
        };
        assert_eq!(told(&mut seen, &log("a", "info"), 0), None);
        let first = told(&mut seen, &log("a", "warn"), 0);
        assert_eq!(first.as_deref(), Some("sums/a: warn: cut\\u{1b}"));
        assert_eq!(told(&mut seen, &log("b", "warn"), 0), None);
        assert_eq!(told(&mut seen, &log("c", "warn"), 0), None);
        assert_eq!(
            seen.repeated(),
            ["sums: warn: cut\\u{1b} (in 2 more units; -v shows each)"]
        );
        let info = seen.line(&log("a", "info"), Duration::ZERO, true);
        assert_eq!(info.as_deref(), Some("sums/a: info: cut\\u{1b}"));
    }
}
