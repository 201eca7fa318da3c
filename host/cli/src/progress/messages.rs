//! The text of each event that does not depend on earlier ones.

use std::time::Duration;

use synix_core::printable::{self, pluralize};
use synix_engine::batch::BatchEvent;
use synix_engine::build::Event;

/// Returns the line for an event; `None` if the event has none, or one that depends on earlier events.
pub(super) fn describe(event: &Event) -> Option<String> {
    Some(match event {
        Event::Build { build } => build.clone(),
        Event::Layer { .. }
        | Event::Units { .. }
        | Event::Cost(_)
        | Event::Done { .. }
        | Event::Failed { .. }
        | Event::Log { .. } => return None,
        Event::Ending { calls } => {
            format!(
                "waiting for the answers to {} in flight; interrupt again to leave without them",
                pluralize(*calls as u64, "call")
            )
        }
        Event::WaitingForOthers { calls, rows } => describe_waiting(*calls, *rows),
        Event::WaitingForShared { url, holder } => {
            format!("waiting for requests that {holder} has claimed in {url}")
        }
        Event::WaitingForEngine { url, reason } => {
            format!("waiting for the engine at {url}: {reason}")
        }
        Event::Retrying {
            provider,
            reason,
            wait,
            attempt,
        } => describe_retry(provider, reason, *wait, *attempt),
        Event::Unclear { requests } => {
            format!(
                "{} of an earlier process may be billed without an answer",
                pluralize(*requests as u64, "request")
            )
        }
        Event::OnDone { message } => format!("on_done: {message}"),
        Event::Lock { message } => message.clone(),
        Event::Warning { message } => format!("warning: {message}"),
        Event::StateReset { lost } => format!("the state was reset: {lost}"),
        Event::Batch(event) => describe_batch(event),
    })
}

/// Describes where the missing answers will come from.
fn describe_waiting(calls: usize, rows: usize) -> String {
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

fn describe_retry(provider: &str, reason: &str, wait: Duration, attempt: Option<u32>) -> String {
    let reason = printable::escape_line(reason);
    let wait = format!("{:.1} s", wait.as_secs_f64());
    match attempt {
        Some(attempt) => {
            format!("{provider}: {reason}; retrying in {wait} (attempt {attempt})")
        }
        None => format!("{provider}: {reason}; waiting {wait}"),
    }
}

fn describe_batch(event: &BatchEvent) -> String {
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
            unreadable,
        } => format!(
            "batch {batch}: {} missing, {duplicate} twice, {unknown} unknown, {unreadable} unreadable",
            pluralize(*missing, "row")
        ),
        BatchEvent::UnreadableRow {
            batch,
            place,
            reason,
            start,
            kept,
        } => {
            let kept = kept.as_ref().map_or_else(String::new, |file| {
                format!("; the row is kept in .synix/{file}")
            });
            format!("batch {batch}: cannot read {place}: {reason}: {start:?}{kept}")
        }
        BatchEvent::CallFailed { message } => format!("{message}; retrying at the next poll"),
        BatchEvent::Abandoned { batch, message } => {
            format!(
                "batch {}: abandoned: {message}",
                batch.as_deref().unwrap_or("without an id")
            )
        }
        BatchEvent::NoProvider {
            submission,
            provider,
        } => format!(
            "submission {submission} waits for provider `{provider}`, which the pipeline does not define or which has no key here"
        ),
    }
}
