//! The thread that reports a build.
//!
//! It waits, reads what has settled, and sends it. While a receiver is away it reads nothing, so about one page is in
//! memory. At the end of the build it has a limited time for the rest; what it cannot send it counts.

use std::sync::Arc;
use std::sync::mpsc::Receiver as EndReceiver;
use std::time::{Duration, Instant};

use synix_core::clock::Timestamp;
use synix_prices::Prices;
use synix_store::{AnswerOrigin, BuildRow, StoreError, TimedSend};

use crate::attributes as names;
use crate::contents;
use crate::follow::{Follower, Settled};
use crate::queue::Queue;
use crate::report::Report;
use crate::spans::{Spans, Times};
use crate::thread::{BuildEnd, Delivery};
use crate::wire::{KeyValue, text};

/// The maximum time for the rest after a build that the user ended.
const INTERRUPTED_FLUSH: Duration = Duration::from_secs(2);

/// What the thread has.
pub(crate) struct Worker {
    pub(crate) report: Report,
    pub(crate) follower: Follower,
    pub(crate) queue: Arc<Queue>,
    pub(crate) layers: Vec<String>,
    pub(crate) delay: Duration,
    pub(crate) flush: Duration,
    pub(crate) has_contents: bool,
    pub(crate) spans: Spans,
    pub(crate) row: BuildRow,
    pub(crate) prices: Prices,
}

impl Worker {
    pub(crate) fn run(mut self, ended: &EndReceiver<(BuildEnd, Timestamp)>) -> Delivery {
        let mut wait = self.delay;
        while !self.queue.wait_until_closed(wait) {
            wait = self.pump().unwrap_or(self.delay);
        }
        let interrupted = (BuildEnd::Interrupted, self.row.opened);
        let (end, now) = ended.recv().unwrap_or(interrupted);
        let time = match &end {
            BuildEnd::Interrupted => self.flush.min(INTERRUPTED_FLUSH),
            BuildEnd::Waits | BuildEnd::Ended(_) => self.flush,
        };
        self.report.begin_flush(Instant::now() + time);
        self.pump();
        if end != BuildEnd::Waits {
            // The build reports what is wrong with its state.
            let _ = self.add_ends(&end, now);
            self.report.send_spans();
        }
        let rest = self.queue.take(usize::MAX).len() as u64;
        let lost = self.queue.take_lost() + rest;
        self.report
            .lose(lost, "more units settled than could be sent");
        self.report.finish()
    }

    /// Sends everything that has settled. Returns how long to wait, if the receiver cannot take it now.
    fn pump(&mut self) -> Option<Duration> {
        loop {
            if let Some(wait) = self.report.send_spans() {
                return Some(wait);
            }
            if self.report.is_over() {
                self.report.leave_uncounted();
                return None;
            }
            // A state that cannot be read now is read the next time.
            let page = self.follower.next_page(&self.queue, &self.layers).ok()?;
            if page.is_empty() {
                self.report.send_metrics();
                return None;
            }
            for settled in &page {
                self.add(settled);
            }
        }
    }

    fn add(&mut self, settled: &Settled) {
        match settled {
            Settled::Send(send) => {
                self.report.metrics.add_send(send, &self.prices);
                let (Some(start), Some(end)) = (send.sent, send.settled) else {
                    return;
                };
                let contents = if self.has_contents {
                    self.contents(send)
                } else {
                    Vec::new()
                };
                self.report.add(|| {
                    let times = Times { start, end };
                    let mut span = self.spans.of_send(send, &self.prices, times);
                    span.attributes.extend(contents);
                    span
                });
            }
            Settled::Unit((layer, key), times) => {
                let Some(layer) = self.layers.get(*layer) else {
                    return;
                };
                self.report.metrics.add_unit(layer, times.failure.is_some());
                self.report.add(|| self.spans.of_unit(layer, key, times));
            }
            Settled::Submission(submission) => {
                self.report.add(|| self.spans.of_submission(submission));
            }
        }
    }

    /// Returns what was asked and answered; nothing if `gc` has deleted it.
    fn contents(&self, send: &TimedSend) -> Vec<KeyValue> {
        let reader = &self.follower.reader;
        let Ok(request) = reader.request(send.request) else {
            return Vec::new();
        };
        let answer = reader.answer_to(send.request, AnswerOrigin::Live, true);
        contents::attributes(&request, answer.ok().flatten().as_ref())
    }

    /// Adds the spans of the layers and of the build.
    fn add_ends(&mut self, end: &BuildEnd, now: Timestamp) -> Result<(), StoreError> {
        let (reader, build) = (&self.follower.reader, self.row.id);
        for layer in reader.build_layers(build)? {
            let times = reader.layer_times(build, layer.position)?.map_or(
                // Nothing in it was stale.
                Times {
                    start: self.row.opened,
                    end: self.row.opened,
                },
                |times| Times {
                    start: times.started,
                    end: times.settled,
                },
            );
            let tally = reader.layer_tally(build, layer.position)?;
            self.report
                .add(|| self.spans.of_layer(&layer, tally, times));
        }
        let closed = reader.build(build)?.and_then(|row| row.closed);
        let status = match end {
            BuildEnd::Ended(status) => status.as_ref(),
            BuildEnd::Interrupted | BuildEnd::Waits => "interrupted",
        };
        let attributes = vec![
            text(names::PIPELINE, self.row.pipeline.as_str()),
            text(names::BUILD_KIND, self.row.kind.name()),
            text(names::STATUS, status),
        ];
        let times = Times {
            start: self.row.opened,
            end: closed.unwrap_or(now),
        };
        let failure = (status != "completed").then_some(status);
        self.report
            .add(|| self.spans.of_build(attributes, failure, times));
        Ok(())
    }
}
