//! The one difference between sync, batch, replay and plan: who answers.

use std::sync::Arc;

use super::BuildError;
use super::recorder::Recorder;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::request::Request;
use synix_store::LayerMode;

/// What the pool does while the scheduler waits for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolState {
    /// Units run. They may make more requests, so nothing is decided by the requests known so far.
    Running,
    /// Only an answer can make progress.
    Idle,
}

/// Answers requests. The scheduler knows nothing else about it.
pub(super) trait Answerer {
    /// Records each request before the answerer gets it, and decides in which form it gets it.
    type Recorder: Recorder;

    /// Takes requests, each key once. Does not wait.
    fn enqueue(
        &mut self,
        requests: Vec<PendingRequest<<Self::Recorder as Recorder>::Request>>,
    ) -> Result<(), BuildError>;

    /// Waits for requests to settle; `None`: no more will settle in this process. Runs look up the answers themselves.
    ///
    /// While units run, the caller may drop the future at any await, and nothing may be lost.
    fn next_settled(
        &mut self,
        pool: PoolState,
    ) -> impl Future<Output = Result<Option<Vec<SettledRequest>>, BuildError>>;

    /// Notes repairs that only `--retry-failed` would send. Only a plan counts them.
    fn note_unasked(&mut self, _: &[PendingRequest<Arc<Request>>]) -> Result<(), BuildError> {
        Ok(())
    }

    /// Stops sending. If requests are in flight, [`Answerer::next_settled`] returns `error` once they have ended.
    fn stop(&mut self, error: BuildError) -> Result<(), BuildError> {
        Err(error)
    }

    /// Ends what the build shares with others, whether it succeeded or not.
    async fn finish(&mut self) -> Result<(), BuildError> {
        Ok(())
    }

    /// Returns how a layer's requests are answered, if that is decided.
    fn mode(&self, layer: usize) -> Option<LayerMode>;
}
