//! The queue of look-ups, and what waits to be in it.

use tokio::time::Instant;

use super::{HeldRequest, LookUp, SharedStage};
use crate::build::BuildError;
use synix_store::AnswerOrigin;

impl SharedStage<'_> {
    /// Queues a look-up, unless its request is being settled.
    pub(super) fn queue_look_up(&mut self, look_up: LookUp) {
        if self.settling.contains(&look_up.queued.request) {
            // Its intent is given up.
            self.parked.push(LookUp {
                intent: None,
                ..look_up
            });
        } else {
            self.look_ups.push_back(look_up);
        }
    }

    /// Looks up again what others had claimed: they may have the answer by now, or be dead.
    pub(in crate::build) fn poll_held(&mut self) -> Result<(), BuildError> {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.due <= now);
        self.held = later;
        for HeldRequest { look_up, .. } in due {
            let queued = &look_up.queued;
            // The holder may be another command of this project.
            let accepts = queued.accept_truncated;
            let known = self
                .store
                .answer_to(queued.request, AnswerOrigin::Live, accepts)?;
            if let Some(answer) = known {
                self.settled.push((queued.key, Ok(answer.ending)));
            } else if self.store.in_flight(queued.request)?.is_some() {
                self.granted.push((look_up.queued, look_up.mode));
            } else {
                self.queue_look_up(look_up);
            }
        }
        self.start()
    }
}
