//! Tracks the requests of a command: those that wait to be sent, those in a batch, and those that are settled.

use std::collections::{HashMap, HashSet};

use super::failure;
use super::machine::{CloseAction, Route};
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::request::{Ending, Failure, FailureKind, RequestKey};
use synix_store::{RequestId, SubmissionRequest};

/// The maximum number of batches for a request whose answers are unreadable: each of them is billed.
const MAX_UNREADABLE_SENDS: u32 = 2;

/// A request that this command waits for.
#[derive(Debug)]
struct AwaitedRequest {
    request: PendingRequest<RequestId>,
    /// How often this command sent it in a batch.
    sends: u32,
}

/// Half of a batch that failed validation, to be sent as a batch of its own.
#[derive(Debug)]
pub(super) struct BatchHalf {
    pub(super) requests: Vec<PendingRequest<RequestId>>,
    /// How often it was halved.
    pub(super) depth: u32,
}

/// The requests of a command.
#[derive(Debug, Default)]
pub(super) struct RequestTracker {
    /// Requests that wait for the next batch.
    pub(super) queue: Vec<PendingRequest<RequestId>>,
    pub(super) halves: Vec<BatchHalf>,
    awaited: HashMap<RequestKey, AwaitedRequest>,
    settled: Vec<SettledRequest>,
    for_sync_calls: Vec<PendingRequest<RequestId>>,
    /// Requests that need another shared claim.
    unclaimed: Vec<PendingRequest<RequestId>>,
    /// How often this command sent the requests that needed another shared claim.
    earlier_sends: HashMap<RequestKey, u32>,
    /// Whether other processes may have requests of this command in flight.
    pub(super) has_foreign_requests: bool,
    /// How many requests other processes had in flight in calls at the last check.
    pub(super) foreign_calls: usize,
    /// The maximum number of batches in which this command sends a request.
    max_sends: u32,
}

impl RequestTracker {
    pub(super) fn new(max_sends: u32) -> Self {
        Self {
            max_sends,
            ..Self::default()
        }
    }

    /// Queues a request for the next batch.
    pub(super) fn queue(&mut self, request: PendingRequest<RequestId>) {
        let sends = self.earlier_sends.remove(&request.key);
        let awaited = AwaitedRequest {
            request: request.clone(),
            sends: sends.unwrap_or_default(),
        };
        self.awaited.insert(request.key, awaited);
        self.queue.push(request);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.awaited.is_empty()
    }

    #[cfg(test)]
    pub(super) fn is_awaited(&self, key: &RequestKey) -> bool {
        self.awaited.contains_key(key)
    }

    pub(super) fn take_settled(&mut self) -> Vec<SettledRequest> {
        std::mem::take(&mut self.settled)
    }

    pub(super) fn take_for_sync_calls(&mut self) -> Vec<PendingRequest<RequestId>> {
        std::mem::take(&mut self.for_sync_calls)
    }

    pub(super) fn take_unclaimed(&mut self) -> Vec<PendingRequest<RequestId>> {
        std::mem::take(&mut self.unclaimed)
    }

    /// Hands back a request that needs another shared claim. It is queued again with that.
    pub(super) fn unclaim(&mut self, request: PendingRequest<RequestId>) {
        if let Some(awaited) = self.awaited.remove(&request.key)
            && awaited.sends > 0
        {
            self.earlier_sends.insert(request.key, awaited.sends);
        }
        self.unclaimed.push(request);
    }

    pub(super) fn sends(&self, key: &RequestKey) -> Option<u32> {
        self.awaited.get(key).map(|awaited| awaited.sends)
    }

    pub(super) fn count_send(&mut self, key: &RequestKey) {
        if let Some(awaited) = self.awaited.get_mut(key) {
            awaited.sends += 1;
        }
    }

    /// Returns the awaited requests that are not queued.
    pub(super) fn unqueued(&self) -> Vec<PendingRequest<RequestId>> {
        let queued: HashSet<RequestKey> = self.queue.iter().map(|request| request.key).collect();
        self.awaited
            .values()
            .filter(|awaited| !queued.contains(&awaited.request.key))
            .map(|awaited| awaited.request.clone())
            .collect()
    }

