//! Carries out an action.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a task names the effects and ends that belong to it"
)]

use synix_core::request::Ending;

use super::super::super::{Claimant, Effect, End, Event};
use super::{Action, Fault, HolderId, LEASE, Mode, Model, Task};

impl Model {
    pub(in super::super) fn apply(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Tick => {
                self.tick += 1;
                self.ticks_left = self.ticks_left.map(|left| left - 1);
                for process in &mut self.processes {
                    process.has_waited = false;
                    process.has_beaten = false;
                }
            }
            Action::Crash(at) => {
                self.faults -= 1;
                if self.mode != Mode::Call {
                    self.crash_command(at);
                    return Ok(());
                }
                let process = &mut self.processes[at];
                process.is_alive = false;
                // What it knew is gone, so states that differ only in that are one state.
                process.seen.clear();
                process.known = None;
                process.beat_began = None;
                process.task = Task::Done;
            }
            Action::BeginHeartbeat(at) => {
                let (now, is_fresh) = (self.now(at), self.is_fresh(at));
                let process = &mut self.processes[at];
                if process.newest.is_some() && !is_fresh {
                    process.epoch += 1;
                    process.newest = None;
                    // Its claims are lost, and it knows: what follows is no sign of their holder.
                    process.longest_silence = LEASE;
                }
                process.has_beaten = true;
                process.beat_began = Some(now);
            }
            Action::EndHeartbeat(at, fault) => self.end_heartbeat(at, fault),
            Action::Begin(at, first) => self.begin_command(at, first),
            Action::Arrive(place) => self.arrive(place)?,
            Action::Fail(at) => {
                self.failures -= 1;
                let Task::InFlight(generation) = self.processes[at].task else {
                    return Err("no request is in flight".to_owned());
                };
                self.processes[at].has_sent = false;
                self.release(at, generation);
            }
            Action::Step(at, fault) => {
                if fault != Fault::None {
                    self.faults -= 1;
                }
                self.step(at, fault)?;
            }
        }
        Ok(())
    }

    fn end_heartbeat(&mut self, at: usize, fault: Fault) {
        let is_fresh = self.is_fresh(at);
        if fault != Fault::None {
            self.faults -= 1;
        }
        let tick = self.tick;
        let process = &mut self.processes[at];
        let began = process.beat_began.take().unwrap_or_default();
        process.heartbeats += 1;
        if fault != Fault::NotDone {
            self.heartbeats
                .insert((at, process.epoch), process.heartbeats);
            process.longest_silence = process.longest_silence.max(tick - process.last_sign);
            process.last_sign = tick;
        }
        // A late reply is an error, and the next heartbeat that of another holder.
        if fault == Fault::None && (process.newest.is_none() || is_fresh) {
            process.newest = Some(began);
        }
    }

    pub(super) fn release(&mut self, at: usize, generation: u64) {
        let (claimant, effect) = Claimant::release(generation).step(Event::Begun);
        self.processes[at].task = Task::Releasing(claimant, effect, generation);
    }

    pub(super) fn publish(&mut self, at: usize, generation: u64) {
        let claimant = Claimant::publish(Some(generation), Ending::Complete);
        let (claimant, effect) = claimant.step(Event::Begun);
        self.processes[at].task = Task::Publishing(claimant, effect, generation);
    }

    fn step(&mut self, at: usize, fault: Fault) -> Result<(), String> {
        match self.processes[at].task.clone() {
            Task::Waiting => {
                let known = self.processes[at].known.map(|(generation, _)| generation);
                let (claimant, effect) = Claimant::obtain(known).step(Event::Begun);
                let holder = (at, self.processes[at].epoch);
                self.processes[at].task = Task::Obtaining(claimant, effect, holder);
            }
            Task::Granted(generation, holder) => {
                // This is the check before the send, and the send.
                if holder.1 == self.processes[at].epoch && self.is_fresh(at) {
                    self.send(at)?;
                    self.processes[at].task = Task::InFlight(generation);
                } else {
                    self.processes[at].task = Task::Waiting;
                }
            }
            Task::InFlight(generation) => self.publish(at, generation),
            Task::Obtaining(claimant, effect, holder) => {
                let event = self.carry_out(at, holder, effect, fault)?;
                let (claimant, effect) = claimant.step(event);
                self.processes[at].task = match effect {
                    Effect::End(end) => self.end_of_obtain(at, end, holder)?,
                    effect => Task::Obtaining(claimant, effect, holder),
                };
            }
            Task::Publishing(claimant, effect, generation) => {
                let holder = (at, self.processes[at].epoch);
                let event = self.carry_out(at, holder, effect, fault)?;
                let (claimant, effect) = claimant.step(event);
                match effect {
                    Effect::End(End::Failed) => self.publish(at, generation),
                    Effect::End(_) => self.finish(at),
                    effect => {
                        self.processes[at].task = Task::Publishing(claimant, effect, generation);
                    }
                }
            }
            Task::Releasing(claimant, effect, generation) => {
                let holder = (at, self.processes[at].epoch);
                let event = self.carry_out(at, holder, effect, fault)?;
                let (_, effect) = claimant.step(event);
                match effect {
                    Effect::End(End::Failed) if self.mode == Mode::Call => {
                        self.release(at, generation);
                    }
                    _ => self.next_intent(at),
                }
            }
            Task::Sweeping => self.sweep(at),
            Task::Done => return Err("a process goes on after its end".to_owned()),
        }
        Ok(())
    }

    fn finish(&mut self, at: usize) {
        let process = &mut self.processes[at];
        process.task = Task::Done;
        process.seen.clear();
        process.known = None;
        process.beat_began = None;
    }

    fn end_of_obtain(&mut self, at: usize, end: End, holder: HolderId) -> Result<Task, String> {
        Ok(match end {
            End::Answered | End::AnsweredUnsettled => {
                if self.answer.is_none() {
                    return Err("answered without an answer".to_owned());
                }
                self.finish(at);
                Task::Done
            }
            End::Granted(generation) => Task::Granted(generation, holder),
            End::Held(_) => {
                self.processes[at].has_waited = true;
                Task::Waiting
            }
            End::Failed => Task::Waiting,
            other => return Err(format!("obtain ended as {other:?}")),
        })
    }
}
