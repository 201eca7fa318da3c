//! What can happen next.

use super::{Action, Fault, First, Mode, Model, Task};

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
            | Task::Releasing(..)
            | Task::Sweeping => true,
        }
    }

    pub(in super::super) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.ticks_left.is_none_or(|left| left > 0) && !self.is_over() {
            actions.push(Action::Tick);
        }
        actions.extend((0..self.late.len()).map(Action::Arrive));
        let has_faults = self.faults > 0;
        for (at, process) in self.processes.iter().enumerate() {
            if process.task == Task::Done {
                continue;
            }
            if !process.is_alive {
                if self.mode != Mode::Call {
                    actions.push(Action::Begin(at, First::Sweep));
                    actions.push(Action::Begin(at, First::TakeOver));
                }
                continue;
            }
            if has_faults {
                actions.push(Action::Crash(at));
            }
            if self.mode != Mode::Call {
                // No claim depends on a heartbeat.
            } else if process.beat_began.is_some() {
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
            if has_faults && self.is_create(at) {
                actions.push(Action::Step(at, Fault::Late));
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
            if process.task == Task::Done || (!process.is_alive && self.mode == Mode::Call) {
                continue;
            }
            if !process.is_alive {
                return Action::Begin(at, First::TakeOver);
            }
            if process.beat_began.is_some() {
                return Action::EndHeartbeat(at, Fault::None);
            }
            if !process.has_beaten && self.mode == Mode::Call {
                return Action::BeginHeartbeat(at);
            }
            if self.can_step(at) {
                return Action::Step(at, Fault::None);
            }
        }
        Action::Tick
    }
}
