//! Circuit breakers for providers that fail every request for now: their other requests are not sent.
//!
//! A refused key or an account without money fails every request of the build.
//! An unreachable provider may become reachable: it is tried again after a
//! pause, and at once when another call succeeded.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use synix_core::request::{Failure, FailureKind, Outcome};
use synix_providers::Completion;

/// How long nothing is sent to an unreachable provider.
const UNREACHABLE_FOR: Duration = Duration::from_secs(30);

/// The circuit breakers of a build's providers.
#[derive(Debug, Default)]
pub(super) struct CircuitBreakers {
    /// The number of calls that have started.
    started: u64,
    /// The number of calls that had started at the last reply of each provider.
    last_replies: BTreeMap<String, u64>,
    breakers: BTreeMap<String, OpenCircuit>,
}

#[derive(Debug)]
struct OpenCircuit {
    failure: Failure,
    /// `None`: until the end of the build.
    until: Option<Instant>,
}

impl CircuitBreakers {
    /// Returns the number of a call that starts.
    pub(super) fn start_call(&mut self) -> u64 {
        self.started += 1;
        self.started
    }

    /// Returns why nothing is sent to a provider now; `None`: requests are sent.
    pub(super) fn failure_for(&self, provider: &str) -> Option<&Failure> {
        self.failure_at(provider, Instant::now())
    }

    fn failure_at(&self, provider: &str, now: Instant) -> Option<&Failure> {
        let circuit = self.breakers.get(provider)?;
        let lasts = circuit.until.is_none_or(|until| until > now);
        lasts.then_some(&circuit.failure)
    }

    /// Updates the breakers after a call.
    pub(super) fn on_call_ended(&mut self, provider: &str, call: u64, completion: &Completion) {
        if !completion.unreachable {
            self.last_replies.insert(provider.to_owned(), self.started);
            if self
                .breakers
                .get(provider)
                .is_some_and(|circuit| circuit.until.is_some())
            {
                self.breakers.remove(provider);
            }
        }
        let Outcome::Failed(failure) = &completion.outcome else {
            return;
        };
        let until = if matches!(failure.kind, FailureKind::Auth | FailureKind::Quota) {
            None
        } else if completion.unreachable && !self.has_replied_since(provider, call) {
            Some(Instant::now() + UNREACHABLE_FOR)
        } else {
            return;
        };
        if self.failure_for(provider).is_none() {
            let failure = failure.clone();
            self.breakers
                .insert(provider.to_owned(), OpenCircuit { failure, until });
        }
    }

    /// Returns whether the provider has replied to any call since this one started.
    fn has_replied_since(&self, provider: &str, call: u64) -> bool {
        self.last_replies
            .get(provider)
            .is_some_and(|last_reply| *last_reply >= call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synix_core::request::Usage;

    fn failed(kind: FailureKind, unreachable: bool) -> Completion {
        Completion {
            outcome: Outcome::Failed(Failure {
                kind,
                message: "why".to_owned(),
                transient: true,
                usage: Usage::default(),
            }),
            unclear: 0,
            billed: Vec::new(),
            sends: 1,
            unreachable,
        }
    }

    #[test]
    fn an_unreachable_provider_gets_no_more_requests() {
        let mut breakers = CircuitBreakers::default();
        let call = breakers.start_call();
        breakers.on_call_ended("near", call, &failed(FailureKind::Provider, true));
        assert!(breakers.failure_for("near").is_some());
        assert!(breakers.failure_for("far").is_none());
    }

    #[test]
    fn any_reply_shows_that_a_provider_is_reachable() {
        let mut breakers = CircuitBreakers::default();
        let (first, second) = (breakers.start_call(), breakers.start_call());
        breakers.on_call_ended("p", second, &failed(FailureKind::Invalid, false));
        // It replied while the first call was still being retried.
        breakers.on_call_ended("p", first, &failed(FailureKind::Provider, true));
        assert!(breakers.failure_for("p").is_none());
        let third = breakers.start_call();
        breakers.on_call_ended("p", third, &failed(FailureKind::Provider, true));
        assert!(breakers.failure_for("p").is_some());
        breakers.on_call_ended("p", second, &failed(FailureKind::Provider, false));
        assert!(breakers.failure_for("p").is_none());
    }

    #[test]
    fn an_unreachable_provider_is_tried_again_after_a_while() {
        let mut breakers = CircuitBreakers::default();
        let call = breakers.start_call();
        breakers.on_call_ended("p", call, &failed(FailureKind::Provider, true));
        let later = Instant::now() + UNREACHABLE_FOR;
        assert!(breakers.failure_at("p", later).is_none());
    }

    #[test]
    fn a_refused_key_opens_the_circuit_for_the_whole_build() {
        let mut breakers = CircuitBreakers::default();
        let call = breakers.start_call();
        breakers.on_call_ended("p", call, &failed(FailureKind::Auth, false));
        breakers.on_call_ended("p", call, &failed(FailureKind::Provider, false));
        assert!(breakers.failure_for("p").is_some());
    }
}
