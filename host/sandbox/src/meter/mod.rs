//! Counts what a call uses while it runs, and ends it at a limit.

use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::limits::{Abort, Limits, TABLE_ELEMENTS};

const ELEMENT_BYTES: usize = size_of::<usize>();

/// The fuel that each call of the host costs.
pub(super) const HOSTCALL_FUEL: u64 = 1000;

/// Counts what one call uses, except for the fuel of the guest's own instructions.
pub(super) struct Meter {
    memory_bytes_left: usize,
    hostcall_bytes_left: usize,
    /// The fuel of calls of the host, which the engine does not count.
    charged: u64,
    wall: Duration,
    started: Instant,
    paused: Duration,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes_left: limits.memory_bytes,
            hostcall_bytes_left: limits.hostcall_bytes,
            charged: 0,
            wall: limits.wall,
            started: Instant::now(),
            paused: Duration::ZERO,
        }
    }

    /// Counts bytes that the guest passes to the host.
    pub(super) fn count_transfer(&mut self, bytes: usize) -> Result<(), Abort> {
        self.hostcall_bytes_left = self
            .hostcall_bytes_left
            .checked_sub(bytes)
            .ok_or(Abort::Hostcall)?;
        Ok(())
    }

    /// Charges fuel for work of the host. The limit is checked at the next tick and when the call ends.
    pub(super) fn charge(&mut self, fuel: u64) {
        self.charged = self.charged.saturating_add(fuel);
    }

    /// Charges fuel for bytes that the host copies.
    pub(super) fn charge_bytes(&mut self, bytes: usize) {
        self.charge(bytes as u64);
    }

    /// Returns the fuel charged so far.
    pub(super) fn charged(&self) -> u64 {
        self.charged
    }

    /// Runs `act` without counting its time.
    pub(super) fn exclude_time<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = act();
        self.paused += started.elapsed();
        result
    }

    /// Decides at a tick whether the call may continue.
    pub(super) fn check_time(&self) -> Result<UpdateDeadline, Abort> {
        let used = self.started.elapsed().saturating_sub(self.paused);
        match self.wall.checked_sub(used) {
            Some(left) if !left.is_zero() => Ok(UpdateDeadline::Continue(1)),
            _ => Err(Abort::Time),
        }
    }

    /// Counts the growth of a memory or table to `desired`; its type allows `maximum`.
    ///
    /// If the type does not allow the growth, it fails without being counted, as the guest expects. So a failure after
    /// that is caused by this machine.
    fn count_growth(
        &mut self,
        desired: usize,
        bytes: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let left = self
            .memory_bytes_left
            .checked_sub(bytes)
            .ok_or(Abort::Memory)?;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory_bytes_left = left;
        Ok(true)
    }
}

/// Ends a call whose memory cannot grow within its limits: the call might succeed on another machine.
///
/// The engine also reports growth to sizes that no type can represent, without asking for permission first. In that
/// case the guest continues.
fn grow_failed(error: &wasmtime::Error) -> wasmtime::Result<()> {
    let text = format!("{error:#}");
    if UNREPRESENTABLE_SIZES
        .iter()
        .any(|known| text.contains(known))
    {
        return Ok(());
    }
    tracing::debug!(error = text, "the memory of a guest cannot grow");
    Err(Abort::Machine.into())
}

/// The engine has no types for these errors, so their texts are compared; a test fails if the texts change.
const UNREPRESENTABLE_SIZES: [&str; 2] = [
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
        self.count_growth(desired, desired.saturating_sub(current), maximum)
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
        // The pool has no larger tables, so no sandbox allows them.
        let maximum = maximum.unwrap_or(TABLE_ELEMENTS).min(TABLE_ELEMENTS);
        self.count_growth(desired, bytes, Some(maximum))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        grow_failed(&error)
    }
}

#[cfg(test)]
mod tests;
