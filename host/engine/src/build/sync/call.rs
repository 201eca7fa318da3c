//! One sync call, as a task of its own.

use std::sync::Arc;

use tracing::Instrument as _;

use super::SyncCalls;
use crate::pending::PendingRequest;
use synix_core::request::{Failure, FailureKind, Outcome, Request, RequestKey, Usage};
use synix_providers::{Completion, Provider};
use synix_store::{AttemptId, RequestId};

/// A request whose send is recorded.
#[derive(Debug)]
pub(super) struct ClaimedRequest {
    pub(super) queued: PendingRequest<RequestId>,
    pub(super) request: Request,
    pub(super) attempt: AttemptId,
}

/// A request of a call that has ended.
#[derive(Debug)]
pub(super) struct FinishedRequest {
    pub(super) key: RequestKey,
    pub(super) request: RequestId,
    pub(super) layer: usize,
    pub(super) attempt: AttemptId,
    pub(super) completion: Completion,
}

#[derive(Debug)]
pub(super) struct FinishedCall {
    pub(super) provider: String,
    /// Its number among the calls of this process.
    pub(super) number: u64,
    pub(super) requests: Vec<FinishedRequest>,
}

impl SyncCalls<'_> {
    /// Sends claimed requests in one call: a completion, or embeddings that differ only in their texts.
    pub(super) fn call(&mut self, claimed: Vec<ClaimedRequest>) {
        let Some(first) = claimed.first() else {
            return;
        };
        let name = first.queued.target.provider.clone();
        let span = tracing::debug_span!(
            "request",
            key = first.queued.key.0.short(),
            provider = name,
            model = first.queued.target.model,
            texts = claimed.len(),
        );
        self.in_flight += 1;
        let number = self.breakers.start_call();
        let provider = self.providers.get(&name).map(Arc::clone);
        let sender = self.sender.clone();
        let (parts, requests): (Vec<_>, Vec<_>) = claimed
            .into_iter()
            .map(|claimed| ((claimed.queued, claimed.attempt), claimed.request))
            .unzip();
        let sending = async move {
            let count = requests.len();
            let completions = match provider {
                // In its own task, because the build must not wait forever after a panic.
                Some(provider) => {
                    let completions = async move { send(&provider, &requests).await };
                    let completions = tokio::spawn(completions.in_current_span()).await;
                    completions.unwrap_or_else(|_| vec![panicked_call(); count])
                }
                None => vec![unknown_provider(&name); count],
            };
            let requests: Vec<FinishedRequest> = parts
                .into_iter()
                .zip(completions)
                .map(|((queued, attempt), completion)| FinishedRequest {
                    key: queued.key,
                    request: queued.request,
                    layer: queued.layer,
                    attempt,
                    completion,
                })
                .collect();
            for finished in &requests {
                tracing::debug!(
                    outcome = match &finished.completion.outcome {
                        Outcome::Answered(_) => "answered",
                        Outcome::Failed(failure) => failure.kind.name(),
                    },
                    sends = finished.completion.sends,
                    "settled"
                );
            }
            // The receiver is dropped only with the build. The attempts are then recorded as unclear.
            let _ = sender.send(FinishedCall {
                provider: name,
                number,
                requests,
            });
        };
        tokio::spawn(sending.instrument(span));
    }
}

/// Returns one result for each request.
async fn send(provider: &Provider, requests: &[Request]) -> Vec<Completion> {
    match requests {
        [only] => vec![provider.complete(only).await],
        several => provider.embed(several).await,
    }
}

fn unknown_provider(name: &str) -> Completion {
    failed_completion(format!("provider `{name}` is not in the pipeline"), 0)
}

/// Returns the result of a call that panicked: it may have been sent.
fn panicked_call() -> Completion {
    failed_completion(
        "the call ended unexpectedly; please report this bug in synix".to_owned(),
        1,
    )
}

fn failed_completion(message: String, unclear: u32) -> Completion {
    let failure = Failure {
        kind: FailureKind::Provider,
        message,
        transient: false,
        usage: Usage::default(),
    };
    Completion {
        outcome: Outcome::Failed(failure),
        unclear,
        billed: Vec::new(),
        sends: unclear,
        unreachable: false,
    }
}
