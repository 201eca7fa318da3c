//! The store, the processes and the faults of one request.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a task names the effects and ends that belong to it"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use synix_core::request::Ending;

use super::super::{ClaimSeen, Claimant, Comparison, Effect, End, Event, Liveness, Observation};

/// A lease in units of a clock. A clock of rate 3 advances by 3 units in a tick.
const LEASE: u64 = 12;
/// The time after which a holder no longer trusts its own claim.
const LASTS: u64 = LEASE / 4 * 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rates(pub(super) [u64; 3]);

#[derive(Debug)]
pub(super) struct Setup {
    pub(super) processes: usize,
    /// Crashes, lost replies and failed operations, in all.
    pub(super) faults: u8,
    /// Requests that the provider fails.
    pub(super) failures: u8,
    pub(super) ticks: u64,
    pub(super) rates: Rates,
}

/// A process and its id as a holder, which changes after a gap.
type HolderId = (usize, u8);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Claim {
    holder: HolderId,
    is_released: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Task {
    /// Waits for the next look.
    Waiting,
    Obtaining(Claimant, Effect, HolderId),
    Granted(u64, HolderId),
    InFlight(u64),
    Publishing(Claimant, Effect, u64),
    Releasing(Claimant, Effect, u64),
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Process {
    is_alive: bool,
    task: Task,
    /// Whether it has looked for a held claim in this tick.
    has_waited: bool,
    has_beaten: bool,
    epoch: u8,
    heartbeats: u64,
    newest: Option<u64>,
    beat_began: Option<u64>,
    known: Option<(u64, u64)>,
    seen: BTreeMap<HolderId, Observation>,
    /// The tick of its last heartbeat or claim in the store.
    last_sign: u64,
    /// The longest time between two signs since its claim, in ticks.
    longest_silence: u64,
    /// Whether it sent a request that did not fail.
    has_sent: bool,
    /// Whether its claim was taken over after it had no sign in the store for longer than it trusts its claim.
    is_beyond: bool,
    has_published: bool,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Model {
    claims: BTreeMap<u64, Claim>,
    answer: Option<usize>,
    heartbeats: BTreeMap<HolderId, u64>,
    processes: Vec<Process>,
    tick: u64,
    ticks_left: Option<u64>,
    faults: u8,
    failures: u8,
    rates: Rates,
    sends: u8,
    beyond: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Tick,
    Step(usize, Fault),
    /// The provider fails the request in flight.
    Fail(usize),
    BeginHeartbeat(usize),
    EndHeartbeat(usize, Fault),
    Crash(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The operation is carried out, and its reply is lost.
    LostReply,
    /// The operation is not carried out.
    NotDone,
}

const fn clock(units: u64) -> Duration {
    Duration::from_secs(units)
}

impl Model {
    pub(super) fn new(setup: &Setup) -> Self {
        let process = Process {
            is_alive: true,
            task: Task::Waiting,
            has_waited: false,
            has_beaten: false,
            epoch: 0,
            heartbeats: 0,
            newest: None,
            beat_began: None,
            known: None,
            seen: BTreeMap::new(),
            last_sign: 0,
            longest_silence: 0,
            has_sent: false,
            is_beyond: false,
            has_published: false,
        };
        Self {
            claims: BTreeMap::new(),
            answer: None,
            heartbeats: BTreeMap::new(),
            processes: vec![process; setup.processes],
            tick: 0,
            ticks_left: Some(setup.ticks),
            faults: setup.faults,
            failures: setup.failures,
            rates: setup.rates,
            sends: 0,
            beyond: 0,
        }
    }

    pub(super) const fn sends(&self) -> u8 {
        self.sends
    }

    pub(super) const fn beyond_leases(&self) -> usize {
        self.beyond
    }

    pub(super) fn without_faults(&self) -> Self {
        Self {
            faults: 0,
            failures: 0,
            ticks_left: None,
            ..self.clone()
        }
    }

    /// Whether no process that lives has anything left to do.
    pub(super) fn is_over(&self) -> bool {
        let is_over = |process: &Process| !process.is_alive || process.task == Task::Done;
        self.processes.iter().all(is_over)
    }

    fn now(&self, process: usize) -> u64 {
        self.tick * self.rates.0[process]
    }

    fn is_fresh(&self, process: usize) -> bool {
        let newest = self.processes[process].newest;
        newest.is_some_and(|newest| self.now(process) - newest < LASTS)
    }

    fn can_step(&self, at: usize) -> bool {
        let process = &self.processes[at];
        match process.task {
            Task::Waiting => !process.has_waited && self.is_fresh(at),
            Task::Done => false,
            _ => true,
        }
    }

    pub(super) fn actions(&self) -> Vec<Action> {
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
    pub(super) fn fair_action(&self) -> Action {
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

    pub(super) fn apply(&mut self, action: Action) -> Result<(), String> {
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

    fn release(&mut self, at: usize, generation: u64) {
        let (claimant, effect) = Claimant::release(generation).step(Event::Begun);
        self.processes[at].task = Task::Releasing(claimant, effect, generation);
    }

    fn publish(&mut self, at: usize, generation: u64) {
        let claimant = Claimant::publish(Some(generation), Ending::Complete);
        let (claimant, effect) = claimant.step(Event::Begun);
        self.processes[at].task = Task::Publishing(claimant, effect, generation);
    }

    fn step(&mut self, at: usize, fault: Fault) -> Result<(), String> {
        match self.processes[at].task.clone() {
            Task::Waiting => {
                let known = self.processes[at].known.map(|(generation, _)| generation);
                let (claimant, effect) = Claimant::obtain(known, false).step(Event::Begun);
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
                    Effect::End(End::Failed) => self.release(at, generation),
                    _ => self.processes[at].task = Task::Waiting,
                }
            }
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

    fn send(&mut self, at: usize) -> Result<(), String> {
        for (other, process) in self.processes.iter().enumerate() {
            let is_paid = process.has_sent && (process.is_alive || process.has_published);
            if other == at || !is_paid {
                continue;
            }
            if !process.is_beyond {
                return Err(format!("{at} sent beside a live claim of {other}"));
            }
            self.beyond += 1;
        }
        self.sends += 1;
        self.processes[at].has_sent = true;
        Ok(())
    }

    /// Notes that `at` created a claim of this generation.
    fn took(&mut self, at: usize, generation: u64) -> Result<(), String> {
        let own = &mut self.processes[at];
        (own.last_sign, own.longest_silence, own.is_beyond) = (self.tick, 0, false);
        let Some(before) = self.claims.get(&(generation - 1)) else {
            return Ok(());
        };
        let other = before.holder.0;
        if before.is_released || other == at || self.answer.is_some() {
            return Ok(());
        }
        let rate = self.rates.0[other];
        let overtaken = &mut self.processes[other];
        // A sign may arrive between the judgement and the takeover. Only the holder's own clock tells it to stop.
        let silence = self.tick - overtaken.last_sign;
        let silent = overtaken.longest_silence.max(silence) * rate;
        if overtaken.is_alive && silent < LASTS {
            return Err(format!("{at} took over a live claim of {other}"));
        }
        overtaken.is_beyond = true;
        Ok(())
    }

    fn carry_out(
        &mut self,
        at: usize,
        holder: HolderId,
        effect: Effect,
        fault: Fault,
    ) -> Result<Event, String> {
        if fault == Fault::NotDone {
            return Ok(Event::Failed);
        }
        let event = match effect {
            Effect::ReadAnswer => Event::AnswerRead(self.answer.map(|_| Ending::Complete)),
            Effect::ReadClaim(generation) => Event::ClaimRead(self.read_claim(at, generation)),
            Effect::ListClaims => Event::Listed(self.claims.keys().last().copied()),
            Effect::CreateClaim(generation) | Effect::CreateRelease(generation) => {
                let is_released = matches!(effect, Effect::CreateRelease(_));
                if self.claims.contains_key(&generation) {
                    Event::Exists
                } else {
                    if !is_released {
                        self.took(at, generation)?;
                    }
                    let claim = Claim {
                        holder,
                        is_released,
                    };
                    self.claims.insert(generation, claim);
                    Event::Created
                }
            }
            Effect::Judge(_) => Event::Judged(self.judge(at)?),
            Effect::DeleteClaims(last) => {
                self.claims.retain(|generation, _| *generation > last);
                Event::Deleted
            }
            Effect::CreateAnswer => {
                if self.answer.is_some() {
                    Event::Exists
                } else {
                    self.answer = Some(at);
                    self.processes[at].has_published = true;
                    Event::Created
                }
            }
            Effect::CompareAnswer => Event::Compared(match self.answer {
                Some(other) if other == at => Comparison::Same,
                Some(_) => Comparison::Other,
                None => Comparison::Absent,
            }),
            Effect::End(_) => return Err("an effect after the end".to_owned()),
        };
        Ok(if fault == Fault::LostReply {
            Event::Failed
        } else {
            event
        })
    }

    fn read_claim(&mut self, at: usize, generation: u64) -> ClaimSeen {
        let now = self.now(at);
        let Some(claim) = self.claims.get(&generation) else {
            return ClaimSeen::Absent;
        };
        let process = &mut self.processes[at];
        if claim.is_released {
            ClaimSeen::Released
        } else if claim.holder.0 != at {
            if process.known.is_none_or(|(known, _)| known != generation) {
                process.known = Some((generation, now));
            }
            ClaimSeen::Other
        } else if claim.holder.1 == process.epoch {
            ClaimSeen::Own
        } else {
            ClaimSeen::OwnLost
        }
    }

    fn judge(&mut self, at: usize) -> Result<Liveness, String> {
        let now = clock(self.now(at));
        let process = &mut self.processes[at];
        let (generation, claim_seen) = process.known.ok_or("judged an unknown claim")?;
        // A claim that is gone was read before; its holder is known by then.
        let Some(claim) = self.claims.get(&generation) else {
            return Ok(Liveness::Live);
        };
        let newest = self.heartbeats.get(&claim.holder).copied();
        let seen = process
            .seen
            .entry(claim.holder)
            .and_modify(|seen| seen.add(newest, now, now))
            .or_insert_with(|| Observation::first(newest, now, now));
        Ok(if seen.is_dead(clock(claim_seen), clock(LEASE)) {
            Liveness::Dead
        } else {
            Liveness::Live
        })
    }
}
