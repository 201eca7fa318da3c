//! The store, the processes and the faults of one request.

mod actions;
mod canonical;
mod checks;
mod commands;
mod steps;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::{Claimant, Effect};

/// A lease in units of a clock. A clock of rate 3 advances by 3 units in a tick.
const LEASE: u64 = 12;
/// The time after which a holder no longer trusts its own claim.
const LASTS: u64 = LEASE / 4 * 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rates(pub(super) [u64; 3]);

/// How the requests are sent, and so how long a claim lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// In calls: a process that crashed never returns.
    Call,
    /// In batches, which no time ends here: the next command of the project goes on where the last one crashed, and calls
    /// of the last one may arrive at any time.
    Batch,
    /// The same with a mistake: a claim of an earlier intent is used.
    BatchWithOneIntent,
}

#[derive(Debug)]
pub(super) struct Setup {
    pub(super) mode: Mode,
    pub(super) processes: usize,
    /// Crashes, lost replies, late calls and failed operations, in all.
    pub(super) faults: u8,
    /// Requests that the provider fails.
    pub(super) failures: u8,
    pub(super) ticks: u64,
    pub(super) rates: Rates,
}

/// A process and its id as a holder, which changes after a gap. In batches it is a project and the number of its intent.
type HolderId = (usize, u8);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Looks for the claims of earlier intents, to give them up.
    Sweeping,
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
    /// The newest heartbeat of each holder that it has seen, and when it first saw it.
    seen: BTreeMap<HolderId, (Option<u64>, u64)>,
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
    mode: Mode,
    claims: BTreeMap<u64, Claim>,
    /// Calls that create a claim, and that nobody waits for any more.
    late: BTreeSet<(u64, Claim)>,
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
    /// The next command of the project begins; it may look for what the last one left before anything else.
    Begin(usize, First),
    /// The call with this place among the late ones arrives.
    Arrive(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    Sweep,
    TakeOver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The operation is carried out, and its reply is lost.
    LostReply,
    /// The operation is not carried out.
    NotDone,
    /// The operation is carried out at some time, or never, and nobody waits for that.
    Late,
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
            mode: setup.mode,
            claims: BTreeMap::new(),
            late: BTreeSet::new(),
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

    /// Whether nothing is left to do for any process that lives, or whose project has another command.
    pub(super) fn is_over(&self) -> bool {
        let is_gone = |process: &Process| !process.is_alive && self.mode == Mode::Call;
        let is_over = |process: &Process| is_gone(process) || process.task == Task::Done;
        self.processes.iter().all(is_over)
    }

    fn now(&self, process: usize) -> u64 {
        self.tick * self.rates.0[process]
    }

    fn is_fresh(&self, process: usize) -> bool {
        if self.mode != Mode::Call {
            return true;
        }
        let newest = self.processes[process].newest;
        newest.is_some_and(|newest| self.now(process) - newest < LASTS)
    }
}
