//! What a call may use up, and what is counted while it runs.
//!
//! Fuel, memory, stack and the sizes are the same on every machine, so they are
//! in a unit's fingerprint. The wall time is only a net below them.

use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use synix_core::fingerprint::LimitParts;

/// The stack of wasm code; the calling thread must have twice as much.
pub const STACK_BYTES: usize = 1 << 20;
/// The elements that any table may have.
pub(super) const TABLE_ELEMENTS: usize = 1 << 16;
/// How often the wall time is looked at.
pub(super) const TICK: Duration = Duration::from_millis(50);

const ELEMENT_BYTES: usize = size_of::<usize>();

/// What one call may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Instructions, roughly.
    pub fuel: u64,
    /// Bytes in all memories and tables.
    pub memory_bytes: usize,
    /// Time, without what the model takes.
    pub wall: Duration,
    /// Bytes that the guest hands to the host, in one call and over all calls; log lines count for less.
    pub hostcall_bytes: usize,
    /// Bytes in all outputs.
    pub output_bytes: usize,
    /// Requests to a model, answered ones included.
    pub requests: u32,
    /// Input and output tokens of a unit's answers together.
    pub tokens: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 5_000_000_000,
            memory_bytes: 256 << 20,
            wall: Duration::from_secs(60),
            hostcall_bytes: 64 << 20,
            output_bytes: 32 << 20,
            requests: 1000,
            tokens: None,
        }
    }
}

impl Limits {
    /// Returns all that may decide a call's result: every limit but the wall time.
    pub fn parts(&self) -> LimitParts {
        let Self {
            fuel,
            memory_bytes,
            // A breach of it is never stored.
            wall: _,
            hostcall_bytes,
            output_bytes,
            requests,
            tokens,
        } = *self;
        LimitParts {
            fuel,
            memory_bytes: memory_bytes as u64,
            stack_bytes: STACK_BYTES as u64,
            hostcall_bytes: hostcall_bytes as u64,
            output_bytes: output_bytes as u64,
            requests: requests.into(),
            tokens,
        }
    }
}

/// A limit reached within a call; unwinds the guest as an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Breach {
    #[error("memory limit reached")]
    Memory,
    #[error("time limit reached")]
    Time,
    #[error("limit of bytes handed to the host reached")]
    Hostcall,
    /// Nor are these the guest's doing.
    #[error("interrupted")]
    Interrupted,
    #[error("this machine has no memory left")]
    Machine,
}

/// What each call of the host costs, whatever it does.
pub(super) const HOSTCALL_FUEL: u64 = 1000;

/// Counts what one call uses, apart from the fuel of its own instructions.
pub(super) struct Meter {
    memory_left: usize,
    hostcall_left: usize,
    /// Fuel that calls of the host cost; the engine does not count it.
    charged: u64,
    wall: Duration,
    started: Instant,
    away: Duration,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            hostcall_left: limits.hostcall_bytes,
            charged: 0,
            wall: limits.wall,
            started: Instant::now(),
            away: Duration::ZERO,
        }
    }

    /// Counts bytes that the guest handed over.
    pub(super) fn hand_over(&mut self, bytes: usize) -> Result<(), Breach> {
        self.hostcall_left = self
            .hostcall_left
            .checked_sub(bytes)
            .ok_or(Breach::Hostcall)?;
        Ok(())
    }

    /// Charges fuel for what the host does. Whether there is so much is found out later, but in any case.
    pub(super) fn charge(&mut self, fuel: u64) {
        self.charged = self.charged.saturating_add(fuel);
    }

    /// Charges the bytes that the host copies.
    pub(super) fn charge_bytes(&mut self, bytes: usize) {
        self.charge(bytes as u64);
    }

    /// Returns what was charged so far.
    pub(super) fn charged(&self) -> u64 {
        self.charged
    }

    /// Runs `act`, whose time is not the guest's.
    pub(super) fn pause<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let left = Instant::now();
        let result = act();
        self.away += left.elapsed();
        result
    }

    /// Decides at a tick whether the guest has time left.
    pub(super) fn at_deadline(&self) -> Result<UpdateDeadline, Breach> {
        let used = self.started.elapsed().saturating_sub(self.away);
        match self.wall.checked_sub(used) {
            Some(left) if !left.is_zero() => Ok(UpdateDeadline::Continue(1)),
            _ => Err(Breach::Time),
        }
    }

    /// Counts the growth of a memory or table to `desired`, of which its own type allows `maximum`.
    ///
    /// What the type does not allow fails as the guest expects, without being
    /// counted, so whatever fails later is this machine's fault.
    fn grow(
        &mut self,
        desired: usize,
        bytes: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let left = self.memory_left.checked_sub(bytes).ok_or(Breach::Memory)?;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory_left = left;
        Ok(true)
    }
}

