//! A request, from the run that makes it to its outcome.

use std::sync::Arc;

use synix_core::request::{Ending, Failure, RequestKey, RequestKind};

/// A request that a unit waits for.
///
/// `R` is the request itself: an `Arc<Request>` while its text is in memory, or the `RequestId` of a
/// stored request. The texts of all requests that wait may not fit into memory together, so whatever
/// waits for its send is a `PendingRequest<RequestId>`, and whoever sends it reads the text from the store.
#[derive(Debug, Clone)]
pub(crate) struct PendingRequest<R> {
    pub(crate) key: RequestKey,
    pub(crate) request: R,
    /// The position of the layer that made the request first.
    pub(crate) layer: usize,
    /// Whether that layer accepts a truncated answer.
    pub(crate) accept_truncated: bool,
    pub(crate) target: Arc<Target>,
    /// What it asks for: requests of different kinds never share a call or a batch.
    pub(crate) kind: RequestKind,
    pub(crate) repairs: RepairCount,
}

/// The place of a request among the repairs of what the plugin asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RepairCount {
    /// Which repair it is; 0 for the request of the plugin.
    pub(crate) number: u32,
    /// How many repairs may follow if the answer does not fit.
    pub(crate) left: u32,
}

impl<R> PendingRequest<R> {
    /// Replaces the request itself.
    pub(crate) fn with_request<S>(self, request: S) -> PendingRequest<S> {
        PendingRequest {
            key: self.key,
            request,
            layer: self.layer,
            accept_truncated: self.accept_truncated,
            target: self.target,
            kind: self.kind,
            repairs: self.repairs,
        }
    }
}

/// A request and its outcome. The text of an answer is in the store or in the cassette.
pub(crate) type SettledRequest = (RequestKey, Result<Ending, Failure>);

/// The destination of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
}
