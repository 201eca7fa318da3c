//! Requests that other processes have in flight.

use super::SyncCalls;
use super::orphans::take_over_orphans;
use crate::build::BuildError;
use crate::build::event::Observer;
use crate::pending::PendingRequest;
use synix_store::{AnswerOrigin, RequestId, StoreError};

/// A request that another process has in flight.
#[derive(Debug)]
pub(super) struct ForeignRequest {
    pub(super) queued: PendingRequest<RequestId>,
    /// Whether it is in a batch, which continues without a process.
    pub(super) in_batch: bool,
}

/// The numbers of requests that other processes have in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::build) struct ForeignCounts {
    /// In calls of another process.
    pub(in crate::build) calls: usize,
    /// In batches.
    pub(in crate::build) rows: usize,
}

impl ForeignCounts {
    pub(in crate::build) const fn total(self) -> usize {
        self.calls + self.rows
    }
}

impl SyncCalls<'_> {
    /// Returns the numbers of requests that other processes have in flight.
    pub(in crate::build) fn foreign_counts(&self) -> ForeignCounts {
        let rows = self.foreign.iter().filter(|one| one.in_batch).count();
        ForeignCounts {
            calls: self.foreign.len() - rows,
            rows,
        }
    }

    /// Frees the requests that dead processes had in flight.
    pub(in crate::build) fn take_over_orphans(
        &self,
        observer: Observer<'_>,
    ) -> Result<(), BuildError> {
        take_over_orphans(self.store, self.build, self.clock.peek(), observer)
    }

    /// Queues the requests that other processes no longer have in flight. One without an answer needs a shared claim first:
    /// that of the other process is not ours, and nobody respects it any more.
    pub(in crate::build) fn retry_foreign(&mut self) -> Result<(), BuildError> {
        if self.foreign.is_empty() {
            return Ok(());
        }
        let in_flight = self.store.all_in_flight()?;
        for mut one in std::mem::take(&mut self.foreign) {
            match in_flight.get(&one.queued.request) {
                Some(submission) => {
                    one.in_batch = submission.is_some();
                    self.foreign.push(one);
                }
                None if self.needs_claim(&one.queued)? => self.unclaimed.push(one.queued),
                None => self.queue(one.queued),
            }
        }
        Ok(())
    }

    fn needs_claim(&self, queued: &PendingRequest<RequestId>) -> Result<bool, StoreError> {
        if self.guard.is_none() {
            return Ok(false);
        }
        let accepts = queued.accept_truncated;
        let known = self
            .store
            .answer_to(queued.request, AnswerOrigin::Live, accepts)?;
        Ok(known.is_none())
    }
}
