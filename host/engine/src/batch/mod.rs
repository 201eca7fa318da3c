//! Batches: from recorded requests to rows, safely.
//!
//! Creating a batch spends money and cannot be repeated, so each submission is
//! a small state machine. Every arrow is one committed transaction:
//!
//! ```text
//! claimed ─> uploading ─> uploaded ─> creating ─────────> live ─> ended ─> fetched ─> settled
//!    │           │            │        │  ▲  │              ▲        │  ▲      │
//!    │           │            │        │  │  └─> unclear ───┤        │  └──────┤
//!    │           │            │        │  └───────┤│        │        │         │
//!    │           │            │        │          │└─> adopted ─────>┘         │
//!    │           │            │        │          │         └ not ours ─> unclear
//!    └───────────┴────────────┴────────┴──────────┴─────────┴────────┴─> abandoned
//! ```
//!
//! | state | on disk before | a process that finds it |
//! | --- | --- | --- |
//! | claimed | requests and a token | writes the input file and uploads it |
//! | uploading | | uploads again: a file that nothing uses costs nothing |
//! | uploaded | the input file's id | goes on to creating |
//! | creating | the token of this very create call, and where batches carry none the newest batch in the list | takes it as unclear |
//! | unclear | | looks for the batch: at once and after the pauses of `look_again`; adopts it, or takes it as not created and creates under a new token |
//! | adopted | a batch that may be ours | polls; its rows tell |
//! | live | the batch's id | polls |
//! | ended | | downloads the rows |
//! | fetched | both files, whole | takes the rows |
//! | settled | every row | nothing |
//! | abandoned | why | nothing: its requests are free again |
//!
//! Only the process that holds the lock of the submission's build, or finds it
//! free, takes the steps before there is a batch: a create call is never made
//! twice for one claim. Polling and taking rows is open to everyone; a row is
//! taken once because its attempt is closed in the same transaction.
//!
//! Calls to providers run as tasks of their own (`step`) and touch no state;
//! what they bring is taken in by one owner (`advance`), which may be left
//! at any await without losing anything.

mod advance;
mod cancel;
mod chunk;
mod close;
mod event;
mod find;
mod gone;
mod lines;
mod refusal;
mod rows;
mod start;
mod step;
#[cfg(test)]
mod tests;
mod wave;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use synix_core::clock::Clock;
use synix_core::request::{Failure, FailureKind, RequestKey, Settlement, Usage};
use synix_disk::{DiskError, FileLock};
use synix_providers::{Provider, ProviderError};
use synix_store::{
    BuildId, RequestId, Retry, Store, StoreError, Submission, SubmissionId, SubmissionState,
};

pub use event::BatchEvent;

/// Why batches could not be driven. What one batch or row suffers is no such error.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file on its way to or from a provider could not be written or read.
    #[error("cannot use the batch file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The provider does not let us see a batch of ours; asking again would not help.
    #[error("cannot look at batch {batch}, which goes on: {error}; resume when the key is right")]
    Refused {
        /// The batch.
        batch: String,
        /// What the provider said.
        error: ProviderError,
    },
    /// The rows of a batch cannot be had; they stay at the provider.
    #[error(
        "cannot download the rows of batch {batch}, which stay at the provider: {error}; `synix batch-build resume` tries again"
    )]
    Rows {
        /// The batch.
        batch: String,
        /// What stands in the way.
        error: ProviderError,
    },
    /// Nothing tells whether the batch exists whose create reply was lost; only a person can.
    #[error(
        "the reply to a batch of {requests} requests was lost, and nothing tells whether it exists: {error}; resume later, with --adopt ID if it does, or with --create-again if it does not"
    )]
    Untold {
        /// How many requests it carries.
        requests: u64,
        /// What is wrong with the list.
        error: ProviderError,
    },
    /// Several batches may be the one whose create reply was lost; only a person can tell.
    #[error("the reply to a batch of {requests} requests at {provider} was lost, and {} may be it: {}", .candidates.len(), .candidates.join(", "))]
    Ambiguous {
        /// The provider.
        provider: String,
        /// How many requests it carries.
        requests: u64,
        /// The ids at the provider.
        candidates: Vec<String>,
    },
    /// No randomness for a token.
    #[error("the system gives no random numbers for a submission's token")]
    NoToken,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
}

