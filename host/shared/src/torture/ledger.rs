//! What the provider received, and whether it may have received it.

use std::collections::BTreeMap;
use std::time::Duration;

use synix_core::request::RequestKey;

use super::LEASE;
use super::wire::Bucket;
use crate::paths::{DEFAULT_NAMESPACE, Paths};
use crate::{ClaimMode, SharedClaim};

/// A send of a request.
#[derive(Debug, Clone)]
pub(super) struct Send {
    pub(super) claim: SharedClaim,
    pub(super) machine: usize,
    /// The number of the process on its machine.
    pub(super) process: u32,
    pub(super) at: Duration,
    pub(super) outcome: Option<Outcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    /// It cost nothing.
    Failed,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) sends: BTreeMap<RequestKey, Vec<Send>>,
    /// The machines and processes that were killed.
    pub(super) killed: Vec<(usize, u32)>,
    /// Sends beside one whose process was killed before its answer arrived.
    pub(super) after_kills: usize,
    /// Sends beside one whose holder was silent for a lease.
    pub(super) beyond_leases: usize,
}

impl Ledger {
    /// Adds a send of a machine whose clock runs at `rate` eighths. Returns its number.
    pub(super) fn add(&mut self, next: Send, rate: u32, bucket: &Bucket) -> usize {
        let later = SharedClaim {
            generation: next.claim.generation + 1,
            ..next.claim.clone()
        };
        let is_taken = creation_of(&later, bucket).is_some();
        assert!(
            !is_taken,
            "sent for a claim that another holder has: {next:?}"
        );
        let earlier = self.sends.entry(next.claim.key).or_default();
        for send in earlier.iter() {
            let is_call = send.claim.mode == ClaimMode::Call;
            let was_killed = self.killed.contains(&(send.machine, send.process));
            if send.outcome == Some(Outcome::Failed) {
                continue;
            }
            if is_call && was_killed && send.outcome.is_none() {
                self.after_kills += 1;
            } else if is_call && longest_silence(send, next.at, bucket) * rate / 8 >= LEASE {
                self.beyond_leases += 1;
            } else {
                panic!("paid twice: {next:?}\nbeside {send:?}");
            }
        }
        earlier.push(next);
        earlier.len() - 1
    }

    pub(super) fn end(&mut self, key: RequestKey, number: usize, outcome: Outcome) {
        let send = &mut self.sends.get_mut(&key).unwrap()[number];
        send.outcome = Some(outcome);
    }
}

/// Returns when a claim was created in the store.
fn creation_of(claim: &SharedClaim, bucket: &Bucket) -> Option<Duration> {
    let path = Paths::new(DEFAULT_NAMESPACE).claim(claim.key, claim.generation);
    bucket.created.lock().unwrap().get(&path).copied()
}

/// Returns the longest time without a sign of the holder in the store, from its claim to `end`.
fn longest_silence(send: &Send, end: Duration, bucket: &Bucket) -> Duration {
    let claim = &send.claim;
    let begin = creation_of(claim, bucket).expect("a send has a claim");
    let created = bucket.created.lock().unwrap();
    let prefix = format!("/holders/{}/", claim.holder);
    let is_heartbeat = |path: &str| path.contains(&prefix);
    let heartbeats = created.iter().filter(|(path, _)| is_heartbeat(path));
    let mut heartbeats: Vec<(Duration, &str)> =
        heartbeats.map(|(path, at)| (*at, path.as_str())).collect();
    heartbeats.sort_unstable();
    let (mut newest, mut last, mut longest) = ("", begin, Duration::ZERO);
    for (at, path) in heartbeats.into_iter().filter(|(at, _)| *at <= end) {
        // One that arrives after a later one shows nothing.
        if path <= newest {
            continue;
        }
        newest = path;
        longest = longest.max(at.saturating_sub(last));
        last = last.max(at);
    }
    longest.max(end.saturating_sub(last))
}
