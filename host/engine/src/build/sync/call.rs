//! One sync call, as a task of its own.

use std::sync::Arc;

use tracing::Instrument as _;

use super::SyncCalls;
use crate::pending::PendingRequest;
use synix_core::request::{Failure, FailureKind, Outcome, Request, RequestKey, Usage};
use synix_providers::Completion;
use synix_store::{AttemptId, RequestId};

#[derive(Debug)]
pub(super) struct FinishedCall {
    pub(super) key: RequestKey,
    pub(super) request: RequestId,
    pub(super) layer: usize,
    pub(super) attempt: AttemptId,
    pub(super) provider: String,
    /// Its number among the calls of this process.
    pub(super) call: u64,
    pub(super) completion: Completion,
}

impl SyncCalls<'_> {
    pub(super) fn call(
        &mut self,
        queued: &PendingRequest<RequestId>,
        body: Request,
        attempt: AttemptId,
    ) {
        self.in_flight += 1;
        let call = self.breakers.start_call();
        let (key, request, layer) = (queued.key, queued.request, queued.layer);
        let name = queued.target.provider.clone();
        let provider = self.providers.get(&name).map(Arc::clone);
        let sender = self.sender.clone();
        let span = tracing::debug_span!(
            "request",
            key = key.0.short(),
            provider = name,
            model = queued.target.model
        );
        let sending = async move {
            let completion = match provider {
                // In its own task, because the build must not wait forever after a panic.
                Some(provider) => {
                    let completion = async move { provider.complete(&body).await };
                    let completion = tokio::spawn(completion.in_current_span()).await;
                    completion.unwrap_or_else(|_| panicked_call())
                }
                None => unknown_provider(&name),
            };
            tracing::debug!(
                outcome = match &completion.outcome {
                    Outcome::Answered(_) => "answered",
                    Outcome::Failed(failure) => failure.kind.name(),
                },
                sends = completion.sends,
                "settled"
            );
            // The receiver is dropped only with the build. The attempt is then recorded as unclear.
            let _ = sender.send(FinishedCall {
                key,
                request,
                layer,
                attempt,
                provider: name,
                call,
                completion,
            });
        };
        tokio::spawn(sending.instrument(span));
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
