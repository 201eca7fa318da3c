//! What a call may use up, and what is counted while it runs.
//!
//! Fuel, memory, stack and the sizes are the same on every machine, so they are
//! in a unit's fingerprint. The wall time is only a net below them.

use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::fingerprint::LimitParts;

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
}

/// Counts what one call uses, apart from fuel.
pub(super) struct Meter {
    memory_left: usize,
    last_growth: usize,
    hostcall_left: usize,
    wall: Duration,
    started: Instant,
    away: Duration,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            last_growth: 0,
            hostcall_left: limits.hostcall_bytes,
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

    /// Runs `act`, whose time is not the guest's.
    pub(super) fn pause<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let left = Instant::now();
        let result = act();
        self.away += left.elapsed();
        result
    }

    /// Decides at a deadline whether the guest has time left.
    pub(super) fn at_deadline(&self) -> Result<UpdateDeadline, Breach> {
        let used = self.started.elapsed().saturating_sub(self.away);
        match self.wall.checked_sub(used) {
            Some(left) if !left.is_zero() => Ok(UpdateDeadline::Continue(ticks(left))),
            _ => Err(Breach::Time),
        }
    }

    fn grow(&mut self, bytes: usize) -> wasmtime::Result<bool> {
        self.memory_left = self.memory_left.checked_sub(bytes).ok_or(Breach::Memory)?;
        self.last_growth = bytes;
        Ok(true)
    }

    fn shrink_back(&mut self) {
        self.memory_left += std::mem::take(&mut self.last_growth);
    }
}

/// Returns the ticks after which `time` is surely over.
pub(super) fn ticks(time: Duration) -> u64 {
    let whole = time.as_nanos() / TICK.as_nanos();
    u64::from(u32::try_from(whole).unwrap_or(u32::MAX)) + 1
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.shrink_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(
            desired
                .saturating_sub(current)
                .saturating_mul(ELEMENT_BYTES),
        )
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.shrink_back();
        Ok(())
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

    #[test]
    fn growth_that_failed_is_given_back() {
        let mut meter = Meter::new(&Limits {
            memory_bytes: 10,
            ..Limits::default()
        });
        assert!(meter.memory_growing(0, 10, None).unwrap());
        meter
            .memory_grow_failed(wasmtime::Error::new(Breach::Memory))
            .unwrap();
        assert!(meter.memory_growing(0, 10, None).unwrap());
        assert!(meter.table_growing(0, 1, None).is_err());
    }
}
