//! What an observer has seen of a holder, by its own clock.

use std::time::Duration;

/// The newest heartbeat of a holder, and since when nothing newer was seen.
///
/// A holder is dead if nothing changed for a whole lease. Both ends of that time are taken so that it is never
/// overestimated: the first is when a reply had arrived, the last is when a call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Observation {
    heartbeat: Option<u64>,
    since: Duration,
    checked: Duration,
}

impl Observation {
    /// Returns what the first look at the heartbeats says; the call began and its reply arrived at these times.
    pub(crate) const fn first(heartbeat: Option<u64>, began: Duration, arrived: Duration) -> Self {
        Self {
            heartbeat,
            since: arrived,
            checked: began,
        }
    }

    /// Adds another look.
    pub(crate) fn add(&mut self, heartbeat: Option<u64>, began: Duration, arrived: Duration) {
        if heartbeat != self.heartbeat {
            self.heartbeat = heartbeat;
            self.since = arrived;
        }
        self.checked = began;
    }

    /// Returns when the last look began.
    pub(crate) const fn checked(&self) -> Duration {
        self.checked
    }

    /// Returns whether a claim that was seen first at `claim_seen` is dead.
    pub(crate) fn is_dead(&self, claim_seen: Duration, lease: Duration) -> bool {
        self.checked.saturating_sub(self.since.max(claim_seen)) >= lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_holder_is_dead_after_a_whole_lease_without_change() {
        let mut seen = Observation::first(Some(1), seconds(10), seconds(12));
        seen.add(Some(1), seconds(71), seconds(99));
        assert!(!seen.is_dead(seconds(0), seconds(60)));
        seen.add(Some(1), seconds(72), seconds(99));
        assert!(seen.is_dead(seconds(0), seconds(60)));
    }

    #[test]
    fn a_new_heartbeat_and_a_new_claim_start_the_lease_again() {
        let mut seen = Observation::first(Some(1), seconds(0), seconds(0));
        seen.add(Some(2), seconds(60), seconds(61));
        assert!(!seen.is_dead(seconds(0), seconds(60)));
        seen.add(Some(2), seconds(121), seconds(122));
        assert!(seen.is_dead(seconds(0), seconds(60)));
        assert!(!seen.is_dead(seconds(100), seconds(60)));
    }

    #[test]
    fn heartbeats_that_vanish_are_a_change() {
        let mut seen = Observation::first(Some(1), seconds(0), seconds(0));
        seen.add(None, seconds(60), seconds(60));
        assert!(!seen.is_dead(seconds(0), seconds(60)));
    }
}
