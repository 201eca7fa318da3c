//! The machine of one claimant: what happens next when an operation of the store has ended.
//!
//! It is pure: `(state, event) -> (state, effect)`, for one request. The client carries the effects out. `docs/shared.md`
//! has the table of its steps.

mod observation;
mod obtain;
mod publish;
#[cfg(test)]
mod tests;

use synix_core::request::Ending;

pub(crate) use observation::Observation;

/// A claimant of one request, between two operations of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Claimant {
    state: State,
    /// How often it began again, because claims vanished while it followed them.
    restarts: u8,
}

/// What a claimant waits for. Each state but the last waits for the event of one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// Looks for the answer; `known` is the last generation that an earlier attempt has seen.
    Looking { known: Option<u64> },
    /// Reads whether there is a generation after the known one.
    Following { known: u64 },
    /// Creates a claim.
    Claiming { generation: u64 },
    /// Lists the claims for the last generation.
    Listing,
    /// Reads the last claim.
    Reading { generation: u64 },
    /// Finds out whether the last claim is live.
    Judging { generation: u64 },
    /// Looks for the answer again: it may have been published, and its claims deleted, before the claim was created.
    Confirming { generation: u64 },
    /// Deletes the own claim, because there is a complete answer.
    Withdrawing { generation: u64 },
    /// Gives the own claim up, because there is a truncated answer that suffices.
    Yielding { generation: u64 },
    /// Creates the object of the answer.
    Publishing { claim: Option<u64>, ending: Ending },
    /// Reads the answer that is there already.
    Comparing { claim: Option<u64>, ending: Ending },
    /// Deletes the claims of a complete answer.
    Clearing { claim: u64, end: End },
    /// Gives up the claim of an answer that is not complete, or of a request without an answer.
    Releasing { claim: u64, end: End },
    /// Has ended.
    Ended,
}

/// Something that happened to a claimant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// It begins.
    Begun,
    /// The answer was read: how it ended, or `None` if there is none that counts.
    AnswerRead(Option<Ending>),
    /// An object was created.
    Created,
    /// There was an object already.
    Exists,
    /// A claim was read.
    ClaimRead(ClaimSeen),
    /// The claims were listed: the last generation, or `None` if there are no claims.
    Listed(Option<u64>),
    /// The last claim was judged.
    Judged(Liveness),
    /// The answer that is there was compared with the own one.
    Compared(Comparison),
    /// Claims were deleted.
    Deleted,
    /// The operation failed. Whether it was carried out is unknown.
    Failed,
}

/// A claim, as the claimant sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClaimSeen {
    /// There is none.
    Absent,
    /// The claimant created it, and its holder had no gap since.
    Own,
    /// The claimant or an earlier command of its project created it. It may be lost in a gap of the heartbeats, or be given
    /// up by a call that is under way, and nobody will send anything for it.
    OwnLost,
    /// The holder gave it up.
    Released,
    /// Another holder has it.
    Other,
}

/// Whether a claim excludes others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Liveness {
    /// It does.
    Live,
    /// It does not any more.
    Dead,
}

/// The answer in the store beside the own one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    /// It is the same object.
    Same,
    /// It is another answer.
    Other,
    /// It is damaged.
    Damaged,
    /// There is none after all.
    Absent,
}

/// What is to be done for a claimant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// Read the answer.
    ReadAnswer,
    /// Read the claim of a generation.
    ReadClaim(u64),
    /// List the claims.
    ListClaims,
    /// Create the claim of a generation.
    CreateClaim(u64),
    /// Judge the claim of a generation.
    Judge(u64),
    /// Create the released claim of a generation.
    CreateRelease(u64),
    /// Delete the claims up to a generation.
    DeleteClaims(u64),
    /// Create the answer.
    CreateAnswer,
    /// Read the answer and compare it with the own one.
    CompareAnswer,
    /// Nothing more.
    End(End),
}

