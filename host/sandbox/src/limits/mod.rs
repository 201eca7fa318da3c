//! The limits of a call; [`super::meter`] enforces them.
//!
//! Fuel, memory, stack and sizes are counted in the same way on every machine, so they are in a unit's fingerprint. The
//! wall time is only a safety net.

use std::time::Duration;

use synix_core::fingerprint::LimitParts;

/// The stack of WebAssembly code; the calling thread must have twice as much.
pub const STACK_BYTES: usize = 1 << 20;
/// The maximum number of elements of a table.
pub(super) const TABLE_ELEMENTS: usize = 1 << 16;
/// The interval at which a running call checks its wall time.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// The limits of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The approximate number of instructions.
    pub fuel: u64,
    /// The bytes of all memories and tables.
    pub memory_bytes: usize,
    /// The wall time, without the time of the model.
    pub wall: Duration,
    /// The bytes that the guest passes to the host in all calls of it; log lines count for less.
    pub hostcall_bytes: usize,
    /// The bytes of all outputs.
    pub output_bytes: usize,
    /// The requests to a model, including answered ones.
    pub requests: u32,
    /// The input and output tokens of all answers of a unit.
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
    /// Returns every limit that can change the result of a call: all but the wall time.
    pub fn parts(&self) -> LimitParts {
        let Self {
            fuel,
            memory_bytes,
            // A failure for this reason is never stored.
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

/// Why the host ends a call; unwinds the guest as an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Abort {
    #[error("memory limit reached")]
    Memory,
    #[error("time limit reached")]
    Time,
    #[error("limit of bytes passed to the host reached")]
    Hostcall,
    /// The guest causes neither this nor the next one.
    #[error("interrupted")]
    Interrupted,
    #[error("this machine has no memory left")]
    Machine,
}

#[cfg(test)]
mod tests;
