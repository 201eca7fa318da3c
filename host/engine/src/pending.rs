//! A request from the run that asked it to its answer.

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
