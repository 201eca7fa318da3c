//! Publishes an answer, and gives up claims.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "every event that does not belong to a state ends the claimant as failed"
)]

use synix_core::request::Ending;

use super::{Claimant, Comparison, End, Event, State, Step};

impl Claimant {
    pub(super) const fn created(self, claim: Option<u64>, ending: Ending, event: Event) -> Step {
        match event {
            Event::Created => settle(claim, ending, End::Published),
            Event::Exists => Step::To(State::Comparing { claim, ending }),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn compared(self, claim: Option<u64>, ending: Ending, event: Event) -> Step {
        match event {
            Event::Compared(Comparison::Same) => settle(claim, ending, End::Published),
            Event::Compared(Comparison::Other) => settle(claim, ending, End::Double),
            // Without a readable answer, the claims still decide who may send.
            Event::Compared(Comparison::Damaged) => settle(claim, Ending::Truncated, End::Damaged),
            // The store had a conflict with another call; the caller publishes again.
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn released(self, end: End, event: Event) -> Step {
        match (event, end) {
            // If there is a generation after ours, the claim is not ours any more.
            (Event::Created | Event::Exists, _) => Step::End(end),
            _ => Step::End(End::Failed),
        }
    }
}

/// Gives up the claim of a published answer.
const fn settle(claim: Option<u64>, ending: Ending, end: End) -> Step {
    match (claim, ending) {
        (None, _) => Step::End(end),
        (Some(claim), Ending::Complete) => Step::To(State::Clearing { claim, end }),
        (Some(claim), Ending::Truncated) => Step::To(State::Releasing { claim, end }),
    }
}
