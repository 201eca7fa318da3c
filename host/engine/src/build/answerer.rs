//! The one difference between sync, batch, replay and plan: who answers.

use synix_core::request::{OutcomeSummary, RequestKey};
use synix_store::LayerMode;

use super::BuildError;
use crate::pending::PendingRequest;

/// What the workers do while the scheduler waits for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workers {
    /// Units run: they may ask more, so nothing is decided by the requests known so far.
    Running,
    /// Only an answer can make progress.
    Idle,
}

/// Answers requests. The scheduler knows nothing else of it.
pub(super) trait Answerer {
    /// Takes requests, each key once. Does not wait.
    fn ask(&mut self, requests: Vec<PendingRequest>) -> Result<(), BuildError>;

    /// Waits for requests to settle; `None`: no more will, in this process. The runs look an answer up themselves.
    ///
    /// While workers run, the caller may drop the future at any await, and nothing may be lost.
    fn settled(
        &mut self,
        workers: Workers,
    ) -> impl Future<Output = Result<Option<Vec<(RequestKey, OutcomeSummary)>>, BuildError>>;

    /// Sends nothing more. If requests are in flight, [`Answerer::settled`] returns `error` once they have ended.
    fn stop(&mut self, error: BuildError) -> Result<(), BuildError> {
        Err(error)
    }

    /// Returns how a layer's requests are answered, if that is decided.
    fn mode(&self, layer: usize) -> Option<LayerMode>;
}
