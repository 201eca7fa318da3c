//! Converts the errors of the engine, which unwind a guest, to faults.

use wasmtime::Trap;

use super::fault::Fault;
use super::imports::llm::NotGranted;
use super::limits::{Abort, Limits};
use super::wasi::Exit;

impl Fault {
    /// Converts the error that ended a guest; `message` is the guest's last log line of level error.
    pub(super) fn of(error: &wasmtime::Error, limits: &Limits, message: Option<String>) -> Self {
        if let Some(abort) = error.downcast_ref::<Abort>() {
            return match abort {
                Abort::Memory => Self::OutOfMemory {
                    limit: limits.memory_bytes,
                },
                Abort::Time => Self::OutOfTime { limit: limits.wall },
                Abort::Interrupted => Self::Interrupted,
                Abort::Hostcall => Self::HostcallTooLarge {
                    limit: limits.hostcall_bytes,
                },
                Abort::Machine => Self::Machine {
                    detail: format!("{error:#}"),
                },
            };
        }
        if let Some(NotGranted(capability)) = error.downcast_ref::<NotGranted>() {
            return Self::NotGranted { capability };
        }
        if let Some(HostBug(detail)) = error.downcast_ref::<HostBug>() {
            return Self::Host {
                detail: (*detail).to_owned(),
            };
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() || error.is::<ThreadError>() {
            return Self::Busy {
                detail: format!("{error:#}"),
            };
        }
        if let Some(InstantiationError(detail)) = error.downcast_ref::<InstantiationError>() {
            return Self::Machine {
                detail: detail.clone(),
            };
        }
        if let Some(Exit(status)) = error.downcast_ref::<Exit>() {
            return Self::Trapped {
                trap: format!("it exited with status {status}"),
                message,
            };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Self::OutOfFuel { limit: limits.fuel },
            Some(Trap::StackOverflow) => Self::StackOverflow,
            Some(trap) => {
                let trap = trap.to_string();
                let trap = trap.strip_prefix("wasm trap: ").unwrap_or(&trap).to_owned();
                Self::Trapped { trap, message }
            }
            None if is_hostcall_fuel(error) => Self::HostcallTooLarge {
                limit: limits.hostcall_bytes,
            },
            None => Self::Interface {
                detail: format!("{error:#}"),
            },
        }
    }
}

/// A bug of the host that is found while a guest waits. It ends the guest as an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HostBug(pub(super) &'static str);

/// The instance could not be created for a reason that the guest did not cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct InstantiationError(String);

impl InstantiationError {
    /// Wraps an error of the machine; returns an error that the guest caused during instantiation as it is.
    pub(super) fn of(error: wasmtime::Error) -> wasmtime::Error {
        let is_caused_by_guest = error.is::<Trap>()
            || error.is::<Abort>()
            || error.is::<Exit>()
            || error.is::<HostBug>()
            || error.is::<NotGranted>()
            || error.is::<wasmtime::PoolConcurrencyLimitError>()
            || is_hostcall_fuel(&error);
        if is_caused_by_guest {
            error
        } else {
            Self(format!("{error:#}")).into()
        }
    }
}

/// The engine has no type for this error, so its text is compared; a test fails if the text changes.
fn is_hostcall_fuel(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("fuel allocated for hostcalls has been exhausted")
}

/// The system did not start a thread for a call.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a thread")]
pub(super) struct ThreadError(#[source] pub(super) std::io::Error);
