//! A request from the run that asked it to its answer.
//!
//! Its text is in memory until it is recorded, and again while it is sent.
//! Between the two it is a [`QueuedRequest`]: the texts of all requests that
//! wait together may not fit into memory.

use std::sync::Arc;

use synix_core::request::{Answer, Request, RequestKey};
use synix_store::RequestId;

/// A request of a unit.
#[derive(Debug, Clone)]
pub(crate) struct PendingRequest {
    pub(crate) key: RequestKey,
    /// Its number in the store; `None` until it is recorded, and in a plan.
    pub(crate) id: Option<RequestId>,
    /// The position of the layer that asked first.
    pub(crate) layer: usize,
    /// Whether an answer cut at its token limit will do for that layer.
    pub(crate) accept_truncated: bool,
    pub(crate) request: Arc<Request>,
    /// The answer that the run found; `None`: the unit waits for it.
    pub(crate) answer: Option<Answer>,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The provider's name.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
}

/// A recorded request that waits for its send. Whoever sends it reads its text from the store.
#[derive(Debug, Clone)]
pub struct QueuedRequest {
    /// Its key.
    pub key: RequestKey,
    /// Its number in the store.
    pub request: RequestId,
    /// The position of the layer that asked first.
    pub layer: usize,
    /// Whether an answer cut at its token limit will do.
    pub accept_truncated: bool,
    /// Where it goes; shared by all that go there.
    pub target: Arc<Target>,
}
