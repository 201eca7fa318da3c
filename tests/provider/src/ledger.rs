//! The ledger: what was executed, at which price, and whether the reply was sent completely.
//!
//! The modules of single calls and batch rows decide what counts as executed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::digest::BodyDigest;
use crate::endpoint::Endpoint;

/// All requests that were executed or certainly will be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The requests executed, in order.
    pub executed: Vec<Executed>,
    /// The requests in live batches that have not run yet; they will, unless cancelled.
    pub pending: Vec<Pending>,
    /// Every batch that was not deleted, OpenAI's before Anthropic's, oldest first.
    pub batches: Vec<BatchSummary>,
    /// HTTP calls per endpoint, faulty ones included.
    pub calls: BTreeMap<Endpoint, u64>,
    /// The most single completions that were open at once.
    pub max_concurrency: u64,
}

/// One executed request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Executed {
    /// Its place in the order of execution, from 0.
    pub sequence: u64,
    /// `chat`, `messages`, or the batch's id.
    pub endpoint: Arc<str>,
    /// The row's id, in a batch.
    pub custom_id: Option<String>,
    /// What was asked.
    pub body: BodyDigest,
    /// The model as it was asked for.
    pub model: Arc<str>,
    /// Input tokens billed.
    pub input_tokens: u64,
    /// Output tokens billed.
    pub output_tokens: u64,
    /// The price they are billed at.
    pub price: PriceClass,
    /// Whether the whole reply, or the whole file with the row, was handed to the client's socket.
    pub delivered: bool,
}

/// Which price list applies.
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
    /// The row's id.
    pub custom_id: String,
    /// What is asked.
    pub body: BodyDigest,
}

/// One batch in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSummary {
    /// The batch's id.
    pub id: Arc<str>,
    /// The status as its provider writes it.
    pub status: String,
    /// How many rows it holds.
    pub rows: usize,
    /// The size of the input file, or of the create call where it brings the requests.
    pub bytes: usize,
    /// How often it was polled.
    pub polls: u64,
}

/// A body that was executed, or is sure to be, more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The body.
    pub body: BodyDigest,
    /// Where: `chat`, `messages` or a batch's id, once per time.
    pub places: Vec<Arc<str>>,
}

impl Ledger {
    /// Returns the bodies executed more than once, rows of live batches included.
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

    /// Returns the executed requests whose reply never got out whole.
    pub fn lost(&self) -> impl Iterator<Item = &Executed> {
        self.executed.iter().filter(|entry| !entry.delivered)
    }

    /// Returns the input and output tokens billed at one price.
    #[must_use]
    pub fn billed(&self, price: PriceClass) -> (u64, u64) {
        let entries = self.executed.iter().filter(|entry| entry.price == price);
        entries.fold((0, 0), |(input, output), entry| {
            (input + entry.input_tokens, output + entry.output_tokens)
        })
    }

    /// Returns how often an endpoint was called.
    #[must_use]
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.calls.get(&endpoint).copied().unwrap_or(0)
    }
}

/// The record behind the ledger, written from many connections.
#[derive(Debug)]
pub(crate) struct LedgerRecorder {
    entries: Mutex<Vec<Executed>>,
    calls: Vec<AtomicU64>,
    open: AtomicU64,
    most_open: AtomicU64,
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
            most_open: AtomicU64::new(0),
        }
    }

    /// Counts a call.
    pub(crate) fn count_call(&self, endpoint: Endpoint) {
        self.calls[endpoint as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a completion as open until the guard is dropped.
    pub(crate) fn open(&self) -> OpenCompletion<'_> {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_open.fetch_max(open, Ordering::Relaxed);
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
        self.most_open.load(Ordering::Relaxed)
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
        self.most_open
            .store(self.open.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Drop for OpenCompletion<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn executed(text: &str, place: &str) -> Executed {
        Executed {
            sequence: 0,
            endpoint: place.into(),
            custom_id: None,
            body: BodyDigest::of(&json!(text)),
            model: "m".into(),
            input_tokens: 3,
            output_tokens: 2,
            price: PriceClass::Sync,
            delivered: false,
        }
    }

    #[test]
    fn a_body_in_a_live_batch_counts_as_executed_again() {
        let ledger = Ledger {
            executed: vec![executed("a", "chat"), executed("b", "chat")],
            pending: vec![Pending {
                batch: "batch_1".into(),
                custom_id: "x".into(),
                body: BodyDigest::of(&json!("a")),
            }],
            ..Ledger::default()
        };
        let duplicates = ledger.duplicates();
        assert_eq!(duplicates.len(), 1);
        assert_eq!(duplicates[0].places, ["chat".into(), "batch_1".into()]);
    }

    #[test]
    fn only_what_a_receipt_names_is_delivered() {
        let book = LedgerRecorder::new();
        book.record(executed("a", "chat"));
        let second = book.record(executed("b", "chat"));
        book.deliver(&Receipt::One(second));
        let delivered: Vec<bool> = book
            .executed()
            .iter()
            .map(|entry| entry.delivered)
            .collect();
        assert_eq!(delivered, [false, true]);
    }

    #[test]
    fn the_most_open_completions_are_remembered() {
        let book = LedgerRecorder::new();
        let first = book.open();
        drop(book.open());
        drop(first);
        drop(book.open());
        assert_eq!(book.max_concurrency(), 2);
    }
}
