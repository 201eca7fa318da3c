//! Publishes answers and releases the claims of requests that settled without one.

use std::collections::HashMap;

use super::intents::{RowId, intent_of};
use super::{Kept, KeptClaim, SharedStage};
use crate::build::BuildError;
use crate::build::event::Event;
use crate::pending::SettledRequest;
use synix_core::printable;
use synix_core::request::RequestKey;
use synix_shared::SharedAnswer;
use synix_store::{BuildId, RequestId, SharedRequest, StoreError};

/// A request that is settled here, and is to be settled in the store.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) request: RequestId,
    pub(super) key: RequestKey,
    /// The answer to publish; `None`: the claim is released.
    pub(super) answer: Option<SharedAnswer>,
    pub(super) claim: Option<KeptClaim>,
}

impl Settlement {
    pub(super) fn row(&self) -> RowId {
        RowId {
            request: self.request,
            nonce: self.claim.as_ref().map(|claim| claim.nonce().to_owned()),
        }
    }
}

impl SharedStage<'_> {
    /// Publishes the answers of settled requests, or releases their claims.
    pub(in crate::build) fn on_settled(
        &mut self,
        settled: &[SettledRequest],
    ) -> Result<(), BuildError> {
        for (key, _) in settled {
            self.guard.remove(key);
            if let Some(kept) = self.kept.remove(key) {
                self.settle(*key, kept.request, kept.claim)?;
            }
        }
        self.start()
    }

    fn settle(
        &mut self,
        key: RequestKey,
        request: RequestId,
        claim: Option<KeptClaim>,
    ) -> Result<(), BuildError> {
        if !self.settling.insert(request) {
            return Ok(());
        }
        let answer = self.store.shareable_answer(request)?;
        let answer = answer.map(|found| SharedAnswer {
            answer: found.answer,
            provider: found.provider,
            model: found.model,
            batch: found.batch,
            time: found.time.unwrap_or_else(|| self.clock.peek()),
        });
        self.settlements.push_back(Settlement {
            request,
            key,
            answer,
            claim,
        });
        Ok(())
    }

    /// Returns the rows of this build and of those that no process drives.
    ///
    /// While the state is locked, no process records that it sends a request. Otherwise, one could send a batch and end
    /// between the two looks, and the claim of its batch would be given up.
    fn left_behind(&self) -> Result<Vec<SharedRequest>, StoreError> {
        self.store.write(|tx| {
            let mut driven: HashMap<BuildId, bool> = HashMap::new();
            let mut rows = tx.shared_requests(&self.name)?;
            rows.retain(|row| {
                let is_driven = driven.entry(row.build);
                let own = row.build == self.build;
                // The process may have claimed the request and not sent it yet.
                !*is_driven.or_insert_with(|| !own && self.store.is_driven(row.build))
            });
            Ok(rows)
        })
    }

    /// Settles every request on record that no process has in flight, and takes over the claims of batches.
    pub(super) fn sweep(&mut self) -> Result<(), BuildError> {
        if self.client.settings().read_only {
            return Ok(());
        }
        for row in self.left_behind()? {
            let request = row.request;
            let recorded = || Kept {
                request,
                claim: intent_of(&row).map(KeptClaim::Intended),
            };
            if row.is_in_flight {
                self.kept.entry(row.key).or_insert_with(recorded);
            } else {
                let kept = self.kept.remove(&row.key).unwrap_or_else(recorded);
                self.settle(row.key, request, kept.claim)?;
            }
        }
        self.start()
    }

    /// Settles everything in the store. Does nothing more for an unavailable store: a later command does.
    pub(in crate::build) async fn finish(&mut self) -> Result<(), BuildError> {
        self.is_finishing = true;
        self.drop_look_ups()?;
        while self.is_working() {
            self.progress().await?;
        }
        self.granted.clear();
        self.sweep()?;
        while self.is_working() {
            self.progress().await?;
        }
        let is_written = self.is_used && !self.client.settings().read_only;
        if is_written
            && !self.is_away()
            && let Err(error) = self.client.leave().await
        {
            self.on_error(&error);
        }
        // Only now: the store may create a heartbeat although its task was aborted, and nobody would delete it.
        if let Some(heartbeats) = self.heartbeats.take() {
            heartbeats.abort();
        }
        if self.doubles > 0 {
            let message = format!(
                "shared answers: {} also paid for by another machine",
                printable::pluralize(self.doubles, "answer")
            );
            (self.observer)(&Event::Warning { message });
            self.doubles = 0;
        }
        Ok(())
    }
}
