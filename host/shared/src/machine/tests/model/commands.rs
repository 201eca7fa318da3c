//! The commands of one project in turn, and the calls that outlive them.
//!
//! A command that begins has an intent of its own, and knows which ones were before. So it tells its own claims from those of
//! earlier intents, and both from those of other projects.

use super::super::super::Effect;
use super::{Claim, First, HolderId, Mode, Model, Task};

impl Model {
    /// Whether the next step of a process in batches creates a claim.
    pub(super) fn is_create(&self, at: usize) -> bool {
        let (Task::Obtaining(_, effect, _)
        | Task::Publishing(_, effect, _)
        | Task::Releasing(_, effect, _)) = &self.processes[at].task
        else {
            return false;
        };
        let creates = matches!(effect, Effect::CreateClaim(_) | Effect::CreateRelease(_));
        creates && self.mode != Mode::Call
    }

    pub(super) fn send_late(&mut self, holder: HolderId, effect: Effect) {
        let (Effect::CreateClaim(generation) | Effect::CreateRelease(generation)) = effect else {
            return;
        };
        let claim = Claim {
            holder,
            is_released: matches!(effect, Effect::CreateRelease(_)),
        };
        self.late.insert((generation, claim));
    }

    pub(super) fn arrive(&mut self, place: usize) -> Result<(), String> {
        let late = self.late.iter().nth(place).cloned();
        let (generation, claim) = late.ok_or("an unknown call arrived")?;
        self.late.remove(&(generation, claim.clone()));
        self.claims.entry(generation).or_insert(claim);
        Ok(())
    }

    /// Ends a command. What it has on record stays.
    pub(super) fn crash_command(&mut self, at: usize) {
        match self.processes[at].task.clone() {
            Task::InFlight(_) | Task::Done => {}
            Task::Publishing(_, _, generation) => self.publish(at, generation),
            Task::Waiting
            | Task::Obtaining(..)
            | Task::Granted(..)
            | Task::Releasing(..)
            | Task::Sweeping => self.processes[at].task = Task::Waiting,
        }
        let process = &mut self.processes[at];
        process.is_alive = false;
        process.has_waited = false;
        process.known = None;
    }

    pub(super) fn begin_command(&mut self, at: usize, first: First) {
        let process = &mut self.processes[at];
        process.is_alive = true;
        if process.task == Task::Waiting {
            self.next_intent(at);
            if first == First::Sweep {
                self.processes[at].task = Task::Sweeping;
            }
        }
    }

    /// Looks for the answer, or for a claim with another intent.
    pub(super) fn next_intent(&mut self, at: usize) {
        let process = &mut self.processes[at];
        process.task = Task::Waiting;
        if self.mode != Mode::Call {
            process.epoch += 1;
        }
    }

    /// Gives up what earlier intents have, or may get from a call that is under way.
    pub(super) fn sweep(&mut self, at: usize) {
        let last = self.claims.last_key_value();
        let last = last.map(|(generation, claim)| (*generation, claim.clone()));
        match last {
            None if self.answer.is_some() => self.next_intent(at),
            None => self.release(at, 0),
            Some((last, claim)) if claim.is_released || claim.holder.0 == at => {
                self.release(at, last);
            }
            Some(_) => self.next_intent(at),
        }
    }
}