/// A request for a batch.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Its key.
    pub key: RequestKey,
    /// Its number in the store.
    pub request: RequestId,
    /// The position of the layer that asked first.
    pub layer: usize,
    /// Whether an answer cut at its token limit will do.
    pub accept_truncated: bool,
    /// Where it goes; shared by all that go there.
    pub target: Arc<Target>,
}

/// What to do about a lost create reply that only a person can clear up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ruling {
    /// Ask.
    #[default]
    None,
    /// This batch is ours.
    Adopt(String),
    /// None is ours: create it again.
    CreateAgain,
}

/// How batches are driven.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// Pauses before each further look for a batch whose create reply was lost, by provider.
    pub look_again: HashMap<String, Vec<Duration>>,
    /// How often a request is put into a batch in one command, at most.
    pub attempts: u32,
    /// Names of the layers by position, for people.
    pub layers: Vec<String>,
    /// Between two looks at a batch; `None`: each is looked at once.
    pub interval: Option<Duration>,
    /// Requests in one batch at most, by provider, where it is less than the provider takes.
    pub batch_requests: HashMap<String, u32>,
    /// Input tokens that may be under way at once, by provider.
    pub enqueued_tokens: HashMap<String, u64>,
    /// How long a batch may take before what it still holds goes by single calls.
    pub sync_after: Option<Duration>,
    /// The user's word on a lost create reply.
    pub ruling: Ruling,
    /// What is asked again although it was paid for.
    pub retry: Retry,
}

/// A request this command waits for.
#[derive(Debug)]
struct Wanted {
    queued: Queued,
    /// How often this command put it into a batch.
    sends: u32,
}

/// A submission this command drives.
#[derive(Debug)]
struct Work {
    submission: Submission,
    /// A call of it is under way.
    busy: bool,
    /// When its next step may be taken; `None`: not in this command.
    due: Option<Instant>,
    /// Looks for a lost batch made so far.
    looks: usize,
    /// Create calls made by this command.
    creates: u32,
    /// Errors in a row.
    errors: u32,
    /// The newest batch in the list is known for the next create call.
    marked: bool,
    /// Its batch was asked to stop.
    cancel_sent: bool,
    /// Its build was cancelled before there was a batch.
    doomed: bool,
    /// Rows done at the last look, as the provider counts.
    done: Option<u64>,
    /// The trouble with it that was told last: once is enough.
    told: Option<String>,
}

/// The batches of a project, as one command drives them.
pub struct Batches<'a> {
    store: &'a Store,
    build: BuildId,
    providers: &'a BTreeMap<String, Arc<Provider>>,
    settings: BatchSettings,
    clock: &'a Clock,
    observer: &'a dyn Fn(&BatchEvent),
    queue: Vec<Queued>,
    /// Chunks of a validation failure that named no line, each to be sent by itself.
    divided: Vec<(Vec<Queued>, u32)>,
    wanted: HashMap<RequestKey, Wanted>,
    settled: Vec<(RequestKey, Settlement)>,
    /// Requests that go by single calls from now on.
    for_sync: Vec<Queued>,
    works: BTreeMap<SubmissionId, Work>,
    /// Locks of other builds whose submissions this command creates.
    locks: HashMap<BuildId, FileLock>,
    /// When the list of submissions is read again (L5).
    survey: Option<Instant>,
    /// What providers were found to take at once, in input tokens.
    learned: HashMap<Target, u64>,
    /// When a target that refused for its limit may be tried again.
    held: HashMap<Target, Instant>,
    /// Validation failures in this command.
    refusals: HashMap<Target, u32>,
    /// Submissions that were told to lack a provider.
    told: HashSet<SubmissionId>,
    /// Requests that were in flight elsewhere when this command wanted them.
    elsewhere: bool,
    /// Ends batches instead of making them.
    cancelling: bool,
    busy: usize,
    sender: UnboundedSender<step::Finished>,
    finished: UnboundedReceiver<step::Finished>,
}

impl<'a> Batches<'a> {
    /// Opens the batches of `store` for one command.
    pub fn new(
        store: &'a Store,
        build: BuildId,
        providers: &'a BTreeMap<String, Arc<Provider>>,
        settings: BatchSettings,
        clock: &'a Clock,
        observer: &'a dyn Fn(&BatchEvent),
    ) -> Self {
        let (sender, finished) = unbounded_channel();
        Self {
            store,
            build,
            providers,
            settings,
            clock,
            observer,
            queue: Vec::new(),
            divided: Vec::new(),
            wanted: HashMap::new(),
            settled: Vec::new(),
            for_sync: Vec::new(),
            works: BTreeMap::new(),
            locks: HashMap::new(),
            survey: Some(Instant::now()),
            learned: HashMap::new(),
            held: HashMap::new(),
            told: HashSet::new(),
            elsewhere: false,
            cancelling: false,
            refusals: HashMap::new(),
            busy: 0,
            sender,
            finished,
        }
    }