/// Ends a run whose memory could not grow though it may: another machine would have let it.
///
/// The engine also reports sizes that no type can express, without asking first; there the guest goes on.
fn grow_failed(error: &wasmtime::Error) -> wasmtime::Result<()> {
    let text = format!("{error:#}");
    if INEXPRESSIBLE.iter().any(|words| text.contains(words)) {
        return Ok(());
    }
    tracing::debug!(error = text, "a guest's memory cannot grow");
    Err(Breach::Machine.into())
}

/// The engine has no types for these; tests hold the texts.
const INEXPRESSIBLE: [&str; 2] = [
    "memory growth exceeds memory type's limits",
    "overflow calculating new table size",
];

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(desired, desired.saturating_sub(current), maximum)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        grow_failed(&error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = desired
            .saturating_sub(current)
            .saturating_mul(ELEMENT_BYTES);
        // The pool has no larger tables, so there are none elsewhere either.
        let maximum = maximum.unwrap_or(TABLE_ELEMENTS).min(TABLE_ELEMENTS);
        self.grow(desired, bytes, Some(maximum))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        grow_failed(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I1: what decides an outcome is in the fingerprint, and nothing else.
    #[test]
    fn each_limit_but_the_wall_time_is_in_the_fingerprint() {
        let base = Limits::default();
        let others = [
            Limits {
                fuel: 1,
                ..base.clone()
            },
            Limits {
                memory_bytes: 1,
                ..base.clone()
            },
            Limits {
                hostcall_bytes: 1,
                ..base.clone()
            },
            Limits {
                output_bytes: 1,
                ..base.clone()
            },
            Limits {
                requests: 1,
                ..base.clone()
            },
            Limits {
                tokens: Some(1),
                ..base.clone()
            },
        ];
        for other in others {
            assert_ne!(other.parts(), base.parts(), "{other:?}");
        }
        let patient = Limits {
            wall: Duration::ZERO,
            ..base.clone()
        };
        assert_eq!(patient.parts(), base.parts());
    }

    fn meter(memory_bytes: usize) -> Meter {
        Meter::new(&Limits {
            memory_bytes,
            ..Limits::default()
        })
    }

    #[test]
    fn growth_beyond_a_types_maximum_fails_and_costs_nothing() {
        let bytes = (TABLE_ELEMENTS + 1) * ELEMENT_BYTES;
        let mut meter = meter(bytes);
        assert!(!meter.memory_growing(0, 11, Some(10)).unwrap());
        assert!(!meter.table_growing(0, TABLE_ELEMENTS + 1, None).unwrap());
        assert!(meter.memory_growing(0, bytes, Some(bytes)).unwrap());
        assert!(meter.memory_growing(0, 1, None).is_err());
    }

    /// A failure that the engine reports without having asked gives nothing back.
    #[test]
    fn a_growth_that_nobody_asked_for_does_not_give_back_an_earlier_one() {
        let mut meter = meter(10);
        assert!(meter.memory_growing(0, 10, None).unwrap());
        for words in INEXPRESSIBLE {
            meter
                .table_grow_failed(wasmtime::Error::msg(words))
                .unwrap();
        }
        assert!(meter.memory_growing(0, 1, None).is_err());
    }

    #[test]
    fn growth_that_this_machine_cannot_give_ends_the_run() {
        let failed = meter(10).memory_grow_failed(wasmtime::Error::msg("mmap failed"));
        let breach = failed.unwrap_err().downcast::<Breach>().unwrap();
        assert_eq!(breach, Breach::Machine);
    }
}
