//! Obtains the answer or a claim.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "every event that does not belong to a state ends the claimant as failed"
)]

use synix_core::request::Ending;

use super::{ClaimSeen, Claimant, End, Event, Liveness, State, Step};

impl Claimant {
    pub(super) const fn looked(self, known: Option<u64>, event: Event) -> Step {
        match (event, known) {
            (Event::AnswerRead(Some(_)), _) => Step::End(End::Answered),
            (Event::AnswerRead(None), Some(known)) => Step::To(State::Following { known }),
            // Most requests are new, so the claim is tried before anything is listed.
            (Event::AnswerRead(None), None) => Step::To(State::Claiming { generation: 1 }),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn followed(self, known: u64, event: Event) -> Step {
        match event {
            Event::ClaimRead(ClaimSeen::Absent) => Step::To(State::Judging { generation: known }),
            Event::ClaimRead(_) => Step::To(State::Listing),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn claimed(self, generation: u64, event: Event) -> Step {
        match event {
            Event::Created => Step::To(State::Confirming { generation }),
            // It may be our own, if the reply to an earlier call was lost.
            Event::Exists => Step::To(State::Listing),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn listed(self, event: Event) -> Step {
        match event {
            Event::Listed(Some(generation)) => Step::To(State::Reading { generation }),
            // Claims are deleted only if there is an answer.
            Event::Listed(None) => self.again(),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn read(self, generation: u64, event: Event) -> Step {
        match event {
            Event::ClaimRead(ClaimSeen::Absent) => self.again(),
            Event::ClaimRead(ClaimSeen::Own) => Step::To(State::Confirming { generation }),
            Event::ClaimRead(ClaimSeen::Released | ClaimSeen::OwnLost) => {
                Step::To(State::Claiming {
                    generation: generation + 1,
                })
            }
            Event::ClaimRead(ClaimSeen::Other) => Step::To(State::Judging { generation }),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn judged(self, generation: u64, event: Event) -> Step {
        match event {
            Event::Judged(Liveness::Live) => Step::End(End::Held(generation)),
            Event::Judged(Liveness::Dead) => Step::To(State::Claiming {
                generation: generation + 1,
            }),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn confirmed(self, generation: u64, event: Event) -> Step {
        match event {
            Event::AnswerRead(None) => Step::End(End::Granted(generation)),
            Event::AnswerRead(Some(Ending::Complete)) => {
                Step::To(State::Withdrawing { generation })
            }
            // Whoever does not accept a truncated answer still needs the claims.
            Event::AnswerRead(Some(Ending::Truncated)) => Step::To(State::Yielding { generation }),
            _ => Step::End(End::Failed),
        }
    }

    pub(super) const fn withdrew(self, event: Event) -> Step {
        match event {
            Event::Deleted | Event::Created | Event::Exists => Step::End(End::Answered),
            _ => Step::End(End::AnsweredUnsettled),
        }
    }
}
