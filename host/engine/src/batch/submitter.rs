//! Groups queued requests into submissions. Chunks are claimed before anything is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunk::{Chunk, ChunkLimits, ChunkSize, LineSize};
use super::requests::{BatchHalf, RequestTracker};
use super::throttle::{Throttle, estimated_tokens};
use super::{BatchContext, BatchError};
use crate::claim_guard::ClaimGuard;
use crate::pending::{PendingRequest, Target};
use synix_core::request::RequestKind;
use synix_providers::BatchTraits;
use synix_store::{
    AnswerOrigin, AnswerPolicy, Claim, RequestId, SendContext, Submission, SubmissionId,
    SubmissionState,
};

/// Claims the queued requests of the tracker.
#[derive(Debug)]
pub(super) struct Submitter<'c> {
    pub(super) context: &'c BatchContext<'c>,
    pub(super) throttle: &'c Throttle,
    /// `None`: answers are not shared, and requests need no shared claim.
    pub(super) guard: Option<&'c ClaimGuard>,
    pub(super) tracker: &'c mut RequestTracker,
}

impl Submitter<'_> {
    /// Claims chunks of all queued requests of `ready` layers, one model per chunk.
    pub(super) fn submit_ready(
        &mut self,
        ready: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Submission>, BatchError> {
        let mut submissions = Vec::new();
        for BatchHalf { requests, depth } in std::mem::take(&mut self.tracker.halves) {
            let requests = self.remove_unclaimed(requests);
            let tokens = self.tokens_of(&requests)?;
            let chunk = Chunk {
                requests: &requests,
                tokens,
                divided: depth,
            };
            submissions.extend(self.claim(chunk)?);
        }
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.tracker.queue)
            .into_iter()
            .partition(|request| ready(request.layer));
        self.tracker.queue = later;
        let now = self.remove_unclaimed(now);
        for ((target, _), mut group) in by_target(now) {
            // The order of rows must not depend on the order in which units ran.
            group.sort_by_key(|request| request.key);
            let mut rest = group.as_slice();
            while !rest.is_empty() {
                let size = self.fit_chunk(&target, rest)?;
                let (requests, after) = rest.split_at(size.requests);
                rest = after;
                submissions.extend(self.claim(Chunk::new(requests, size))?);
            }
        }
        Ok(submissions)
    }

    /// Claims the chunks that are full already.
    pub(super) fn submit_full(&mut self) -> Result<Vec<Submission>, BatchError> {
        let mut submissions = Vec::new();
        let smallest = self
            .context
            .providers
            .iter()
            .map(|(name, provider)| self.max_requests(name, &provider.batch_traits()))
            .min();
        if smallest.is_none_or(|smallest| self.tracker.queue.len() < smallest) {
            return Ok(submissions);
        }
        let queue = std::mem::take(&mut self.tracker.queue);
        let queue = self.remove_unclaimed(queue);
        for ((target, _), mut group) in by_target(queue) {
            let max = self.limits(&target).requests;
            while group.len() >= max {
                let size = self.fit_chunk(&target, &group)?;
                let requests: Vec<PendingRequest<RequestId>> =
                    group.drain(..size.requests).collect();
                submissions.extend(self.claim(Chunk::new(&requests, size))?);
            }
            self.tracker.queue.append(&mut group);
        }
        Ok(submissions)
    }

    /// Queues the requests again that other processes no longer have in flight.
    pub(super) fn take_over(
        &mut self,
        is_driven: &dyn Fn(SubmissionId) -> bool,
    ) -> Result<(), BatchError> {
        if !std::mem::take(&mut self.tracker.has_foreign_requests) {
            return Ok(());
        }
        self.tracker.foreign_calls = 0;
        let store = self.context.store;
        let (mut free, mut answered) = (Vec::new(), Vec::new());
        for request in self.tracker.unqueued() {
            // A request in flight may be a retry after an unaccepted answer.
            if let Some(submission) = store.in_flight(request.request)? {
                self.tracker.has_foreign_requests |= !submission.is_some_and(is_driven);
                self.tracker.foreign_calls += usize::from(submission.is_none());
                continue;
            }
            match store.answer_to(
                request.request,
                AnswerOrigin::Live,
                request.accept_truncated,
            )? {
                Some(answer) => answered.push((request.key, answer.ending)),
                None => free.push(request),
            }
        }
        for (key, ending) in answered {
            self.tracker.settle(key, Ok(ending));
        }
        for request in free {
            // The shared claim of the other process is not ours, and nobody respects it any more.
            if self.guard.is_some() && self.tracker.may_retry(&request.key) {
                self.tracker.unclaim(request);
                continue;
            }
            let number = request.request;
            self.tracker
                .retry_or_fail(request, || match store.last_failure(number) {
                    Ok(Some((_, message))) => message,
                    _ => "no answer".to_owned(),
                });
        }
        Ok(())
    }

    /// Takes out the requests whose shared claim no longer holds. A batch may take as long as what is left of one.
    fn remove_unclaimed(
        &mut self,
        requests: Vec<PendingRequest<RequestId>>,
    ) -> Vec<PendingRequest<RequestId>> {
        let Some(guard) = self.guard else {
            return requests;
        };
        let (claimed, lost): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|request| guard.may_send(&request.key));
        for request in lost {
            self.tracker.unclaim(request);
        }
        claimed
    }

    fn limits(&self, target: &Target) -> ChunkLimits {
        let traits = self
            .context
            .provider(&target.provider)
            .map(|provider| provider.batch_traits());
        let limit = self.throttle.token_limit(self.context, target);
        ChunkLimits {
            requests: traits
                .as_ref()
                .map_or(1, |traits| self.max_requests(&target.provider, traits)),
            bytes: traits.as_ref().map_or(0, |traits| traits.max_bytes),
            tokens: limit.unwrap_or(u64::MAX),
        }
    }

    fn max_requests(&self, provider: &str, traits: &BatchTraits) -> usize {
        let configured = self.context.settings.batch_requests.get(provider);
        let configured = configured.and_then(|max| usize::try_from(*max).ok());
        configured.map_or(traits.max_requests, |max| max.min(traits.max_requests))
    }

    fn fit_chunk(
        &self,
        target: &Target,
        requests: &[PendingRequest<RequestId>],
    ) -> Result<ChunkSize, BatchError> {
        let sizes = requests.iter().map(|request| {
            let line = self.context.line(target, request.request, &request.key)?;
            Ok(LineSize {
                bytes: line.len() as u64,
                tokens: estimated_tokens(&line),
            })
        });
        ChunkSize::fit(self.limits(target), sizes)
    }

    fn tokens_of(&self, requests: &[PendingRequest<RequestId>]) -> Result<u64, BatchError> {
        requests.iter().try_fold(0, |sum, request| {
            let line = self
                .context
                .line(&request.target, request.request, &request.key)?;
            Ok(sum + estimated_tokens(&line))
        })
    }

    /// Claims a chunk under a new submission; `None` if every request is answered or in flight already.
    fn claim(&mut self, chunk: Chunk<'_>) -> Result<Option<Submission>, BatchError> {
        let Some(mut submission) = self.new_submission(&chunk)? else {
            return Ok(None);
        };
        let claims = self.write_claims(chunk.requests, &mut submission)?;
        for (claim, request) in claims.into_iter().zip(chunk.requests) {
            match claim {
                Claim::Granted(_) => self.tracker.count_send(&request.key),
                // The process that has it in flight will receive its answer.
                Claim::InFlight => self.tracker.has_foreign_requests = true,
                Claim::Settled(outcome) => self.tracker.settle(request.key, *outcome),
            }
        }
        Ok((submission.requests > 0).then_some(submission))
    }

    fn new_submission(&self, chunk: &Chunk<'_>) -> Result<Option<Submission>, BatchError> {
        let Some(first) = chunk.requests.first() else {
            return Ok(None);
        };
        let sends = |request: &PendingRequest<RequestId>| self.tracker.sends(&request.key);
        let sends = chunk.requests.iter().filter_map(sends).max();
        let now = self.context.clock.now();
        Ok(Some(Submission {
            id: SubmissionId(0),
            token: new_token()?,
            build: self.context.build,
            layers: self.layer_names(chunk.requests),
            provider: first.target.provider.clone(),
            model: first.target.model.clone(),
            attempt: sends.map_or(1, |sends| sends + 1),
            requests: 0,
            state: SubmissionState::Claimed,
            status: SubmissionState::Claimed.name().to_owned(),
            file: None,
            batch: None,
            provisional: false,
            newest: None,
            rejected: Vec::new(),
            divided: chunk.divided,
            tokens: chunk.tokens,
            late: 0,
            note: None,
            opened: now,
            changed: now,
            recorded_version: None,
        }))
    }

    /// Records the submission and its claims in one transaction; a submission without a claim is dropped.
    fn write_claims(
        &self,
        requests: &[PendingRequest<RequestId>],
        submission: &mut Submission,
    ) -> Result<Vec<Claim>, BatchError> {
        let BatchContext {
            store,
            build,
            settings,
            clock,
            ..
        } = self.context;
        let now = clock.peek();
        store.write(|tx| -> Result<_, BatchError> {
            submission.id = tx.open_submission(submission)?;
            let mut claims = Vec::with_capacity(requests.len());
            for request in requests {
                let terms = AnswerPolicy {
                    accept_truncated: request.accept_truncated,
                    retry: &settings.retry,
                };
                let origin = SendContext {
                    build: *build,
                    layer: self.context.layer_name(request.layer),
                    submission: Some(submission.id),
                    now,
                };
                let claim = tx.claim(request.request, origin, terms)?;
                submission.requests += u64::from(matches!(claim, Claim::Granted(_)));
                claims.push(claim);
            }
            if submission.requests == 0 {
                tx.delete_submission(submission.id)?;
            } else {
                tx.update_submission(submission)?;
            }
            Ok(claims)
        })
    }

    fn layer_names(&self, requests: &[PendingRequest<RequestId>]) -> String {
        let mut positions: Vec<usize> = requests.iter().map(|request| request.layer).collect();
        positions.sort_unstable();
        positions.dedup();
        let names: Vec<&str> = positions
            .into_iter()
            .map(|position| self.context.layer_name(position))
            .collect();
        names.join(", ")
    }
}

type Groups = BTreeMap<(Arc<Target>, RequestKind), Vec<PendingRequest<RequestId>>>;

/// Groups requests by target and kind: a batch has one endpoint.
fn by_target(queue: Vec<PendingRequest<RequestId>>) -> Groups {
    let mut groups = Groups::new();
    for request in queue {
        groups
            .entry((Arc::clone(&request.target), request.kind))
            .or_default()
            .push(request);
    }
    groups
}

/// Returns a token that no other create call has.
pub(super) fn new_token() -> Result<String, BatchError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| BatchError::NoToken)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("synix-{digits}"))
}
