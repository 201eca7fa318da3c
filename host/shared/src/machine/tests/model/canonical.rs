//! States that differ only in what nobody will ever look at are one state.
//!
//! Each rule below keeps every transition: the canonical state permits the same actions, and they lead to states with one
//! canonical state again. So a search of the canonical states finds what a search of all states finds.

use std::collections::BTreeSet;

use super::{HolderId, Mode, Model, Process, Task};

impl Model {
    pub(in super::super) fn canonical(mut self) -> Self {
        for process in &mut self.processes {
            let is_gone = !process.is_alive && self.mode == Mode::Call;
            if is_gone || process.task == Task::Done {
                process.forget();
            }
        }
        self.forget_signs();
        self.forget_holders();
        self.renumber_heartbeats();
        self
    }

    /// The silence of a process matters only while it has a claim: the next one begins a new measurement.
    fn forget_signs(&mut self) {
        for (at, process) in self.processes.iter_mut().enumerate() {
            let has_claim = |claim: &super::Claim| claim.holder.0 == at && !claim.is_released;
            if !self.claims.values().any(has_claim) {
                (process.last_sign, process.longest_silence) = (0, 0);
            }
        }
    }

    /// The heartbeats of a holder matter only if it has a claim, or can still make one.
    fn forget_holders(&mut self) {
        let mut needed: BTreeSet<HolderId> =
            self.claims.values().map(|claim| claim.holder).collect();
        for (at, process) in self.processes.iter().enumerate() {
            needed.insert((at, process.epoch));
            if let Task::Obtaining(_, _, holder) | Task::Granted(_, holder) = process.task {
                needed.insert(holder);
            }
        }
        self.heartbeats.retain(|holder, _| needed.contains(holder));
        for process in &mut self.processes {
            process.seen.retain(|holder, _| needed.contains(holder));
        }
    }

    /// An observer only asks whether the newest heartbeat is the one it has seen, and numbers never return.
    fn renumber_heartbeats(&mut self) {
        let newest = std::mem::take(&mut self.heartbeats);
        for process in &mut self.processes {
            process.heartbeats = process.heartbeats.min(1);
            for (holder, (seen, _)) in &mut process.seen {
                let is_newest = *seen == newest.get(holder).copied();
                *seen = seen.map(|_| u64::from(is_newest));
            }
        }
        self.heartbeats = newest.into_keys().map(|holder| (holder, 1)).collect();
    }
}

impl Process {
    /// Forgets what only its next action would use, because there is none.
    fn forget(&mut self) {
        self.has_waited = false;
        self.has_beaten = false;
        self.newest = None;
        self.beat_began = None;
        self.known = None;
        self.heartbeats = 0;
        self.seen.clear();
    }
}