    pub(super) fn settle(&mut self, key: RequestKey, outcome: Result<Ending, Failure>) {
        self.awaited.remove(&key);
        self.settled.push((key, outcome));
    }

    /// Returns whether this command may send a request once more.
    pub(super) fn may_retry(&self, key: &RequestKey) -> bool {
        self.sends(key).unwrap_or_default() < self.max_sends
    }

    /// Queues a request that is no longer in flight; one that was sent too often fails for the `reason`.
    pub(super) fn retry_or_fail(
        &mut self,
        request: PendingRequest<RequestId>,
        reason: impl FnOnce() -> String,
    ) {
        if self.may_retry(&request.key) {
            self.queue.push(request);
            return;
        }
        let sends = self.sends(&request.key).unwrap_or_default();
        let message = format!("{} (after {sends} attempts)", reason());
        let failed = failure(FailureKind::Provider, message, true);
        self.settle(request.key, Err(failed));
    }

    /// Handles the outcome of a request that this command awaits. A transient failure takes the `route`.
    pub(super) fn on_outcome(
        &mut self,
        key: RequestKey,
        outcome: Result<Ending, Failure>,
        route: Route,
    ) {
        let Some(awaited) = self.awaited.get(&key) else {
            return;
        };
        if let Err(failure) = &outcome
            && failure.transient
        {
            if route == Route::SyncCall {
                self.for_sync_calls.push(awaited.request.clone());
                self.awaited.remove(&key);
                return;
            }
            if awaited.sends < self.max_sends_after(failure) {
                self.queue.push(awaited.request.clone());
                return;
            }
        }
        self.settle(key, outcome);
    }

    /// Handles the outcomes of the requests that a submission still held, in the order of their lines.
    pub(super) fn on_submission_closed(
        &mut self,
        action: &CloseAction,
        open: &[SubmissionRequest],
    ) {
        let keys = open.iter().map(|request| request.key);
        match action {
            CloseAction::Fail { failure, route } => {
                for key in keys {
                    self.on_outcome(key, Err(failure.clone()), *route);
                }
            }
            CloseAction::Requeue { .. } => self.requeue(keys),
            CloseAction::Halve { .. } => {}
            CloseAction::FailLines { lines, .. } => {
                let (failed, others): (Vec<_>, Vec<_>) = (1_u64..)
                    .zip(keys)
                    .partition(|(line, _)| lines.contains(line));
                for (line, key) in failed {
                    let failed = Err(action.failure_for(line));
                    self.on_outcome(key, failed, Route::NextBatch);
                }
                self.requeue(others.into_iter().map(|(_, key)| key));
            }
        }
    }

    /// Queues both halves of a submission for batches of their own.
    pub(super) fn halve(&mut self, open: &[SubmissionRequest], depth: u32) {
        let requests: Vec<PendingRequest<RequestId>> = open
            .iter()
            .filter_map(|request| self.uncount_send(request.key))
            .collect();
        let (left, right) = requests.split_at(requests.len() / 2);
        for half in [left, right] {
            if !half.is_empty() {
                let requests = half.to_vec();
                self.halves.push(BatchHalf { requests, depth });
            }
        }
    }

    fn requeue(&mut self, keys: impl Iterator<Item = RequestKey>) {
        for key in keys {
            if let Some(request) = self.uncount_send(key) {
                self.queue.push(request);
            }
        }
    }

    /// Does not count the last send, because the request did not run.
    fn uncount_send(&mut self, key: RequestKey) -> Option<PendingRequest<RequestId>> {
        let awaited = self.awaited.get_mut(&key)?;
        awaited.sends = awaited.sends.saturating_sub(1);
        Some(awaited.request.clone())
    }

    /// Returns the maximum number of batches for a request with this failure.
    fn max_sends_after(&self, failure: &Failure) -> u32 {
        if failure.kind == FailureKind::Unreadable {
            self.max_sends.min(MAX_UNREADABLE_SENDS)
        } else {
            self.max_sends
        }
    }
}
