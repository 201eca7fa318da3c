//! The client of shared answers: it carries out what the machine decides.
//!
//! | module | owns |
//! | --- | --- |
//! | `operations` | single operations of the store, with their deadline and documents |
//! | `holder` | the heartbeats of this client, and whether its claims survived |
//! | `observations` | what this client has seen of other holders and their claims |
//! | `claimant` | one claimant, from its first effect to its end |
//! | `obtain` | an answer, or a claim that is granted to this client |
//! | `intents` | claims that are found by their nonce |
//! | `maintenance` | status and garbage collection |

mod claimant;
mod holder;
mod intents;
mod maintenance;
mod observations;
mod obtain;
mod operations;
mod outcome;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use synix_core::clock::Timestamp;
use synix_core::request::{Ending, RequestKey};

use crate::documents::{ClaimIntent, ClaimMode, SharedAnswer, SharedClaim};
use crate::error::SharedError;
use crate::machine::{Claimant, End};
use crate::objects::Objects;
use crate::paths::Paths;
use crate::settings::{Monotonic, SharedSettings, SystemMonotonic};

use claimant::Run;
use holder::Holder;
use observations::Observations;
pub use outcome::{DamagedObject, GcReport, HeldBy, Lease, Obtained, Published, SharedStatus};

/// A batch is created within this time after its requests were claimed: half of the time after which such a claim is over.
const SEND_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers that several machines share. A clone is the same client.
#[derive(Debug, Clone)]
pub struct SharedAnswers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn Objects>,
    settings: SharedSettings,
    clock: Arc<dyn Monotonic>,
    paths: Paths,
    holder: Holder,
    observations: Observations,
    claims: Mutex<OwnClaims>,
    damaged: Mutex<Vec<DamagedObject>>,
    /// The newest time of the store's clock that was seen: never later than now.
    store_time: Mutex<Timestamp>,
}

/// The claims of this client.
#[derive(Debug, Default)]
struct OwnClaims {
    /// Granted at this time of the client's clock, and not yet published or released.
    granted: BTreeMap<RequestKey, (SharedClaim, Duration)>,
    /// Perhaps in the store, although nobody will send for them; each with the time of the client's clock until which
    /// a late create call may still arrive.
    unsettled: BTreeMap<RequestKey, (SharedClaim, Duration)>,
    /// The last generation that this client began to give up. The call may still be under way, so a claim up to this
    /// one is never used again.
    given_up: BTreeMap<RequestKey, u64>,
}

impl SharedAnswers {
    /// Returns a client that measures leases by the monotonic clock of the system. Contacts nobody.
    pub fn new(objects: Arc<dyn Objects>, settings: SharedSettings) -> Result<Self, SharedError> {
        Self::with_clock(objects, settings, SystemMonotonic::new())
    }

    /// Returns a client with another clock, such as a simulated one.
    pub fn with_clock(
        objects: Arc<dyn Objects>,
        settings: SharedSettings,
        clock: Arc<dyn Monotonic>,
    ) -> Result<Self, SharedError> {
        let holder = Holder::new(&settings.holder_label)?;
        Ok(Self(Arc::new(Inner {
            objects,
            paths: Paths::new(&settings.namespace),
            settings,
            clock,
            holder,
            observations: Observations::default(),
            claims: Mutex::default(),
            damaged: Mutex::default(),
            store_time: Mutex::new(Timestamp(0)),
        })))
    }

    /// Returns the settings.
    pub fn settings(&self) -> &SharedSettings {
        &self.0.settings
    }

    /// Looks for an answer. Writes nothing.
    ///
    /// A truncated answer counts only if `accept_truncated`, and only if there is no complete one.
    pub async fn look_up(
        &self,
        key: RequestKey,
        accept_truncated: bool,
    ) -> Result<Option<SharedAnswer>, SharedError> {
        self.0.read_answer(key, accept_truncated).await
    }

    /// Returns the answer, or claims the request.
    ///
    /// Record the intent first: if this process is killed, a later one finds the claim with it. If another holder has
    /// claimed the request, call this again later with the same intent: the client remembers what it observed, and takes
    /// the claim over once the holder is dead. A claim that this client created for the intent is granted again, so at most
    /// one task may use an intent at a time; one of mode `batch` only for 24 hours. A process that finds the intent of
    /// another one on record claims with a new one, [`ClaimIntent::after`] that. Writes a heartbeat first if there is no
    /// fresh one.
    pub async fn obtain(
        &self,
        intent: &ClaimIntent,
        accept_truncated: bool,
        mode: ClaimMode,
    ) -> Result<Obtained, SharedError> {
        self.0.obtain(intent, accept_truncated, mode).await
    }

    /// Looks for the claim of an intent. Returns `None` if it is not the last one on its request, or was given up.
    pub async fn find_claim(
        &self,
        intent: &ClaimIntent,
    ) -> Result<Option<SharedClaim>, SharedError> {
        self.0.find_claim(intent).await
    }

