//! The results of threads that the writer has not taken yet, limited by their size.
//!
//! Guests run on all cores and one thread writes: without a limit, the outputs of hundreds of large units would wait in
//! memory. A thread sends its results in parts, and waits while the parts of all threads together are too
//! large. A part that alone exceeds the limit is sent when no other part waits.

use std::sync::{Condvar, Mutex, PoisonError};

use super::recorder::UnitResult;
use super::unit::{RunEnd, RunOutcome, RunRequest};
use synix_core::artifact::Artifact;
use synix_core::request::{Message, Part, Request};

/// The maximum size of the parts that wait for the writer.
pub(super) const MAX_BACKLOG_BYTES: usize = 64 << 20;

/// The approximate size of a result without its texts.
const RESULT_OVERHEAD: usize = 512;

/// Counts the bytes that wait for the writer.
#[derive(Debug)]
pub(super) struct Backlog {
    max_bytes: usize,
    waiting: Mutex<BacklogState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct BacklogState {
    bytes: usize,
    is_closed: bool,
}

impl Backlog {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits until a part fits, and counts it; `false`: the pool is closed.
    pub(super) fn add(&self, bytes: usize) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let has_no_room = |waiting: &mut BacklogState| {
            let fits = waiting.bytes.saturating_add(bytes) <= self.max_bytes;
            !(waiting.is_closed || fits || waiting.bytes == 0)
        };
        let mut waiting = self
            .changed
            .wait_while(waiting, has_no_room)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.bytes = waiting.bytes.saturating_add(bytes);
        !waiting.is_closed
    }

    /// Removes a part that the writer has taken.
    pub(super) fn remove(&self, bytes: usize) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        self.changed.notify_all();
    }

    /// Returns the size of the parts that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .bytes
    }

    /// Ends all waits.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_closed = true;
        self.changed.notify_all();
    }
}

/// Returns the approximate size of a result.
pub(super) fn estimated_size(outcome: &RunOutcome) -> usize {
    let end = match &outcome.end {
        RunEnd::Done(UnitResult { outputs, log }) => {
            let outputs = outputs.iter().map(|(output, _)| size_of_output(output));
            let log = log.iter().map(|line| line.message.len());
            outputs.chain(log).sum()
        }
        RunEnd::Failed(failure) => failure.message.len(),
        RunEnd::Suspended | RunEnd::Postponed | RunEnd::Interrupted | RunEnd::Fatal(_) => 0,
    };
    let requests: usize = outcome.requests.iter().map(size_of_request).sum();
    let unasked = outcome.unasked.iter();
    let unasked: usize = unasked
        .map(|pending| size_of_question(&pending.request))
        .sum();
    RESULT_OVERHEAD + end + requests + unasked
}

fn size_of_output(output: &Artifact) -> usize {
    let metadata = output.metadata.iter();
    let metadata: usize = metadata
        .map(|(name, value)| name.len() + size_of_value(value))
        .sum();
    RESULT_OVERHEAD + output.content.as_bytes().len() + metadata
}

pub(super) fn size_of_request((pending, answer): &RunRequest) -> usize {
    let answer = answer.as_ref().map_or(0, |answer| {
        answer.text.len() + answer.details.values().map(size_of_value).sum::<usize>()
    });
    size_of_question(&pending.request) + answer
}

fn size_of_question(request: &Request) -> usize {
    let messages: usize = request.messages.iter().map(size_of_message).sum();
    let format = request.response_format.as_ref();
    RESULT_OVERHEAD + messages + format.map_or(0, size_of_value)
}

pub(super) fn size_of_message(message: &Message) -> usize {
    let part = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Image { data, .. } => data.len(),
    };
    message.parts.iter().map(part).sum()
}

