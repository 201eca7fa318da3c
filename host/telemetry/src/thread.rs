//! The handle of a report, which the build holds.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::Notify;

use synix_core::clock::Timestamp;
use synix_prices::Prices;
use synix_store::{BuildId, Reader, StoreError};

use crate::follow::Follower;
use crate::ids::TraceId;
use crate::queue::Queue;
use crate::report::Report;
use crate::settings::Settings;
use crate::spans::Spans;
use crate::worker::Worker;

/// A build that is traced.
#[derive(Debug, Clone)]
pub struct TracedBuild {
    /// The number of the build in its state.
    pub build: BuildId,
    /// A text that no other project has and every process of this one has.
    pub project: String,
    /// The names of the layers, in the order of the pipeline.
    pub layers: Vec<String>,
}

/// How the process left a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEnd {
    /// The build waits for batches, and another process will continue it.
    Waits,
    /// The build has ended or stopped, with this status.
    Ended(Cow<'static, str>),
    /// The user or the system ended the process.
    Interrupted,
}

/// What was not delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The number of spans and data points that are lost.
    pub lost: u64,
    /// Whether even more are lost than were counted.
    pub is_more: bool,
    /// Why, with the receiver.
    pub reason: Option<String>,
}

/// Why a report cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state cannot be read.
    #[error("cannot read the state")]
    Store(#[from] StoreError),
    /// The system refused a thread or its runtime.
    #[error("cannot start a thread")]
    System(#[source] io::Error),
    /// The client of a receiver cannot be made.
    #[error("cannot create an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The build is not in the state.
    #[error("there is no {0}")]
    NoBuild(BuildId),
}

/// The report of a running build.
#[derive(Debug)]
pub struct Telemetry {
    queue: Arc<Queue>,
    closed: Arc<Notify>,
    end: SyncSender<(BuildEnd, Timestamp)>,
    layers: Vec<String>,
    thread: JoinHandle<Delivery>,
}

impl Telemetry {
    /// Starts to report what settles in a build from now on.
    pub fn start(
        settings: &Settings,
        traced: TracedBuild,
        reader: Reader,
        prices: Prices,
    ) -> Result<Self, StartError> {
        let build = traced.build;
        let row = reader.build(build)?.ok_or(StartError::NoBuild(build))?;
        let name = format!("{}\n{build}\n{}", traced.project, row.opened.0);
        let spans = Spans {
            trace: TraceId::of(&name),
            build: build.to_string(),
        };
        let (queue, closed) = (Arc::new(Queue::default()), Arc::new(Notify::new()));
        let (end, ended) = sync_channel(1);
        let worker = Worker {
            report: Report::new(settings, &spans.trace, &closed)?,
            follower: Follower::new(reader, build)?,
            queue: Arc::clone(&queue),
            layers: traced.layers.clone(),
            delay: settings.delay,
            flush: settings.flush,
            has_contents: settings.has_contents,
            spans,
            row,
            prices,
        };
        let thread = std::thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(move || worker.run(&ended))
            .map_err(StartError::System)?;
        Ok(Self {
            queue,
            closed,
            end,
            layers: traced.layers,
            thread,
        })
    }

    /// Notes that a unit settled. Never waits for the receiver.
    pub fn unit_settled(&self, layer: &str, key: &str) {
        if let Some(position) = self.layers.iter().position(|name| name == layer) {
            self.queue.add(position, key);
        }
    }

    /// Sends the rest within a limited time, and returns what was not delivered.
    pub fn finish(self, end: BuildEnd, now: Timestamp) -> Delivery {
        // Fails only if the thread has panicked, which `join` shows.
        let _ = self.end.send((end, now));
        self.queue.close();
        self.closed.notify_one();
        self.thread.join().unwrap_or_else(|_| Delivery {
            is_more: true,
            reason: Some(
                "the report ended unexpectedly; please report this bug in synix".to_owned(),
            ),
            ..Delivery::default()
        })
    }
}