    /// Gives up the claim of an intent, whether or not it was ever created. Nobody may claim with the intent any more.
    ///
    /// Returns whether no call that is still under way creates the claim afterwards. It may do so if another holder has the
    /// last claim on the request: keep the intent on record then, and call this again later.
    pub async fn release_intent(&self, intent: &ClaimIntent) -> Result<bool, SharedError> {
        if self.0.settings.read_only {
            return Ok(true);
        }
        let is_certain = self.0.release_intent(intent).await?;
        self.0.forget_claim(intent.key);
        Ok(is_certain)
    }

    /// Publishes an answer, with or without a claim, and gives up the claim.
    ///
    /// After an error, call this again with the same answer and claim.
    pub async fn publish(
        &self,
        key: RequestKey,
        answer: &SharedAnswer,
        claim: Option<&SharedClaim>,
    ) -> Result<Published, SharedError> {
        if self.0.settings.read_only {
            return Ok(Published::NotPublished);
        }
        let bytes = answer.to_bytes(key).map_err(|source| SharedError::Answer {
            key: key.0.short(),
            source: Box::new(source),
        })?;
        let ending = answer.answer.ending;
        let generation = claim.map(|claim| claim.generation);
        let run = Run::publish(key, ending, bytes, claim);
        let end = self
            .0
            .run(Claimant::publish(generation, ending), run)
            .await?;
        self.0.forget_claim(key);
        Ok(if end == End::Double {
            Published::Double
        } else if end == End::Damaged {
            Published::Damaged
        } else {
            Published::Published
        })
    }

    /// Gives up a claim whose request has no answer, so that another holder can claim it at once.
    ///
    /// It is no error if another holder has taken the claim over.
    pub async fn release(&self, claim: &SharedClaim) -> Result<(), SharedError> {
        if self.0.settings.read_only {
            return Ok(());
        }
        let run = Run::release(claim);
        self.0.run(Claimant::release(claim.generation), run).await?;
        self.0.forget_claim(claim.key);
        Ok(())
    }

    /// Returns whether the request of a claim may still be sent, by this client's own clock.
    ///
    /// Call it directly before the request leaves: the promise covers a pause of at most a quarter of the lease between
    /// the two. If it returns false, call [`Self::obtain`] again. A claim of mode `batch` is held for 24 hours after it
    /// was granted by this client.
    pub fn still_holds(&self, claim: &SharedClaim) -> bool {
        let granted = self.0.own_claims().granted.get(&claim.key).cloned();
        let Some((_, at)) = granted.filter(|(granted, _)| granted == claim) else {
            return false;
        };
        match claim.mode {
            ClaimMode::Call => self.0.holds_as(&claim.holder),
            ClaimMode::Batch => self.0.clock.now().saturating_sub(at) < SEND_WITHIN,
        }
    }

    /// Writes heartbeats until this client leaves. Poll it, or spawn it, while claims of mode `call` are held.
    ///
    /// If it is dropped before, the store may still create the heartbeat of a call that was under way.
    ///
    /// Errors of the store are retried; [`Self::still_holds`] tells whether the claims survived them.
    pub async fn keep_alive(&self) {
        self.0.keep_alive().await;
    }

    /// Ends the heartbeats of this client and deletes them. Call it at the end of a command, when its claims are settled.
    pub async fn leave(&self) -> Result<(), SharedError> {
        self.0.leave().await
    }

    /// Returns the damaged objects that were found since the last call.
    pub fn take_damaged(&self) -> Vec<DamagedObject> {
        std::mem::take(&mut *lock(&self.0.damaged))
    }

    /// Reads which claims there are. An unreachable store is no error.
    pub async fn status(&self) -> SharedStatus {
        self.0.status().await
    }

    /// Deletes the claims on requests that have a complete answer, and the heartbeats of holders that are gone.
    ///
    /// Claims on requests without an answer are retained: they decide who may send.
    pub async fn gc(&self) -> Result<GcReport, SharedError> {
        self.0.collect_garbage().await
    }
}

impl Inner {
    fn own_claims(&self) -> MutexGuard<'_, OwnClaims> {
        lock(&self.claims)
    }

    fn forget_claim(&self, key: RequestKey) {
        self.own_claims().granted.remove(&key);
        self.observations.forget(key);
    }

    /// Notes a time of the store's clock.
    fn saw_store_time(&self, seen: Timestamp) {
        let mut newest = lock(&self.store_time);
        *newest = seen.max(*newest);
    }
}

/// The endings of the answers that count, the better one first.
const fn endings(accept_truncated: bool) -> &'static [Ending] {
    if accept_truncated {
        &[Ending::Complete, Ending::Truncated]
    } else {
        &[Ending::Complete]
    }
}

/// A panic elsewhere leaves no value half changed: each is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
