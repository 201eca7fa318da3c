//! What can happen next.

use super::{Action, Fault, Model, Task};

impl Model {
    fn can_step(&self, at: usize) -> bool {
        let process = &self.processes[at];
        match process.task {
            Task::Waiting => !process.has_waited && self.is_fresh(at),
            Task::Done => false,
            Task::Obtaining(..)
            | Task::Granted(..)
            | Task::InFlight(_)
            | Task::Publishing(..)
            | Task::Releasing(..) => true,
        }
    }

    pub(in super::super) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.ticks_left.is_none_or(|left| left > 0) && !self.is_over() {
            actions.push(Action::Tick);
        }
        let has_faults = self.faults > 0;
        for (at, process) in self.processes.iter().enumerate() {
            if !process.is_alive || process.task == Task::Done {
                continue;
            }
            if has_faults {
                actions.push(Action::Crash(at));
            }
            if process.beat_began.is_some() {
                actions.push(Action::EndHeartbeat(at, Fault::None));
                if has_faults {
                    actions.push(Action::EndHeartbeat(at, Fault::LostReply));
                    actions.push(Action::EndHeartbeat(at, Fault::NotDone));
                }
            } else if !process.has_beaten {
                actions.push(Action::BeginHeartbeat(at));
            }
            if !self.can_step(at) {
                continue;
            }
            actions.push(Action::Step(at, Fault::None));
            let is_operation = matches!(
                process.task,
                Task::Obtaining(..) | Task::Publishing(..) | Task::Releasing(..)
            );
            if has_faults && is_operation {
                actions.push(Action::Step(at, Fault::LostReply));
                actions.push(Action::Step(at, Fault::NotDone));
            }
            if self.failures > 0 && matches!(process.task, Task::InFlight(_)) {
                actions.push(Action::Fail(at));
            }
        }
        actions
    }

    /// The next action of a schedule in which every process does what it can in each tick.
    pub(in super::super) fn fair_action(&self) -> Action {
        for (at, process) in self.processes.iter().enumerate() {
            if !process.is_alive || process.task == Task::Done {
                continue;
            }
            if process.beat_began.is_some() {
                return Action::EndHeartbeat(at, Fault::None);
            }
            if !process.has_beaten {
                return Action::BeginHeartbeat(at);
            }
            if self.can_step(at) {
                return Action::Step(at, Fault::None);
            }
        }
        Action::Tick
    }
}
