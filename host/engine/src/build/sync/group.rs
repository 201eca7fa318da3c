//! Which embeddings share a call.

use super::SyncCalls;
use crate::build::BuildError;
use crate::pending::PendingRequest;
use synix_core::request::Request;
use synix_store::RequestId;

/// The maximum number of texts in a call. OpenAI takes 2,048, but a kill loses the answers of a call.
pub(super) const MAX_TEXTS: usize = 128;

/// The maximum number of bytes of the texts in a call. OpenAI takes 300,000 tokens, and a token has at least one byte.
const MAX_BYTES: usize = 300_000;

/// A queued request with its text.
#[derive(Debug)]
pub(super) struct ReadRequest {
    pub(super) queued: PendingRequest<RequestId>,
    pub(super) request: Request,
}

impl SyncCalls<'_> {
    /// Reads a request, and takes the queued ones that share its call.
    pub(super) fn group_of(
        &mut self,
        first: PendingRequest<RequestId>,
    ) -> Result<Vec<ReadRequest>, BuildError> {
        let first = self.read(first)?;
        let is_embedding = first.request.kind.is_embedding();
        let mut bytes = first.request.text().len();
        let mut group = vec![first];
        while is_embedding && group.len() < MAX_TEXTS {
            let Some(next) = self.texts.front() else {
                break;
            };
            let request = self.store.request(next.request)?;
            bytes += request.text().len();
            if bytes > MAX_BYTES
                || !group
                    .first()
                    .is_some_and(|first| shares_call(first, &request))
            {
                break;
            }
            let Some(queued) = self.texts.pop_front() else {
                break;
            };
            group.push(ReadRequest { queued, request });
        }
        Ok(group)
    }

    fn read(&self, queued: PendingRequest<RequestId>) -> Result<ReadRequest, BuildError> {
        let request = self.store.request(queued.request)?;
        Ok(ReadRequest { queued, request })
    }
}

/// Returns whether two embeddings differ in nothing that a call says once for all its texts.
fn shares_call(first: &ReadRequest, other: &Request) -> bool {
    let first = &first.request;
    (first.kind, first.wire) == (other.kind, other.wire)
        && first.provider == other.provider
        && first.model == other.model
        && first.options == other.options
}
