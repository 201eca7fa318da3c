//! What the operations of the client return.

use synix_core::clock::Timestamp;
use synix_core::request::RequestKey;

use crate::documents::{ClaimMode, SharedAnswer, SharedClaim};

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
    /// The error chain, if the store cannot be reached. It does not name the store.
    pub unreachable: Option<String>,
    /// The claims on requests without a complete answer, oldest first.
    pub leases: Vec<Lease>,
    /// The claims, and the answers to their requests, that are unreadable.
    pub damaged: Vec<DamagedObject>,
}

/// A claim in the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The request.
    pub key: RequestKey,
    /// Who holds it.
    pub held_by: HeldBy,
    /// The newest heartbeat of the holder, by the clock of the store; `None` if it has none, such as after its end.
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