/// How a claimant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// There is an answer.
    Answered,
    /// There is an answer, and an own claim that could not be given up.
    AnsweredUnsettled,
    /// The claim of this generation is granted.
    Granted(u64),
    /// Another holder has the claim of this generation.
    Held(u64),
    /// The answer is in the store.
    Published,
    /// The store has another answer.
    Double,
    /// The answer in the store is damaged.
    Damaged,
    /// The claim is given up, or another holder has it.
    Released,
    /// The store failed.
    Failed,
    /// Claims vanished again and again without an answer.
    Inconsistent,
}

/// How often a claimant begins again before it reports that the store is inconsistent.
const MAX_RESTARTS: u8 = 8;

impl Claimant {
    /// Returns a claimant that obtains the answer or a claim.
    pub(crate) const fn obtain(known: Option<u64>) -> Self {
        Self::new(State::Looking { known })
    }

    /// Returns a claimant that publishes an answer.
    pub(crate) const fn publish(claim: Option<u64>, ending: Ending) -> Self {
        Self::new(State::Publishing { claim, ending })
    }

    /// Returns a claimant that gives up a claim.
    pub(crate) const fn release(claim: u64) -> Self {
        let end = End::Released;
        Self::new(State::Releasing { claim, end })
    }

    const fn new(state: State) -> Self {
        Self { state, restarts: 0 }
    }

    /// Returns the state and the effect after an event.
    ///
    /// An event that does not belong to the state ends the claimant as failed: nothing is sent for it.
    pub(crate) fn step(self, event: Event) -> (Self, Effect) {
        if event == Event::Begun {
            return (self, self.effect());
        }
        let next = match self.state {
            State::Looking { known } => self.looked(known, event),
            State::Following { known } => self.followed(known, event),
            State::Claiming { generation } => self.claimed(generation, event),
            State::Listing => self.listed(event),
            State::Reading { generation } => self.read(generation, event),
            State::Judging { generation } => self.judged(generation, event),
            State::Confirming { generation } => self.confirmed(generation, event),
            State::Withdrawing { .. } | State::Yielding { .. } => self.withdrew(event),
            State::Publishing { claim, ending } => self.created(claim, ending, event),
            State::Comparing { claim, ending } => self.compared(claim, ending, event),
            State::Clearing { end, .. } => self.end(end),
            State::Releasing { end, .. } => self.released(end, event),
            State::Ended => self.end(End::Failed),
        };
        match next {
            Step::To(state) => {
                let next = Self { state, ..self };
                (next, next.effect())
            }
            Step::Again => {
                let next = Self {
                    state: State::Looking { known: None },
                    restarts: self.restarts + 1,
                };
                (next, next.effect())
            }
            Step::End(end) => {
                let next = Self {
                    state: State::Ended,
                    ..self
                };
                (next, Effect::End(end))
            }
        }
    }

    const fn effect(self) -> Effect {
        match self.state {
            State::Looking { .. } | State::Confirming { .. } => Effect::ReadAnswer,
            State::Following { known } => Effect::ReadClaim(known + 1),
            State::Claiming { generation } => Effect::CreateClaim(generation),
            State::Listing => Effect::ListClaims,
            State::Reading { generation } => Effect::ReadClaim(generation),
            State::Judging { generation } => Effect::Judge(generation),
            State::Withdrawing { generation } => Effect::DeleteClaims(generation),
            State::Yielding { generation } => Effect::CreateRelease(generation + 1),
            State::Publishing { .. } => Effect::CreateAnswer,
            State::Comparing { .. } => Effect::CompareAnswer,
            State::Clearing { claim, .. } => Effect::DeleteClaims(claim),
            State::Releasing { claim, .. } => Effect::CreateRelease(claim + 1),
            State::Ended => Effect::End(End::Failed),
        }
    }

    /// Begins again, unless that never ends.
    const fn again(self) -> Step {
        if self.restarts >= MAX_RESTARTS {
            return Step::End(End::Inconsistent);
        }
        Step::Again
    }

    const fn end(self, end: End) -> Step {
        let _ = self;
        Step::End(end)
    }
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    To(State),
    Again,
    End(End),
}
