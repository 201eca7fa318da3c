//! The ledger: what was executed, at which price, and whether the reply was sent completely.
//!
//! The modules of sync calls and batch rows decide what counts as executed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::digest::BodyDigest;
use crate::endpoint::Endpoint;

/// All requests that were executed or will be executed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The executed requests, in order.
    pub executed: Vec<Executed>,
    /// The requests in live batches that have not run yet. They will run unless they are cancelled.
    pub pending: Vec<Pending>,
    /// Every batch that was not deleted: those of OpenAI first, then those of Anthropic, the oldest first.
    pub batches: Vec<BatchSummary>,
    /// The number of HTTP calls of each endpoint, including failed ones.
    pub calls: BTreeMap<Endpoint, u64>,
    /// The maximum number of sync calls that were open at once.
    pub max_concurrency: u64,
}

/// One executed request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Executed {
    /// The position in the order of execution, from 0.
    pub sequence: u64,
    /// `chat`, `messages`, or the id of the batch.
    pub endpoint: Arc<str>,
    /// The id of the row in a batch.
    pub custom_id: Option<String>,
    /// The digest of the request body.
    pub body: BodyDigest,
    /// The model in the request.
    pub model: Arc<str>,
    /// The billed input tokens.
    pub input_tokens: u64,
    /// The billed output tokens.
    pub output_tokens: u64,
    /// The price of the tokens.
    pub price: PriceClass,
    /// Whether the whole reply, or the whole file with the row, was written to the socket of the client.
    pub delivered: bool,
}

/// Which price applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceClass {
    /// The full price.
    Sync,
    /// The batch price.
    Batch,
}

/// A row of a live batch that has not run yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The batch.
    pub batch: Arc<str>,
    /// The id of the row.
    pub custom_id: String,
    /// The digest of the request body.
    pub body: BodyDigest,
}

/// A summary of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSummary {
    /// The id of the batch.
    pub id: Arc<str>,
    /// The status as its provider writes it.
    pub status: String,
    /// The number of rows.
    pub rows: usize,
    /// The size of the input file, or of the create call if it contains the requests.
    pub bytes: usize,
    /// How often it was polled.
    pub polls: u64,
    /// The time that it takes, in milliseconds.
    pub takes_ms: u64,
}

/// A body that was or will be executed more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The body.
    pub body: BodyDigest,
    /// Where it was executed: `chat`, `messages` or the id of a batch, once for each execution.
    pub places: Vec<Arc<str>>,
}

impl Ledger {
    /// Returns the bodies that are executed more than once, including rows of live batches.
    #[must_use]
    pub fn duplicates(&self) -> Vec<Duplicate> {
        let mut places: BTreeMap<BodyDigest, Vec<Arc<str>>> = BTreeMap::new();
        let executed = self
            .executed
            .iter()
            .map(|entry| (entry.body, &entry.endpoint));
        let pending = self.pending.iter().map(|row| (row.body, &row.batch));
        for (body, place) in executed.chain(pending) {
            places.entry(body).or_default().push(Arc::clone(place));
        }
        places.retain(|_, places| places.len() > 1);
        places
            .into_iter()
            .map(|(body, places)| Duplicate { body, places })
            .collect()
    }

    /// Returns the executed requests whose reply was not sent completely.
    pub fn lost(&self) -> impl Iterator<Item = &Executed> {
        self.executed.iter().filter(|entry| !entry.delivered)
    }

    /// Returns the input and output tokens that are billed at one price.
    #[must_use]
    pub fn billed(&self, price: PriceClass) -> (u64, u64) {
        let entries = self.executed.iter().filter(|entry| entry.price == price);
        entries.fold((0, 0), |(input, output), entry| {
            (input + entry.input_tokens, output + entry.output_tokens)
        })
    }

    /// Returns the number of calls of an endpoint.
    #[must_use]
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.calls.get(&endpoint).copied().unwrap_or(0)
    }
}

/// Records the ledger, from many connections.
#[derive(Debug)]
pub(crate) struct LedgerRecorder {
    entries: Mutex<Vec<Executed>>,
    calls: Vec<AtomicU64>,
    open: AtomicU64,
    max_open: AtomicU64,
}

/// The executions to mark as delivered once their reply is sent completely.
#[derive(Debug, Clone)]
pub(crate) enum Receipt {
    One(u64),
    Many(Arc<[u64]>),
}

/// An open completion; closes when dropped.
#[derive(Debug)]
pub(crate) struct OpenCompletion<'b>(&'b LedgerRecorder);

impl LedgerRecorder {
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::default(),
            calls: Endpoint::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            open: AtomicU64::new(0),
            max_open: AtomicU64::new(0),
        }
    }

    /// Counts a call.
    pub(crate) fn count_call(&self, endpoint: Endpoint) {
        self.calls[endpoint as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a completion as open until the guard is dropped.
    pub(crate) fn open(&self) -> OpenCompletion<'_> {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.max_open.fetch_max(open, Ordering::Relaxed);
        OpenCompletion(self)
    }

    /// Records an execution and returns its sequence number, which replaces the one in `entry`.
    pub(crate) fn record(&self, mut entry: Executed) -> u64 {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entry.sequence = entries.len() as u64;
        let sequence = entry.sequence;
        entries.push(entry);
        sequence
    }

    /// Marks the executions of `receipt` as delivered.
    pub(crate) fn deliver(&self, receipt: &Receipt) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let sequences = match receipt {
            Receipt::One(sequence) => std::slice::from_ref(sequence),
            Receipt::Many(sequences) => sequences,
        };
        for &sequence in sequences {
            // A reset may have cleared the entries.
            if let Some(entry) = usize::try_from(sequence)
                .ok()
                .and_then(|place| entries.get_mut(place))
            {
                entry.delivered = true;
            }
        }
    }

    pub(crate) fn calls(&self) -> BTreeMap<Endpoint, u64> {
        let calls = Endpoint::ALL.iter().map(|&endpoint| {
            (
                endpoint,
                self.calls[endpoint as usize].load(Ordering::Relaxed),
            )
        });
        calls.collect()
    }

    pub(crate) fn max_concurrency(&self) -> u64 {
        self.max_open.load(Ordering::Relaxed)
    }

    pub(crate) fn executed(&self) -> Vec<Executed> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Clears everything except the open completions.
    pub(crate) fn reset(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.calls
            .iter()
            .for_each(|calls| calls.store(0, Ordering::Relaxed));
        self.max_open
            .store(self.open.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Drop for OpenCompletion<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
