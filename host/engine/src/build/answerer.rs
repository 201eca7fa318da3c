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

/// What the workers do while the scheduler waits for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workers {
    /// Units run: they may ask more, so nothing is decided by the requests known so far.
    Running,
    /// Only an answer can make progress.
    Idle,
}

/// Whoever answers requests. The scheduler knows no more of it than this.
pub(super) trait Answerer {
    /// Takes over requests, each key once. Does not wait.
    fn ask(&mut self, asked: Vec<Asked>) -> Result<(), BuildError>;

    /// Waits for requests to settle; `None`: no more will, in this process.
    ///
    /// While workers run, the caller may drop the future at any await, and nothing may be lost.
    fn settled(
        &mut self,
        workers: Workers,
    ) -> impl Future<Output = Result<Option<Vec<Settled>>, BuildError>>;

    /// Sends nothing more. Where something is in flight, `error` comes from [`Answerer::settled`] once that has ended.
    fn stop(&mut self, error: BuildError) -> Result<(), BuildError> {
        Err(error)
    }

    /// Returns how a layer's requests are answered, where that is decided.
    fn mode(&self, layer: usize) -> Option<LayerMode>;
}
