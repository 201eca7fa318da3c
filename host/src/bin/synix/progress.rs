//! What happens while a build runs: bars for a person, plain lines for a pipe.

use std::cell::RefCell;
use std::time::Duration;

use synix::batch::BatchEvent;
use synix::build::Event;
use synix::printable;

use crate::bars::Bars;
use crate::render::{Screen, indented};

/// Tells of events as they come.
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    /// `None` where nobody watches.
    bars: Option<RefCell<Bars>>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self {
            screen,
            bars: screen.is_watched().then(|| RefCell::new(Bars::default())),
        }
    }

    pub(crate) fn tell(&self, event: &Event) {
        let line = words(event);
        match &self.bars {
            None => {
                if let Some(line) = line {
                    self.screen.talk(&line);
                }
            }
            Some(bars) => {
                let mut bars = bars.borrow_mut();
                bars.advance(event);
                // The bars say it already.
                let shown = matches!(
                    event,
                    Event::Units { .. } | Event::Batch(BatchEvent::Status { .. })
                );
                if let (Some(line), false) = (line, shown) {
                    bars.all.suspend(|| self.screen.talk(&line));
                }
            }
        }
    }
}

fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::Build { build } => build.clone(),
        Event::Units {
            layer,
            fresh,
            stale,
        } => format!("{layer}: {fresh} fresh, {stale} stale"),
        Event::Done { .. } => return None,
        Event::Failed {
            layer,
            unit,
            kind,
            message,
        } => {
            format!("{layer}/{unit}: failed ({kind}): {}", indented(message))
        }
        Event::Log {
            layer,
            unit,
            level,
            message,
        } => format!("{layer}/{unit}: {level}: {}", printable::line(message)),
        Event::Ending { calls } => {
            format!(
                "waiting for the answers of {calls} calls on their way; interrupt again to leave without them"
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
                "{requests} requests of an earlier process may have been billed without an answer"
            )
        }
        Event::OnDone { message } => format!("on_done: {message}"),
        Event::Lock { message } => message.clone(),
        Event::Warning { message } => format!("warning: {}", indented(message)),
        Event::StateReset { lost } => format!("the state was reset: {lost}"),
        Event::Batch(event) => batch_words(event),
    })
}

/// Says who has the requests that are waited for.
fn waiting_words(calls: usize, rows: usize) -> String {
    let elsewhere = format!("{calls} requests that another process has in flight");
    let in_batches = format!("{rows} requests that are in batches at their providers");
    match (calls, rows) {
        (_, 0) => format!("waiting for {elsewhere}"),
        (0, _) => format!("waiting for {in_batches}"),
        _ => format!("waiting for {elsewhere}, and for {in_batches}"),
    }
}

fn retrying_words(provider: &str, reason: &str, wait: Duration, attempt: Option<u32>) -> String {
    let reason = printable::line(reason);
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
            format!("batch {batch}: submitted to {provider}, {requests} requests of {layers}")
        }
        BatchEvent::Unclear { provider, message } => {
            format!("{provider}: the reply to a batch was lost ({message}); looking for the batch")
        }
        BatchEvent::Adopted {
            batch,
            provider,
            requests,
        } => {
            format!("batch {batch}: found at {provider}, {requests} requests")
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
            format!("batch {batch}: {status}, {requests} requests")
        }
        BatchEvent::Settled {
            batch,
            succeeded,
            failed,
        } => {
            format!("batch {batch}: {succeeded} answered, {failed} failed")
        }
        BatchEvent::OddRows {
            batch,
            missing,
            duplicate,
            unknown,
            garbled,
        } => format!(
            "batch {batch}: {missing} rows missing, {duplicate} twice, {unknown} unknown, {garbled} unreadable"
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
