//! Stores the results of calls.

use super::SyncCalls;
use super::call::{FinishedCall, FinishedRequest};
use crate::build::BuildError;
use synix_core::request::Outcome;
use synix_store::{AttemptNote, Transaction};

impl SyncCalls<'_> {
    /// Stores the results of calls and starts the next ones. Both are one transaction, because each waits for the disk.
    pub(super) fn continue_calls(&mut self, ended: Vec<FinishedCall>) -> Result<(), BuildError> {
        for call in &ended {
            for finished in &call.requests {
                self.breakers
                    .on_call_ended(&call.provider, call.number, &finished.completion);
            }
        }
        let next = self.next_groups(self.in_flight.saturating_sub(ended.len()));
        let (groups, unreadable) = match next {
            Ok(groups) => (groups, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let refused = std::mem::take(&mut self.settled);
        let stored = self.store.write(|tx| {
            self.store_results(tx, &ended)?;
            self.claim(tx, &groups)
        });
        let (claims, failed) = match stored {
            Ok(claims) => (claims, unreadable),
            // The next request must not lose the answers that are here.
            Err(error) => {
                self.store.write(|tx| self.store_results(tx, &ended))?;
                (Vec::new(), Some(error))
            }
        };
        self.in_flight -= ended.len();
        for finished in ended.into_iter().flat_map(|call| call.requests) {
            self.remove_open(finished.layer);
            let ending = finished.completion.outcome.into_ending();
            self.settled.push((finished.key, ending));
        }
        self.settled.extend(refused);
        if let Some(error) = failed {
            return Err(error);
        }
        self.begin(groups, claims)?;
        // Some may need no call.
        self.start()
    }

    fn store_results(
        &self,
        tx: &Transaction<'_>,
        ended: &[FinishedCall],
    ) -> Result<(), BuildError> {
        let now = self.clock.peek();
        for finished in ended.iter().flat_map(|call| &call.requests) {
            let FinishedRequest {
                request,
                attempt,
                completion,
                ..
            } = finished;
            tx.record_unclear_sends(*request, self.build, completion.unclear, now)?;
            let layer = self.layers.get(finished.layer).map_or("", String::as_str);
            for failure in &completion.billed {
                let note = AttemptNote {
                    kind: failure.kind,
                    message: failure.message.clone(),
                };
                tx.record_failed_send(*request, self.origin(layer), &note, failure.usage)?;
            }
            match &completion.outcome {
                Outcome::Answered(answer) => {
                    tx.close_answered(*attempt, *request, answer, now)?;
                }
                Outcome::Failed(failure) => {
                    let note = AttemptNote {
                        kind: failure.kind,
                        message: failure.message.clone(),
                    };
                    tx.close_failed(*attempt, &note, failure.usage, now)?;
                }
            }
        }
        Ok(())
    }
}