    /// Takes a request for the next batch.
    pub fn queue(&mut self, queued: Queued) {
        let wanted = Wanted {
            queued: queued.clone(),
            sends: 0,
        };
        self.wanted.insert(queued.key, wanted);
        self.queue.push(queued);
    }

    /// Says whether requests of this command wait in a batch or for one.
    pub fn is_waiting(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Says whether this command has more to do for its batches, now or when it is due.
    pub fn is_active(&self) -> bool {
        self.busy > 0 || self.next_due().is_some()
    }

    /// Says whether somebody else has requests in flight that this command waits for.
    pub const fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Takes up what somebody else had in flight and has no more.
    pub fn look_elsewhere(&mut self) -> Result<(), BatchError> {
        self.claim_again()
    }

    /// Returns what has settled since the last call.
    pub fn take_settled(&mut self) -> Vec<(RequestKey, Settlement)> {
        std::mem::take(&mut self.settled)
    }

    /// Returns the requests that go by single calls from now on.
    pub fn take_for_sync(&mut self) -> Vec<Queued> {
        std::mem::take(&mut self.for_sync)
    }

    /// Waits for the next thing to happen to a batch and takes it in. Loses nothing when dropped.
    pub async fn progress(&mut self) -> Result<(), BatchError> {
        self.start_due()?;
        let next = self.next_due();
        let finished = tokio::select! {
            biased;
            finished = self.finished.recv(), if self.busy > 0 => finished,
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => None,
            else => None,
        };
        // From here on nothing awaits.
        if let Some(finished) = finished {
            self.take(finished)?;
        }
        self.start_due()
    }

    /// Lets what is under way come to its end and starts nothing new.
    pub async fn drain(&mut self) -> Result<(), BatchError> {
        while self.busy > 0 {
            let Some(finished) = self.finished.recv().await else {
                return Ok(());
            };
            self.take(finished)?;
        }
        Ok(())
    }

    fn next_due(&self) -> Option<Instant> {
        let works = self.works.values().filter(|work| !work.busy);
        works.filter_map(|work| work.due).chain(self.survey).min()
    }

    fn tell(&self, event: &BatchEvent) {
        (self.observer)(event);
    }

    /// Tells what went wrong with a submission, unless it is what was told last.
    fn tell_trouble(&self, work: &mut Work, message: String) {
        if work.told.as_ref() != Some(&message) {
            self.tell(&BatchEvent::Trouble {
                message: message.clone(),
            });
            work.told = Some(message);
        }
    }

    /// Writes a submission down as it stands now; false where another process was faster.
    fn keep(&self, work: &mut Work) -> Result<bool, BatchError> {
        work.submission.changed = self.clock.now();
        let kept = self
            .store
            .write(|| self.store.update_submission(&mut work.submission))?;
        if !kept {
            self.follow(work)?;
        }
        log(&work.submission);
        Ok(kept)
    }

    /// Takes what another process wrote as the truth, and goes on from there.
    fn follow(&self, work: &mut Work) -> Result<(), BatchError> {
        if let Some(current) = self.store.submission(work.submission.id)? {
            work.submission = current;
        }
        work.due = Some(Instant::now());
        Ok(())
    }

    /// Moves a submission to `state`; false where another process was faster.
    fn enter(&self, work: &mut Work, state: SubmissionState) -> Result<bool, BatchError> {
        work.submission.state = state;
        if state.is_before_batch() {
            state.name().clone_into(&mut work.submission.status);
        }
        self.keep(work)
    }
}

/// Notes where a submission stands now, whoever moved it.
fn log(submission: &Submission) {
    tracing::debug!(
        submission = submission.token,
        provider = submission.provider,
        batch = submission.batch,
        requests = submission.requests,
        state = submission.state.name(),
        status = submission.status,
        "batch"
    );
}

fn failure(kind: FailureKind, message: impl Into<String>, passing: bool) -> Failure {
    Failure {
        kind,
        message: message.into(),
        passing,
        usage: Usage::default(),
    }
}
