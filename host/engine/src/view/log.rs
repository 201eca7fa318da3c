//! The log of a build: what happened in it and when, as it is on record.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::status::build_status;
use synix_core::clock::Timestamp;
use synix_store::{BuildRow, LogEntry, LogPage, LogRecord, Reader, SendOutcome, StoreError};

/// A part of the log of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildLog {
    /// Its id.
    pub build: String,
    /// `build` or `batch-build`.
    pub kind: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// Its status, as in [`Status::status`](super::Status::status).
    pub status: Cow<'static, str>,
    /// How many of the oldest events are left out.
    pub after: u64,
    /// The events, the oldest first.
    pub events: Vec<LogEvent>,
    /// Whether there are later events.
    pub more: bool,
}

/// An event in the log of a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEvent {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: LoggedEvent,
}

/// What happened in a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LoggedEvent {
    /// The build was opened.
    Opened,
    /// Another command continued it.
    Resumed,
    /// The user or the system ended the command that drove it.
    Interrupted,
    /// An error ended the command that drove it.
    Stopped,
    /// A user cancelled it.
    Cancelled,
    /// A submission entered a state.
    Submission {
        /// The layers whose requests it contains, joined by `, `.
        layer: String,
        /// The provider's name in the pipeline file.
        provider: String,
        /// The model of every row.
        model: String,
        /// The number of its requests.
        requests: u64,
        /// The state.
        state: String,
        /// The id of the batch at the provider, once there is one.
        batch: Option<String>,
    },
    /// A request was answered or failed, or is in flight.
    Request {
        /// Its layer; empty if it was not recorded.
        layer: String,
        /// The key of the request.
        key: String,
        /// The provider's name in the pipeline file.
        provider: String,
        /// The model.
        model: String,
        /// The id of its batch; null for a sync call.
        batch: Option<String>,
        /// `in_flight`, `answered`, `failed` or `unclear`.
        outcome: Cow<'static, str>,
        /// The kind of failure, if it failed.
        kind: Option<String>,
        /// The message of the provider, if it failed.
        message: Option<String>,
        /// The input tokens; null if the provider did not report them.
        input_tokens: Option<u64>,
        /// The output tokens; null if the provider did not report them.
        output_tokens: Option<u64>,
        /// The time from its send to its outcome in milliseconds; null if it is not on record.
        duration_ms: Option<u64>,
    },
    /// A unit has its outputs, failed, or was held back.
    Unit {
        /// Its layer.
        layer: String,
        /// Its name.
        unit: String,
        /// `done` or `failed`.
        outcome: Cow<'static, str>,
        /// The kind of failure, if it failed.
        kind: Option<String>,
        /// What went wrong, if it failed.
        message: Option<String>,
        /// The time since it was first recorded in milliseconds; null if it is not on record.
        duration_ms: Option<u64>,
    },
    /// The last unit of a layer settled.
    Layer {
        /// Its name.
        layer: String,
        /// `sync` or `batch`; null without requests.
        mode: Option<String>,
        /// Units that were fresh.
        fresh: u64,
        /// Units that have their outputs, without the fresh ones.
        done: u64,
        /// Units that failed or were held back.
        failed: u64,
    },
    /// The build was closed.
    Closed,
}

impl BuildLog {
    /// Reads a part of the log of a build.
    pub fn of(reader: &Reader, build: &BuildRow, page: LogPage) -> Result<Self, StoreError> {
        // One more entry shows whether there are later ones.
        let longer = LogPage {
            limit: page.limit.saturating_add(1),
            ..page
        };
        let mut entries = reader.log(build.id, longer)?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(Self {
            build: build.id.to_string(),
            kind: build.kind.name().to_owned(),
            pipeline: build.pipeline.clone(),
            status: build_status(reader, build)?.into(),
            after: page.after,
            events: entries.into_iter().filter_map(event).collect(),
            more,
        })
    }
}

/// Converts an entry; `None` for a step that a later synix recorded.
fn event(entry: LogEntry) -> Option<LogEvent> {
    let at = entry.at;
    let since = |start: Option<Timestamp>| {
        let duration = at.since(start?).as_millis();
        u64::try_from(duration).ok()
    };
    let what = match entry.record {
        LogRecord::Opened => LoggedEvent::Opened,
        LogRecord::Closed => LoggedEvent::Closed,
        LogRecord::Step { name } => match name.as_str() {
            "resumed" => LoggedEvent::Resumed,
            "interrupted" => LoggedEvent::Interrupted,
            "stopped" => LoggedEvent::Stopped,
            "cancelled" => LoggedEvent::Cancelled,
            _ => return None,
        },
        LogRecord::Submission {
            layers,
            provider,
            model,
            requests,
            state,
            batch,
        } => LoggedEvent::Submission {
            layer: layers,
            provider,
            model,
            requests,
            state,
            batch,
        },
        LogRecord::Send {
            layer,
            provider,
            model,
            key,
            batch,
            outcome,
            sent,
            usage,
        } => {
            let is_settled = outcome != SendOutcome::Open;
            let is_counted = outcome == SendOutcome::Answered && !usage.uncounted;
            let (outcome, kind, message) = match outcome {
                SendOutcome::Open => ("in_flight", None, None),
                SendOutcome::Answered => ("answered", None, None),
                SendOutcome::Failed { kind, message } => ("failed", Some(kind), Some(message)),
                SendOutcome::Unclear => ("unclear", None, None),
            };
            LoggedEvent::Request {
                layer,
                key: key.0.to_string(),
                provider,
                model,
                batch,
                outcome: outcome.into(),
                kind,
                message,
                input_tokens: is_counted.then_some(usage.input_tokens),
                output_tokens: is_counted.then_some(usage.output_tokens),
                duration_ms: since(sent.filter(|_| is_settled)),
            }
        }
        LogRecord::Unit {
            layer,
            key,
            started,
            failure,
        } => {
            let outcome = if failure.is_some() { "failed" } else { "done" };
            let (kind, message) = failure.unzip();
            LoggedEvent::Unit {
                layer,
                unit: key,
                outcome: outcome.into(),
                kind,
                message,
                duration_ms: since(started),
            }
        }
        LogRecord::Layer {
            name,
            mode,
            fresh,
            done,
            failed,
        } => LoggedEvent::Layer {
            layer: name,
            mode,
            fresh,
            done,
            failed,
        },
    };
    Some(LogEvent { at, what })
}
