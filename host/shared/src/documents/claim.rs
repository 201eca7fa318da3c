//! The objects of claims.

use serde::{Deserialize, Serialize};
use synix_core::request::RequestKey;

/// How the request of a claim is sent, which decides how long the claim lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimMode {
    /// In a sync call: the claim lives as long as its holder.
    Call,
    /// In a batch: the claim needs no live holder.
    Batch,
}

/// A granted claim. Its JSON can be kept, so that a later command can publish the answer or release the claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedClaim {
    /// The request.
    pub key: RequestKey,
    /// The generation of the claim.
    pub generation: u64,
    /// The holder.
    pub holder: String,
    /// The random text that tells this claim from others of its holder.
    pub nonce: String,
    /// How the request is sent.
    pub mode: ClaimMode,
}
