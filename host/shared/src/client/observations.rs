//! What this client has seen of other holders and their claims.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::request::RequestKey;

use super::{HeldBy, Inner, lock};
use crate::documents::{ClaimDocument, ClaimMode};
use crate::error::SharedError;
use crate::machine::{Liveness, Observation};

/// A claim of mode `batch` is over after this time by the store's clock: no provider takes longer for a batch.
const BATCH_CLAIM: Duration = Duration::from_secs(48 * 60 * 60);

/// What a client has seen.
#[derive(Debug, Default)]
pub(super) struct Observations {
    claims: Mutex<BTreeMap<RequestKey, ClaimObservation>>,
    holders: tokio::sync::Mutex<BTreeMap<String, Observation>>,
}

/// The last claim on a request.
#[derive(Debug, Clone)]
pub(super) struct ClaimObservation {
    pub(super) generation: u64,
    /// The time by the store's clock.
    pub(super) modified: Timestamp,
    /// The claim, if it is readable.
    pub(super) document: Option<ClaimDocument>,
    /// When it was read first, by the own clock.
    seen: Duration,
}

impl ClaimObservation {
    pub(super) fn held_by(&self) -> HeldBy {
        let document = self.document.as_ref();
        HeldBy {
            holder: document.map_or("unknown", |claim| &claim.holder).to_owned(),
            mode: document.map_or(ClaimMode::Batch, |claim| claim.mode),
            since: self.modified,
        }
    }
}

impl Observations {
    pub(super) fn last_claim(&self, key: RequestKey) -> Option<ClaimObservation> {
        lock(&self.claims).get(&key).cloned()
    }

    pub(super) fn forget(&self, key: RequestKey) {
        lock(&self.claims).remove(&key);
    }
}

impl Inner {
    /// Remembers the last claim on a request. The time at which it was first seen stays.
    pub(super) fn saw_claim(
        &self,
        key: RequestKey,
        generation: u64,
        modified: Timestamp,
        document: Option<ClaimDocument>,
    ) {
        let seen = self.clock.now();
        let mut claims = lock(&self.observations.claims);
        if claims
            .get(&key)
            .is_none_or(|known| known.generation != generation)
        {
            let claim = ClaimObservation {
                generation,
                modified,
                document,
                seen,
            };
            claims.insert(key, claim);
        }
    }

    pub(super) async fn judge(&self, claim: &ClaimObservation) -> Result<Liveness, SharedError> {
        let is_dead = match &claim.document {
            Some(document) if document.mode == ClaimMode::Call => {
                self.is_dead(&document.holder, claim.seen).await?
            }
            // An unreadable claim may be one of a later version, in any mode.
            _ => self.is_older(claim.modified, BATCH_CLAIM),
        };
        Ok(if is_dead {
            Liveness::Dead
        } else {
            Liveness::Live
        })
    }

    /// Returns whether an object has at least this age by the store's clock. The age is never overestimated.
    pub(super) fn is_older(&self, modified: Timestamp, age: Duration) -> bool {
        let now = *lock(&self.store_time);
        now.since(modified) >= age
    }

    async fn is_dead(&self, holder: &str, claim_seen: Duration) -> Result<bool, SharedError> {
        let lease = self.settings.lease;
        // Many requests may wait for one holder: they share a look.
        let mut holders = self.observations.holders.lock().await;
        let began = self.clock.now();
        let is_recent = |seen: &Observation| began.saturating_sub(seen.checked()) < lease / 12;
        if let Some(seen) = holders.get(holder).filter(|seen| is_recent(seen)) {
            return Ok(seen.is_dead(claim_seen, lease));
        }
        let newest = self.newest_heartbeat(holder).await?;
        let arrived = self.clock.now();
        let seen = holders
            .entry(holder.to_owned())
            .and_modify(|seen| seen.add(newest, began, arrived))
            .or_insert_with(|| Observation::first(newest, began, arrived));
        Ok(seen.is_dead(claim_seen, lease))
    }

    async fn newest_heartbeat(&self, holder: &str) -> Result<Option<u64>, SharedError> {
        let infos = self.list(&self.paths.heartbeats(holder)).await?;
        let numbers = infos
            .iter()
            .filter_map(|info| self.paths.parse_heartbeat(&info.path));
        Ok(numbers.map(|(_, number)| number).max())
    }
}
