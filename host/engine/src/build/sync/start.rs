//! Starts calls: takes queued requests, reads and claims them, and sends those whose claim was granted.

use super::SyncCalls;
use super::call::ClaimedRequest;
use super::foreign::ForeignRequest;
use super::group::{self, ReadRequest};
use crate::build::BuildError;
use crate::pending::PendingRequest;
use synix_store::{AnswerPolicy, Claim, RequestId, Transaction};

impl SyncCalls<'_> {
    /// Starts calls until the limit of concurrent calls is reached.
    pub(in crate::build) fn start(&mut self) -> Result<(), BuildError> {
        loop {
            let groups = self.next_groups(self.in_flight)?;
            if groups.is_empty() {
                return Ok(());
            }
            let claims = self.store.write(|tx| self.claim(tx, &groups))?;
            self.begin(groups, claims)?;
        }
    }

    /// Takes the queued requests of the next calls, while `in_flight` others are in flight.
    ///
    /// They are read before they are claimed, because other processes wait for a claim. A request that cannot be read is
    /// not sent.
    pub(super) fn next_groups(
        &mut self,
        in_flight: usize,
    ) -> Result<Vec<Vec<ReadRequest>>, BuildError> {
        let mut groups = Vec::new();
        while groups.len() + in_flight < self.concurrency {
            let Some(queued) = self.take_queued() else {
                break;
            };
            match self.breakers.failure_for(&queued.target.provider) {
                Some(failure) => {
                    let failed = Err(failure.clone());
                    self.remove_open(queued.layer);
                    self.settled.push((queued.key, failed));
                }
                None => {
                    let group = self.group_of(queued)?;
                    groups.push(self.remove_unclaimed(group));
                }
            }
        }
        groups.retain(|group| !group.is_empty());
        Ok(groups)
    }

    /// Sends the requests whose claims were granted.
    pub(super) fn begin(
        &mut self,
        groups: Vec<Vec<ReadRequest>>,
        claims: Vec<Claim>,
    ) -> Result<(), BuildError> {
        let mut claims = claims.into_iter();
        for group in groups {
            let mut granted = Vec::with_capacity(group.len());
            for (ReadRequest { queued, request }, claim) in group.into_iter().zip(&mut claims) {
                match claim {
                    Claim::Granted(attempt) => granted.push(ClaimedRequest {
                        queued,
                        request,
                        attempt,
                    }),
                    Claim::InFlight => {
                        self.remove_open(queued.layer);
                        let in_flight = self.store.in_flight(queued.request)?;
                        let in_batch = matches!(in_flight, Some(Some(_)));
                        self.foreign.push(ForeignRequest { queued, in_batch });
                    }
                    Claim::Settled(outcome) => {
                        self.remove_open(queued.layer);
                        self.settled.push((queued.key, *outcome));
                    }
                }
            }
            if !granted.is_empty() {
                self.call(granted);
            }
        }
        Ok(())
    }

    /// Claims each request of these calls.
    pub(super) fn claim(
        &self,
        tx: &Transaction<'_>,
        groups: &[Vec<ReadRequest>],
    ) -> Result<Vec<Claim>, BuildError> {
        let mut claims = Vec::new();
        for ReadRequest { queued, .. } in groups.iter().flatten() {
            let layer = self.layers.get(queued.layer).map_or("", String::as_str);
            let terms = AnswerPolicy {
                accept_truncated: queued.accept_truncated,
                retry: &self.retry,
            };
            claims.push(tx.claim(queued.request, self.origin(layer), terms)?);
        }
        Ok(claims)
    }

    /// Takes the next request: a completion, or a text if its call should not wait for further texts.
    fn take_queued(&mut self) -> Option<PendingRequest<RequestId>> {
        self.queue.pop_front().or_else(|| {
            let waits = self.collects_texts && self.texts.len() < group::MAX_TEXTS;
            if waits { None } else { self.texts.pop_front() }
        })
    }

    /// Takes out the requests whose shared claim no longer holds.
    fn remove_unclaimed(&mut self, group: Vec<ReadRequest>) -> Vec<ReadRequest> {
        let Some(guard) = self.guard.clone() else {
            return group;
        };
        let (group, lost): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|read| guard.may_send(&read.queued.key));
        for read in lost {
            self.remove_open(read.queued.layer);
            self.unclaimed.push(read.queued);
        }
        group
    }
}
