//! The state of the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::Value;

use crate::anthropic;
use crate::clock::Ids;
use crate::digest::BodyDigest;
use crate::job::Job;
use crate::ledger::{BatchSummary, Ledger, LedgerRecorder, Pending};
use crate::openai;
use crate::paged_store::PagedStore;
use crate::script::Script;
use crate::script_state::ScriptState;

/// The state, shared by all connections.
#[derive(Debug)]
pub(crate) struct State {
    /// The server's address, as in `http://127.0.0.1:8181`.
    pub(crate) base: String,
    pub(crate) ids: Ids,
    pub(crate) recorder: LedgerRecorder,
    pub(crate) files: Mutex<PagedStore<openai::File>>,
    pub(crate) batches: Mutex<PagedStore<Mutex<openai::Batch>>>,
    pub(crate) message_batches: Mutex<PagedStore<Mutex<anthropic::Batch>>>,
    script_state: RwLock<Arc<ScriptState>>,
}

/// Locks, also after a panic elsewhere: a test should fail at the panic, not here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(base: String, script: Script) -> Self {
        Self {
            base,
            ids: Ids::new(),
            recorder: LedgerRecorder::new(),
            files: Mutex::default(),
            batches: Mutex::default(),
            message_batches: Mutex::default(),
            script_state: RwLock::new(Arc::new(ScriptState::new(script))),
        }
    }

    /// Returns the current script.
    pub(crate) fn script_state(&self) -> Arc<ScriptState> {
        Arc::clone(
            &self
                .script_state
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Replaces the script, keeps files and batches, and sends the replies that the former script holds.
    pub(crate) fn follow(&self, script: Script) {
        let mut current = self
            .script_state
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Arc::new(ScriptState::new(script))).replace();
    }

    /// Forgets everything, the script included.
    pub(crate) fn reset(&self) {
        *lock(&self.files) = PagedStore::default();
        *lock(&self.batches) = PagedStore::default();
        *lock(&self.message_batches) = PagedStore::default();
        self.recorder.reset();
        self.follow(Script::default());
    }

    /// Lets every live batch end at its next poll.
    pub(crate) fn finish_batches(&self) {
        let batches = lock(&self.batches).all();
        batches.iter().for_each(|batch| lock(batch).job.finish());
        let batches = lock(&self.message_batches).all();
        batches.iter().for_each(|batch| lock(batch).job.finish());
    }

    /// Lets one live batch end at its next poll.
    pub(crate) fn finish_batch(&self, id: &str) {
        if let Some(batch) = lock(&self.batches).get(id) {
            lock(&batch).job.finish();
        }
        if let Some(batch) = lock(&self.message_batches).get(id) {
            lock(&batch).job.finish();
        }
    }

    /// Returns the ledger with the current batches.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger {
            executed: Vec::new(),
            pending: Vec::new(),
            batches: Vec::new(),
            calls: self.recorder.calls(),
            max_concurrency: self.recorder.max_concurrency(),
        };
        let batches = lock(&self.batches).all();
        for batch in &batches {
            let batch = lock(batch);
            add_summary(&mut ledger, &batch.id, batch.status(), &batch.job);
        }
        let batches = lock(&self.message_batches).all();
        for batch in &batches {
            let batch = lock(batch);
            add_summary(&mut ledger, &batch.id, batch.status(), &batch.job);
        }
        ledger.executed = self.recorder.executed();
        ledger
    }
}

fn add_summary(ledger: &mut Ledger, id: &Arc<str>, status: &str, job: &Job) {
    ledger.batches.push(BatchSummary {
        id: Arc::clone(id),
        status: status.to_owned(),
        rows: job.total,
        bytes: job.bytes,
        polls: job.polls,
        takes_ms: u64::try_from(job.plan.wait.as_millis()).unwrap_or(u64::MAX),
    });
    ledger.pending.extend(job.waiting().iter().map(|row| {
        let body: Value = serde_json::from_slice(&row.body).unwrap_or(Value::Null);
        Pending {
            batch: Arc::clone(id),
            custom_id: row.custom_id.clone(),
            body: BodyDigest::of(&body),
        }
    }));
}