pub(super) fn size_of_value(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    let own = size_of::<Value>();
    own + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size_of_value).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + size_of_value(value))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::thread;

    use serde_json::json;

    use super::*;
    use crate::pending::{PendingRequest, Target};
    use synix_core::artifact::{Content, Metadata};
    use synix_core::ids::{Kind, Label};
    use synix_core::request::{Answer, Ending, Role, Usage, Wire};
    use synix_sandbox::{Level, LogLine};

    /// W18: a part waits until it fits, and no longer.
    #[test]
    fn a_part_waits_until_it_fits() {
        let backlog = Backlog::new(10);
        assert!(backlog.add(4) && backlog.add(6));
        thread::scope(|scope| {
            let (sender, added) = mpsc::channel();
            let backlog = &backlog;
            scope.spawn(move || {
                sender.send(backlog.add(5)).unwrap();
            });
            backlog.remove(4);
            // It needs 5 bytes and 4 are free: it fits only after the next removal.
            assert_eq!(added.try_recv(), Err(mpsc::TryRecvError::Empty));
            backlog.remove(6);
            assert_eq!(added.recv(), Ok(true));
        });
        assert_eq!(backlog.waiting(), 5);
    }

    /// A part above the limit would otherwise wait forever.
    #[test]
    fn a_part_above_the_limit_is_sent_alone() {
        let backlog = Backlog::new(10);
        assert!(backlog.add(11));
        thread::scope(|scope| {
            let (sender, added) = mpsc::channel();
            let backlog = &backlog;
            scope.spawn(move || {
                sender.send(backlog.add(100)).unwrap();
            });
            assert_eq!(added.try_recv(), Err(mpsc::TryRecvError::Empty));
            backlog.remove(11);
            assert_eq!(added.recv(), Ok(true));
        });
    }

    /// The limit does not apply to bytes that are not counted.
    #[test]
    fn everything_that_can_be_large_is_counted() {
        const LARGE: usize = 1 << 20;
        let large = || "x".repeat(LARGE);
        let outcome = |end, requests| RunOutcome {
            unit: 0,
            first: 0,
            end,
            requests,
            repairs: 0,
            unasked: Vec::new(),
            roles: Vec::new(),
        };
        let output = Artifact {
            label: Label::parse("a").unwrap(),
            kind: Kind::parse("k").unwrap(),
            content: Content::Text(large()),
            metadata: Metadata::from([("m".to_owned(), json!({ "list": [large()] }))]),
        };
        let digest = output.digest().unwrap();
        let line = LogLine {
            level: Level::Info,
            message: large(),
        };
        let done = RunEnd::Done(UnitResult {
            outputs: vec![(output, digest)],
            log: vec![line],
        });
        assert!(estimated_size(&outcome(done, Vec::new())) >= 3 * LARGE);
        let failed = RunEnd::Failed(super::super::unit::guest_failure(large()));
        assert!(estimated_size(&outcome(failed, Vec::new())) >= LARGE);
        let image = Part::Image {
            media_type: "image/png".to_owned(),
            data: large(),
        };
        let request = Request {
            kind: synix_core::request::RequestKind::Completion,
            wire: Wire::OpenAi,
            provider: "p".to_owned(),
            model: "m".to_owned(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text(large()), image],
            }],
            max_tokens: None,
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            options: serde_json::Map::new(),
            sample: 0,
            revision: String::new(),
        };
        let pending = PendingRequest {
            kind: synix_core::request::RequestKind::Completion,
            key: request.key().unwrap(),
            layer: 0,
            accept_truncated: false,
            target: Arc::new(Target {
                provider: "p".to_owned(),
                model: "m".to_owned(),
            }),
            request: Arc::new(request),
            repairs: crate::pending::RepairCount::default(),
        };
        let answer = Answer {
            text: large(),
            ending: Ending::Complete,
            model: "m".to_owned(),
            usage: Usage::default(),
            details: serde_json::Map::new(),
        };
        assert!(
            estimated_size(&outcome(RunEnd::Suspended, vec![(pending, Some(answer))])) >= 3 * LARGE
        );
    }

    #[test]
    fn a_closed_backlog_ends_all_waits() {
        let backlog = Backlog::new(10);
        assert!(backlog.add(10));
        thread::scope(|scope| {
            let waits = scope.spawn(|| backlog.add(1));
            backlog.close();
            assert!(!waits.join().unwrap());
        });
        assert!(!backlog.add(1));
    }
}
