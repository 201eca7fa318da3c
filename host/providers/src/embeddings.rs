//! Several requests for embeddings in one call.
//!
//! Each request keeps its own outcome. A call that the provider refuses as invalid cost nothing, so it is sent again in
//! halves until the request that is to blame is alone.

use serde_json::Value;

use super::completion::Completion;
use super::openai;
use super::outcome::ParsedReply;
use super::provider::Provider;
use synix_core::request::{Failure, FailureKind, Outcome, Request, RequestKind, Usage};

impl Provider {
    /// Sends requests that differ only in their texts, and returns one result for each, in their order.
    pub async fn embed(&self, requests: &[Request]) -> Vec<Completion> {
        let mut results = Vec::with_capacity(requests.len());
        // The next part is the last one, so that the results have the order of the requests.
        let mut parts = vec![(requests, 0)];
        while let Some((part, unclear_before)) = parts.pop() {
            let mut completions = match part {
                [] => continue,
                [only] => vec![self.complete(only).await],
                [first, others @ ..] => self.embed_together(first, others).await,
            };
            if part.len() > 1 && completions.iter().all(is_refused) {
                let unclear = completions.first().map_or(0, |first| first.unclear);
                let (left, right) = part.split_at(part.len() / 2);
                parts.extend([right, left].map(|half| (half, unclear_before + unclear)));
                continue;
            }
            for completion in &mut completions {
                completion.unclear += unclear_before;
            }
            results.extend(completions);
        }
        results
    }

    async fn embed_together(&self, first: &Request, others: &[Request]) -> Vec<Completion> {
        let body = openai::embedding_body(first, others.iter());
        let all = || std::iter::once(first).chain(others);
        // The tokens of a text are about proportional to its bytes.
        let weights: Vec<u64> = all().map(|request| request.text().len() as u64).collect();
        let dimensions = match first.kind {
            RequestKind::Embedding { dimensions } => dimensions,
            RequestKind::Completion => None,
        };
        let mut outcomes = Vec::new();
        let parse = |document: &Value| {
            outcomes.clear();
            match openai::parse_embeddings(document, dimensions, &weights) {
                Ok(several) => {
                    outcomes = several;
                    // Any final outcome ends the call; each request gets its own.
                    outcomes.first().cloned().map_or_else(
                        || ParsedReply::Unusable("it has no vectors".to_owned()),
                        ParsedReply::Final,
                    )
                }
                Err(parsed) => *parsed,
            }
        };
        let Completion {
            outcome,
            unclear,
            billed,
            sends,
            unreachable,
        } = self.send(self.path(first.kind), &body, parse).await;
        let count = weights.len();
        if outcomes.len() != count {
            outcomes = shared_outcome(outcome, count);
        }
        let mut billed = Some(billed);
        outcomes
            .into_iter()
            .map(|outcome| Completion {
                outcome: self.redact_outcome(outcome),
                // A lost reply may have been billed for every text.
                unclear,
                billed: billed.take().unwrap_or_default(),
                sends,
                unreachable,
            })
            .collect()
    }
}

/// Gives each request the failure of the whole call, and the first one its tokens, so that they count once.
fn shared_outcome(outcome: Outcome, count: usize) -> Vec<Outcome> {
    let others = match &outcome {
        Outcome::Failed(failure) => Outcome::Failed(Failure {
            usage: Usage::default(),
            ..failure.clone()
        }),
        answered @ Outcome::Answered(_) => answered.clone(),
    };
    let mut outcomes = vec![others; count];
    if let Some(first) = outcomes.first_mut() {
        *first = outcome;
    }
    outcomes
}

/// Returns whether the provider refused the request itself, so that it cost nothing.
fn is_refused(completion: &Completion) -> bool {
    matches!(&completion.outcome, Outcome::Failed(failure)
        if failure.kind == FailureKind::Invalid && failure.usage == Usage::default())
}
