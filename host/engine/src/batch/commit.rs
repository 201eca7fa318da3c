//! Writes a transition in one transaction.

use super::machine::Write;
use super::{BatchContext, BatchError};
use synix_store::{AttemptNote, Submission, SubmissionRequest};

/// The result of the transaction.
#[derive(Debug)]
pub(super) enum Committed {
    /// The transition is recorded, with the end of these requests.
    Written(Vec<SubmissionRequest>),
    /// Another process was faster; nothing was written.
    Overtaken,
}

impl BatchContext<'_> {
    /// Writes a transition in one transaction.
    pub(super) fn commit(
        &self,
        next: &mut Submission,
        write: &Write,
    ) -> Result<Committed, BatchError> {
        let store = self.store;
        let committed = |committed: bool, open| {
            if committed {
                Committed::Written(open)
            } else {
                Committed::Overtaken
            }
        };
        match write {
            Write::Nothing => Ok(Committed::Written(Vec::new())),
            Write::Record => {
                let written = store.write(|tx| tx.update_submission(next))?;
                Ok(committed(written, Vec::new()))
            }
            Write::Close(action) => {
                let mut open: Vec<SubmissionRequest> = Vec::new();
                store.for_each_open_request(next.id, |request| -> Result<(), BatchError> {
                    open.push(request);
                    Ok(())
                })?;
                let now = self.clock.peek();
                let written = store.write(|tx| -> Result<bool, BatchError> {
                    if !tx.update_submission(next)? {
                        return Ok(false);
                    }
                    for (request, line) in open.iter().zip(1_u64..) {
                        let failure = action.failure_for(line);
                        let note = AttemptNote {
                            kind: failure.kind,
                            message: failure.message,
                        };
                        tx.close_failed(request.attempt, &note, failure.usage, now)?;
                    }
                    Ok(true)
                })?;
                Ok(committed(written, open))
            }
        }
    }
}
