//! The one difference between sync, batch, replay and dry run: who answers.

use synix_core::request::{Failure, Request, RequestKey, Settlement};
use synix_store::{LayerMode, RequestId};

use super::BuildError;

/// A request that has no answer yet.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Its key.
    pub(super) key: RequestKey,
    /// Its number in the store; `None` in a dry run.
    pub(super) id: Option<RequestId>,
    /// The position of the layer that asked first.
    pub(super) layer: usize,
    /// Whether an answer cut at its token limit will do for that layer.
    pub(super) accept_truncated: bool,
    /// The request itself.
    pub(super) request: std::sync::Arc<Request>,
}

/// A request that needs no more waiting.
#[derive(Debug)]
pub(super) struct Settled {
    /// Its key.
    pub(super) key: RequestKey,
    /// What became of it. An answer is where the runs look it up already.
    pub(super) settlement: Settlement,
}

impl Settled {
    pub(super) const fn failed(key: RequestKey, failure: Failure) -> Self {
        Self {
            key,
            settlement: Settlement::Failed(failure),
        }
    }
}

/// Whoever answers requests. The scheduler knows no more of it than this.
pub(super) trait Answerer {
    /// Takes over requests, each key once. Does not wait.
    fn ask(&mut self, asked: Vec<Asked>) -> Result<(), BuildError>;

    /// Waits for requests to settle; `None`: no more will, in this process.
    ///
    /// `idle` says that nothing else can make progress. Without it the call
    /// may be dropped at any await and must not lose anything.
    fn settled(
        &mut self,
        idle: bool,
    ) -> impl Future<Output = Result<Option<Vec<Settled>>, BuildError>>;

    /// Sends nothing more. Where something is in flight, `error` comes from [`Answerer::settled`] once that has ended.
    fn stop(&mut self, error: BuildError) -> Result<(), BuildError> {
        Err(error)
    }

    /// Returns how a layer's requests are answered, where that is decided.
    fn mode(&self, layer: usize) -> Option<LayerMode>;
}
